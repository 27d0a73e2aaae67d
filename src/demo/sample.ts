/** A shop as people have it: customers, products, orders, and a stream of events as JSON. About 90 MB, made in seconds. */
export const shopSql = `
  SET synchronous_commit = off;
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, city text NOT NULL, since date NOT NULL);
  CREATE TABLE products (id int PRIMARY KEY, title text NOT NULL, price numeric(10, 2) NOT NULL, tags text[] NOT NULL);
  CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, placed timestamptz NOT NULL, status text NOT NULL);
  CREATE TABLE order_items (order_id int NOT NULL REFERENCES orders, line int NOT NULL, product int NOT NULL REFERENCES products,
                            quantity int NOT NULL, PRIMARY KEY (order_id, line));
  CREATE TABLE events (id bigint PRIMARY KEY, at timestamptz NOT NULL, kind text NOT NULL, data jsonb NOT NULL);
  INSERT INTO customers
    SELECT n, (ARRAY['Anna','Boris','Vera','Gleb','Dina','Egor','Zoya','Ivan','Kira','Lev'])[1 + n % 10] || ' ' ||
              (ARRAY['Orlova','Petrov','Sokolova','Kuznetsov','Popova'])[1 + n % 5] || ' ' || n,
           'customer' || n || '@example.org', (ARRAY['Moscow','Kazan','Tomsk','Perm','Sochi'])[1 + n % 5], date '2019-01-01' + n % 2500
    FROM generate_series(1, 20000) n;
  INSERT INTO products
    SELECT n, (ARRAY['Lamp','Chair','Table','Shelf','Mug','Clock'])[1 + n % 6] || ' No. ' || n, 5 + (n * 37 % 20000) / 100.0,
           ARRAY['tag' || n % 17, 'tag' || n % 23]
    FROM generate_series(1, 2000) n;
  INSERT INTO orders
    SELECT n, 1 + n * 7919 % 20000, timestamptz '2022-01-01 00:00Z' + n * interval '11 minutes', (ARRAY['paid','sent','done','returned'])[1 + n % 4]
    FROM generate_series(1, 120000) n;
  INSERT INTO order_items
    SELECT o, line, 1 + (o * 31 + line * 17) % 2000, 1 + (o + line) % 5 FROM generate_series(1, 120000) o, generate_series(1, 2) line;
  INSERT INTO events
    SELECT n, timestamptz '2025-01-01 00:00Z' + n * interval '40 seconds', (ARRAY['view','cart','pay','error'])[1 + n % 4],
           jsonb_build_object('session', md5(n::text), 'path', '/p/' || n % 2000, 'ms', n * 13 % 900, 'agent', 'Mozilla/5.0 ' || md5((n / 50)::text))
    FROM generate_series(1, 250000) n;
  ANALYZE;`;

/** A small second database, so that there is a choice to make; its backup is encrypted. */
export const blogSql = `
  CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL, body text NOT NULL, published timestamptz NOT NULL);
  CREATE TABLE comments (id int PRIMARY KEY, post int NOT NULL REFERENCES posts, author text NOT NULL, body text NOT NULL);
  INSERT INTO posts SELECT n, 'Post ' || n, repeat(md5(n::text) || ' ', 20), now() - n * interval '1 day' FROM generate_series(1, 400) n;
  INSERT INTO comments SELECT n, 1 + n % 400, 'reader' || n % 90, repeat(md5((n * 3)::text) || ' ', 3) FROM generate_series(1, 8000) n;
  ANALYZE;`;
