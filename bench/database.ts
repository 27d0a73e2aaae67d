import type { PostgresServer } from "../src/sandbox/servers/postgres.ts";

/** What one unit of generated data is expected to take in the database, indexes included; megabytes. */
const unitMb = 11.5;

/**
 * SQL that makes a database of about `megabytes` (10^6 bytes, indexes included), the same rows every time: numbers
 * (orders, and accounts as pgbench has them, with padding), JSON (events), text (messages made of templates, articles
 * of single words) and customers with some of each.
 */
function statements(megabytes: number): { readonly base: string; readonly tables: readonly string[] } {
  const units = Math.max(1, Math.round(megabytes / unitMb));
  const rows = (perUnit: number): number => units * perUnit;
  const customers = rows(1000);
  return {
    base: `
-- A vocabulary in which some words are frequent and most are rare, as in a language.
CREATE FUNCTION word(n int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['ba','co','di','fu','ge','ha','lo','mi','nu','pe','ra','si','to','ve','wa','zo'])[1 + n % 16 * 7 % 16]
    || (ARRAY['n','r','st','ck','','l','ng','m'])[1 + (n / 16) % 8]
    || (ARRAY['er','in','a','ot','y','um','al','e','ion','ed'])[1 + (n / 128) % 10] $$;
CREATE TABLE words AS SELECT array_agg(word(n) ORDER BY n) AS list FROM generate_series(0, 1279) n;
-- In PL/pgSQL, where the list is unpacked once and not for every word.
CREATE FUNCTION sentence(length int) RETURNS text VOLATILE LANGUAGE plpgsql AS $$
  DECLARE vocabulary text[] := (SELECT list FROM words); picked text[] := '{}';
  BEGIN
    FOR i IN 1..length LOOP picked[i] := vocabulary[1 + floor(1280 * random() ^ 3)::int]; END LOOP;
    RETURN array_to_string(picked, ' ');
  END $$;`,
    tables: [
      `
CREATE TABLE customers AS SELECT n AS id, initcap(word(n)) || ' ' || initcap(word(n / 3)) AS name,
  word(n) || '.' || n || '@example.org' AS email, (ARRAY['de','fr','ru','us','pl','kz'])[1 + n % 6] AS country,
  timestamptz '2021-01-01 00:00Z' + n * interval '97 seconds' AS created, (n::bigint * 7919) % 100000 / 100.0 AS balance,
  jsonb_build_object('theme', (ARRAY['dark','light'])[1 + n % 2], 'news', n % 3 = 0, 'limit', 100 * (n % 5)) AS settings
  FROM generate_series(1, ${customers}) n;
ALTER TABLE customers ADD PRIMARY KEY (id);
CREATE TABLE accounts AS SELECT n AS id, 1 + n / 100000 AS branch, (n::bigint * 7919) % 1000000 AS balance, ''::char(84) AS filler
  FROM generate_series(1, ${rows(18_000)}) n;
ALTER TABLE accounts ADD PRIMARY KEY (id);
CREATE TABLE orders AS SELECT n::bigint AS id, (1 + (n::bigint * 31) % ${customers})::int AS customer_id, 1000 + n % 500 * 17 % 500 AS product_id,
  1 + n % 9 AS quantity, 100 * (1 + n % 300 * 13 % 300) AS price, (n / 50) AS batch, n % 4 AS status,
  timestamptz '2024-01-01 00:00Z' + n * interval '11 seconds' AS placed
  FROM generate_series(1, ${rows(24_000)}) n;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (customer_id);`,
      `
SELECT setseed(0.25);
CREATE TABLE events AS SELECT n::bigint AS id, timestamptz '2025-01-01 00:00Z' + n * interval '3 seconds' AS at,
  jsonb_build_object('kind', (ARRAY['page_view','click','search','purchase','login'])[1 + floor(5 * random())::int],
    'user', jsonb_build_object('id', floor(${customers} * random())::int, 'plan', (ARRAY['free','team','pro'])[1 + n % 3]),
    'request', jsonb_build_object('method', 'GET', 'path', '/catalogue/items/' || floor(500 * random())::int,
      'status', (ARRAY[200,200,200,200,304,404])[1 + floor(6 * random())::int], 'ms', floor(900 * random() ^ 4)::int),
    'agent', (ARRAY['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0'])[1 + floor(3 * random())::int]) AS data
  FROM generate_series(1, ${rows(8000)}) n;
ALTER TABLE events ADD PRIMARY KEY (id);`,
      `
SELECT setseed(0.5);
CREATE TABLE templates AS SELECT n AS id, sentence(60) AS body FROM generate_series(1, 300) n;
CREATE TABLE messages AS SELECT n::bigint AS id, (1 + (n::bigint * 31) % ${customers})::int AS customer_id,
  'Dear ' || initcap(word(n)) || ', order ' || n * 3 || ': ' || (bodies.list)[1 + floor(300 * random())::int]
    || E'\\nYour team' AS body, timestamptz '2025-01-01 00:00Z' + n * interval '7 seconds' AS sent
  FROM generate_series(1, ${rows(5000)}) n, (SELECT array_agg(body) AS list FROM templates) bodies;
ALTER TABLE messages ADD PRIMARY KEY (id);
CREATE TABLE articles AS SELECT n AS id, sentence(4) AS title, sentence(120 + n % 80) AS body
  FROM generate_series(1, ${rows(600)}) n;
ALTER TABLE articles ADD PRIMARY KEY (id);`,
    ],
  };
}

/** What was generated, by the server's own account. */
export interface BenchDatabase {
  readonly url: string;
  /** Bytes with indexes. */
  readonly bytes: number;
  readonly rows: Readonly<Record<string, number>>;
}

/** Generates the database and leaves it as a server at rest has it: vacuumed, analysed, written to disk. */
export async function createBenchDatabase(
  postgres: PostgresServer,
  name: string,
  megabytes: number,
): Promise<BenchDatabase> {
  const { base, tables } = statements(megabytes);
  const url = await postgres.createDatabase(name, base);
  await Promise.all(tables.map((sql) => postgres.psql(name, sql)));
  await postgres.psql(name, "VACUUM (FREEZE, ANALYZE); CHECKPOINT;");
  const answer = await postgres.psql(
    name,
    `SELECT pg_database_size(current_database()), json_object_agg(relname, reltuples::bigint) FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;`,
  );
  const [bytes = "", rows = "{}"] = answer.split("|");
  return { url, bytes: Number(bytes), rows: JSON.parse(rows) as Record<string, number> };
}
