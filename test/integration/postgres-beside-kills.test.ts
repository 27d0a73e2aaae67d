import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal } from "../../src/core/replacement.ts";
import { createBeside } from "../../src/sources/postgres/replace/besides.ts";
import { postgresSchema } from "../../src/sources/postgres/schema.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";
import { besideOf, databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";
import type { ChildOrder } from "../support/replace-child.ts";

let server: PostgresServer;
let made: MadeBackup;
let live: ReplacementIdentity;
const folder = temporaryFolder();
const journalFile = join(folder.path, "journal.json");

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase(
    "shop",
    "CREATE SCHEMA app; CREATE TABLE app.t AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 50000) g; CREATE INDEX ON app.t (text); COMMENT ON DATABASE shop IS 'ours'",
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
  await server.psql("shop", "INSERT INTO app.t VALUES (0)");
  live = await identityOf(server, "shop");
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

const schemas = () =>
  server.psql("shop", "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname ~ '^app'");
const sessions = () =>
  server.psql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'vakhta-replace-%'");

/** Starts a process that restores beside, and kills itself at this step. */
function child(dieAt: string, what: Pick<ChildOrder, "to" | "pick" | "folder">, identity: ReplacementIdentity) {
  const order: ChildOrder = {
    operation: "make",
    dieAt,
    url: server.url("shop"),
    store: join(folder.path, "store"),
    manifest: join(folder.path, "store", manifestFolder(made.manifest), manifestFile),
    journal: journalFile,
    identity,
    ...what,
  };
  const file = join(import.meta.dirname, "../support/replace-child.ts");
  return spawn(process.execPath, [file, JSON.stringify(order)], { stdio: "inherit" });
}

/** What the killed one has recorded. */
function memoryOfKilled(): Memory {
  const memory = new Memory();
  const journal = JSON.parse(readFileSync(journalFile, "utf8")) as ReplacementJournal | null;
  if (journal !== null) memory.journal = journal;
  return memory;
}

beforeEach(() => {
  writeFileSync(journalFile, "null");
});

describe.each([
  { what: "a new database", to: "shop_new", pick: undefined },
  { what: "a part of it", to: "app_new", pick: "app" },
])("a process that is killed while it restores $what", ({ to, pick }) => {
  const identity = () => (pick === undefined ? { database: to } : live);
  const beside = () => besideOf(server.url("shop"), { to, ...(pick !== undefined && { pick }) });

  it.each(["make", "fill", "bytes", "compare"])("at %s leaves nothing once it is cancelled", async (dieAt) => {
    expect((await once(child(dieAt, { to, ...(pick && { pick }) }, identity()), "exit"))[1]).toBe("SIGKILL");
    const memory = memoryOfKilled();
    await beside().discard(memory.context(identity()));
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await schemas()).toBe("app");
    await vi.waitFor(async () => expect(await sessions()).toBe("0"), 10_000);
  });

  it.each(["make", "bytes", "prepared"])("at %s is gone on with", async (dieAt) => {
    expect((await once(child(dieAt, { to, ...(pick && { pick }) }, identity()), "exit"))[1]).toBe("SIGKILL");
    const memory = memoryOfKilled();
    const report = await beside().make(made.reader, memory.context(identity()));
    expect(report).toMatchObject({ compared: { rows: 50_000 }, differencesTotal: 0 });
    expect(await databasesOf(server, "shop")).toBe(pick === undefined ? "shop t, shop_new t" : "shop t");
    expect(await schemas()).toBe(pick === undefined ? "app" : "app app_new");
    const comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop_new'";
    expect(await server.psql("postgres", comment)).toBe(pick === undefined ? "ours" : "");
    await server.psql("postgres", "DROP DATABASE IF EXISTS shop_new");
    await server.psql("shop", "DROP SCHEMA IF EXISTS app_new CASCADE");
  });
});

describe("an archive that is unpacked for several connections", () => {
  const isOurs = (name: string) => name.startsWith("vakhta-");
  const unpacked = (place: string) => readdirSync(place).filter(isOurs);
  const config = () => postgresSchema.parse({ kind: "postgres", url: server.url("shop") });
  const by = (place: string) =>
    createBeside(config(), { id: "r1", logger: quiet, to: "shop_new" }, { cores: () => 4, folder: place });

  it("is removed after a kill, and so is what was made of it", async () => {
    using own = temporaryFolder();
    const killed = child("never", { to: "shop_new", folder: own.path }, { database: "shop_new" });
    const exit = once(killed, "exit");
    // While pg_restore is at work with it.
    const working =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop_new' AND application_name LIKE 'vakhta-%'";
    await vi.waitFor(async () => expect(Number(await server.psql("postgres", working))).toBeGreaterThan(0), 30_000);
    killed.kill("SIGKILL");
    await exit;
    expect(unpacked(own.path)).toHaveLength(1);
    await by(own.path).discard(memoryOfKilled().context({ database: "shop_new" }));
    expect(unpacked(own.path)).toEqual([]);
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });

  it("is removed when pg_restore fails", async () => {
    using own = temporaryFolder();
    const memory = new Memory();
    const failed = by(own.path)
      .make(made.reader, memory.context({ database: "shop_new" }))
      .catch((error: unknown) => error);
    const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'shop_new' AND query ~ '^COPY|^CREATE INDEX'`;
    await vi.waitFor(async () => expect(Number(await server.psql("postgres", end))).toBeGreaterThan(0), {
      timeout: 30_000,
      interval: 1,
    });
    expect(await failed).toMatchObject({ name: "AppError" });
    expect(unpacked(own.path)).toEqual([]);
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });

  it("on a disk that becomes full leaves nothing, and says so", async () => {
    using own = temporaryFolder();
    const place = join(own.path, "small");
    mkdirSync(place);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place]);
    try {
      // As it was when it was looked at there was room.
      const [part, ...rest] = made.manifest.parts;
      const manifest = {
        ...made.manifest,
        parts: [{ ...part, rawBytes: -(2 ** 40) }, ...rest],
      } as MadeBackup["manifest"];
      const making = by(place).make({ ...made.reader, manifest }, new Memory().context({ database: "shop_new" }));
      await expect(making).rejects.toMatchObject({ code: "storage-full", text: { key: "error-replace-unpack-full" } });
      expect(unpacked(place)).toEqual([]);
      expect(await databasesOf(server, "shop")).toBe("shop t");
    } finally {
      execFileSync("umount", [place]);
    }
  });
});

describe("a disk of the server that becomes full", () => {
  it.each([
    ["a new database", "beside", 24],
    ["a part of it", "pick", 31],
    ["one transaction", "single", 19],
  ] as const)("leaves everything as it was: %s", async (_, how, mebibytes) => {
    using own = temporaryFolder();
    const place = join(server.folder, `small_${how}`);
    mkdirSync(place);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", place]);
    try {
      const { uid, gid } = statSync(join(server.folder, "data"));
      chownSync(place, uid, gid);
      await server.psql("postgres", `CREATE TABLESPACE small LOCATION '${place}'`);
      await server.psql("postgres", "CREATE DATABASE narrow TABLESPACE small");
      const indexes = [1, 2].map((nth) => `CREATE INDEX nth_${nth} ON wide (id)`).join("; ");
      await server.psql(
        "narrow",
        `CREATE TABLE wide AS SELECT g AS id FROM generate_series(1, 100000) g; ${indexes}; CHECKPOINT`,
      );
      const backup = await backUp({ kind: "postgres", url: server.url("narrow") }, own.path);
      const of = await identityOf(server, "narrow");
      const url = server.url("narrow");
      // A server of which the room can not be seen from here, until it is gone.
      const [part, ...rest] = backup.manifest.parts;
      const manifest = { ...backup.manifest, parts: [{ ...part, rawBytes: 1 }, ...rest] } as MadeBackup["manifest"];
      const reader = { ...backup.reader, manifest };
      const memory = new Memory();
      const failing = async () => {
        if (how === "beside")
          return await besideOf(url, { to: "narrow_new" }).make(reader, memory.context({ database: "narrow_new" }));
        if (how === "pick") return await besideOf(url, { to: "more", pick: "public" }).make(reader, memory.context(of));
        const replacer = replacerOf(url, { method: "single-transaction" });
        await replacer.prepare(reader, memory.context(of));
        return await replacer.swap(memory.context(of, { reader }));
      };
      await expect(failing()).rejects.toMatchObject({ code: "storage-full" });
      expect(memory.steps.at(-1)).toBe({ beside: "fill", pick: "compare", single: "swap" }[how]);
      expect(await databasesOf(server, "narrow")).toBe("narrow t");
      expect(
        await server.psql(
          "narrow",
          "SELECT count(*) FROM wide; SELECT count(*) FROM pg_namespace WHERE nspname = 'more'",
        ),
      ).toBe("100000\n0");
    } finally {
      await server.psql("postgres", "DROP DATABASE IF EXISTS narrow WITH (FORCE)").catch(() => undefined);
      await server.psql("postgres", "DROP TABLESPACE IF EXISTS small").catch(() => undefined);
      execFileSync("umount", [place]);
    }
  });
});
