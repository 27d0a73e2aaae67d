import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AppError } from "../../src/core/errors.ts";
import { run } from "../../src/lib/process.ts";
import { kindOf } from "../../src/sources/index.ts";
import { askInfo } from "../../src/sources/redis/inspect.ts";
import { cliFor } from "../../src/sources/redis/tools.ts";
import { addressOf } from "../../src/sources/redis/url.ts";
import type { Source } from "../../src/sources/types.ts";
import { sourceOf, temporaryFolder } from "../support/backup.ts";
import { misbehavingRedisTools, toolPath } from "../support/fake-tools.ts";
import { takeParts } from "../support/parts.ts";
import { processesWith } from "../support/processes.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "../support/redis.ts";

const password = "sesame-of-redis";
const signal = new AbortController().signal;
const kind = kindOf("redis");

let server: RedisServer;
let client: Redis;

/** A server of its own for one test. */
async function serverWith(options: RedisServerOptions): Promise<{ server: RedisServer; client: Redis }> {
  const own = await startRedis({ appendOnly: false, ...options });
  onTestFinished(() => own.stop());
  const connection = new Redis(own.port, { lazyConnect: true, retryStrategy: null });
  connection.on("error", () => undefined);
  onTestFinished(() => connection.disconnect());
  return { server: own, client: connection };
}

/** More than fits into all the buffers between the server and whoever reads the backup. */
async function fillLarge(connection: Redis): Promise<void> {
  for (let index = 0; index < 60; index += 1) await connection.set(`large-${index}`, randomBytes(1_000_000));
}

const sourceAt = (port: number, more: object = {}) =>
  sourceOf({ kind: "redis", url: `redis://127.0.0.1:${port}`, ...more });
const ours = (more: object = {}) =>
  sourceOf({ kind: "redis", url: `redis://:${password}@127.0.0.1:${server.port}`, ...more });

async function failureOf(action: Promise<unknown>): Promise<AppError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "AppError" });
  return error as AppError;
}

/** Lets something happen to a snapshot that is under way, and gives what the source says of it. */
async function failureDuring(source: Source, event: () => Promise<unknown>): Promise<AppError> {
  await using session = await source.open(signal);
  for await (const part of session.parts()) {
    await vi.waitFor(() => expect(part.rawBytes?.()).toBeGreaterThan(0), { timeout: 60_000 });
    await event();
    await buffer(part.stream);
    return await failureOf(part.done);
  }
  throw new Error("no part");
}

beforeAll(async () => {
  server = await startRedis({
    appendOnly: false,
    settings: { requirepass: password, "repl-diskless-sync-delay": "0" },
  });
  client = new Redis(server.port, { password });
  await client.mset({ a: "1", b: "2", c: "3" });
  await client.set("soon", "gone", "EX", 3600);
  await client.select(7);
  await client.rpush("list", "x", "y");
});
afterAll(async () => {
  await client.quit();
  await server.stop();
});

describe("a snapshot", () => {
  it.each(["yes", "no"])("is whole and counted, and ends where it should (diskless: %s)", async (diskless) => {
    await client.config("SET", "repl-diskless-sync", diskless);
    const [part] = await takeParts(ours());
    expect(part).toMatchObject({ role: "artifact", file: "artifact.rdb.zst", facts: { entries: 5 } });
    await using session = await ours().open(signal);
    expect(session.info.facts).toMatchObject({ role: "master", databases: "db0=4 db7=1", keys: "5" });
    const input = part?.bytes ?? Buffer.alloc(0);
    const { stdout } = await run({ argv: ["sh", "-c", "zstd -dcq | tail -c 9 | od -An -tx1 | head -c 3"] }, { input });
    // The end of a snapshot: its last opcode and eight bytes of checksum; nothing of the transfer behind it.
    expect(stdout.trim()).toBe("ff");
    expect(part?.facts.rawBytes).toBe(
      Number((await run({ argv: ["sh", "-c", "zstd -dcq | wc -c"] }, { input })).stdout),
    );
  });

  it("of nothing at all is a backup of nothing", async () => {
    const { server: empty } = await serverWith({ settings: { "repl-diskless-sync-delay": "0" } });
    const [part] = await takeParts(sourceAt(empty.port));
    expect(part?.facts.entries).toBe(0);
  });
});

