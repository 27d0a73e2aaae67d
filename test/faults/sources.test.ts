import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { encodeManifest, type Manifest } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { cleanUpRun } from "../../src/services/backup/clean-up.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { verifyStored } from "../../src/services/backup/verify.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, orderOf, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { processIds, wordsOf } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";
import { type MemoryS3, memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";
import { flipBit, provable } from "../support/verify.ts";

/** Every kind that reads in a way of its own; `config` reads as `files` does. */
const kinds = ["command", "files", "postgres", "redis", "s3"] as const;
const child = fileURLToPath(new URL("../support/pipeline-child.ts", import.meta.url));
const { signal } = new AbortController();
const data = temporaryFolder();

let postgres: PostgresServer;
let redis: RedisServer;
let bucket: MemoryS3;
let s3: S3Server;
let proxy: S3Proxy;
const sources: Record<string, object> = {};

beforeAll(async () => {
  [postgres, redis, bucket, s3] = await Promise.all([
    startPostgres(),
    startRedis({ appendOnly: false, settings: { "repl-diskless-sync-delay": "0" } }),
    startMemoryS3(),
    startS3(),
  ]);
  proxy = await startS3Proxy(s3.endpoint);
  // Random, so that what is stored is large enough for several parts and for no pipe.
  const rows = "SELECT gen_random_bytes(1024) AS b FROM generate_series(1, 7000)";
  const url = await postgres.createDatabase("shop", `CREATE EXTENSION pgcrypto; CREATE TABLE big AS ${rows}`);
  const client = new Redis(redis.port);
  for (let key = 0; key < 70; key += 1) await client.set(`key-${key}`, randomBytes(100_000));
  await client.quit();
  for (let number = 0; number < 7; number += 1) bucket.put(`object-${number}`, randomBytes(1_000_000));
  const tree = join(data.path, "tree");
  mkdirSync(tree);
  for (let number = 0; number < 7; number += 1) writeFileSync(join(tree, `file-${number}`), randomBytes(1_000_000));
  const random = join(data.path, "random");
  writeFileSync(random, randomBytes(7_000_000));
  Object.assign(sources, {
    command: { kind: "command", argv: [scriptIn(data.path, "dump", `cat ${random}`)], file: "dump.bin" },
    files: { kind: "files", paths: [tree], exclude: [`${data.path}-none`] },
    postgres: { kind: "postgres", url },
    redis: { kind: "redis", url: redis.url },
    s3: memoryConfig(bucket),
  });
}, 120_000);
afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop(), proxy.stop(), bucket[Symbol.asyncDispose]()]);
  await s3.stop();
  data[Symbol.dispose]();
});

let prefix = 0;
beforeEach(async () => {
  prefix += 1;
  await proxy.heal();
});

function places(path: string): Record<string, object> {
  const keys = { accessKeyId: "k", secretAccessKey: "secret-key", forcePathStyle: true, partSize: "5MiB" };
  const offsite = { kind: "s3", endpoint: proxy.endpoint, bucket: s3.bucket, prefix: `table-${prefix}`, ...keys };
  return { local: { kind: "local", path }, offsite };
}

function world(kind: string, path = folder()) {
  const configs = places(path);
  const storages = Object.entries(configs).map(([name, config]) => storageOf(name, config));
  onTestFinished(() => Promise.all(storages.map((storage) => storage.close())).then(() => undefined));
  const [local, offsite] = storages as [Storage, Storage];
  return {
    path,
    configs,
    storages,
    local,
    offsite,
    order: () => orderOf({ source: sourceOf(sources[kind] ?? {}), storages }),
  };
}

function folder(): string {
  const made = temporaryFolder();
  // A private PostgreSQL works in it as another user.
  chmodSync(made.path, 0o755);
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

async function keys(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list("")) found.push(key);
  return found;
}

/** Processes with this environment variable, which all programs of one worker have. */
const living = (mark: string): number[] => processIds().filter((pid) => wordsOf(pid, "environ").includes(mark));

/** The manifest with the size and sum that a part has now: only what is below can tell that it is damaged. */
function resealed(manifest: Manifest, path: string, file: string): Manifest {
  const bytes = readFileSync(join(path, file));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return {
    ...manifest,
    parts: manifest.parts.map((part) => (part.file === file ? { ...part, bytes: bytes.length, sha256 } : part)),
  };
}

