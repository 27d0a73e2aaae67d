import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AppError } from "../../src/core/errors.ts";
import { kindOf, sourceKinds } from "../../src/sources/index.ts";
import type { PartFacts, Source, SourcePart } from "../../src/sources/types.ts";
import { sourceOf, temporaryFolder } from "../support/backup.ts";
import { misbehavingRedisTools, scriptIn, toolPath } from "../support/fake-tools.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";
import { processesWith } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type MemoryS3, memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";

/** What the suite needs to know of a kind. */
interface World {
  /** A source that works; its data is large enough not to fit into pipes. */
  readonly good: Source;
  /** The same, whose tool ends with an error after it has put everything out. */
  readonly failing: Source;
  /** The same, whose tool is killed halfway. */
  readonly dying: Source;
  /** A source that does not answer; absent for those of `local`. */
  readonly unreachable?: Source;
  /** It cannot say beforehand how much it will read. */
  readonly unsized?: boolean;
  /** Must not be found in any process's arguments, nor in any error. */
  readonly secret: string;
  /** Marks the processes of this world's sources. */
  readonly mark: string;
  readonly roles: readonly string[];
}

let server: PostgresServer;
let redis: RedisServer;
let bucket: MemoryS3;
const redisPassword = "sesame-of-redis";
const folders = Array.from({ length: 9 }, () => temporaryFolder());
const folder = (index: number): string => folders[index]?.path ?? "";
const signal = new AbortController().signal;

/** Kinds that read this machine: there is nothing that might not answer. */
const local: ReadonlySet<string> = new Set(["command", "files", "config"]);

const worlds: Readonly<Record<string, () => World>> = {
  postgres: () => {
    const config = { kind: "postgres", url: server.url("shop") };
    return {
      good: sourceOf(config),
      failing: sourceOf({
        ...config,
        bin: misbehavingTools(folder(0), server.programs, 'real_pg_dump "$@"; echo "disk on fire" >&2; exit 1'),
      }),
      dying: sourceOf({
        ...config,
        bin: misbehavingTools(folder(1), server.programs, 'real_pg_dump "$@" | head -c 1000000; kill -9 $$'),
      }),
      unreachable: sourceOf({ ...config, url: `postgresql://postgres:${server.password}@127.0.0.1:1/shop` }),
      secret: server.password,
      mark: `:${server.port}/shop`,
      roles: ["artifact", "globals"],
    };
  },
  redis: () => {
    const config = { kind: "redis", url: `redis://:${redisPassword}@127.0.0.1:${redis.port}` };
    return {
      good: sourceOf(config),
      failing: sourceOf({
        ...config,
        bin: misbehavingRedisTools(folder(2), 'real "$@"; echo "disk on fire" >&2; exit 1'),
      }),
      dying: sourceOf({
        ...config,
        bin: misbehavingRedisTools(folder(3), 'real "$@" | head -c 1000000; kill -9 $$'),
      }),
      unreachable: sourceOf({ ...config, url: `redis://:${redisPassword}@127.0.0.1:1` }),
      secret: redisPassword,
      mark: `-p ${redis.port}`,
      roles: ["artifact"],
    };
  },
  command: () => {
    const secret = "sesame-of-command";
    const program = (name: string, script: string) => ({
      kind: "command",
      argv: [scriptIn(folder(4), name, script)],
      env: { DUMP_PASSWORD: secret },
    });
    // More than zstd takes in before it puts anything out.
    const dump = '[ "$DUMP_PASSWORD" = sesame-of-command ] && head -c 40000000 /dev/urandom';
    return {
      good: sourceOf(program("good", dump)),
      failing: sourceOf(program("failing", `${dump}; echo "disk on fire" >&2; exit 1`)),
      dying: sourceOf(program("dying", `${dump}; kill -9 $$`)),
      unsized: true,
      secret,
      mark: folder(4),
      roles: ["artifact"],
    };
  },
  files: () => treeWorld("files", 5),
  config: () => treeWorld("config", 6),
  s3: () => {
    // No other test has this level: it tells this world's processes from others.
    const secret = "sesame-of-bucket";
    const config = memoryConfig(bucket, { level: 6, secretAccessKey: secret });
    const zstd = toolPath("zstd");
    return {
      good: sourceOf(config),
      failing: withTool(folder(7), "zstd", `${zstd} "$@"; echo "disk on fire" >&2; exit 1`, sourceOf(config)),
      dying: withTool(folder(8), "zstd", `${zstd} "$@" | head -c 1000000; kill -9 $$`, sourceOf(config)),
      unreachable: sourceOf({ ...config, endpoint: "http://127.0.0.1:1" }),
      unsized: true,
      secret,
      mark: "zstd -6 -T0",
      roles: ["artifact", "index"],
    };
  },
};

