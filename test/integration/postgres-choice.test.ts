import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, restoreTo } from "../support/postgres-restore.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();

beforeAll(async () => {
  [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  await server.createDatabase(
    "shop",
    `CREATE SCHEMA app; CREATE SCHEMA "Odd Logs"; CREATE SCHEMA secret;
     CREATE TABLE app.orders AS SELECT g FROM generate_series(1, 10) g; CREATE TABLE app.order_lines AS SELECT g FROM generate_series(1, 20) g;
     CREATE TABLE app.cache AS SELECT g FROM generate_series(1, 30) g; CREATE TABLE "Odd Logs"."Entries" AS SELECT g FROM generate_series(1, 40) g;
     CREATE TABLE secret.keys AS SELECT g FROM generate_series(1, 50) g; CREATE TABLE misc AS SELECT g FROM generate_series(1, 60) g;
     SELECT lo_from_bytea(0, 'one'); CREATE EXTENSION hstore`,
  );
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

const all = {
  "app.cache": 30,
  "app.order_lines": 20,
  "app.orders": 10,
  '"Odd Logs"."Entries"': 40,
  "public.misc": 60,
  "secret.keys": 50,
};
type Name = keyof typeof all;
const only = (...names: Name[]) => Object.fromEntries(names.map((name) => [name, all[name]]));

let run = 0;
async function roundTrip(choice: object) {
  run += 1;
  const database = `copy${run}`;
  const made = await backUp({ kind: "postgres", url: server.url("shop"), ...choice }, folder.path, {
    runId: `run${run}`,
  });
  const report = await restoreTo(made.reader, other.url(database));
  const names = await other.psql(
    database,
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1",
  );
  return { part: made.manifest.parts[0], manifest: made.manifest, report, there: names.split("\n") };
}

describe("what is chosen is what is counted, restored and compared", () => {
  it.each<[string, object, Name[], number, string[]]>([
    ["nothing", {}, Object.keys(all) as Name[], 1, Object.keys(all)],
    [
      "schemas",
      { schemas: { include: ["app", '"Odd"*'] } },
      ["app.cache", "app.order_lines", "app.orders", '"Odd Logs"."Entries"'],
      1,
      ["app.cache", "app.order_lines", "app.orders", '"Odd Logs"."Entries"'],
    ],
    [
      "all schemas but some",
      { schemas: { exclude: ["secret", "app"] }, largeObjects: false },
      ['"Odd Logs"."Entries"', "public.misc"],
      0,
      ['"Odd Logs"."Entries"', "public.misc"],
    ],
    [
      "tables",
      { tables: { include: ["app.order*"] } },
      ["app.order_lines", "app.orders"],
      1,
      ["app.order_lines", "app.orders"],
    ],
    [
      "all tables but some",
      { tables: { exclude: ["app.c*", '"Odd Logs"."Entries"', "keys"] } },
      ["app.order_lines", "app.orders", "public.misc", "secret.keys"],
      1,
      ["app.order_lines", "app.orders", "public.misc", "secret.keys"],
    ],
    [
      "definitions without rows",
      { tableData: { exclude: ["app.cache"] } },
      ["app.order_lines", "app.orders", '"Odd Logs"."Entries"', "public.misc", "secret.keys"],
      1,
      Object.keys(all),
    ],
  ])("%s", async (_what, choice, counted, largeObjects, tables) => {
    const { part, report, there, manifest } = await roundTrip(choice);
    expect(part?.tables).toEqual(only(...counted));
    expect(part?.entries ?? 0).toBe(largeObjects);
    expect(manifest.source.largeObjects).toBe("largeObjects" in choice ? "off" : undefined);
    expect(there.toSorted()).toEqual(tables.toSorted());
    expect(report).toMatchObject({ differences: [], compared: { tables: counted.length } });
  });

  it.each([{ tables: { include: ["app.orders", "nothing"] } }, { schemas: { include: ["nothing"] } }])(
    "fails for a pattern that matches nothing: %j",
    async (choice) => {
      await expect(backUp({ kind: "postgres", url: server.url("shop"), ...choice }, folder.path)).rejects.toMatchObject(
        {
          code: "source-failed",
          message: expect.stringMatching(
            /pg_dump failed: no matching (tables|schemas) were found for pattern "nothing"/,
          ),
        },
      );
    },
  );

  it.each([
    { schemas: { exclude: ["*"] } },
    { tables: { exclude: ["*.*"] }, counts: "off" },
    { databases: ["shop"], tables: { include: ["app.orders"], exclude: ["*.orders"] } },
  ])("fails when it leaves no table: %j", async (choice) => {
    const attempt = backUp({ kind: "postgres", url: server.url("shop"), ...choice }, folder.path, { runId: "none" });
    await expect(attempt).rejects.toMatchObject({
      code: "source-failed",
      text: { key: "error-source-nothing-chosen", args: { database: "shop" } },
    });
  });

  it("is content with definitions alone, with a schema that has no table, and with a database that has none", async () => {
    await server.createDatabase(
      "bare",
      "CREATE SCHEMA api; CREATE FUNCTION api.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    const attempt = (database: string, choice: object) =>
      backUp({ kind: "postgres", url: server.url(database), ...choice }, folder.path, { runId: "content" });
    await server.psql("shop", "CREATE SCHEMA api");
    for (const choice of [{ tableData: { exclude: ["*.*"] } }, { schemas: { include: ["api"] } }])
      expect((await attempt("shop", choice)).manifest.parts[0]?.tables).toEqual({});
    await server.psql("shop", "DROP SCHEMA api");
    expect((await attempt("bare", { schemas: { exclude: ["*"] } })).manifest.parts[0]?.tables).toEqual({});
  });

  it.each([
    ["pg_restore", "unsupported version (1.99) in file header"],
    ["pg_dump", "could not receive data from server: Connection reset by peer"],
  ])("fails with what %s says where what a dump writes can not be listed", async (program, said) => {
    using own = temporaryFolder();
    await server.createDatabase(
      program,
      "CREATE TABLE t AS SELECT repeat(g::text, 100) FROM generate_series(1, 20000) g; CREATE TABLE u (n int)",
    );
    const script = `echo "${program}: error: ${said}" >&2; exit 1`;
    const bin = misbehavingTools(own.path, server.programs, script, program);
    const choice = { url: server.url(program), tables: { exclude: ["u"] }, bin };
    await expect(backUp({ kind: "postgres", ...choice }, own.path)).rejects.toMatchObject({
      code: "source-failed",
      message: `${program} failed: ${said}`,
    });
  });

  it("makes the schema of an extension anew when that schema was left out", async () => {
    await server.createDatabase(
      "extended",
      `CREATE SCHEMA "A b"; CREATE EXTENSION hstore SCHEMA "A b"; CREATE TABLE "A b".out (id int);
       CREATE TABLE tagged AS SELECT 'a=>1'::"A b".hstore AS tags`,
    );
    const choice = { url: server.url("extended"), schemas: { exclude: ['"A b"'] } };
    const { reader } = await backUp({ kind: "postgres", ...choice }, folder.path, { runId: "extended" });
    const report = await restoreTo(reader, other.url("extended"));
    expect(report).toMatchObject({ differences: [], compared: { rows: 1, tables: 1 } });
    expect(await other.psql("extended", `SELECT tags -> 'a' FROM tagged`).catch(String)).toContain("operator");
    expect(await other.psql("extended", `SELECT tags OPERATOR("A b".->) 'a' FROM tagged`)).toBe("1");
  });

  it("leaves no session behind that only listed", async () => {
    expect(
      await server.psql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'vakhta%'"),
    ).toBe("0");
  });

  it("works through a prefix too", async () => {
    const via = ["env", `PATH=${server.programs}:/usr/bin:/bin`];
    const url = server.url("shop").replace(`:${server.password}@`, "@");
    const { part } = await (async () => {
      const made = await backUp(
        { kind: "postgres", url, via: [...via, `PGPASSWORD=${server.password}`], tables: { include: ["app.orders"] } },
        folder.path,
        { runId: "via" },
      );
      return { part: made.manifest.parts[0] };
    })();
    expect(part?.tables).toEqual(only("app.orders"));
  });
});

describe("counts", () => {
  it("are those of the dump's snapshot when rows vanish and appear meanwhile", async () => {
    using own = temporaryFolder();
    await server.createDatabase(
      "moving",
      "CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g; SELECT lo_create(1), lo_create(2)",
    );
    const psql = `PGPASSWORD=${server.password} ${server.programs}/psql -q -h 127.0.0.1 -p ${server.port} -U postgres moving`;
    // Between the snapshot and the dump, and again before the dump ends.
    const change = `${psql} -c "DELETE FROM t WHERE g > 10; INSERT INTO t VALUES (5000); SELECT lo_unlink(1)" >/dev/null; real_pg_dump "$@"`;
    const bin = misbehavingTools(own.path, server.programs, change);
    const made = await backUp({ kind: "postgres", url: server.url("moving"), bin }, own.path);
    expect(made.manifest.parts[0]).toMatchObject({ tables: { "public.t": 1000 }, entries: 2 });
    expect(await server.psql("moving", "SELECT count(*) FROM t")).toBe("11");
    expect(await restoreTo(made.reader, other.url("moving"))).toMatchObject({
      differences: [],
      compared: { rows: 1000, largeObjects: 2 },
    });
  });

  it("are not compared where there are none, the definitions are", async () => {
    const made = await backUp({ kind: "postgres", url: server.url("shop"), counts: "off" }, folder.path, {
      runId: "off",
    });
    expect(made.manifest.parts[0]).not.toHaveProperty("tables");
    const report = await restoreTo(made.reader, other.url("uncounted"));
    expect(report).toMatchObject({ differences: [], compared: { rows: 0, tables: 0 } });
    expect(report.compared.objects).toBeGreaterThan(6);
  });

  it("of an empty database are none", async () => {
    await server.createDatabase("nothing");
    const made = await backUp({ kind: "postgres", url: server.url("nothing") }, folder.path, { runId: "nothing" });
    expect(made.manifest.parts[0]).toMatchObject({ tables: {} });
    expect(await restoreTo(made.reader, other.url("nothing"))).toMatchObject({
      differences: [],
      compared: { rows: 0, tables: 0 },
    });
  });
});

describe("a comparison", () => {
  it("names what is different: rows, tables, large objects, definitions", async () => {
    const sql = `CREATE TABLE a AS SELECT g FROM generate_series(1, 5) g; CREATE TABLE b AS SELECT g FROM generate_series(1, 7) g;
      CREATE TABLE c (id int CHECK (id > 1)); SELECT lo_create(7)`;
    await server.createDatabase("first", sql);
    const made = await backUp({ kind: "postgres", url: server.url("first") }, folder.path, { runId: "different" });
    // As if the restore had lost something without an error: another hand changes what was restored before it is compared.
    using own = temporaryFolder();
    const url = await other.createDatabase("first");
    const damage =
      "DELETE FROM a WHERE g = 1; DROP TABLE b; ALTER TABLE c DROP CONSTRAINT c_id_check; CREATE TABLE d AS SELECT 1 AS id; SELECT lo_unlink(7)";
    const psql = `PGPASSWORD=${other.password} ${other.programs}/psql -q -h 127.0.0.1 -p ${other.port} -U postgres first`;
    const bin = misbehavingTools(
      own.path,
      other.programs,
      `real_pg_restore "$@" || exit; case "$*" in *exit-on-error*) ${psql} -c "${damage}" >/dev/null;; esac`,
      "pg_restore",
    );
    const report = await restoreTo(made.reader, url, {}, { kind: "postgres", url, bin });
    expect(report.differencesTotal).toBe(report.differences.length);
    expect(report.differences).toEqual(
      expect.arrayContaining([
        { what: "public.a", expected: "5 rows", found: "4 rows" },
        { what: "public.b", expected: "7 rows", found: "no such table" },
        { what: "public.d", expected: "no rows", found: "1 rows" },
        { what: "large objects", expected: "1", found: "0" },
        { what: "TABLE public.b", expected: "defined", found: "missing" },
        { what: "TABLE public.d", expected: "not in the backup", found: "defined" },
        {
          what: "TABLE public.c",
          expected: expect.stringContaining("CHECK"),
          found: expect.not.stringContaining("CHECK"),
        },
      ]),
    );
  });
});