describe("a server that lets nobody in", () => {
  it("is told in its own words, without what it has answered all the same", async () => {
    const { server: open } = await serverWith({});
    const source = sourceOf({ kind: "redis", url: `redis://:wrong-sesame@127.0.0.1:${open.port}` });
    const error = await failureOf(source.inspect(signal));
    expect(error).toMatchObject({ text: { key: "error-redis-password" } });
    expect(error.context["stderr"]).toMatch(/^AUTH failed/);
    expect(error.context["stderr"]).not.toMatch(/redis_version/);
  });

  it.each([
    ["closes the connection", (socket: Socket) => void socket.once("data", () => socket.destroy())],
    ["is silent", () => undefined],
  ])("is none that %s: that may be for want of TLS", async (_how, answer) => {
    const other = createServer(answer).listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const asked = askInfo(cliFor(addressOf(`redis://127.0.0.1:${port}`)), signal, 1000);
    expect(await failureOf(asked)).toMatchObject({ code: "source-unreachable", text: { key: "error-redis-mute" } });
  });

  it("is told as that, without the password", async () => {
    for (const url of ["redis://:wrong-sesame@", "redis://nobody:wrong-sesame@", "redis://"]) {
      const source = sourceOf({ kind: "redis", url: `${url}127.0.0.1:${server.port}` });
      const error = await failureOf(source.inspect(signal));
      expect(error).toMatchObject({ code: "source-refused", permanent: true, text: { key: "error-redis-password" } });
      expect(`${error.message}${JSON.stringify(error.context)}`).not.toContain("sesame");
    }
  });

  it("is told also where the default user would be let in", async () => {
    const { server: open } = await serverWith({});
    const source = sourceOf({ kind: "redis", url: `redis://other:wrong-sesame@127.0.0.1:${open.port}` });
    expect(await failureOf(source.inspect(signal))).toMatchObject({ code: "source-refused" });
  });

  it("is told with the rights that are missing", async () => {
    await client.call("ACL", "SETUSER", "weak", "on", ">weak-sesame", "+info");
    const source = sourceOf({ kind: "redis", url: `redis://weak:weak-sesame@127.0.0.1:${server.port}` });
    await source.inspect(signal);
    expect(await failureOf(takeParts(source))).toMatchObject({
      code: "source-refused",
      text: { key: "error-redis-rights" },
    });
    await client.call("ACL", "SETUSER", "weak", "+sync", "+psync", "+replconf");
    expect((await takeParts(source))[0]?.facts.entries).toBe(5);
  });
});

describe("a server that can not give its data", () => {
  it("a replica without its master", async () => {
    const { server: replica } = await serverWith({ settings: { replicaof: "127.0.0.1 1" } });
    const error = await failureOf(takeParts(sourceAt(replica.port)));
    expect(error).toMatchObject({ code: "source-failed", permanent: false, text: { key: "error-redis-replica" } });
  });

  it("a node of a cluster, unless that is what is wanted", async () => {
    const { server: node } = await serverWith({
      settings: { "cluster-enabled": "yes", "repl-diskless-sync-delay": "0" },
    });
    expect(await failureOf(sourceAt(node.port).inspect(signal))).toMatchObject({
      text: { key: "error-redis-cluster" },
    });
    expect((await takeParts(sourceAt(node.port, { clusterNode: true })))[0]?.facts.entries).toBe(0);
  });
});