/** Of files, whose tar runs behind a program of the test's own. */
function treeWorld(kind: string, index: number): World {
  const secret = "sesame-of-files";
  const tree = join(folder(index), "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "large"), randomBytes(8_000_000));
  writeFileSync(join(tree, "key"), secret);
  // tar is not given its paths as arguments: a pattern that fits nothing tells it from others.
  const exclude = [`${folder(index)}-none`];
  const good = { kind, paths: [tree], exclude };
  const behind = (name: string, script: string) => {
    const program = scriptIn(folder(index), name, `case "$*" in *--verbose*) ${script} ;; *) exec "$@" ;; esac`);
    return sourceOf({ kind: "files", paths: [tree], exclude, via: [program] });
  };
  return {
    good: sourceOf(good),
    failing: behind("failing", '"$@"; echo "disk on fire" >&2; exit 1'),
    dying: behind("dying", '"$@" | head -c 1000000; kill -9 $$'),
    secret,
    mark: folder(index),
    roles: ["artifact"],
  };
}

/** A source that finds this script in place of a tool, while it is open. */
function withTool(folder: string, name: string, script: string, source: Source): Source {
  scriptIn(folder, name, script);
  return {
    kind: source.kind,
    counts: source.counts,
    inspect: (signal) => source.inspect(signal),
    async open(signal) {
      const session = await source.open(signal);
      const { PATH } = process.env;
      process.env["PATH"] = `${folder}:${PATH}`;
      return {
        info: session.info,
        parts: () => session.parts(),
        async [Symbol.asyncDispose]() {
          process.env["PATH"] = PATH;
          await session[Symbol.asyncDispose]();
        },
      };
    },
  };
}

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase(
    "shop",
    "CREATE TABLE big AS SELECT g, gen_random_uuid() AS id FROM generate_series(1, 200000) g",
  );
});
beforeAll(async () => {
  redis = await startRedis({
    appendOnly: false,
    settings: { requirepass: redisPassword, "repl-diskless-sync-delay": "0" },
  });
  const client = new Redis(redis.port, { password: redisPassword });
  await client.eval("for i = 1, 100000 do redis.call('SET', i, redis.sha1hex(i) .. redis.sha1hex(-i)) end", 0);
  await client.quit();
});
beforeAll(async () => {
  bucket = await startMemoryS3();
  for (let number = 0; number < 8; number += 1) bucket.put(`object ${number}`, randomBytes(1_500_000));
});
afterAll(async () => {
  await server.stop();
  await redis.stop();
  await bucket[Symbol.asyncDispose]();
  for (const folder of folders) folder[Symbol.dispose]();
});

async function readAll(source: Source): Promise<{ part: SourcePart; bytes: Buffer; facts: PartFacts }[]> {
  await using session = await source.open(signal);
  const result: { part: SourcePart; bytes: Buffer; facts: PartFacts }[] = [];
  for await (const part of session.parts()) {
    const bytes = await buffer(part.stream);
    result.push({ part, bytes, facts: await part.done });
  }
  return result;
}

async function failureOf(action: () => Promise<unknown>): Promise<AppError> {
  const error: unknown = await action().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "AppError" });
  return error as AppError;
}

