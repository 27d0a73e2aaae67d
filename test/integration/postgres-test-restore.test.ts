import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processIdentity } from "../../src/lib/process-identity.ts";
import { kindOf } from "../../src/sources/index.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, readingAnother, richSchema, testRestoreIn } from "../support/postgres-restore.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";
import { processesWith } from "../support/processes.ts";

let server: PostgresServer;
let scratch: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;
const signal = new AbortController().signal;

beforeAll(async () => {
  [server, scratch] = await Promise.all([startPostgres(), startPostgres()]);
  await server.createDatabase("shop", richSchema);
  await server.psql("postgres", `CREATE TABLESPACE elsewhere LOCATION '${tablespaceOf(server)}'`);
  await server.psql("shop", "CREATE TABLE app.far (id int) TABLESPACE elsewhere; INSERT INTO app.far VALUES (1)");
  await server.psql("shop", "CREATE PUBLICATION changes FOR TABLE app.far");
  chmodSync(folder.path, 0o711);
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await Promise.all([server?.stop(), scratch?.stop()]);
  folder[Symbol.dispose]();
});

/** A folder that belongs to the server's user, as a tablespace needs it. */
function tablespaceOf(of: PostgresServer): string {
  const path = join(of.folder, "far");
  mkdirSync(path);
  const { uid, gid } = statSync(of.folder);
  chownSync(path, uid, gid);
  return path;
}

/** A scratch folder with a name. */
function place(name: string): string {
  const path = join(folder.path, name);
  mkdirSync(path, { mode: 0o711 });
  chmodSync(path, 0o711);
  return path;
}

describe("a test-restore into a private server", () => {
  it("finds owners, privileges, rows and definitions as they were, and leaves nothing", async () => {
    const path = place("private");
    const report = await testRestoreIn(made.reader, path);
    expect(report.differences).toEqual([]);
    expect(report).toMatchObject({
      differencesTotal: 0,
      compared: { rows: 1504, tables: 7, largeObjects: 2, objects: 31 },
    });
    expect(report.remarks).toBeUndefined();
    expect(readdirSync(path)).toEqual([]);
    expect(processesWith(path)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("vakhta-pg-"))).toEqual([]);
  });

  it("works where the path is too long for a socket", async () => {
    const path = place("long".repeat(30));
    expect(await testRestoreIn(made.reader, path)).toMatchObject({ differencesTotal: 0 });
    expect(readdirSync(path)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("vakhta-pg-"))).toEqual([]);
  });

  it("says which folder its user can not enter", async () => {
    const path = place("closed");
    chmodSync(path, 0o700);
    await expect(testRestoreIn(made.reader, path)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`can not enter ${path}`),
    });
    expect(readdirSync(path)).toEqual([]);
  });
});

