import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { cleanUpRun } from "../../src/services/backup/clean-up.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import { type BackupOrder, runBackup } from "../../src/services/backup/pipeline.ts";
import { verifyReadable, verifyStored } from "../../src/services/backup/verify.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, orderOf, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { misbehavingTools } from "../support/postgres-tools.ts";
import { processesWith } from "../support/processes.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";
import { lockTable } from "../support/worker.ts";

let server: PostgresServer;
let s3: S3Server;
let proxy: S3Proxy;
let url: string;
beforeAll(async () => {
  [server, s3] = await Promise.all([startPostgres(), startS3()]);
  proxy = await startS3Proxy(s3.endpoint);
  const rows = "SELECT g AS id, gen_random_bytes(1024) AS b FROM generate_series(1, 16000) g";
  // Too large for the pipes and the parts on their way, so that a slow store slows the dump down.
  await server.createDatabase(
    "shop_large",
    `CREATE EXTENSION pgcrypto; CREATE TABLE big AS ${rows.replace("16000", "50000")}`,
  );
  url = await server.createDatabase("shop", `CREATE EXTENSION pgcrypto; CREATE TABLE big AS ${rows}`);
});
afterAll(() => Promise.all([server.stop(), proxy.stop(), s3.stop()]));

let folder: ReturnType<typeof temporaryFolder>;
let local: Storage;
let offsite: Storage;
let prefix = 0;
beforeEach(() => {
  prefix += 1;
  folder = temporaryFolder();
  local = storageOf("local", { kind: "local", path: folder.path });
  const keys = { accessKeyId: "k", secretAccessKey: "secret-key" };
  const config = { kind: "s3", endpoint: proxy.endpoint, bucket: s3.bucket, prefix: `faults-${prefix}`, ...keys };
  offsite = storageOf("offsite", { ...config, forcePathStyle: true, partSize: "5MiB" });
});
afterEach(async () => {
  await proxy.heal();
  await offsite.close();
  folder[Symbol.dispose]();
});

const source = (config: object = {}) => sourceOf({ kind: "postgres", url, ...config });
const order = (parts: Partial<BackupOrder> = {}) => orderOf({ source: source(), storages: [local, offsite], ...parts });

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`expected an AppError, got ${String(error)}`);
}

async function keys(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list("")) found.push(key);
  return found;
}

const openUploads = () => s3.openUploads().filter(({ key }) => key.startsWith(`faults-${prefix}/`));

async function expectNothingLeft(): Promise<void> {
  await proxy.heal();
  expect(filesBelow(folder.path)).toEqual([]);
  expect(openUploads()).toEqual([]);
  expect(await keys(offsite)).toEqual([]);
}

/** Ids of the processes that dump this test's database. */
function dumps(): number[] {
  return processesWith(`:${server.port}/shop`)
    .filter(({ line }) => line.includes("pg_dump "))
    .map(({ pid }) => pid);
}

describe("a source that fails", () => {
  it("commits nothing when pg_dump is killed midway, and names it", async () => {
    proxy.inject({ kind: "slow", bytesPerSecond: 5_000_000 }, { on: ["UploadPart"] });
    const running = order({ source: source({ url: server.url("shop_large") }) });
    let killed = false;
    running.observer.onProgress = ({ bytes }) => {
      if (killed || bytes < 6_000_000) return;
      killed = true;
      for (const pid of dumps()) process.kill(pid, "SIGKILL");
    };
    const error = await failureOf(runBackup(running));
    expect(error).toMatchObject({ code: "tool-failed", context: { step: "pg_dump", exit: "killed by SIGKILL" } });
    expect(running.observer.open).toEqual([]);
    await expectNothingLeft();
  });

  it("commits nothing when pg_dump exits non-zero after complete output", async () => {
    using tools = temporaryFolder();
    const script = 'real_pg_dump "$@"; echo "pg_dump: error: something is wrong" >&2; exit 1';
    const bin = misbehavingTools(tools.path, server.programs, script);
    const error = await failureOf(runBackup(order({ source: source({ bin }) })));
    expect(error).toMatchObject({ code: "source-failed", context: { step: "pg_dump", exit: "exit status 1" } });
    expect(error.message).toBe("pg_dump failed: something is wrong");
    await expectNothingLeft();
  });

  it("commits nothing when only the last part fails", async () => {
    using tools = temporaryFolder();
    const script = 'real_pg_dumpall "$@"; echo "pg_dumpall: error: no roles today" >&2; exit 3';
    const bin = misbehavingTools(tools.path, server.programs, script, "pg_dumpall");
    const error = await failureOf(runBackup(order({ source: source({ bin }) })));
    expect(error).toMatchObject({ code: "source-failed", context: { step: "pg_dumpall", exit: "exit status 3" } });
    await expectNothingLeft();
  });

  it("names zstd when zstd is what died", async () => {
    const running = order();
    running.observer.onOpened = () => {
      const own = readdirSync("/proc").filter((pid) => isChild(pid, "zstd"));
      for (const pid of own) process.kill(Number(pid), "SIGKILL");
    };
    expect(await failureOf(runBackup(running))).toMatchObject({
      code: "tool-failed",
      context: { step: "zstd", exit: "killed by SIGKILL" },
    });
    await expectNothingLeft();
  });

  it("fails when the server goes away in the middle", async () => {
    proxy.inject({ kind: "slow", bytesPerSecond: 5_000_000 }, { on: ["UploadPart"] });
    const running = order({ source: source({ url: server.url("shop_large") }) });
    let restart: Promise<void> | undefined;
    running.observer.onProgress = ({ bytes }) => {
      if (bytes > 6_000_000) restart ??= server.restart();
    };
    expect(["source-failed", "source-unreachable"]).toContain((await failureOf(runBackup(running))).code);
    await restart;
    await expectNothingLeft();
  });

  it("does not wait for a locked table for ever", async () => {
    const unlock = await lockTable(server, "shop", "big");
    for (const counts of ["exact", "off"]) {
      const error = await failureOf(runBackup(order({ source: source({ lockWait: "300ms", counts }) })));
      expect(error).toMatchObject({ code: "source-failed", permanent: false });
      expect(error.message).toMatch(/stayed locked/);
    }
    await unlock();
    await expectNothingLeft();
  });
});

