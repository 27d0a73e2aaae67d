import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { manifestFolder } from "../../src/core/manifest.ts";
import type { ReplacementIdentity } from "../../src/core/replacement.ts";
import { temporaryFolder } from "../support/backup.ts";
import { hammer } from "../support/hammer.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";
import { databasesOf, identityOf, Memory, replacerOf, stubbornSession } from "../support/replace.ts";

let server: PostgresServer;
let made: MadeBackup;
const folder = temporaryFolder();
const { signal } = new AbortController();
const content = `CREATE EXTENSION pg_trgm; CREATE TABLE t AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 20000) g;
  CREATE TABLE u AS SELECT 1 AS id; ALTER TABLE u OWNER TO keeper; GRANT SELECT ON t TO PUBLIC`;

beforeAll(async () => {
  server = await startPostgres({ settings: { wal_level: "logical", max_prepared_transactions: "5" } });
  await server.psql("postgres", "CREATE ROLE keeper");
  await server.createDatabase("shop", content);
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/** The live database as it was never touched, with a row more than the backup. */
async function anew(): Promise<ReplacementIdentity> {
  const rows = await server.psql("postgres", "SELECT datname FROM pg_database WHERE starts_with(datname, 'shop')");
  for (const name of rows.split("\n").filter(Boolean))
    await server.psql("postgres", `DROP DATABASE "${name}" WITH (FORCE)`);
  await server.createDatabase("shop", `${content}; INSERT INTO t VALUES (0, '')`);
  return await identityOf(server, "shop");
}

const live = () => server.psql("shop", "SELECT count(*) FROM t");

describe("a swap", () => {
  let identity: ReplacementIdentity;
  let memory: Memory;
  beforeEach(async () => {
    identity = await anew();
    memory = new Memory();
    await replacerOf(server.url("shop")).prepare(made.reader, memory.context(identity));
  });

  it("refuses a client that connects 100 times a second for less than a second", async () => {
    await server.psql("postgres", "CREATE ROLE client LOGIN SUPERUSER");
    const rights = join(server.folder, "data/pg_hba.conf");
    writeFileSync(rights, `host all client 127.0.0.1/32 trust\n${readFileSync(rights, "utf8")}`);
    await server.psql("postgres", "SELECT pg_reload_conf()");
    const to = { port: server.port, user: "client", database: "shop", sql: "SELECT count(*) FROM t" };
    const clients = hammer(to, 10);
    await vi.waitFor(() => expect(clients.answered("20001")).toBeGreaterThan(80), 10_000);
    const swap = await replacerOf(server.url("shop")).swap(memory.context(identity));
    await vi.waitFor(() => expect(clients.answered("20000")).toBeGreaterThan(80), 10_000);
    const attempts = await clients.stop();
    const answers = attempts.map(({ answer }) => answer);
    const old = answers.lastIndexOf("20001");
    const first = answers.indexOf("20000");
    // Whether it was refused at all is a matter of luck: a swap may fit between two attempts.
    const given = new Set(answers.filter((answer) => answer !== undefined));
    expect([old > 0, first > old, given]).toEqual([true, true, new Set(["20001", "20000"])]);
    const gap = (attempts[first]?.ended ?? 0) - (attempts[old]?.ended ?? 0);
    expect(gap).toBeLessThan(1000);
    expect(swap.refusedMs).toBeLessThan(1000);
  });

  it("opens the live one again when a session does not end", async () => {
    const stubborn = await stubbornSession(server, "shop");
    const replacer = replacerOf(server.url("shop"));
    try {
      await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining("do not end (postgres)"),
      });
    } finally {
      await stubborn.release();
    }
    expect(await live()).toBe("20001");
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_restore_r1 t");
    await replacer.swap(memory.context(identity));
    expect(await live()).toBe("20000");
  });

  it("during which the server is restarted leaves it closed until it is recovered", async () => {
    const stubborn = await stubbornSession(server, "shop");
    const swap = replacerOf(server.url("shop"))
      .swap(memory.context(identity))
      .catch((error: unknown) => error);
    let restarted: Promise<void> | undefined;
    try {
      await vi.waitFor(async () => expect(await databasesOf(server, "shop")).toContain("shop f"), 30_000);
      const pid = await server.psql(
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'vakhta-replace-r1' AND query LIKE 'DO %'",
      );
      restarted = server.restart();
      // The server waits for the stubborn one; the one that swaps has ended when its process is gone.
      await vi.waitFor(() => expect(() => process.kill(Number(pid), 0)).toThrow(), 30_000);
    } finally {
      await stubborn.release();
    }
    await restarted;
    expect(await swap).toMatchObject({ name: "AppError" });
    await vi.waitFor(() => server.psql("postgres", "SELECT 1"), 30_000);
    const replacer = replacerOf(server.url("shop"));
    expect(await replacer.recover(memory.context(identity))).toBe("prepared");
    expect(await live()).toBe("20001");
    await replacer.swap(memory.context(identity));
    expect(await live()).toBe("20000");
  });

  it("puts the old one back when the new one does not work", async () => {
    await server.psql("shop_restore_r1", "DROP TABLE u");
    const replacer = replacerOf(server.url("shop"));
    await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject({
      code: "source-failed",
      message: expect.stringContaining("1 of 2 tables"),
    });
    expect(await live()).toBe("20001");
    await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject({ code: "conflict" });
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await replacer.recover(memory.context(identity))).toBe("nothing");
  });

  it("can not be taken back when the old one does not work any more, and stays then", async () => {
    const replacer = replacerOf(server.url("shop"));
    await replacer.swap(memory.context(identity));
    await server.psql("shop", "INSERT INTO t VALUES (0, '')");
    await server.psql(
      "postgres",
      `ALTER DATABASE shop_before_r1 ALLOW_CONNECTIONS true; ALTER DATABASE shop_before_r1 SET session_preload_libraries = 'nowhere'`,
    );
    await expect(replacer.undo(memory.context(identity), made.manifest)).rejects.toMatchObject({
      code: "source-failed",
      text: { key: "error-replace-not-undone" },
    });
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_before_r1 f");
    expect(await live()).toBe("20001");
    expect(await replacer.changes(signal, made.manifest)).toMatchObject({ written: 1 });
    await server.psql("postgres", "ALTER DATABASE shop_before_r1 RESET ALL");
    await replacer.undo(memory.context(identity), made.manifest);
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_undone_r1 f");
    await replacer.discard(memory.context(identity));
  });

  it("is refused for what another replacement has swapped in, and for what somebody has made anew", async () => {
    const other = new Memory();
    const second = replacerOf(server.url("shop"), { id: "r2" });
    await second.prepare(made.reader, other.context(identity));
    await replacerOf(server.url("shop")).swap(memory.context(identity));
    await expect(second.swap(other.context(identity))).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("made it anew"),
    });
    expect(await second.recover(other.context(identity))).toBe("rolled-back");
    await expect(second.prepare(made.reader, new Memory().context(identity))).rejects.toMatchObject({
      code: "conflict",
    });
  });
});

