import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, restoreTo, testRestoreIn } from "../support/postgres-restore.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;

beforeAll(async () => {
  [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  await server.createDatabase(
    "shop",
    `CREATE ROLE "Head; of" CONNECTION LIMIT 7; CREATE ROLE clerk LOGIN PASSWORD 'swordfish-swordfish' IN ROLE "Head; of"; CREATE ROLE known CONNECTION LIMIT 9;
     COMMENT ON ROLE clerk IS 'it''s; a "clerk"'; ALTER ROLE clerk SET work_mem = '7MB'; GRANT known TO clerk; GRANT pg_monitor TO "Head; of";
     CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t OWNER TO "Head; of"; GRANT SELECT ON t TO clerk; CREATE TABLE u (id int); CREATE EXTENSION pg_trgm`,
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

const names = "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'";

describe("without the right to make roles", () => {
  it("a restore fails with one clear line, and leaves no database", async () => {
    await other.psql("postgres", "CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker-maker-maker'");
    const url = other.url("shop", "maker", "maker-maker-maker");
    const failure: unknown = await restoreTo(made.reader, url).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "source-failed", text: { key: "error-restore-globals" } });
    expect(JSON.stringify(failure)).not.toMatch(/SCRAM|swordfish/);
    expect(await other.psql("postgres", "SELECT datname FROM pg_database WHERE datname = 'shop'")).toBe("");
  });

  it("a missing role is named where the roles are not in the backup", async () => {
    using own = temporaryFolder();
    const bare = await backUp({ kind: "postgres", url: server.url("shop"), globals: false }, own.path);
    await expect(restoreTo(bare.reader, other.url("bare"))).rejects.toMatchObject({
      code: "source-failed",
      text: { key: "error-restore-role", args: { role: expect.stringMatching(/^(Head; of|clerk)$/) } },
    });
    // A private server has no roles then either: owners and privileges are left out, and it says so.
    const tested = await testRestoreIn(bare.reader, own.path, { server: other.url() });
    expect(tested).toMatchObject({ differences: [], remarks: [{ key: "remark-restore-no-roles" }] });
  });

  it("it works without owners, as somebody who may make databases only", async () => {
    const url = other.url("mine", "maker", "maker-maker-maker");
    const report = await restoreTo(made.reader, url, { owners: false });
    expect(report).toMatchObject({ differences: [], compared: { rows: 1 } });
    expect(
      await other.psql(
        "mine",
        "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'",
      ),
    ).toBe("maker");
  });

  it("a table that it may not fill is one clear line", async () => {
    await other.psql("postgres", "CREATE DATABASE foreign_one");
    const url = other.url("foreign_one", "maker", "maker-maker-maker");
    await expect(restoreTo(made.reader, url, { owners: false })).rejects.toMatchObject({
      code: "source-failed",
      text: { key: "error-restore-permission" },
    });
  });
});

describe("roles", () => {
  it("that are there stay as they are, missing ones are made as they were, with memberships", async () => {
    await other.psql("postgres", "CREATE ROLE known CONNECTION LIMIT 3");
    const report = await restoreTo(made.reader, other.url("shop"));
    expect(report.differences).toEqual([]);
    expect(await other.psql("postgres", names)).toBe("Head; of,clerk,known,maker,postgres");
    expect(
      await other.psql(
        "postgres",
        `SELECT rolname, rolconnlimit FROM pg_roles WHERE rolconnlimit > 0 ORDER BY 1;
         SELECT shobj_description(oid, 'pg_authid'), (SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid) FROM pg_roles r WHERE rolname = 'clerk';
         SELECT pg_has_role('clerk', 'known', 'member'), pg_has_role('clerk', 'Head; of', 'member'), pg_has_role('Head; of', 'pg_monitor', 'member')`,
      ),
    ).toBe(`Head; of|7\nknown|3\nit's; a "clerk"|{work_mem=7MB}\nt|t|t`);
  });
});

describe("an extension that the server lacks", () => {
  it("is named before anything is touched", async () => {
    using own = temporaryFolder();
    const script = `case "$*" in *schema-only*) real_pg_restore "$@" | sed 's/pg_trgm/postgis/g';; *) real_pg_restore "$@";; esac`;
    const bin = misbehavingTools(own.path, other.programs, script, "pg_restore");
    const config = { kind: "postgres", url: other.url("gis"), bin };
    await expect(restoreTo(made.reader, other.url("gis"), {}, config)).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-restore-extensions", args: { list: "postgis", major: "15" } },
    });
    expect(await other.psql("postgres", "SELECT datname FROM pg_database WHERE datname = 'gis'")).toBe("");
  });
});

describe("an older server", () => {
  it("is refused", async () => {
    const manifest = { ...made.manifest, source: { ...made.manifest.source, server: "99.1" } };
    await expect(restoreTo({ ...made.reader, manifest }, other.url("old"))).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-restore-older", args: { server: "15", backup: "99" } },
    });
  });
});
