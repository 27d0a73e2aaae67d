import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, readingAnother } from "../support/postgres-restore.ts";
import { besideOf, databasesOf, Memory, replacerOf } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;
const { signal } = new AbortController();

/** Everything that binds a table to what is around it. */
const content = `
CREATE ROLE app_owner; CREATE ROLE app_reader; GRANT CREATE ON DATABASE shop TO app_owner;
CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm;
CREATE SCHEMA app AUTHORIZATION app_owner; GRANT USAGE ON SCHEMA app TO app_reader; CREATE SCHEMA other;
CREATE TYPE app.state AS ENUM ('new', 'paid'); CREATE DOMAIN other.positive AS int CHECK (VALUE > 0);
CREATE TYPE other.span AS RANGE (subtype = int); CREATE TYPE app.pair AS (a int, b app.state);
CREATE SEQUENCE other.numbers START 41;
CREATE FUNCTION other.next() RETURNS int LANGUAGE sql AS $$ SELECT nextval('other.numbers')::int $$;
CREATE TABLE other.customers (id int PRIMARY KEY, name text); INSERT INTO other.customers VALUES (1, 'ann'), (2, 'bob');
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL REFERENCES other.customers,
  parent bigint REFERENCES app.orders, state app.state NOT NULL DEFAULT 'new', states app.state[], amount other.positive,
  number int DEFAULT nextval('other.numbers'), called int DEFAULT other.next(), span other.span, pair app.pair, tags hstore,
  net numeric, gross numeric GENERATED ALWAYS AS (net * 1.2) STORED, serial_no serial);
INSERT INTO app.orders (customer, parent, amount, net, tags, states, span) SELECT 1 + g % 2, nullif(g - 1, 0), g, g, 'a=>1', '{new,paid}', '[1,3)' FROM generate_series(1, 300) g;
COMMENT ON TABLE app.orders IS 'what people bought'; COMMENT ON CONSTRAINT orders_customer_fkey ON app.orders IS 'who'; COMMENT ON CONSTRAINT orders_parent_fkey ON app.orders IS 'after which';
ALTER TABLE app.orders OWNER TO app_owner; GRANT SELECT ON app.orders TO app_reader;
CREATE INDEX orders_tags ON app.orders USING gin (tags); CREATE STATISTICS app.dependent ON customer, state FROM app.orders;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.net := NEW.net; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.orders TO app_reader USING (state = 'new');
CREATE POLICY known ON app.orders TO app_reader USING (customer IN (SELECT id FROM other.customers));
CREATE TABLE app.items (order_id bigint REFERENCES app.orders, what text); INSERT INTO app.items SELECT g, 'x' FROM generate_series(1, 200) g;
CREATE VIEW app.paid AS SELECT * FROM app.orders WHERE state = 'paid';
CREATE VIEW app.named AS SELECT o.id, c.name FROM app.orders o JOIN other.customers c ON c.id = o.customer;
CREATE MATERIALIZED VIEW app.totals AS SELECT customer, sum(net) FROM app.orders GROUP BY 1; CREATE INDEX ON app.totals (customer);
CREATE TABLE app.events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE other.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO app.events SELECT '2025-12-01'::date + g, 'x' FROM generate_series(1, 60) g;
CREATE SCHEMA "Odd. ""schema"""; CREATE TABLE "Odd. ""schema"""."Tab le.x; -- '" ("Ünï" text, "Odd" app.state);
INSERT INTO "Odd. ""schema"""."Tab le.x; -- '" VALUES ('ю', 'new'), (E'a\\nb\\\\', 'paid');
CREATE TABLE public.uses_row (id int, c other.customers);
CREATE TABLE public.plain AS SELECT g AS id FROM generate_series(1, 10) g;
CREATE TABLE "a.b" (id int); CREATE SCHEMA a; CREATE TABLE a.b (id int); CREATE SCHEMA "public.a"; CREATE TABLE "public.a".b (id int); CREATE TABLE public."a.b2" (id int);
`;

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", content);
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
  await server.psql(
    "shop",
    "DELETE FROM app.items; DELETE FROM app.orders WHERE id > 10 AND parent > 10; DROP FUNCTION other.next CASCADE",
  );
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const beside = (pick: string, to: string, more: object = {}) => besideOf(server.url("shop"), { pick, to, ...more });
async function restore(pick: string, to: string) {
  const memory = new Memory();
  const look = await beside(pick, to).look(made.manifest, { reader: made.reader, signal });
  expect(look.obstacles).toEqual([]);
  const report = await beside(pick, to).make(made.reader, memory.context(look.identity));
  expect(await databasesOf(server, "shop_restore")).toBe("");
  return { report, memory, look };
}
/** Everything that the schemas consist of that were there before: what it is, and its rows. */
const state = async () =>
  await server.psql(
    "shop",
    `SELECT md5(string_agg(x, chr(10) ORDER BY x)) FROM (
       SELECT c.oid || c.relname || c.relnamespace || c.relfilenode || c.reltriggers::text || coalesce(c.relacl::text, '') AS x FROM
         (SELECT *, (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = pg_class.oid) AS reltriggers FROM pg_class) c JOIN pg_namespace n ON n.oid = relnamespace WHERE n.nspname IN ('app', 'other', 'public')
       UNION ALL SELECT 'sequence' || last_value FROM other.numbers UNION ALL SELECT oid || nspname || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname IN ('app', 'other', 'public')) s`,
  );

