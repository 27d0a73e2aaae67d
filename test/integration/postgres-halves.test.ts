import { existsSync, readdirSync } from "node:fs";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type FillOptions, fillBeside, partOf, shutGate } from "../support/postgres-filling.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";

let server: PostgresServer;
let made: MadeBackup;
const folder = temporaryFolder();

/** Rows of `g` and `y` wait for whoever has shut the gate; one of them is in each half. */
const gate = "CHECK (pg_advisory_xact_lock_shared(7) IS NOT NULL)";
const shop = `
CREATE TABLE a (id serial PRIMARY KEY, note text); INSERT INTO a (note) SELECT md5(n::text) FROM generate_series(1, 6000) n;
CREATE INDEX ON a (note); CREATE TABLE g (id int, ${gate}); INSERT INTO g VALUES (1);
CREATE TABLE "m M" (id int PRIMARY KEY REFERENCES a, note text); INSERT INTO "m M" SELECT n, md5(n::text) FROM generate_series(1, 6000) n;
CREATE TABLE y (id int, ${gate}); INSERT INTO y VALUES (1);
SELECT lo_from_bytea(4711, 'large');
`;

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", shop);
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/** The same backup, read otherwise. */
const readBy = (change: Partial<BackupReader>, backup = made): Pick<MadeBackup, "manifest" | "reader"> => ({
  ...backup,
  reader: { ...backup.reader, ...change },
});

async function fill(
  database: string,
  backup: Pick<MadeBackup, "manifest" | "reader"> = made,
  options?: FillOptions,
): ReturnType<typeof fillBeside> {
  await server.psql("postgres", `CREATE DATABASE ${database}`);
  return await fillBeside(backup, database, server.url("postgres"), options);
}

const contents = (database: string): Promise<string> =>
  server.psql(
    database,
    `SELECT md5(string_agg(a::text, ';' ORDER BY id)) FROM a; SELECT md5(string_agg(m::text, ';' ORDER BY id)) FROM "m M" m;
     SELECT count(*) FROM g; SELECT count(*) FROM y; SELECT last_value FROM a_id_seq; SELECT lo_get(4711);
     SELECT string_agg(indexrelid::regclass::text, ',' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid IN ('a'::regclass, '"m M"'::regclass)`,
  );

