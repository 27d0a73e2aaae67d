import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { processIdentity } from "../../src/lib/process-identity.ts";
import { kindOf } from "../../src/sources/index.ts";
import { privateFolder } from "../../src/sources/redis/folder.ts";
import type { BackupReader, Scratch } from "../../src/sources/types.ts";
import { quiet, sourceOf, temporaryFolder } from "../support/backup.ts";
import { readerOf, type TakenPart, takeParts } from "../support/parts.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "../support/redis.ts";

const signal = new AbortController().signal;
const kind = kindOf("redis");

let part: TakenPart;
let reader: BackupReader;

async function serverWith(options: RedisServerOptions): Promise<{ server: RedisServer; client: Redis }> {
  const server = await startRedis({ appendOnly: false, ...options });
  onTestFinished(() => server.stop());
  const client = new Redis(server.port, { lazyConnect: true, password: options.settings?.["requirepass"] ?? "" });
  onTestFinished(() => client.disconnect());
  return { server, client };
}

function scratchIn(folder: string, more: Partial<Scratch> = {}): Scratch {
  return { folder, id: "vakhta_verify_1", signal, logger: quiet, ...more };
}

/** Temporary folders that restores of this process have left. */
const leftHere = () =>
  readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`vakhta-restore-redis-${encodeURIComponent(processIdentity())}`),
  );