describe("a table out of a backup", () => {
  it("comes into a new schema with all that it needs, and what can not come is told", async () => {
    const before = await state();
    const { report, memory, look } = await restore("app.orders", "old");
    expect(look).toMatchObject({ database: "shop/old", jobs: 1, lost: [], sessions: [] });
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 300, tables: 1 } });
    expect(report.remarks).toEqual([
      { key: "remark-pick-keys", args: { database: "shop", list: "app.orders -> other.customers" } },
      { key: "remark-pick-removed", args: { database: "shop", list: "policy known on table app.orders" } },
      { key: "remark-pick-code", args: { database: "shop", schema: "app" } },
    ]);
    expect(memory.steps).toEqual(["make", "fill", "compare", "prepared"]);
    expect(await server.psql("shop", "SELECT count(*), sum(gross) FROM old.orders")).toBe("300|54180.0");
    expect(
      await server.psql(
        "shop",
        "SELECT typname FROM pg_type t WHERE typnamespace = 'old'::regnamespace AND typtype IN ('e', 'd', 'r') ORDER BY 1",
      ),
    ).toBe("positive\nspan\nstate");
    expect(
      await server.psql(
        "shop",
        "SELECT pg_get_userbyid(relowner), relacl::text, relrowsecurity, obj_description(oid) FROM pg_class WHERE oid = 'old.orders'::regclass",
      ),
    ).toBe("app_owner|{app_owner=arwdDxt/app_owner,app_reader=r/app_owner}|t|what people bought");
    expect(
      await server.psql(
        "shop",
        "SELECT conname, obj_description(oid) FROM pg_constraint WHERE conrelid = 'old.orders'::regclass ORDER BY 1",
      ),
    ).toBe("orders_parent_fkey|after which\norders_pkey|");
    expect(await server.psql("shop", "SELECT polname FROM pg_policy WHERE polrelid = 'old.orders'::regclass")).toBe(
      "own",
    );
    expect(
      await server.psql("shop", "SELECT last_value FROM old.numbers; SELECT last_value FROM old.orders_id_seq"),
    ).not.toBe("41\n1");
    expect(await state()).toBe(before);
    // Nothing of what is live is needed by it, nor the reverse.
    await server.psql("shop", "DROP SCHEMA old CASCADE");
    expect(await server.psql("shop", "SELECT to_regtype('app.state') IS NOT NULL")).toBe("t");
    expect(await state()).toBe(before);
  });

  it("that has partitions comes with them; a partition comes alone", async () => {
    expect((await restore("app.events", "events")).report).toMatchObject({
      differencesTotal: 0,
      compared: { rows: 60, tables: 2 },
    });
    expect(
      await server.psql("shop", "SELECT count(*) FROM events.events; SELECT count(*) FROM events.events_2025"),
    ).toBe("60\n30");
    const { report } = await restore("other.events_2025", "part");
    expect(report).toMatchObject({
      compared: { rows: 30 },
      remarks: [{ key: "remark-pick-detached", args: { database: "shop", list: "other.events_2025" } }],
    });
    expect(await server.psql("shop", "SELECT count(*) FROM part.events_2025; SELECT count(*) FROM app.events")).toBe(
      "30\n60",
    );
  });

  it("is found by any spelling of its name", async () => {
    const odd = `"Odd. ""schema"""."Tab le.x; -- '"`;
    const to = `Ne"w. Schema`;
    expect((await restore(odd, to)).report).toMatchObject({ differencesTotal: 0, compared: { rows: 2, tables: 1 } });
    expect(await server.psql("shop", `SELECT count(*) FROM "Ne""w. Schema"."Tab le.x; -- '"`)).toBe("2");
    await restore(`Odd. "schema".Tab le.x; -- '`, "again");
    const obstacles = async (pick: string, to = "nowhere", reader = true) =>
      (await beside(pick, to).look(made.manifest, { signal, ...(reader && { reader: made.reader }) })).obstacles;
    expect(await obstacles("app.order")).toEqual([
      { key: "error-pick-near", args: { pick: "app.order", list: "app.orders" } },
    ]);
    expect(await obstacles("APP.Items", "nowhere", false)).toEqual([
      { key: "error-pick-near", args: { pick: "APP.Items", list: "app.items" } },
    ]);
    expect(await obstacles("public.items")).toEqual([
      { key: "error-pick-near", args: { pick: "public.items", list: "app.items" } },
    ]);
    expect(await obstacles("zzzzzzzz")).toEqual([{ key: "error-pick-none", args: { pick: "zzzzzzzz" } }]);
    expect(await obstacles("app.named")).toEqual([{ key: "error-pick-kind", args: { pick: "app.named" } }]);
    expect(await obstacles("public.a.b")).toMatchObject([{ key: "error-pick-ambiguous" }]);
    expect(await obstacles(`"public"."a.b"`)).toEqual([]);
    expect(await obstacles("app.orders", "app")).toEqual([
      { key: "replace-obstacle-schema", args: { database: "shop", schema: "app" } },
    ]);
    expect(await obstacles("app.orders", "pg_mine")).toMatchObject([{ key: "replace-obstacle-schema-name" }]);
    const identity = (await beside("app.order", "x").look(made.manifest, { signal })).identity;
    await expect(beside("app.order", "x").make(made.reader, new Memory().context(identity))).rejects.toMatchObject({
      code: "not-found",
      message: "the backup has no schema and no table app.order; near to it are app.orders",
    });
  });

  it("with a column that is a row of another one is refused, and nothing is left", async () => {
    const memory = new Memory();
    const { identity } = await beside("public.uses_row", "x").look(made.manifest, { signal });
    await expect(beside("public.uses_row", "x").make(made.reader, memory.context(identity))).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-pick-bound" },
    });
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await server.psql("shop", "SELECT to_regnamespace('x') IS NULL")).toBe("t");
  });

  it("is not put in the place of anything", async () => {
    const look = await replacerOf(server.url("shop"), { pick: "app.orders" }).look(made.manifest, { signal });
    expect(look.obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-pick"]);
  });
});