it("has a world for every registered kind", () => {
  expect(Object.keys(worlds).sort()).toEqual([...sourceKinds].sort());
});

describe.each(Object.keys(worlds))("source %s", (kind) => {
  let world: World;
  beforeAll(() => {
    const make = worlds[kind];
    if (make === undefined) throw new Error(`no world for ${kind}`);
    world = make();
  });

  it("says what it is, without its secret", async () => {
    const info = await world.good.inspect(signal);
    expect(world.good.kind).toBe(kind);
    expect(info.title).not.toBe("");
    expect(JSON.stringify(info)).not.toContain(world.secret);
    expect((info.expectedRawBytes ?? 0) > 0).toBe(world.unsized !== true);
  });

  it("gives its parts in order, each readable whole by the kind's own tools", async () => {
    const parts = await readAll(world.good);
    expect(parts.map(({ part }) => part.role)).toEqual(world.roles);
    for (const { part, bytes, facts } of parts) {
      expect(part.file).toMatch(/^[a-z0-9.-]+$/);
      expect(facts.rawBytes).toBeGreaterThan(0);
      const stored = { role: part.role, file: part.file, bytes: bytes.length, sha256: "" };
      await kindOf(kind).checkReadable(stored, Readable.from([bytes]), signal);
      if (part.role !== "artifact") continue;
      for (const cut of [0.6, 0.99]) {
        const half = Readable.from([bytes.subarray(0, Math.floor(bytes.length * cut))]);
        await expect(kindOf(kind).checkReadable(stored, half, signal)).rejects.toMatchObject({ name: "AppError" });
      }
    }
    expect(processesWith(world.mark)).toEqual([]);
  });

  it("tells while it works how much it has read, and shows no secret in any argument", async () => {
    await using session = await world.good.open(signal);
    // The first part, which is the large one: the others may be complete before they are asked for.
    for await (const part of session.parts()) {
      const shown = processesWith(world.mark);
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.map(({ line }) => line).join("\n")).not.toContain(world.secret);
      await vi.waitFor(() => expect(part.rawBytes?.()).toBeGreaterThan(0));
      part.stream.resume();
      await part.done;
      break;
    }
  });

  it("fails when its tool exits non-zero after complete output, with step and last lines", async () => {
    const error = await failureOf(() => readAll(world.failing));
    expect(error.context).toMatchObject({ exit: "exit status 1", stderr: expect.stringContaining("disk on fire") });
    expect(error.context.step).toEqual(expect.any(String));
    await vi.waitFor(() => expect(processesWith(world.mark)).toEqual([]));
  });

  it("ends its stream and fails when its tool is killed halfway", async () => {
    await using session = await world.dying.open(signal);
    for await (const part of session.parts()) {
      await buffer(part.stream);
      expect(await failureOf(() => part.done)).toMatchObject({ context: { exit: "killed by SIGKILL" } });
      break;
    }
  });

  it("ends all its processes on abort and gives the reason", async () => {
    const controller = new AbortController();
    await using session = await world.good.open(controller.signal);
    for await (const part of session.parts()) {
      expect(processesWith(world.mark).length).toBeGreaterThan(0);
      controller.abort(new Error("stop now"));
      expect(await failureOf(() => part.done)).toMatchObject({ message: "stop now" });
      break;
    }
    await vi.waitFor(() => expect(processesWith(world.mark)).toEqual([]));
  });

  it("ends all its processes when it is disposed of in the middle", async () => {
    {
      await using session = await world.good.open(signal);
      for await (const _part of session.parts()) break;
      expect(processesWith(world.mark).length).toBeGreaterThan(0);
    }
    expect(processesWith(world.mark)).toEqual([]);
  });

  it.each(local.has(kind) ? [] : [kind])("of kind %s says that it can not be reached, without its secret", async () => {
    const error = await failureOf(async () => await world.unreachable?.inspect(signal));
    expect(error).toMatchObject({ code: "source-unreachable", permanent: false });
    expect(`${error.message}${JSON.stringify(error.context)}${error.stack}`).not.toContain(world.secret);
  });
});