/** True for a direct child of this process that runs this program. */
function isChild(pid: string, program: string): boolean {
  try {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return name === program && Number(parent) === process.pid;
  } catch {
    return false;
  }
}

describe("an S3 server that fails", () => {
  it("is left out when it refuses connections: the local copy is made, and later copied without a new dump", async () => {
    await proxy.refuse();
    const running = order();
    const result = await runBackup(running);
    expect(result.copies).toMatchObject([
      { storage: "local", status: "stored" },
      {
        storage: "offsite",
        status: "failed",
        error: { code: "storage-unreachable", permanent: false, context: { step: "upload to offsite" } },
      },
    ]);
    await verifyReadable(local, result.manifest);
    await proxy.heal();
    const { manifest, manifestBytes } = result;
    await copyBackup({
      from: local,
      to: offsite,
      folder: running.folder,
      manifest,
      manifestBytes,
      signal: running.signal,
    });
    await verifyStored(offsite, manifest);
  });

  it("fails the run when there is no other storage", async () => {
    await proxy.refuse();
    const error = await failureOf(runBackup(order({ storages: [offsite] })));
    expect(error).toMatchObject({ code: "storage-unreachable", context: { step: "upload to offsite" } });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it.each([
    [
      "503 SlowDown",
      { kind: "slow-down" },
      ["UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "PutObject"],
    ],
    ["a reset connection", { kind: "reset", afterBytes: 100_000 }, ["UploadPart"]],
  ] as const)("is tried again after %s", async (_name, fault, on) => {
    proxy.inject(fault, { on, times: 2 });
    const result = await runBackup(order());
    expect(result.copies.map(({ status }) => status)).toEqual(["stored", "stored"]);
    await verifyStored(offsite, result.manifest);
    expect(openUploads()).toEqual([]);
  });

  it("is left out when it answers nothing but 503", async () => {
    proxy.inject({ kind: "slow-down" });
    const result = await runBackup(order());
    expect(result.copies).toMatchObject([
      { status: "stored" },
      { status: "failed", error: { code: "storage-unreachable" } },
    ]);
    expect(result.copies[1]?.error?.message).toContain("503");
    await expectOnlyLocal(result.manifest.parts.length);
  });

  it("is waited for when it is slow", async () => {
    proxy.inject({ kind: "slow", bytesPerSecond: 10_000_000 });
    const result = await runBackup(order());
    expect(result.copies.map(({ status }) => status)).toEqual(["stored", "stored"]);
    await verifyStored(offsite, result.manifest);
  });

  it.each([false, true])("is left out when it loses a part (and hides it: %s)", async (hidden) => {
    proxy.inject({ kind: "lose", hidden }, { times: 1 });
    const result = await runBackup(order());
    expect(result.copies).toMatchObject([
      { status: "stored" },
      { status: "failed", error: { code: "storage-mismatch", permanent: false } },
    ]);
    await expectOnlyLocal(result.manifest.parts.length);
  });

  it("may lose the answer to a completion that it has carried out", async () => {
    proxy.inject({ kind: "reset", afterBytes: 0 }, { on: ["CompleteMultipartUpload"], times: 1 });
    const result = await runBackup(order());
    expect(result.copies.map(({ status }) => status)).toEqual(["stored", "stored"]);
    await verifyStored(offsite, result.manifest);
  });

  it("is left out when the bucket does not exist, with a clear line", async () => {
    const config = {
      kind: "s3",
      endpoint: proxy.endpoint,
      bucket: "no-such-bucket",
      accessKeyId: "k",
      secretAccessKey: "secret-key",
      forcePathStyle: true,
    };
    const wrong = storageOf("offsite", config);
    const result = await runBackup(order({ storages: [local, wrong] }));
    expect(result.copies[1]?.error).toMatchObject({ code: "storage-refused", permanent: true });
    expect(result.copies[1]?.error?.message).toMatch(
      /bucket no-such-bucket does not exist on 127\.0\.0\.1:\d+: create it/,
    );
    await wrong.close();
  });

  it("loses its parts again when only its manifest can not be written", async () => {
    const running = order();
    running.observer.onPhase = (phase) => {
      if (phase === "manifest") proxy.inject({ kind: "slow-down" }, { on: ["PutObject"] });
    };
    const result = await runBackup(running);
    expect(result.copies).toMatchObject([
      { status: "stored" },
      { status: "failed", error: { code: "storage-unreachable" } },
    ]);
    await expectOnlyLocal(result.manifest.parts.length);
  });

  it("is named when what was written can not be removed again", async () => {
    const running = order({ storages: [offsite] });
    running.observer.onPhase = (phase) => {
      if (phase === "manifest") proxy.inject({ kind: "slow-down" });
    };
    expect(await failureOf(runBackup(running))).toMatchObject({ code: "storage-unreachable" });
    expect(running.observer.open).toEqual([]);
    expect(running.observer.storagesLeft).toEqual(["offsite"]);
    await proxy.heal();
    expect(await keys(offsite)).toHaveLength(2);
    await cleanUpRun([offsite], running.folder, []);
    await expectNothingLeft();
  });

  it("in which an object can not be created leaves no stream of the other copy open", async () => {
    const running = order({ storages: [local] });
    const { manifest, manifestBytes } = await runBackup(running);
    const streams: Readable[] = [];
    const from = changed(local, {
      read: async (key) => {
        const stream = await local.read(key);
        streams.push(stream);
        return stream;
      },
    });
    const refused = new AppError("storage-refused", "no room for you");
    const to = changed(offsite, { create: () => Promise.reject(refused) });
    const { folder: at, signal } = running;
    const copying = copyBackup({ from, to, folder: at, manifest, manifestBytes, signal });
    expect(await failureOf(copying)).toMatchObject({ code: "storage-refused" });
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  async function expectOnlyLocal(parts: number): Promise<void> {
    await proxy.heal();
    expect(filesBelow(folder.path)).toHaveLength(parts + 1);
    expect(openUploads()).toEqual([]);
    expect(await keys(offsite)).toEqual([]);
  }
});

describe("a local storage that fails", () => {
  it("is left out when its disk is full: the off-site copy is made", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder.path]);
    try {
      const result = await runBackup(order());
      expect(result.copies).toMatchObject([
        { status: "failed", error: { code: "storage-full", context: { step: "write to local" } } },
        { status: "stored" },
      ]);
      expect(result.copies[0]?.error?.message).toMatch(/the disk is full/);
      expect(filesBelow(folder.path)).toEqual([]);
      await verifyStored(offsite, result.manifest);
    } finally {
      execFileSync("umount", [folder.path]);
    }
  });

  it("is left out when its path can not be a folder", async () => {
    const broken = storageOf("local", { kind: "local", path: "/dev/null/backups" });
    const result = await runBackup(order({ storages: [broken, offsite] }));
    expect(result.copies).toMatchObject([
      { status: "failed", error: { code: "storage-refused" } },
      { status: "stored" },
    ]);
  });
});

describe("an end from outside", () => {
  it.each(["preflight", "dump", "finish", "manifest"])(
    "in phase %s removes everything and gives the reason",
    async (at) => {
      const controller = new AbortController();
      const running = order({ signal: controller.signal });
      running.observer.onPhase = (phase) => {
        if (phase === at) controller.abort(new AppError("cancelled", "cancelled by alice"));
      };
      expect(await failureOf(runBackup(running))).toMatchObject({ code: "cancelled", message: "cancelled by alice" });
      expect(running.observer.open).toEqual([]);
      await expectNothingLeft();
    },
  );

  it("in the middle of the dump removes everything, although a store has stalled", async () => {
    proxy.inject({ kind: "stall" }, { on: ["UploadPart"] });
    const controller = new AbortController();
    const running = order({ signal: controller.signal });
    running.observer.onProgress = ({ bytes }) => {
      if (bytes > 5_500_000) controller.abort(new AppError("cancelled", "cancelled by alice"));
    };
    expect(await failureOf(runBackup(running))).toMatchObject({ code: "cancelled" });
    expect(dumps()).toEqual([]);
    await expectNothingLeft();
  });

  it.each(["onPhase", "onOpened", "onProgress"] as const)(
    "by an observer that throws (%s) removes everything",
    async (hook) => {
      const running = order();
      let calls = 0;
      running.observer[hook] = () => {
        calls += 1;
        if (calls > 1) throw new AppError("lease-lost", "another worker has taken this run over");
      };
      expect(await failureOf(runBackup(running))).toMatchObject({ code: "lease-lost" });
      await expectNothingLeft();
    },
  );
});

/** A storage of which some methods do something else. */
function changed(storage: Storage, changes: Partial<Storage>): Storage {
  return new Proxy(storage, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in changes ? changes : target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