describe("a schema out of a backup", () => {
  it("comes with its views, functions and keys; what needs other tables is told", async () => {
    const { report } = await restore("app", "app_old");
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 560, tables: 4 } });
    expect(report.remarks).toMatchObject([
      { key: "remark-pick-keys" },
      { key: "remark-pick-removed", args: { list: "view app.named, policy known on table app.orders" } },
      { key: "remark-pick-code" },
    ]);
    expect(
      await server.psql(
        "shop",
        "SELECT count(*) FROM app_old.paid; SELECT count(*) FROM app_old.totals; SELECT count(*) FROM app_old.items JOIN app_old.orders ON id = order_id",
      ),
    ).toBe("0\n2\n200");
    expect(
      await server.psql(
        "shop",
        "SELECT confrelid::regclass FROM pg_constraint WHERE conrelid = 'app_old.items'::regclass",
      ),
    ).toBe("app_old.orders");
    expect(
      await server.psql(
        "shop",
        "SELECT pg_get_userbyid(nspowner), nspacl::text FROM pg_namespace WHERE nspname = 'app_old'",
      ),
    ).toBe("app_owner|{app_owner=UC/app_owner,app_reader=U/app_owner}");
  });

  it("with a table that needs a row of another schema's is refused", async () => {
    const memory = new Memory();
    const { identity } = await beside("public", "x").look(made.manifest, { signal });
    await expect(beside("public", "x").make(made.reader, memory.context(identity))).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-pick-bound", args: { reason: expect.stringContaining("other.customers") } },
    });
  });

  it("of this order that is there already is compared, and not made again", async () => {
    const memory = new Memory();
    const { identity } = await beside("app.items", "twice").look(made.manifest, { signal });
    await beside("app.items", "twice").make(made.reader, memory.context(identity));
    expect(await beside("app.items", "twice").make(made.reader, memory.context(identity))).toMatchObject({
      restoreMs: 0,
      compared: { rows: 200, tables: 1 },
      differencesTotal: 0,
    });
    await expect(
      beside("app.items", "twice", { id: "r2" }).make(made.reader, new Memory().context(identity)),
    ).rejects.toMatchObject({
      code: "conflict",
    });
    await beside("app.items", "twice").discard(memory.context(identity));
    expect(await server.psql("shop", "SELECT count(*) FROM twice.items")).toBe("200");
  });

  it.each(["make", "fill", "compare"])("is not there when it is cancelled at %s", async (step) => {
    const memory = new Memory();
    const { identity } = await beside("app", "cancelled").look(made.manifest, { signal });
    const stop = new AbortController();
    memory.onRecord = (at) => {
      if (at === step) stop.abort(new Error("cancelled"));
    };
    await expect(
      beside("app", "cancelled").make(made.reader, memory.context(identity, { signal: stop.signal })),
    ).rejects.toThrow();
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await server.psql("shop", "SELECT to_regnamespace('cancelled') IS NULL")).toBe("t");
  });
});

