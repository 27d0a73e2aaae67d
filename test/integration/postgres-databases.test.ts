import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyReadable } from "../../src/services/backup/verify.ts";
import { quoteConnectionValue, quoteIdentifier } from "../../src/sources/postgres/names.ts";
import { sourceOf, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, restoreTo, testRestoreIn } from "../support/postgres-restore.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";

let server: PostgresServer;
let other: PostgresServer;
const folder = temporaryFolder();

/** What people and programs call databases, and what nobody should. */
const names = [
  "plain",
  "Upper",
  "UPPER",
  "with space",
  "tick'quote\"slash/back\\slash",
  "-dash=1",
  "база",
  "$(reboot); DROP",
  "a=b&c%20d?e#f",
  "postgresql://x",
  "new\nline",
  "l".repeat(63),
] as const;

/** psql takes what looks like one for a connection string. */
const by = (name: string): string => `dbname=${quoteConnectionValue(name)}`;

beforeAll(async () => {
  [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  for (const [index, name] of names.entries()) {
    await server.psql("postgres", `CREATE DATABASE ${quoteIdentifier(name)}`);
    await server.psql(by(name), `CREATE TABLE t AS SELECT g FROM generate_series(1, ${index + 1}) g`);
  }
});
afterAll(async () => {
  await Promise.all([server?.stop(), other?.stop()]);
  folder[Symbol.dispose]();
});

const config = () => ({ kind: "postgres", url: server.url() });
const rows = (names.length * (names.length + 1)) / 2;

/** Tools that drop the database `vanishing`, which is made now, while the first one is dumped. */
async function vanishing(path: string): Promise<string> {
  await server.createDatabase("vanishing");
  const drop = `${join(server.programs, "dropdb")} --if-exists -h 127.0.0.1 -p ${server.port} -U postgres vanishing; real_pg_dump "$@"`;
  return misbehavingTools(path, server.programs, drop);
}

describe("a whole cluster", () => {
  it("is backed up database by database, whatever they are called, and restored and compared", {
    timeout: 120_000,
  }, async () => {
    const made = await backUp({ ...config(), databases: "all" }, folder.path);
    const parts = made.manifest.parts.filter(({ role }) => role === "artifact");
    expect(parts.map(({ database }) => database ?? "").toSorted()).toEqual([...names, "postgres"].toSorted());
    expect(new Set(parts.map(({ file }) => file)).size).toBe(names.length + 1);
    for (const { file } of parts) expect(file).toMatch(/^artifact-[a-z0-9_-]+(\.[0-9a-f]{12})?\.dump\.zst$/);
    expect(parts.find(({ database }) => database === "plain")?.file).toBe("artifact-plain.dump.zst");
    for (const [index, name] of names.entries())
      expect(parts.find(({ database }) => database === name)).toMatchObject({ tables: { "public.t": index + 1 } });
    expect(made.manifest.parts.at(-1)?.role).toBe("globals");
    expect(JSON.parse(made.manifest.source.databases ?? "")).toHaveLength(names.length + 1);
    expect(made.manifest.notes).toBeUndefined();
    await verifyReadable(made.storage, made.manifest);

    const tested = await testRestoreIn(made.reader, folder.path, { server: other.url(), id: "all" });
    expect(tested).toMatchObject({ differences: [], compared: { rows, databases: names.length + 1 } });
    expect(await other.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%'")).toBe("");

    await other.psql("postgres", "CREATE DATABASE plain");
    const report = await restoreTo(made.reader, other.url());
    expect(report).toMatchObject({
      differences: [],
      compared: { rows, tables: names.length, databases: names.length + 1 },
    });
    for (const [index, name] of names.entries())
      expect(await other.psql(by(name), "SELECT count(*) FROM t")).toBe(String(index + 1));

    // A second time nothing is touched: one is not empty.
    await other.psql("postgres", `DROP DATABASE "база"`);
    await expect(restoreTo(made.reader, other.url())).rejects.toMatchObject({ code: "conflict" });
    expect(await other.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'база'")).toBe("0");

    // One of them alone, under another name.
    const single = await restoreTo(made.reader, other.url("copy"), { only: "база" });
    expect(single).toMatchObject({ differences: [], compared: { rows: names.indexOf("база") + 1, tables: 1 } });
    await expect(restoreTo(made.reader, other.url("copy2"), { only: "nothing" })).rejects.toMatchObject({
      code: "not-found",
    });
  });

  it("can be repeated after a restore that failed: what it had made is gone, what came meanwhile is not", async () => {
    using own = temporaryFolder();
    const made = await backUp({ ...config(), databases: ["Upper", "with space", "plain"] }, own.path);
    const [first = "", second = "", third = ""] = made.manifest.parts.map(({ database }) => database);
    const each = ["Upper", "with space", "plain"].map((name) => `DROP DATABASE IF EXISTS "${name}";`).join("\n");
    await other.psql("postgres", each);
    // While the second one is filled somebody makes the third.
    const rival = `${join(other.programs, "createdb")} -h 127.0.0.1 -p ${other.port} -U postgres '${third}'`;
    const script = `real_pg_restore "$@" || exit; case "$*" in *exit-on-error*${encodeURIComponent(second)}*) ${rival};; esac`;
    const bin = misbehavingTools(own.path, other.programs, script, "pg_restore");
    const attempt = restoreTo(made.reader, other.url(), {}, { ...config(), bin });
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining(`"${third}" already exists`) });
    const there = `SELECT datname FROM pg_database WHERE datname IN ('${first}', '${second}', '${third}')`;
    expect(await other.psql("postgres", there)).toBe(third);
    expect(await restoreTo(made.reader, other.url())).toMatchObject({ differences: [], compared: { databases: 3 } });
  });

  it("is in the encoding of each database, whatever its sessions or the role's begin with", {
    timeout: 180_000,
  }, async () => {
    await server.psql(
      "postgres",
      `CREATE ROLE "Юля"; CREATE DATABASE russian TEMPLATE template0 ENCODING 'WIN1251' LOCALE 'C'`,
    );
    await server.createDatabase("narrow");
    const databases = ["narrow", "russian"];
    for (const name of databases) {
      // Role names are bytes, which are no such name in WIN1251.
      const owned = name === "russian" ? "" : `ALTER TABLE "имя" OWNER TO "Юля";`;
      const table = `CREATE TABLE "имя" AS SELECT 'ёлка'::text AS "что"; ${owned}`;
      const narrow = `ALTER DATABASE ${name} SET client_encoding = '${name === "russian" ? "WIN866" : "LATIN1"}'`;
      await server.psql(name, `SET client_encoding = 'UTF8'; ${table} ${narrow}`);
    }
    using own = temporaryFolder();
    await server.psql("postgres", "ALTER ROLE postgres SET client_encoding = 'LATIN1'");
    try {
      const { reader } = await backUp({ ...config(), databases }, own.path);
      const to = { server: server.url(), id: "encoding" };
      expect(await testRestoreIn(reader, own.path, to)).toMatchObject({ differences: [], compared: { rows: 2 } });
      expect(await restoreTo(reader, other.url())).toMatchObject({ differences: [], compared: { rows: 2 } });
    } finally {
      await server.psql("postgres", "ALTER ROLE postgres RESET client_encoding");
      for (const name of databases) await server.psql("postgres", `DROP DATABASE ${name}`);
    }
    const read = `SET client_encoding = 'UTF8'; SELECT "что", tableowner FROM "имя", pg_tables WHERE tablename = 'имя'`;
    expect(await other.psql("narrow", read)).toBe("ёлка|Юля");
    expect(await other.psql("russian", `SET client_encoding = 'UTF8'; SELECT "что" FROM "имя"`)).toBe("ёлка");
  });

  it.each(names)("one database called %s is backed up alone, with globals", { timeout: 180_000 }, async (name) => {
    using own = temporaryFolder();
    const made = await backUp({ kind: "postgres", url: server.url(name) }, own.path);
    expect(made.manifest.parts.map(({ file }) => file)).toEqual(["artifact.dump.zst", "globals.sql.zst"]);
    expect(made.manifest.parts[0]).toMatchObject({ database: name, tables: { "public.t": names.indexOf(name) + 1 } });
  });

  it("names what could not be in it: closed ones, and one that came while it was made", async () => {
    await server.psql("postgres", "CREATE DATABASE closed ALLOW_CONNECTIONS false");
    using own = temporaryFolder();
    const create = `if [ ! -e ${own.path}/done ]; then touch ${own.path}/done; ${join(server.programs, "createdb")} -h 127.0.0.1 -p ${server.port} -U postgres newcomer; fi; real_pg_dump "$@"`;
    const bin = misbehavingTools(own.path, server.programs, create);
    const exclude = names.slice(1);
    const made = await backUp({ ...config(), databases: "all", exclude, bin }, own.path);
    expect(made.manifest.parts.map(({ database }) => database)).toEqual(["plain", "postgres", undefined]);
    expect(made.manifest).toMatchObject({
      notesTotal: 2,
      notes: [
        { kind: "left-out", name: "database closed" },
        { kind: "left-out", name: "database newcomer" },
      ],
    });
    await server.psql("postgres", "DROP DATABASE newcomer; DROP DATABASE closed");
  });

  it("names one that vanished before its turn", async () => {
    using own = temporaryFolder();
    const bin = await vanishing(own.path);
    const made = await backUp({ ...config(), databases: "all", exclude: names.slice(1), bin }, own.path);
    expect(made.manifest).toMatchObject({
      notesTotal: 1,
      notes: [{ kind: "vanished", name: "database vanishing" }],
    });
  });

  it("fails when one vanished that had been named", async () => {
    using own = temporaryFolder();
    const bin = await vanishing(own.path);
    const attempt = backUp({ ...config(), databases: ["plain", "vanishing"], bin }, own.path);
    await expect(attempt).rejects.toMatchObject({ code: "source-refused" });
  });

  it("refuses a named one that is not there, at once", async () => {
    const source = sourceOf({ ...config(), databases: ["plain", "nothing"] });
    await expect(source.inspect(new AbortController().signal)).rejects.toMatchObject({
      code: "source-refused",
      text: { key: "error-source-database", args: { database: "nothing" } },
    });
  });
});