describe.each(kinds)("a backup of %s", { timeout: 180_000 }, (kind) => {
  it("whose worker is killed in the middle leaves no program, and nothing after the clean-up", async () => {
    const { configs, storages, order, path } = world(kind);
    proxy.inject({ kind: "slow", bytesPerSecond: 4_000_000 }, { on: ["UploadPart", "PutObject"] });
    // The only variable that reaches every program.
    const home = folder();
    const worker = spawn(process.execPath, [child, JSON.stringify({ source: sources[kind], storages: configs })], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, HOME: home },
    });
    const exit = once(worker, "exit");
    for await (const line of createInterface({ input: worker.stdout }))
      if (((JSON.parse(line) as { bytes?: number }).bytes ?? 0) > 500_000) break;
    worker.kill("SIGKILL");
    expect(await exit).toEqual([null, "SIGKILL"]);
    await vi.waitFor(() => expect(living(`HOME=${home}`)).toEqual([]), { timeout: 10_000 });
    await proxy.heal();
    const { failed, finished } = await cleanUpRun(storages, order().folder, []);
    expect({ failed, finished }).toEqual({ failed: [], finished: undefined });
    expect(filesBelow(path)).toEqual([]);
    for (const storage of storages) expect(await keys(storage)).toEqual([]);
    expect(s3.openUploads().filter(({ key }) => key.startsWith(`table-${prefix}/`))).toEqual([]);
  });

  it("of which one storage refuses is whole in the other, and copied from there later", async () => {
    const { local, offsite, order } = world(kind);
    await proxy.refuse();
    const { copies, manifest, manifestBytes } = await runBackup(order());
    expect(copies.map(({ storage, status }) => `${storage} ${status}`)).toEqual(["local stored", "offsite failed"]);
    await proxy.accept();
    await copyBackup({ from: local, to: offsite, folder: order().folder, manifest, manifestBytes, signal });
    await verifyStored(offsite, manifest);
  });

  it("for which the local disk has no room is whole elsewhere, and nothing of it here", async () => {
    const path = folder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", path]);
    onTestFinished(() => void execFileSync("umount", [path]));
    const { offsite, order } = world(kind, path);
    const { copies, manifest } = await runBackup(order());
    expect(copies).toMatchObject([{ status: "failed", error: { code: "storage-full" } }, { status: "stored" }]);
    await verifyStored(offsite, manifest);
    expect(filesBelow(path)).toEqual([]);
  });

  it("in which a bit is flipped, which is cut or lost, is found at every depth, and no restore trusts it", async () => {
    const { look, folder: own, manifest, root } = await provable(folder(), sources[kind] ?? {});
    for (const { file } of manifest.parts) {
      const path = join(own, file);
      const mend = flipBit(path, 0.7);
      for (const depth of ["stored", "readable"] as const)
        expect(await look({ depth }), `${file} ${depth}`).toMatchObject({
          ok: false,
          error: { code: "storage-mismatch" },
        });
      expect(await look({ depth: file === manifest.parts[0]?.file ? "restored" : "stored" })).toMatchObject({
        ok: false,
      });
      // Its sums made right: what packs it, or what is in it, tells.
      expect(await look({ depth: "readable", manifest: resealed(manifest, own, file) })).toMatchObject({
        ok: false,
      });
      mend();
      const whole = readFileSync(path);
      truncateSync(path, whole.length - 1);
      expect(await look({ depth: "stored" })).toMatchObject({ ok: false, error: { code: "storage-mismatch" } });
      rmSync(path);
      expect(await look({ depth: "stored" })).toMatchObject({ ok: false, error: { code: "not-found" } });
      writeFileSync(path, whole);
    }
    expect(await look({ depth: "readable" })).toMatchObject({ ok: true });
    const lying = { ...manifest, parts: manifest.parts.map((part) => ({ ...part, sha256: "0".repeat(64) })) };
    expect(encodeManifest(lying)).toHaveLength(encodeManifest(manifest).length);
    expect(await look({ depth: "stored", manifest: lying })).toMatchObject({ ok: false });
    expect(readdirSync(root)).toEqual([]);
  });

  it("in whose cipher a bit is flipped, with every sum around it right, does not decrypt", async () => {
    const identity = await generateIdentity();
    const recipients = [await recipientOf(identity)];
    const { look, folder: own, manifest } = await provable(folder(), sources[kind] ?? {}, { recipients });
    const file = manifest.parts[0]?.file ?? "";
    flipBit(join(own, file), 0.7);
    const proof = await look({ depth: "readable", identities: [identity], manifest: resealed(manifest, own, file) });
    expect(proof).toMatchObject({ ok: false, error: { code: "encryption" } });
  });
});