describe("a preparation", () => {
  let identity: ReplacementIdentity;
  beforeEach(async () => {
    identity = await anew();
  });

  it("keeps every other one away", async () => {
    const memory = new Memory();
    const first = replacerOf(server.url("shop"));
    const second = replacerOf(server.url("shop"), { id: "r2" });
    memory.onRecord = async (step) => {
      if (step !== "fill") return;
      await expect(second.prepare(made.reader, new Memory().context(identity))).rejects.toMatchObject({ code: "busy" });
      expect((await second.look(made.manifest, { signal })).obstacles).toEqual([
        { key: "replace-obstacle-busy", args: { database: "shop" } },
      ]);
    };
    await first.prepare(made.reader, memory.context(identity));
    expect(memory.steps.at(-1)).toBe("prepared");
    expect((await second.look(made.manifest, { signal })).obstacles).toEqual([]);
  });

  it("that fails at any step takes back what it has made", async () => {
    for (const at of ["make", "fill", "compare", "prepared"]) {
      const memory = new Memory();
      memory.onRecord = (step) => {
        if (step === at) throw new Error(`no ${at}`);
      };
      const replacer = replacerOf(server.url("shop"));
      await expect(replacer.prepare(made.reader, memory.context(identity))).rejects.toThrow(`no ${at}`);
      expect(await databasesOf(server, "shop")).toBe("shop t");
    }
  });

  it("that is aborted in its data takes back what it has made", async () => {
    const stop = new AbortController();
    const context = new Memory().context(identity, {
      signal: stop.signal,
      progress: () => stop.abort(new Error("stop")),
    });
    await expect(replacerOf(server.url("shop")).prepare(made.reader, context)).rejects.toThrow("stop");
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });

  it("whose server is restarted is rolled back", async () => {
    const memory = new Memory();
    let restarted: Promise<void> | undefined;
    const context = memory.context(identity, {
      progress: () => {
        restarted ??= server.restart();
      },
    });
    const replacer = replacerOf(server.url("shop"));
    await expect(replacer.prepare(made.reader, context)).rejects.toMatchObject({ name: "AppError" });
    await restarted;
    expect(await replacer.recover(memory.context(identity))).toBe("rolled-back");
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await live()).toBe("20001");
  });

  it("with rows that are not as in the manifest is never swapped", async () => {
    const memory = new Memory();
    const [part, ...rest] = made.manifest.parts;
    const manifest = { ...made.manifest, parts: [{ ...part, tables: { ...part?.tables, "public.t": 7 } }, ...rest] };
    const reader = { ...made.reader, manifest } as MadeBackup["reader"];
    const replacer = replacerOf(server.url("shop"));
    expect(await replacer.prepare(reader, memory.context(identity))).toMatchObject({
      differences: [{ what: "public.t", expected: "7 rows", found: "20000 rows" }],
    });
    await expect(replacer.swap(memory.context(identity))).rejects.toMatchObject({ code: "conflict" });
    expect(await replacer.recover(memory.context(identity))).toBe("rolled-back");
  });

  it("of a damaged backup, and of one with another key, leaves nothing", async () => {
    using own = temporaryFolder();
    const [key, wrong] = [await generateIdentity(), await generateIdentity()];
    const recipients = [await identityToRecipient(key)];
    const locked = await backUp({ kind: "postgres", url: server.url("shop") }, own.path, {
      recipients,
      identity: wrong,
    });
    const replacer = replacerOf(server.url("shop"));
    await expect(replacer.look(locked.manifest, { reader: locked.reader, signal })).rejects.toMatchObject({
      code: "encryption",
    });
    await expect(replacer.prepare(locked.reader, new Memory().context(identity))).rejects.toMatchObject({
      code: "encryption",
    });
    const plain = await backUp({ kind: "postgres", url: server.url("shop") }, own.path, { runId: "run2" });
    const file = join(own.path, "store", manifestFolder(plain.manifest), "artifact.dump.zst");
    const bytes = readFileSync(file);
    bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(replacer.prepare(plain.reader, new Memory().context(identity))).rejects.toMatchObject({
      name: "AppError",
    });
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });

  it("for which the server's disk has no room leaves nothing", async () => {
    using own = temporaryFolder();
    const place = join(server.folder, "small");
    mkdirSync(place);
    // Room for the live one, an empty one beside it, and half of what is to be filled in: indexes, which no dump has.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=31m", "tmpfs", place]);
    try {
      // Whose folder it is, the server is.
      const { uid, gid } = statSync(join(server.folder, "data"));
      chownSync(place, uid, gid);
      await server.psql("postgres", `CREATE TABLESPACE small LOCATION '${place}'`);
      await server.psql("postgres", "CREATE DATABASE indexed TABLESPACE small");
      const indexes = [1, 2, 3, 4].map((nth) => `CREATE INDEX nth_${nth} ON wide (id)`).join("; ");
      await server.psql(
        "indexed",
        `CREATE TABLE wide AS SELECT g AS id FROM generate_series(1, 100000) g; ${indexes}; CHECKPOINT`,
      );
      const backup = await backUp({ kind: "postgres", url: server.url("indexed") }, own.path);
      const of = await identityOf(server, "indexed");
      const memory = new Memory();
      await expect(replacerOf(server.url("indexed")).prepare(backup.reader, memory.context(of))).rejects.toMatchObject({
        code: "storage-full",
      });
      expect(memory.steps).toEqual(["make", "fill"]);
      expect(await databasesOf(server, "indexed")).toBe("indexed t");
      expect(await server.psql("indexed", "SELECT count(*) FROM wide")).toBe("100000");
    } finally {
      await server.psql("postgres", "DROP DATABASE IF EXISTS indexed WITH (FORCE)").catch(() => undefined);
      await server.psql("postgres", "DROP TABLESPACE IF EXISTS small").catch(() => undefined);
      execFileSync("umount", [place]);
    }
  });

  it("for which there is too little room from the beginning is refused", async () => {
    const [part, ...rest] = made.manifest.parts;
    const manifest = { ...made.manifest, parts: [{ ...part, rawBytes: 2 ** 52 }, ...rest] } as MadeBackup["manifest"];
    const look = await replacerOf(server.url("shop")).look(manifest, { signal });
    expect(look.obstacles.map(({ key }) => key)).toEqual(["replace-obstacle-room"]);
  });
});