describe("a test-restore on a scratch server", () => {
  it("makes no role there, says so, and drops its database", async () => {
    const before = await scratch.psql("postgres", "SELECT rolname FROM pg_roles ORDER BY 1");
    const path = place("shared");
    const report = await testRestoreIn(made.reader, path, { server: scratch.url("postgres"), id: "abc1" });
    expect(report.differences).toEqual([]);
    // Without the policy, which needs a role, and without privileges and the publication.
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 1504, tables: 7, objects: 27 } });
    expect(report.remarks).toEqual([{ key: "remark-restore-owners", args: { roles: "app_owner, app_reader" } }]);
    expect(await scratch.psql("postgres", "SELECT rolname FROM pg_roles ORDER BY 1")).toBe(before);
    expect(await scratch.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%'")).toBe("");
  });

  it("keeps owners and privileges where the roles are", async () => {
    const report = await testRestoreIn(made.reader, place("same"), { server: server.url("postgres"), id: "abc2" });
    expect(report).toMatchObject({ differences: [], compared: { objects: 31 } });
    expect(report.remarks).toBeUndefined();
  });

  it("is without policies that need roles where the backup has none, and takes a locale that is there", async () => {
    const path = place("locale");
    using own = temporaryFolder();
    const bare = await backUp({ kind: "postgres", url: server.url("shop"), globals: false }, own.path);
    const script = `case "$*" in *--create*) real_pg_restore "$@" | sed "s/LOCALE = 'C.UTF-8'/LOCALE = 'xx_YY.UTF-8'/";; *) real_pg_restore "$@";; esac`;
    const bin = misbehavingTools(own.path, scratch.programs, script, "pg_restore");
    const config = { kind: "postgres", url: "postgresql://h/db", bin };
    const report = await testRestoreIn(bare.reader, path, { server: scratch.url(), id: "loc" }, config);
    expect(report).toMatchObject({ differences: [], compared: { rows: 1504 } });
    expect(report.remarks).toEqual([
      { key: "remark-restore-no-roles" },
      { key: "remark-restore-locale", args: { locale: "'xx_YY.UTF-8'" } },
    ]);
    expect(readdirSync(path)).toEqual([]);
  });

  it("tells an archive in whose place another one was for once from one that differs", async () => {
    using own = temporaryFolder();
    // With so much noise it is not read whole for its beginning.
    await server.psql("shop", "CREATE TABLE noise AS SELECT md5(g::text) AS text FROM generate_series(1, 60000) g");
    const first = await backUp({ kind: "postgres", url: server.url("shop") }, own.path);
    await server.psql("shop", "CREATE INDEX more ON app.orders (net)");
    const other = await backUp({ kind: "postgres", url: server.url("shop") }, own.path, { runId: "other" });
    await server.psql("shop", "DROP INDEX app.more; DROP TABLE noise");
    for (const time of [1, 2]) {
      const { reader } = readingAnother(first, other, time);
      const path = place(`another-${time}`);
      await expect(testRestoreIn(reader, path, { server: scratch.url(), id: "twice" })).rejects.toMatchObject({
        code: "storage-mismatch",
        text: { key: "error-storage-changed" },
      });
      expect(readdirSync(path)).toEqual([]);
    }
    expect(await scratch.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%'")).toBe("");
  });

  it("drops what killed ones have left, by their ids only", async () => {
    for (const name of ["vakhta_verify_dead", "vakhta_verify_dead_2", "vakhta_verify_deadly", "vakhta_verify_live"])
      await scratch.createDatabase(name);
    const kind = kindOf("postgres");
    expect(await kind.cleanUpScratch?.(scratch.url("postgres"), ["dead", "gone"], signal)).toBe(2);
    expect(
      await scratch.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%' ORDER BY 1"),
    ).toBe("vakhta_verify_deadly\nvakhta_verify_live");
    expect(await kind.cleanUpScratch?.(scratch.url("postgres"), ["deadly", "live"], signal)).toBe(2);
  });

  it("drops what processes that have ended have left, and what nobody has owned for two days", async () => {
    const [boot, namespace] = processIdentity().split("/");
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    const marks = {
      ended: { at: daysAgo(0), process: `${boot}/${namespace}/${process.pid}/1` },
      own: { at: daysAgo(3), process: processIdentity() },
      elsewhere: { at: daysAgo(1), process: "another-boot/1/1/1" },
      elsewhere_old: { at: daysAgo(3), process: "another-boot/1/1/1" },
    };
    for (const [name, mark] of Object.entries(marks)) {
      const text = JSON.stringify({ vakhta: "test-restore", ...mark });
      await scratch.createDatabase(`vakhta_verify_${name}`, `COMMENT ON DATABASE vakhta_verify_${name} IS '${text}'`);
    }
    await scratch.createDatabase("vakhta_verify_unmarked");
    const names = async () =>
      (await scratch.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%' ORDER BY 1")).split(
        "\n",
      );
    const server_ = scratch.url("postgres");
    expect(await testRestoreIn(made.reader, place("swept"), { server: server_, id: "abc3" })).toMatchObject({
      differencesTotal: 0,
    });
    expect(await names()).toEqual(["vakhta_verify_elsewhere", "vakhta_verify_own", "vakhta_verify_unmarked"]);
    const query =
      "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'vakhta_verify_unmarked'";
    expect(JSON.parse(await scratch.psql("postgres", query))).toEqual({
      vakhta: "test-restore",
      at: expect.any(String),
    });
    await kindOf("postgres").cleanUpScratch?.(server_, ["elsewhere", "own", "unmarked"], signal);
    expect(await names()).toEqual([""]);
  });
});