describe("a table out of a backup in whose place another one is for once", () => {
  let first: MadeBackup;
  let other: MadeBackup;
  const url = () => server.url("market");
  /** With so much noise the archive is not read whole for its beginning. */
  const market = `CREATE TABLE items (id int, what text DEFAULT 'x'); INSERT INTO items SELECT g FROM generate_series(1, 100) g;
    CREATE SCHEMA apart; CREATE TABLE apart.noise AS SELECT md5(g::text) AS text FROM generate_series(1, 60000) g`;
  beforeAll(async () => {
    await server.createDatabase("market", market);
    first = await backUp({ kind: "postgres", url: url() }, folder.path, { runId: "first" });
    await server.psql("market", "ALTER TABLE items ALTER what SET DEFAULT 'y'; CREATE INDEX more ON items (what)");
    other = await backUp({ kind: "postgres", url: url() }, folder.path, { runId: "other" });
  });

  // In between it is only looked at.
  it.each([
    ["first", 1],
    ["fourth", 4],
    ["fifth", 5],
  ])("is not there when that is read the %s time", async (to, time) => {
    const order = besideOf(url(), { pick: "public.items", to });
    const { identity } = await order.look(first.manifest, { signal });
    const { reader, opened } = readingAnother(first, other, time);
    await expect(order.make(reader, new Memory().context(identity))).rejects.toMatchObject({
      code: "storage-mismatch",
      text: { key: "error-storage-changed" },
    });
    expect(opened()).toBeGreaterThanOrEqual(time);
    expect(await databasesOf(server, "market")).toBe("market t");
    expect(await server.psql("market", `SELECT to_regnamespace('${to}') IS NULL`)).toBe("t");
  });
});