/** Processes that work in this folder. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    });
}

beforeAll(async () => {
  await using server = await startRedis({ appendOnly: false, settings: { "repl-diskless-sync-delay": "0" } });
  const client = new Redis(server.port);
  for (let index = 0; index < 1000; index += 1) await client.set(`key-${index}`, randomBytes(100));
  await client.set("gone", "before it is restored", "PX", 1500);
  await client.set("later", "x", "EX", 86_400);
  await client.select(9);
  await client.hset("hash", { a: "1", b: "2" });
  const [taken] = await takeParts(sourceOf({ kind: "redis", url: `redis://127.0.0.1:${server.port}` }));
  if (taken === undefined) throw new Error("no part");
  part = taken;
  reader = readerOf("redis", [part]);
  await client.select(0);
  await vi.waitFor(async () => expect(await client.exists("gone")).toBe(0), 5000);
  await client.quit();
});

describe("testRestore", () => {
  it("loads the snapshot into a server of its own and counts every key, expired ones included", async () => {
    using folder = temporaryFolder();
    const report = await kind.testRestore?.(reader, scratchIn(folder.path));
    expect(report).toMatchObject({ compared: { keys: 1003, databases: 2 }, differences: [], differencesTotal: 0 });
    expect(report?.restoreMs).toBeGreaterThan(0);
    expect(processesIn(folder.path)).toEqual([]);
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".rdb"))).toEqual([]);
  });

  it("tells that there are not as many keys as were counted", async () => {
    using folder = temporaryFolder();
    const other = readerOf("redis", [{ ...part, facts: { ...part.facts, entries: 1004 } }]);
    expect(await kind.testRestore?.(other, scratchIn(folder.path))).toMatchObject({
      differences: [{ what: "keys", expected: "1004", found: "1003" }],
      differencesTotal: 1,
    });
  });

  it("refuses a snapshot that can not be loaded, and leaves nothing behind", async () => {
    using folder = temporaryFolder();
    const cut = readerOf("redis", [{ ...part, bytes: part.bytes.subarray(0, part.bytes.length / 2) }]);
    await expect(kind.testRestore?.(cut, scratchIn(folder.path))).rejects.toMatchObject({ context: { step: "zstd" } });
    const rubbish = spawnSync("zstd", ["-c"], { input: "REDIS0010 and no more" }).stdout;
    const attempt = kind.testRestore?.(readerOf("redis", [{ ...part, bytes: rubbish }]), scratchIn(folder.path));
    await expect(attempt).rejects.toMatchObject({ code: "source-failed", context: { step: "redis-server" } });
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".rdb"))).toEqual([]);
  });

  it("says so when there is not enough memory, instead of taking it from others", async () => {
    using folder = temporaryFolder();
    const huge = readerOf("redis", [part], { usedMemory: String(2 ** 60) });
    await expect(kind.testRestore?.(huge, scratchIn(folder.path))).rejects.toMatchObject({
      text: { key: "error-redis-memory" },
    });
  });

  it("ends everything on abort", async () => {
    using folder = temporaryFolder();
    const controller = new AbortController();
    const slow: BackupReader = {
      ...reader,
      open: async (which) => {
        controller.abort(new Error("stop now"));
        return await reader.open(which);
      },
    };
    const attempt = kind.testRestore?.(slow, scratchIn(folder.path, { signal: controller.signal }));
    await expect(attempt).rejects.toThrow("stop now");
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe("restore", () => {
  const into = (to: string, more: object = {}) => kind.restore?.(reader, { to, signal, logger: quiet, ...more });

  it.each<[string, RedisServerOptions]>([
    ["without persistence", { appendOnly: false }],
    ["with an append-only file", { appendOnly: true }],
    ["with snapshots", { appendOnly: false, settings: { save: "3600 1", requirepass: "target-sesame" } }],
  ])("fills an empty server %s, which is a master again, and has it on its disk", async (_name, options) => {
    const { server, client } = await serverWith(options);
    const user = options.settings === undefined ? "" : ":target-sesame@";
    const counts: number[] = [];
    const report = await into(`redis://${user}127.0.0.1:${server.port}`, {
      progress: (bytes: number) => counts.push(bytes),
    });
    expect(report).toMatchObject({ compared: { keys: 1003, databases: 2 }, differences: [] });
    expect(counts.at(-1)).toBe(part.bytes.length);
    const check = async () => {
      // The key whose time has come is gone, as it is in the original.
      expect(await client.dbsize()).toBe(1001);
      expect(await client.ttl("later")).toBeGreaterThan(80_000);
      await client.select(9);
      expect(await client.hgetall("hash")).toEqual({ a: "1", b: "2" });
      await client.select(0);
      expect(await client.info("replication")).toContain("role:master");
      expect(await client.config("GET", "masterauth")).toEqual(["masterauth", ""]);
    };
    await check();
    if (options.appendOnly || options.settings) {
      await server.kill();
      await server.restart();
      await check();
    }
    expect(leftHere()).toEqual([]);
  });

  it("refuses a server that has a single key, a replica and a cluster's node", async () => {
    const { server: full, client } = await serverWith({});
    await client.select(3);
    await client.set("precious", "x");
    await expect(into(full.url)).rejects.toMatchObject({ code: "conflict", text: { key: "error-redis-target-full" } });
    expect(await client.get("precious")).toBe("x");
    const { server: replica } = await serverWith({ settings: { replicaof: "127.0.0.1 1" } });
    await expect(into(replica.url)).rejects.toMatchObject({ text: { key: "error-redis-target-replica" } });
    const { server: node } = await serverWith({ settings: { "cluster-enabled": "yes" } });
    await expect(into(node.url)).rejects.toMatchObject({ text: { key: "error-redis-target-cluster" } });
  });

  it("refuses a server with too few databases: the snapshot would end it", async () => {
    const { server, client } = await serverWith({ settings: { databases: "9" } });
    await expect(into(server.url)).rejects.toMatchObject({ text: { key: "error-redis-target-databases" } });
    expect(await client.dbsize()).toBe(0);
  });

  it("refuses what is no address, without repeating it", async () => {
    const attempt = into("redis://u:hunter/22@h");
    await expect(attempt).rejects.toMatchObject({ code: "config", text: { key: "config-problem-redis-source-url" } });
    await expect(attempt).rejects.not.toThrow(/hunter/);
  });

  it("makes the target a master again when it is aborted on the way", async () => {
    const { server, client } = await serverWith({ settings: { "repl-timeout": "5" } });
    const controller = new AbortController();
    let isOver = false;
    const watch = async (): Promise<void> => {
      while (!isOver) {
        if ((await client.info("replication")).includes("role:slave")) return controller.abort(new Error("stop now"));
      }
    };
    const watching = watch();
    const outcome = await into(server.url, { signal: controller.signal })?.then(
      () => "done",
      (error: Error) => error.message,
    );
    isOver = true;
    await watching;
    // It may have been too fast for that; a master it is in either case.
    expect(["done", "stop now"]).toContain(outcome);
    expect(await client.info("replication")).toContain("role:master");
    expect(await client.config("GET", "masterauth")).toEqual(["masterauth", ""]);
    expect(leftHere()).toEqual([]);
  });
});

describe("the private folder", () => {
  it("is removed by the next one when its owner was killed", async () => {
    const module = join(import.meta.dirname, "../../src/sources/redis/folder.ts");
    const script = `const { privateFolder } = await import(${JSON.stringify(module)}); console.log((await privateFolder()).path); process.kill(process.pid, "SIGKILL");`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const left = stdout.trim();
    expect(existsSync(left)).toBe(true);
    writeFileSync(join(left, "dump.rdb"), "x");
    await using mine = await privateFolder();
    expect(existsSync(left)).toBe(false);
    expect(existsSync(mine.path)).toBe(true);
  });
});

afterAll(() => {
  expect(leftHere()).toEqual([]);
});