const waiting = (database: string): Promise<string> =>
  server.psql(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted");

const knownOf = (database: string): Promise<string> =>
  server.psql(database, "SELECT DISTINCT tablename COLLATE \"C\" FROM pg_stats WHERE schemaname = 'public' ORDER BY 1");

describe("a backup whose manifest says how large its tables are", () => {
  it("says it of every table that is counted", () => {
    const { tables, tableBytes = {} } = partOf(made);
    expect(Object.keys(tableBytes)).toEqual(Object.keys(tables ?? {}));
    expect(Object.keys(tableBytes)).toEqual(['public."m M"', "public.a", "public.g", "public.y"]);
    expect(tableBytes["public.a"]).toBeGreaterThan(6000 * 32);
    expect(tableBytes["public.g"]).toBeLessThan(64 * 1024);
  });

  it("is filled by two connections at the same time, and each table finished when its rows are there", async () => {
    await server.psql("postgres", "CREATE DATABASE twice");
    const shut = await shutGate(server, "twice");
    const filling = fillBeside(made, "twice", server.url("postgres"));
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await waiting("twice")).toBe("2"), 30_000);
    await vi.waitFor(async () => expect(await knownOf("twice")).toBe("a\nm M"), 30_000);
    const indexed = "SELECT count(*) FROM pg_index WHERE indrelid IN ('a'::regclass, '\"m M\"'::regclass)";
    expect(await server.psql("twice", indexed)).toBe("3");
    await shut.open();
    const { counted } = await filling;
    expect(counted.get("public.a")).toBe(6000);
    expect(counted.get('public."m M"')).toBe(6000);
    expect(await contents("twice")).toBe(await contents("shop"));
  });

  it("comes once, into a file that is removed again, and its progress ends at all of it", async () => {
    const open = vi.fn<BackupReader["open"]>((part) => made.reader.open(part));
    let told = 0;
    const progress = (bytes: number): void => {
      expect(bytes).toBeGreaterThan(0);
      told += bytes;
    };
    let files: string[] = [];
    let place = "";
    const watch = (path: string): void => {
      place = path;
      open.mockImplementation(async (part) => {
        const stream = await made.reader.open(part);
        stream.once("end", () => {
          files = readdirSync(path);
        });
        return stream;
      });
    };
    await fill("once", readBy({ open }), { progress, folder: watch });
    // Before that for its beginning.
    expect(open).toHaveBeenCalledTimes(2);
    expect(told).toBe(partOf(made).bytes);
    expect(files).toContain("stored");
    expect(existsSync(place)).toBe(false);
    expect(await contents("once")).toBe(await contents("shop"));
  });

  it("comes by one connection where there is no room for it", async () => {
    const [part] = made.manifest.parts;
    if (!part) throw new Error("a backup without a part");
    const open = vi.fn<BackupReader["open"]>(() => made.reader.open(part));
    const large = { ...made, manifest: { ...made.manifest, parts: [{ ...part, bytes: 2 ** 52 }] } };
    await fill("narrow", readBy({ open }, large));
    expect(open).toHaveBeenCalledTimes(2);
    expect(await contents("narrow")).toBe(await contents("shop"));
  });

  it("is the same with fewer connections than it would like", async () => {
    await server.psql("postgres", "CREATE ROLE few LOGIN PASSWORD 'few-connections'");
    await server.psql("postgres", "CREATE DATABASE owned OWNER few");
    await server.psql("owned", `ALTER SCHEMA public OWNER TO few; SET ROLE few; ${shop}`);
    const owned = await backUp({ kind: "postgres", url: server.url("owned") }, folder.path, { runId: "owned" });
    const url = server.url("postgres", "few", "few-connections");
    for (const limit of [1, 2, 3, 4]) {
      const name = `few${limit}`;
      await server.psql("postgres", `CREATE DATABASE ${name} OWNER few`);
      await server.psql(name, "ALTER SCHEMA public OWNER TO few");
      await server.psql("postgres", `ALTER ROLE few CONNECTION LIMIT ${limit}`);
      await fillBeside(owned, name, url);
      expect(await contents(name)).toBe(await contents("shop"));
    }
  });
});

