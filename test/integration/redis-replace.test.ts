import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Recovered } from "../../src/core/replacement.ts";
import type { ReplacementOrder } from "../../src/sources/replacement.ts";
import type { BackupReader } from "../../src/sources/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "../support/redis.ts";
import { Memory } from "../support/replace.ts";
import {
  backupOf,
  journalIn,
  type KindOrder,
  readBackup,
  replacerFor,
  runUntilKilled,
  writeBackup,
} from "../support/replace-kinds.ts";

const { signal } = new AbortController();
const fast = { "repl-diskless-sync-delay": "0" };

async function serverWith(options: RedisServerOptions = {}): Promise<{ server: RedisServer; client: Redis }> {
  const server = await startRedis({ appendOnly: false, ...options, settings: { ...fast, ...options.settings } });
  onTestFinished(() => server.stop());
  const password = options.settings?.["requirepass"] ?? "";
  const client = new Redis(server.port, { lazyConnect: true, password, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  return { server, client };
}

/** A server with data and a backup of them, and other data live; ids differ, since they name a folder of the machine. */
async function live(options: RedisServerOptions = {}) {
  const { server, client } = await serverWith(options);
  const id = randomBytes(6).toString("hex");
  const password = options.settings?.["requirepass"];
  const url = password === undefined ? server.url : server.url.replace("//", `//:${password}@`);
  const config = { kind: "redis", url };
  for (let index = 0; index < 200; index += 1) await client.set(`key-${index}`, "backed up");
  await client.select(3);
  await client.hset("hash", { a: "1" });
  await client.select(0);
  const reader = await backupOf(config);
  await client.set("key-0", "altered");
  await client.set("new", "live");
  await client.del("key-1");
  await client.set("more", "live");
  const replacer = (order: Partial<ReplacementOrder> = {}) => replacerFor(config, { id, ...order });
  const look = (order: Partial<ReplacementOrder> = {}, of: BackupReader = reader) =>
    replacer(order).look(of.manifest, { reader: of, signal });
  const memory = new Memory();
  const role = async () => /role:(\w+)/.exec(await client.info("replication"))?.[1];
  onTestFinished(async () => {
    await replacer()
      .discard(memory.context({ database: "" }))
      .catch(() => undefined);
  });
  return { server, client, config, id, reader, replacer, look, memory, role };
}

const settings = (client: Redis) => client.config("GET", "masterauth", "masteruser", "replica-read-only");
const setting = async (client: Redis, name: string): Promise<string> => {
  const [, value = ""] = await client.config("GET", name);
  return value;
};

describe("Redis in place", () => {
  it("takes over what the backup has, is a master again with its own settings, and gives its former data back", async () => {
    const { server, client, config, reader, replacer, look, memory, role } = await live({ appendOnly: true });
    const seen = await look();
    expect(seen).toMatchObject({
      obstacles: [],
      unit: "keys",
      method: "replica",
      wayBack: "former",
      lost: [{ what: "db0", backup: 200, live: 201, exact: true }],
      lostTotal: 1,
      sameSystem: true,
    });
    expect(seen.sessions).toEqual([{ user: "default", application: "", count: 1, endable: true }]);
    const former = await backupOf(config);
    const before = await settings(client);
    const report = await replacer().prepare(reader, memory.context(seen.identity));
    expect(report).toMatchObject({ compared: { keys: 201, databases: 2 }, differencesTotal: 0 });
    expect(await client.get("key-0")).toBe("altered");
    const swap = await replacer().swap(memory.context(seen.identity));
    expect(swap.remarks).toBeUndefined();
    expect(memory.steps).toEqual(["make", "fill", "compare", "prepared", "swap", "swapped"]);
    expect([
      await client.get("key-0"),
      await client.get("key-1"),
      await client.get("new"),
      await client.dbsize(),
    ]).toEqual(["backed up", "backed up", null, 200]);
    expect(await role()).toBe("master");
    expect(await settings(client)).toEqual(before);
    expect(JSON.stringify(memory.journal)).not.toMatch(/masterauth/);

    expect(await replacer().changes(signal, reader.manifest)).toMatchObject({ written: 0, gone: 0 });
    await client.set("after", "the swap");
    await client.set("key-5", "after");
    await client.del("key-6", "key-7");
    expect(await replacer().changes(signal, reader.manifest)).toEqual({
      changed: [{ what: "db0", written: 0, gone: 1 }],
      changedTotal: 1,
      unit: "keys",
      written: 3,
      gone: 1,
    });
    // What was taken over is in the file from which it starts.
    await server.kill();
    await server.restart();
    expect(await vi.waitFor(() => client.dbsize())).toBe(199);

    const undone = await replacer().undo(memory.context(seen.identity, { former }), reader.manifest);
    expect(undone.changes).toMatchObject({ unit: "keys" });
    expect([await client.get("key-0"), await client.get("new"), await client.get("key-1")]).toEqual([
      "altered",
      "live",
      null,
    ]);
    expect(await role()).toBe("master");
    await replacer().discard(memory.context(seen.identity));
  });

  it("uses the password that the server has for masters, and puts back what it did not have", async () => {
    const own = "with 'quotes\" and spaces";
    const { client, reader, replacer, look, memory } = await live({ settings: { requirepass: "secret" } });
    await client.config("SET", "masterauth", own);
    await client.config("SET", "masteruser", "mirror");
    await client.config("SET", "replica-read-only", "no");
    const { identity } = await look();
    await replacer().prepare(reader, memory.context(identity));
    await replacer().swap(memory.context(identity));
    expect(await client.get("key-0")).toBe("backed up");
    expect([
      await setting(client, "masterauth"),
      await setting(client, "masteruser"),
      await setting(client, "replica-read-only"),
    ]).toEqual([own, "mirror", "no"]);
  });

  it("has its replicas follow", async () => {
    const { server, client, reader, replacer, look, memory } = await live();
    const replica = await serverWith({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    await vi.waitFor(async () => expect(await replica.client.get("new")).toBe("live"), 10_000);
    const seen = await look();
    expect(seen.remarks.map(({ key }) => key)).toContain("replace-redis-replicas");
    await replacer().prepare(reader, memory.context(seen.identity));
    await replacer().swap(memory.context(seen.identity));
    await vi.waitFor(async () => expect(await replica.client.get("key-0")).toBe("backed up"), 10_000);
    expect(await client.get("new")).toBe(null);
  });

  it("does not lose what the live one has when the private one is gone, and goes on in another process", async () => {
    const { client, reader, replacer, look, memory } = await live();
    const { identity } = await look();
    await replacer().prepare(reader, memory.context(identity));
    const stop = new AbortController();
    memory.onRecord = (step) => {
      if (step === "swap") stop.abort(new Error("ended"));
    };
    await expect(replacer().swap(memory.context(identity, { signal: stop.signal }))).rejects.toThrow("ended");
    delete memory.onRecord;
    expect(await client.get("key-0")).toBe("altered");
    expect(await replacer().recover(memory.context(identity))).toBe("prepared");
    await replacer().swap(memory.context(identity));
    expect(await client.get("key-0")).toBe("backed up");
  });

  it("waits for one that runs a script, and leaves it a master with its own settings", async () => {
    const { server, client, reader, replacer, look, memory, role } = await live({
      settings: { "busy-reply-threshold": "20" },
    });
    const { identity } = await look();
    await replacer().prepare(reader, memory.context(identity));
    const other = new Redis(server.port);
    onTestFinished(() => other.disconnect());
    const script =
      "local b = redis.call('TIME') repeat local n = redis.call('TIME') until (n[1] - b[1]) * 1e6 + n[2] - b[2] > 2e6";
    let done: Promise<unknown> | undefined;
    memory.onRecord = async (step) => {
      if (step !== "swap") return;
      done = other.eval(script, 0);
      await vi.waitFor(() => expect(client.ping()).rejects.toThrow("BUSY"));
    };
    await expect(replacer().swap(memory.context(identity))).rejects.toMatchObject({
      text: { key: "error-redis-busy" },
    });
    await done;
    expect(await role()).toBe("master");
    expect(await client.get("key-0")).toBe("altered");
    expect(await setting(client, "masterauth")).toBe("");
  });

  it("tells what one has that was killed and started anew while it took the data over", async () => {
    const { server, client, reader, replacer, look, memory, role } = await live();
    const { identity } = await look();
    await replacer().prepare(reader, memory.context(identity));
    await client.config("SET", "key-load-delay", 10_000);
    await client.config("SET", "loading-process-events-interval-bytes", 1024);
    const swap = replacer().swap(memory.context(identity));
    await vi.waitFor(async () => expect(await client.info()).toMatch(/^loading:1/m), 10_000);
    await server.kill();
    await server.restart();
    await swap;
    expect(await role()).toBe("master");
    expect([await client.get("key-0"), await client.get("new")]).toEqual(["backed up", null]);
  });

  it("says what stands in the way", async () => {
    const { server, client, reader, replacer, look, memory } = await live();
    const keys = async (order: Partial<ReplacementOrder> = {}, of: BackupReader = reader) =>
      (await look(order, of)).obstacles.map(({ key }) => key);
    const runId = /run_id:(\w+)/.exec(await client.info("server"))?.[1];
    expect(await keys({ ownRunId: async () => runId })).toEqual(["replace-redis-own"]);
    expect(await keys({ ownRunId: async () => "another" })).toEqual([]);
    expect(await keys({ pick: "key-" })).toEqual(["replace-redis-pick"]);
    const like = (source: Record<string, string>): BackupReader => ({
      ...reader,
      manifest: { ...reader.manifest, source: { ...reader.manifest.source, ...source } },
    });
    expect(await keys({}, like({ server: "99.1.0" }))).toEqual(["replace-redis-tool"]);
    expect(await keys({}, like({ databases: "db40=1" }))).toEqual(["error-redis-target-databases"]);
    await client.config("SET", "maxmemory", "100mb");
    expect(await keys({}, like({ usedMemory: String(200 * 1024 ** 2) }))).toEqual(["replace-redis-maxmemory"]);
    expect(await keys({}, like({ usedMemory: String(2 ** 50) }))).toEqual([
      "replace-redis-maxmemory",
      "error-redis-memory",
    ]);
    await client.config("SET", "maxmemory", "0");
    await client.call("ACL", "SETUSER", "backup", "on", ">pw", "+info", "+psync", "+sync", "+replconf");
    const weak = replacerFor({ kind: "redis", url: server.url.replace("//", "//backup:pw@") });
    expect((await weak.look(reader.manifest, { signal })).obstacles).toMatchObject([
      { key: "replace-redis-rights", args: { list: "CONFIG GET, CLIENT LIST" } },
    ]);
    await client.client("SETNAME", "sentinel-0123abcd-cmd");
    expect(await keys()).toEqual(["replace-redis-watched"]);
    await client.client("SETNAME", "");
    const { identity } = await look();
    await client.replicaof("127.0.0.1", 1);
    expect(await keys()).toEqual(["replace-redis-replica"]);
    await expect(replacer().prepare(reader, memory.context(identity))).rejects.toMatchObject({
      text: { key: "replace-redis-replica" },
    });
    await client.replicaof("NO", "ONE");
    const other = { database: "another" };
    await expect(replacer().prepare(reader, memory.context(other))).rejects.toMatchObject({
      text: { key: "error-replace-redis-changed" },
    });
    const cluster = await serverWith({ settings: { "cluster-enabled": "yes" } });
    const node = replacerFor({ kind: "redis", url: cluster.server.url, clusterNode: true });
    expect((await node.look(reader.manifest, { signal })).obstacles.map(({ key }) => key)).toContain(
      "replace-redis-cluster",
    );
  });

  it("refuses what differs, and a second one at the same time", async () => {
    const { client, config, reader, replacer, look, memory } = await live();
    const { identity } = await look();
    const parts = reader.manifest.parts.map((part) => ({ ...part, entries: 999 }));
    const report = await replacer().prepare(
      { ...reader, manifest: { ...reader.manifest, parts } },
      memory.context(identity),
    );
    expect(report.differences).toEqual([{ what: "keys", expected: "999", found: "201" }]);
    await expect(replacer().swap(memory.context(identity))).rejects.toMatchObject({
      text: { key: "error-replace-redis-not-prepared" },
    });
    memory.onRecord = async (step) => {
      if (step !== "fill") return;
      const second = replacerFor(config, { id: "second" }).prepare(reader, new Memory().context(identity));
      await expect(second).rejects.toMatchObject({ code: "busy" });
    };
    await replacer().prepare(reader, memory.context(identity));
    expect(await client.get("key-0")).toBe("altered");
  });
});

describe("a replacement of a Redis that is killed", () => {
  async function killed(options: RedisServerOptions = {}) {
    const all = await live(options);
    const folder = temporaryFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    await writeBackup(all.reader, folder.path);
    const { identity } = await all.look();
    const order = (operation: KindOrder["operation"], dieAt: string): KindOrder => {
      return { config: all.config, operation, dieAt, backup: folder.path, identity, id: all.id };
    };
    const memory = (): Memory => {
      all.memory.journal = journalIn(folder.path);
      return all.memory;
    };
    return { ...all, folder: folder.path, identity, order, memory };
  }

  it.each<[string, Recovered]>([
    ["make", "nothing"],
    ["fill", "rolled-back"],
    ["bytes", "rolled-back"],
    ["prepared", "rolled-back"],
  ])("while it is prepared, at %s", async (dieAt, recovered) => {
    const { client, reader, id, identity, order, memory, replacer } = await killed();
    runUntilKilled(order("prepare", dieAt));
    expect(await replacer().recover(memory().context(identity))).toBe(recovered);
    expect(existsSync(`/var/tmp/vakhta-replace-redis-${id}`)).toBe(false);
    expect(await client.get("key-0")).toBe("altered");
    await replacer().prepare(reader, memory().context(identity));
    await replacer().swap(memory().context(identity));
    expect(await client.get("key-0")).toBe("backed up");
  });

  it("right before its swap, which another process then does", async () => {
    const { client, reader, identity, order, memory, replacer } = await killed();
    await replacer().prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swap"));
    expect(await replacer().recover(memory().context(identity))).toBe("prepared");
    expect(await client.get("key-0")).toBe("altered");
    await replacer().swap(memory().context(identity));
    expect(await client.get("key-0")).toBe("backed up");
  });

  it.each(["replica", "loading", "equal"])(
    "in the middle of its swap (%s): it is finished, with the server's own settings",
    async (dieAt) => {
      const { client, reader, identity, order, memory, replacer, role } = await killed();
      const before = await settings(client);
      await replacer().prepare(reader, memory().context(identity));
      // So slow that it is met while it loads.
      if (dieAt === "loading") {
        await client.config("SET", "key-load-delay", 10_000);
        await client.config("SET", "loading-process-events-interval-bytes", 1024);
      }
      runUntilKilled(order("swap", dieAt));
      expect(await role()).toBe("slave");
      await client.config("SET", "key-load-delay", 0);
      expect(await replacer().recover(memory().context(identity))).toBe("swapped");
      expect(await role()).toBe("master");
      expect(await client.get("key-0")).toBe("backed up");
      expect(await settings(client)).toEqual(before);
    },
  );

  it("in the middle of its swap, and the server was started anew: it has what was meant, whatever can not be told", async () => {
    const { server, client, reader, identity, order, memory, replacer } = await killed({ appendOnly: true });
    await replacer().prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swap"));
    // As though it had taken the data over and written them down, and one key had expired since.
    await client.del("new", "more", "key-7");
    await client.mset("key-0", "backed up", "key-1", "backed up");
    await server.restart();
    await vi.waitFor(() => client.ping());
    expect(await replacer().recover(memory().context(identity))).toBe("swapped");
    expect([await client.get("key-7"), await client.dbsize()]).toEqual(["backed up", 200]);
  });

  it("in the middle of an undo that has left it a replica: it can be asked for again", async () => {
    const { client, config, reader, identity, order, memory, replacer, role } = await killed();
    const former = await backupOf(config);
    await replacer().prepare(reader, memory().context(identity));
    const journal = runUntilKilled(order("swap", "swapped"));
    const { address = "", port = "" } = journal?.facts ?? {};
    await client.replicaof(address, Number(port));
    const context = memory().context(identity, { former });
    const again = { ...context, journal: { step: "undo" as const, facts: journal?.facts ?? {} } };
    await replacer().undo(again, reader.manifest);
    expect(await role()).toBe("master");
    expect(await client.get("key-0")).toBe("altered");
  });

  it("in the middle of its swap, and what was prepared is gone: the live one has its former data", async () => {
    const { client, reader, id, identity, order, memory, replacer, role } = await killed();
    await replacer().prepare(reader, memory().context(identity));
    const journal = runUntilKilled(order("swap", "swap"));
    // It follows a server that is gone, and has received nothing from it.
    await client.config("SET", "masterauth", "of the private one");
    await client.replicaof(journal?.facts["address"] ?? "", Number(journal?.facts["port"]));
    rmSync(`/var/tmp/vakhta-replace-redis-${id}`, { recursive: true });
    expect(await replacer().recover(memory().context(identity))).toBe("rolled-back");
    expect(await role()).toBe("master");
    expect(await client.get("key-0")).toBe("altered");
    expect(await setting(client, "masterauth")).toBe("");
  });

  it("after its swap", async () => {
    const { client, reader, identity, order, memory, replacer } = await killed();
    await replacer().prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swapped"));
    expect(await replacer().recover(memory().context(identity))).toBe("swapped");
    await client.set("after", "x");
    expect(await replacer().recover(memory().context(identity))).toBe("swapped");
    expect(await client.get("after")).toBe("x");
  });

  it("in the middle of an undo: it is finished", async () => {
    const { client, config, reader, identity, order, memory, replacer, role } = await killed();
    const former = temporaryFolder();
    onTestFinished(() => former[Symbol.dispose]());
    await writeBackup(await backupOf(config), former.path);
    await replacer().prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swapped"));
    runUntilKilled({ ...order("undo", "replica"), former: former.path });
    expect(await replacer().recover(memory().context(identity))).toBe("undone");
    expect(await role()).toBe("master");
    expect(await client.get("key-0")).toBe("altered");
  });

  it("empty and without what was prepared: it gets what was backed up before, and says so when there is nothing", async () => {
    const { client, config, reader, id, identity, order, memory, replacer } = await killed();
    const former = temporaryFolder();
    onTestFinished(() => former[Symbol.dispose]());
    await writeBackup(await backupOf(config), former.path);
    await replacer().prepare(reader, memory().context(identity));
    runUntilKilled(order("swap", "swap"));
    rmSync(`/var/tmp/vakhta-replace-redis-${id}`, { recursive: true });
    await client.flushall();
    await expect(replacer().recover(memory().context(identity))).rejects.toMatchObject({
      text: { key: "error-replace-redis-lost" },
    });
    const context = memory().context(identity, { former: readBackup(former.path) });
    expect(await replacer().recover(context)).toBe("rolled-back");
    expect(await client.get("key-0")).toBe("altered");
  });
});
