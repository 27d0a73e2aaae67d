import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp } from "../support/postgres-restore.ts";
import { besideOf, databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();
const { signal } = new AbortController();

/** Of a user who may make databases, and owns this one. */
beforeAll(async () => {
  server = await startPostgres();
  await server.psql(
    "postgres",
    "CREATE ROLE keeper LOGIN CREATEDB PASSWORD 'secret-of-keeper'; CREATE ROLE app; CREATE ROLE other",
  );
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

async function made(name: string, asKeeper: string, asSuperuser: string) {
  await server.createDatabase(name);
  await server.psql("postgres", `ALTER DATABASE ${name} OWNER TO keeper`);
  await server.psql(name, asSuperuser);
  await server.psql(name, `SET ROLE keeper; CREATE TABLE t AS SELECT 1 AS id; ${asKeeper}`);
  const url = server.url(name, "keeper", "secret-of-keeper");
  const backup = await backUp({ kind: "postgres", url }, folder.path, { runId: name });
  const look = async (method?: "single-transaction") =>
    await replacerOf(url, method && { method }).look(backup.manifest, { reader: backup.reader, signal });
  const looked = async (method?: "single-transaction") => {
    const { obstacles, alternative } = await look(method);
    return { obstacles: obstacles.map(({ key, args }) => ({ key, list: args?.list })), alternative };
  };
  return { ...backup, url, look, looked };
}

it("settings that could not be carried over refuse it before anything is restored, and stay in one transaction", async () => {
  const { looked, reader, url } = await made("settings", "SELECT 1", "SELECT 1");
  const settings = () =>
    server.psql("postgres", "SELECT string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting");
  await server.psql(
    "postgres",
    "ALTER DATABASE settings SET work_mem = '5MB'; ALTER DATABASE settings SET search_path = app, public; ALTER ROLE keeper IN DATABASE settings SET work_mem = '6MB'",
  );
  expect(await looked()).toEqual({ obstacles: [], alternative: undefined });
  await server.psql(
    "postgres",
    "ALTER DATABASE settings SET log_min_duration_statement = 5; ALTER ROLE app IN DATABASE settings SET work_mem = '7MB'",
  );
  const before = await settings();
  expect(await looked()).toEqual({
    obstacles: [{ key: "replace-obstacle-settings", list: "log_min_duration_statement, app work_mem" }],
    alternative: "single-transaction",
  });
  expect(await looked("single-transaction")).toEqual({ obstacles: [], alternative: undefined });
  const replacer = replacerOf(url, { method: "single-transaction" });
  const memory = new Memory();
  const identity = await identityOf(server, "settings");
  await replacer.prepare(reader, memory.context(identity));
  await replacer.swap(memory.context(identity, { reader }));
  expect(await settings()).toBe(before);
});

it("what belongs to roles of which the user is not a member refuses it, until it is one", async () => {
  const { looked, manifest, reader, url } = await made(
    "owners",
    "CREATE TABLE given AS SELECT 1 AS id",
    "ALTER DATABASE owners OWNER TO keeper",
  );
  expect(await looked()).toMatchObject({ obstacles: [] });
  // Live only: what is beside does not mind, what is emptied does.
  await server.psql("owners", "ALTER TABLE given OWNER TO other");
  expect(await looked()).toMatchObject({ obstacles: [] });
  const refused = { key: "replace-obstacle-owners", list: "other" };
  expect(await looked("single-transaction")).toMatchObject({ obstacles: [refused] });
  await server.psql("owners", "GRANT SELECT ON given TO keeper");
  const later = await backUp({ kind: "postgres", url }, folder.path, { runId: "ownersLater" });
  const look = () => replacerOf(url).look(later.manifest, { reader: later.reader, signal });
  expect((await look()).obstacles).toMatchObject([{ key: "replace-obstacle-owners", args: { list: "other" } }]);
  await server.psql("postgres", "GRANT other TO keeper");
  expect((await look()).obstacles).toEqual([]);
  await server.psql("postgres", "REVOKE other FROM keeper");
  // Beside, the database itself is given to its owner too.
  const beside = besideOf(url, { to: "owners_new" });
  expect((await beside.look(manifest, { reader, signal })).obstacles).toEqual([]);
});

it("a role that only the database itself names is missed before a new one is made, too", async () => {
  const { manifest, reader } = await made(
    "named",
    "SELECT 1",
    "CREATE ROLE gone; CREATE ROLE gone_too; GRANT CONNECT ON DATABASE named TO gone; ALTER ROLE gone_too IN DATABASE named SET work_mem = '5MB'",
  );
  await server.psql("named", "DROP OWNED BY gone; DROP ROLE gone; DROP ROLE gone_too");
  const beside = besideOf(server.url("named"), { to: "named_new" });
  const { missingRoles, obstacles } = await beside.look(manifest, { reader, signal });
  expect(missingRoles).toEqual(["gone", "gone_too"]);
  expect(obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-roles"]);
  await expect(beside.make(reader, new Memory().context({ database: "named_new" }))).rejects.toMatchObject({
    code: "conflict",
  });
  expect(await databasesOf(server, "named")).toBe("named t");
});

it("extensions that only superusers make are told, and stay in one transaction", async () => {
  const { look, reader, url } = await made(
    "extended",
    "SELECT 1",
    "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION hstore",
  );
  const remarks = async (method?: "single-transaction") =>
    (await look(method)).remarks.flatMap(({ key, args }) => (key === "replace-remark-untrusted" ? args?.list : []));
  expect(await remarks()).toEqual(["pg_stat_statements"]);
  expect(await remarks("single-transaction")).toEqual([]);
  const identity = await identityOf(server, "extended");
  await expect(replacerOf(url).prepare(reader, new Memory().context(identity))).rejects.toMatchObject({
    message: expect.stringContaining("pg_stat_statements"),
  });
  expect(await databasesOf(server, "extended")).toBe("extended t");
});