describe("a half that fails", () => {
  it("ends the other one, which would wait for ever", async () => {
    const tables = shop.replace("note text);", "note text CHECK (current_database() NOT LIKE 'forbidden%'));");
    await server.createDatabase("picky", tables);
    const picky = await backUp({ kind: "postgres", url: server.url("picky") }, folder.path, { runId: "picky" });
    await server.psql("postgres", "CREATE DATABASE forbidden");
    const shut = await shutGate(server, "forbidden");
    await expect(fillBeside(picky, "forbidden", server.url("postgres"))).rejects.toMatchObject({
      code: "source-failed",
      message: expect.stringContaining("violates check constraint"),
    });
    await shut.open();
  });

  it("tells what was wrong with the backup, not what that led to", async () => {
    const damaged = new AppError("storage-mismatch", "its SHA-256 is not the manifest's");
    let opened = 0;
    const open: BackupReader["open"] = async (part) => {
      const source = await made.reader.open(part);
      opened += 1;
      if (opened === 1) return source;
      // As a reader finds it at the end of all.
      const checked = new PassThrough({ flush: (callback) => callback(damaged) });
      return source.pipe(checked);
    };
    await expect(fill("damaged", readBy({ open }))).rejects.toMatchObject({ code: "storage-mismatch" });
  });

  it("is compared with the manifest also where it ends long before the backup does", async () => {
    const filled = (table: string, rows: number): string =>
      `CREATE TABLE ${table} (note text); INSERT INTO ${table} SELECT md5(n::text) FROM generate_series(1, ${rows}) n;`;
    await server.createDatabase("long", filled("a", 8000) + filled("b", 40_000));
    const long = await backUp({ kind: "postgres", url: server.url("long") }, folder.path, { runId: "long" });
    const damaged = new AppError("storage-mismatch", "its SHA-256 is not the manifest's");
    let opened = 0;
    const open: BackupReader["open"] = async (part) => {
      const source = await long.reader.open(part);
      opened += 1;
      return opened === 2 ? source.pipe(new PassThrough({ flush: (callback) => callback(damaged) })) : source;
    };
    await expect(fill("cut_long", readBy({ open }, long))).rejects.toMatchObject({
      code: "storage-mismatch",
    });
  });

  it("is not filled by the definitions of another beginning", async () => {
    await server.createDatabase("former", shop);
    const former = await backUp({ kind: "postgres", url: server.url("former") }, folder.path, { runId: "former" });
    const other = "ALTER TABLE y DROP CONSTRAINT y_check; ALTER TABLE y ADD CONSTRAINT y_check CHECK (id > 0)";
    await server.psql("former", other);
    const altered = await backUp({ kind: "postgres", url: server.url("former") }, folder.path, { runId: "altered" });
    let opened = 0;
    const open: BackupReader["open"] = () => {
      opened += 1;
      return opened === 1 ? altered.reader.open(partOf(altered)) : former.reader.open(partOf(former));
    };
    await expect(fill("altered", readBy({ open }, former))).rejects.toMatchObject({
      code: "storage-mismatch",
      message: expect.stringContaining("its beginning was not the same"),
    });
  });

  it("has lost its connection at rows that speak of connections: nothing is begun again", async () => {
    const log = `CREATE TABLE a (n int); INSERT INTO a SELECT generate_series(1, 1000);
      CREATE TABLE log (note text, ${gate});
      INSERT INTO log VALUES ('connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused')`;
    await server.createDatabase("log", log);
    const config = { kind: "postgres", url: server.url("log"), counts: "off" };
    const logged = await backUp(config, folder.path, { runId: "log" });
    await server.psql("postgres", "CREATE DATABASE log_cut");
    const shut = await shutGate(server, "log_cut");
    const filling = fillBeside(logged, "log_cut", server.url("postgres"));
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await waiting("log_cut")).toBe("1"), 30_000);
    const copying = `SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE locktype = 'advisory' AND NOT granted AND datname = 'log_cut'`;
    expect(await server.psql("postgres", copying)).toBe("1");
    await shut.open();
    await expect(filling).rejects.toMatchObject({ code: "source-failed" });
    expect(await server.psql("log_cut", "SELECT count(*) FROM a")).toBe("1000");
  });

  it("has lost its connection in the middle: nothing is begun again", async () => {
    await server.psql("postgres", "CREATE DATABASE cut");
    const shut = await shutGate(server, "cut");
    const filling = fillBeside(made, "cut", server.url("postgres"));
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await waiting("cut")).toBe("2"), 30_000);
    const ofOne = `SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE locktype = 'advisory' AND NOT granted AND datname = 'cut' LIMIT 1) one`;
    expect(await server.psql("postgres", ofOne)).toBe("1");
    await expect(filling).rejects.toMatchObject({ code: "source-failed" });
    await shut.open();
  });

  it("is given up when the restore is", async () => {
    await server.psql("postgres", "CREATE DATABASE stopped");
    const shut = await shutGate(server, "stopped");
    const stop = new AbortController();
    const filling = fillBeside(made, "stopped", server.url("postgres"), { signal: stop.signal });
    filling.catch(() => undefined);
    await vi.waitFor(async () => expect(await waiting("stopped")).toBe("2"), 30_000);
    stop.abort(new AppError("cancelled", "by a person"));
    await expect(filling).rejects.toMatchObject({ code: "cancelled" });
    await shut.open();
  });
});
