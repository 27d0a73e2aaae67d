import { chmodSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, restoreTo, richSchema, testRestoreIn } from "../support/postgres-restore.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;

beforeAll(async () => {
  [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  await server.createDatabase("shop", richSchema);
  await server.psql("postgres", "ALTER DATABASE shop SET work_mem = '5MB'; ALTER DATABASE shop OWNER TO app_owner");
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

describe("a restore of one database", () => {
  it("has the facts that it is compared by", () => {
    expect(made.manifest.source).toMatchObject({ extensions: "hstore 1.8, pg_trgm 1.6, plpgsql 1.0" });
    const [artifact] = made.manifest.parts;
    expect(artifact).toMatchObject({ file: "artifact.dump.zst", database: "shop", entries: 2 });
    expect(artifact?.tables).toMatchObject({ "app.orders": 1000, "app.events_2025": 213, "app.events_2026": 287 });
  });

  it("into a missing database makes it, its roles and its properties, and finds everything the same", async () => {
    const report = await restoreTo(made.reader, other.url("shop"));
    expect(report.differences).toEqual([]);
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 1503, tables: 6, largeObjects: 2 } });
    expect(report.compared.objects).toBe(29);
    expect(report.restoreMs).toBeGreaterThan(0);
    expect(
      await other.psql(
        "shop",
        `SELECT rolname FROM pg_roles WHERE rolname LIKE 'app%' ORDER BY 1;
         SELECT pg_get_userbyid(datdba), (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid)
           FROM pg_database d WHERE datname = 'shop';
         SELECT pg_has_role('app_reader', 'app_owner', 'member'), nextval('app.numbers'), (SELECT sum FROM app.totals);
         SELECT reltuples FROM pg_class WHERE oid = 'app.orders'::regclass;
         SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ' ' ORDER BY oid) FROM pg_largeobject_metadata`,
      ),
    ).toBe("app_owner\napp_reader\napp_owner|{work_mem=5MB}\nt|42|500500\n1000\none two");
    // The role's password came along.
    expect(
      await other.psql("postgres", "SELECT rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname = 'app_reader'"),
    ).toBe("t");
  });

  it("refuses a database that is not empty, and says what is in it", async () => {
    await expect(restoreTo(made.reader, other.url("shop"))).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /^database shop is not empty: it has table app\.events, table app\.events_2025, table app\.events_2026, \.\.\.$/,
      ),
    });
  });

  it.each([
    ["CREATE SCHEMA x", "schema x"],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f"],
    ["CREATE TYPE t AS ENUM ('a')", "type public.t"],
    ["CREATE SEQUENCE s", "sequence public.s"],
    ["CREATE VIEW v AS SELECT 1", "view public.v"],
    ["SELECT lo_create(4711)", "large object 4711"],
  ])("refuses a database after %s", async (sql, what) => {
    const url = await other.createDatabase("not_empty", sql);
    await expect(restoreTo(made.reader, url)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(what),
    });
    await other.psql("postgres", "DROP DATABASE not_empty");
  });

  it("gives settings that would stand in its way only to what is filled", async () => {
    await server.createDatabase("locked", "CREATE TABLE t AS SELECT 1 AS id; GRANT SELECT ON t TO app_reader");
    await server.psql(
      "postgres",
      `ALTER DATABASE locked SET default_transaction_read_only = on; ALTER DATABASE locked SET role = app_reader;
       ALTER ROLE app_reader IN DATABASE locked SET work_mem = '6MB'; ALTER DATABASE locked CONNECTION LIMIT 7;
       COMMENT ON DATABASE locked IS 'to be read'; GRANT CREATE ON DATABASE locked TO app_reader;
       ALTER DATABASE locked IS_TEMPLATE true`,
    );
    using own = temporaryFolder();
    chmodSync(own.path, 0o711);
    const { reader } = await backUp({ kind: "postgres", url: server.url("locked") }, own.path);
    expect(await testRestoreIn(reader, own.path)).toMatchObject({ differences: [], compared: { rows: 1 } });
    expect(await restoreTo(reader, other.url("locked"))).toMatchObject({ differences: [], compared: { rows: 1 } });
    const properties = `SELECT datconnlimit, datistemplate, shobj_description(oid, 'pg_database'),
      has_database_privilege('app_reader', oid, 'CREATE'),
      (SELECT string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
      FROM pg_database d WHERE datname = 'locked'`;
    expect(await other.psql("postgres", properties)).toBe(
      "7|t|to be read|t|{default_transaction_read_only=on,role=app_reader} {work_mem=6MB}",
    );
  });

  it("into an empty one with extensions and another name leaves its owner and settings", async () => {
    const url = await other.createDatabase("again", "CREATE EXTENSION pg_trgm");
    const bytes: number[] = [];
    const report = await restoreTo(made.reader, url, { progress: (so) => bytes.push(so) });
    expect(report).toMatchObject({ differences: [], compared: { rows: 1503 } });
    expect(bytes.at(-1)).toBe(made.manifest.parts[0]?.bytes);
    expect(
      await other.psql("postgres", "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'again'"),
    ).toBe("postgres");
  });
});
