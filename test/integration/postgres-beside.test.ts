import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import { createBeside } from "../../src/sources/postgres/replace/besides.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, richSchema } from "../support/postgres-restore.ts";
import { besideOf, databasesOf, Memory } from "../support/replace.ts";

let server: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", richSchema);
  await server.psql(
    "postgres",
    `ALTER DATABASE shop OWNER TO app_owner; ALTER DATABASE shop SET work_mem = '5MB'; COMMENT ON DATABASE shop IS 'what people bought';
     REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO app_reader; ALTER DATABASE shop CONNECTION LIMIT 20`,
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const name = `shop 2026 "new"`;
const identity = async (database = name) =>
  (await besideOf(server.url("shop"), { to: database }).look(made.manifest, { signal })).identity;
const properties = (database: string) =>
  server.psql(
    "postgres",
    `SELECT pg_get_userbyid(datdba), (SELECT array_agg(a ORDER BY a::text) FROM unnest(datacl) a), datconnlimit, datcollate, pg_encoding_to_char(encoding), datallowconn,
       shobj_description(oid, 'pg_database'), (SELECT string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
     FROM pg_database d WHERE datname = '${database}'`,
  );

describe("a database that is restored into a new one beside it", () => {
  const memory = new Memory();
  const beside = () => besideOf(server.url("shop"), { to: name });

  it("is called after it", () => {
    const config = sourceSchema.parse({ kind: "postgres", url: server.url("shop") });
    const propose = (options: object) =>
      kindOf("postgres").besideName?.(config, { stamp: "20260301-0300", ...options });
    expect(propose({})).toBe("shop_20260301_0300");
    expect(propose({ only: "ю".repeat(40) })).toBe(`${"ю".repeat(24)}_20260301_0300`);
    expect(propose({ pick: `"my app".orders` })).toBe("my app_20260301_0300");
  });

  it("is looked at first", async () => {
    const look = await beside().look(made.manifest, { reader: made.reader, signal });
    expect(look).toMatchObject({ database: name, obstacles: [], remarks: [], missingRoles: [], lost: [], jobs: 1 });
    const taken = await besideOf(server.url("shop"), { to: "shop" }).look(made.manifest, { signal });
    expect(taken.obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-taken"]);
    const long = await besideOf(server.url("shop"), { to: "x".repeat(64) }).look(made.manifest, { signal });
    expect(long.obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-new-long"]);
  });

  it("has everything of it, and the live one is not touched", async () => {
    await server.psql("shop", "INSERT INTO app.orders (kind, net) VALUES ('b', 1)");
    const before = await properties("shop");
    const bytes: number[] = [];
    const context = memory.context(await identity(), { progress: (so) => bytes.push(so) });
    const report = await beside().make(made.reader, context);
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 1503, tables: 6, largeObjects: 2 } });
    expect(bytes.at(-1)).toBe(made.manifest.parts[0]?.bytes);
    expect(memory.steps).toEqual(["make", "fill", "compare", "prepared"]);
    expect(await properties(name)).toBe(before);
    expect(await properties("shop")).toBe(before);
    expect(await server.psql(name, "SELECT count(*) FROM app.orders")).toBe("1000");
  });

  it("stays when it is made again, looked for or discarded", async () => {
    const of = await identity();
    expect(await beside().make(made.reader, memory.context(of))).toMatchObject({ restoreMs: 0, differencesTotal: 0 });
    await beside().discard(memory.context(of));
    expect(await databasesOf(server, "shop")).toBe(`shop t, ${name} t`);
  });

  it("is not made where there is another one of that name", async () => {
    const fresh = new Memory();
    await expect(beside().make(made.reader, fresh.context(await identity()))).rejects.toMatchObject({
      code: "conflict",
    });
    await beside().discard(fresh.context(await identity()));
    expect(await databasesOf(server, "shop")).toBe(`shop t, ${name} t`);
    expect(fresh.steps).toEqual([]);
  });
});

describe("what is left of one that was not finished", () => {
  it.each(["make", "fill", "compare", "prepared"])("at %s is removed when it is cancelled", async (step) => {
    const memory = new Memory();
    const to = `half_${step}`;
    const of = await identity(to);
    const aborted = new AbortController();
    memory.onRecord = (at) => {
      if (at === step) aborted.abort(new Error("cancelled"));
    };
    const making = besideOf(server.url("shop"), { to }).make(
      made.reader,
      memory.context(of, { signal: aborted.signal }),
    );
    await expect(making).rejects.toThrow();
    memory.onRecord = () => undefined;
    expect(await databasesOf(server, to)).toBe("");
  });

  it("after a kill is recognised and made anew, and is in no backup", async () => {
    const to = "killed";
    await server.createDatabase(to, "CREATE TABLE half (id int)");
    const oid = await server.psql("postgres", `SELECT oid FROM pg_database WHERE datname = '${to}'`);
    await server.psql(
      "postgres",
      `COMMENT ON DATABASE ${to} IS '{"vakhta":"replacement","id":"r1","state":"beside","made":"${oid}"}'`,
    );
    const all = await backUp({ kind: "postgres", url: server.url("shop"), databases: "all" }, folder.path, {
      runId: "all",
    });
    expect(all.manifest.parts.map(({ database }) => database)).not.toContain(to);
    const memory = new Memory();
    memory.journal = { step: "fill", facts: { made: oid } };
    const beside = besideOf(server.url("shop"), { to });
    const other = besideOf(server.url("shop"), { to, id: "r2" });
    await expect(other.make(made.reader, new Memory().context(await identity(to)))).rejects.toMatchObject({
      code: "conflict",
    });
    await beside.discard(memory.context(await identity(to)));
    expect(await databasesOf(server, to)).toBe("");
    expect(await beside.make(made.reader, memory.context(await identity(to)))).toMatchObject({ differencesTotal: 0 });
    expect(await server.psql(to, "SELECT to_regclass('half') IS NULL")).toBe("t");
  });
});

describe("several connections", () => {
  it("restore from a file that is removed again", async () => {
    const own = temporaryFolder();
    const config = postgresSchema.parse({ kind: "postgres", url: server.url("shop") });
    const machine = { cores: () => 4, folder: own.path };
    const beside = createBeside(config, { id: "r1", to: "parallel", logger: quiet }, machine);
    const look = await beside.look(made.manifest, { reader: made.reader, signal });
    expect(look.jobs).toBe(4);
    const memory = new Memory();
    const report = await beside.make(made.reader, memory.context(look.identity));
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 1503 } });
    expect(readdirSync(own.path)).toEqual([]);
    own[Symbol.dispose]();
  });
});