describe("a snapshot that is lost on the way", () => {
  it("because the server is killed", async () => {
    const { server: own, client: connection } = await serverWith({ settings: { "repl-diskless-sync-delay": "0" } });
    await fillLarge(connection);
    const error = await failureDuring(sourceAt(own.port), () => own.kill());
    expect(error).toMatchObject({ code: "source-failed", permanent: false, text: { key: "error-redis-lost" } });
  });

  it("because the server's saving process is killed", async () => {
    const { server: own, client: connection } = await serverWith({ settings: { "repl-diskless-sync-delay": "0" } });
    await fillLarge(connection);
    const error = await failureDuring(sourceAt(own.port), async () => {
      const children = readFileSync(`/proc/${own.pid()}/task/${own.pid()}/children`, "utf8").trim().split(" ");
      for (const child of children) process.kill(Number(child), "SIGKILL");
    });
    expect(error).toMatchObject({ code: "source-failed", text: { key: "error-redis-lost" } });
  });

  it.each([
    ["redis-cli leaves the end out and reports success", 'real "$@" | head -c 100', "error-redis-incomplete"],
    ["redis-cli puts out something else", 'real "$@" | tr "\\000" "\\001"', "error-redis-snapshot"],
    ["redis-cli says nothing and puts out nothing", "exit 0", "error-redis-incomplete"],
  ])("because %s", async (_name, script, key) => {
    await client.config("SET", "repl-diskless-sync", "no");
    using folder = temporaryFolder();
    const source = ours({ bin: misbehavingRedisTools(folder.path, script) });
    expect(await failureOf(takeParts(source))).toMatchObject({ code: "source-failed", text: { key } });
  });

  it("because redis-check-rdb refuses it, or ends well without a word", async () => {
    for (const script of ['real "$@"; exit 1', "exit 1", "exit 0", "cat /dev/stdin > /dev/null"]) {
      using folder = temporaryFolder();
      const source = ours({ bin: misbehavingRedisTools(folder.path, script, "redis-check-rdb") });
      expect(await failureOf(takeParts(source))).toMatchObject({
        code: "source-failed",
        context: { step: "redis-check-rdb" },
      });
    }
  });
});

describe("a program that is missing", () => {
  it.each(["redis-cli", "redis-check-rdb"])("%s is named with its package", async (program) => {
    using folder = temporaryFolder();
    const bin = misbehavingRedisTools(folder.path, 'real "$@"', "redis-check-rdb");
    rmSync(`${bin}/${program}`);
    const error = await failureOf(ours({ bin }).inspect(signal));
    expect(error).toMatchObject({ code: "tool-missing", permanent: true });
    expect(error.message).toContain("apt-get install redis-tools");
    expect(error.message).toContain(program);
  });
});

describe("via", () => {
  it("runs redis-cli behind the prefix, and its password does not stand in any argument", async () => {
    const via = ["env", `PATH=${toolPath("redis-cli").replace("/redis-cli", "")}:/usr/bin:/bin`];
    // Only a container engine is known to pass a password on.
    expect(() => ours({ via })).toThrow(
      expect.objectContaining({ text: expect.objectContaining({ key: "error-via-password" }) }),
    );
    const { server: open } = await serverWith({ settings: { "repl-diskless-sync-delay": "0" } });
    expect((await takeParts(sourceAt(open.port, { via })))[0]?.facts.entries).toBe(0);
  });
});

describe("checkReadable", () => {
  it("finds every flipped byte of a snapshot, packed or not", async () => {
    const [part] = await takeParts(ours());
    if (part === undefined) throw new Error("no part");
    const check = (bytes: Buffer) =>
      kind.checkReadable({ role: "artifact", file: part.file, bytes: 0, sha256: "" }, Readable.from([bytes]), signal);
    await check(part.bytes);
    for (const at of [0.1, 0.5, 0.9]) {
      const flipped = Buffer.from(part.bytes);
      const index = Math.floor(flipped.length * at);
      flipped[index] = (flipped[index] ?? 0) ^ 1;
      await failureOf(check(flipped));
    }
    // Packed again after the damage, so that only the snapshot's own checksum can tell.
    const repacked = await run(
      { argv: ["sh", "-c", "zstd -dcq | tr x q | zstd -cq | od -An -v -tx1"] },
      { input: part.bytes },
    );
    const bytes = Buffer.from(repacked.stdout.replaceAll(/\s/g, ""), "hex");
    expect(await failureOf(check(bytes))).toMatchObject({ context: { step: "redis-check-rdb" } });
  });
});

it("leaves no process and no file behind", () => {
  expect(processesWith(`-p ${server.port}`)).toEqual([]);
});
