import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { OpenObject } from "../../src/core/ports.ts";
import { cleanUpRun } from "../../src/services/backup/clean-up.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import { verifyStored } from "../../src/services/backup/verify.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, orderOf, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { processesWith } from "../support/processes.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";

const child = fileURLToPath(new URL("../support/pipeline-child.ts", import.meta.url));

let server: PostgresServer;
let s3: S3Server;
let proxy: S3Proxy;
let folder: ReturnType<typeof temporaryFolder>;
let storages: Storage[];
let configs: Record<string, object>;
let source: object;

beforeAll(async () => {
  [server, s3] = await Promise.all([startPostgres(), startS3()]);
  proxy = await startS3Proxy(s3.endpoint);
  // Random, so that what is stored is large enough for several parts.
  const rows = "SELECT gen_random_bytes(1024) AS b FROM generate_series(1, 16000)";
  const url = await server.createDatabase("shop", `CREATE EXTENSION pgcrypto; CREATE TABLE big AS ${rows}`);
  source = { kind: "postgres", url };
});
afterAll(() => Promise.all([server.stop(), proxy.stop(), s3.stop()]));

let prefix = 0;
beforeEach(() => {
  folder = temporaryFolder();
  prefix += 1;
  configs = {
    local: { kind: "local", path: folder.path },
    offsite: {
      kind: "s3",
      endpoint: proxy.endpoint,
      bucket: s3.bucket,
      prefix: `kill-${prefix}`,
      accessKeyId: "k",
      secretAccessKey: "secret-key",
      forcePathStyle: true,
      partSize: "5MiB",
    },
  };
  storages = Object.entries(configs).map(([name, config]) => storageOf(name, config));
});
afterEach(async () => {
  folder[Symbol.dispose]();
  for (const storage of storages) await storage.close();
  await proxy.heal();
});

/** Command lines of the client programs that work on this test's database. */
function tools(): string[] {
  return processesWith(`:${server.port}/shop`)
    .map(({ line }) => line)
    .filter((line) => !line.includes("pipeline-child"));
}

interface Said {
  readonly phase?: string;
  readonly opened?: OpenObject;
  readonly bytes?: number;
  readonly done?: true;
}

/**
 * Runs a worker and kills it when `when` has resolved to true for a line that it said. Resolves to the objects that
 * it had recorded as open.
 */
async function killWhen(
  where: { readonly stopAt?: string; readonly waitAt?: string },
  when: (said: Said, goOn: () => void) => boolean | Promise<boolean>,
): Promise<OpenObject[]> {
  const worker = spawn(process.execPath, [child, JSON.stringify({ source, storages: configs, ...where })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = once(worker, "exit");
  const opened: OpenObject[] = [];
  for await (const line of createInterface({ input: worker.stdout })) {
    const said = JSON.parse(line) as Said;
    if (said.opened !== undefined) opened.push(said.opened);
    if (await when(said, () => worker.stdin.write("go on\n"))) break;
  }
  worker.kill("SIGKILL");
  expect(await exit).toEqual([null, "SIGKILL"]);
  await vi.waitFor(() => expect(tools()).toEqual([]), { timeout: 10_000 });
  return opened;
}

async function keys(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list("")) found.push(key);
  return found;
}

const run = () => orderOf({ source: sourceOf(source), storages });

async function expectNothingLeft(): Promise<void> {
  expect(filesBelow(folder.path)).toEqual([]);
  expect(s3.openUploads().filter(({ key }) => key.startsWith(`kill-${prefix}/`))).toEqual([]);
  for (const storage of storages) expect(await keys(storage)).toEqual([]);
}

describe("a worker killed by SIGKILL", () => {
  it.each(["preflight", "dump", "opened"])("at %s: the clean-up leaves nothing", async (stopAt) => {
    const recorded = await killWhen({ stopAt }, (said) => said.phase === stopAt || stopAt in said);
    const result = await cleanUpRun(storages, run().folder, recorded);
    expect(result).toMatchObject({ failed: [] });
    expect(result.finished).toBeUndefined();
    await expectNothingLeft();
  });

  it.each([true, false])(
    "in the middle of the dump: the clean-up leaves nothing (with its records: %s)",
    async (withRecords) => {
      proxy.inject({ kind: "slow", bytesPerSecond: 4_000_000 }, { on: ["UploadPart"] });
      const recorded = await killWhen({}, ({ bytes = 0 }) => bytes > 6_000_000 && s3.openUploads().length > 0);
      expect(recorded.map(({ storage }) => storage).sort()).toEqual(["local", "offsite"]);
      const result = await cleanUpRun(storages, run().folder, withRecords ? recorded : []);
      expect(result.removed).toBe(2);
      await expectNothingLeft();
    },
  );

  it("when all bytes are written but nothing is committed: the clean-up leaves nothing", async () => {
    const recorded = await killWhen({ stopAt: "finish" }, ({ phase }) => phase === "finish");
    for (const storage of storages) expect(await keys(storage)).toEqual([]);
    await cleanUpRun(storages, run().folder, recorded);
    await expectNothingLeft();
  });

  it("when the parts are committed but not the manifest: the clean-up leaves nothing", async () => {
    const recorded = await killWhen({ stopAt: "manifest" }, ({ phase }) => phase === "manifest");
    for (const storage of storages) expect(await keys(storage)).toHaveLength(2);
    const result = await cleanUpRun(storages, run().folder, recorded);
    expect(result.finished).toBeUndefined();
    expect(result.removed).toBe(4);
    await expectNothingLeft();
  });

  it("when the manifest is in one storage only: that backup is recognised and copied to the other", async () => {
    const manifest = `${run().folder}manifest.json`;
    const recorded = await killWhen({ waitAt: "manifest" }, async ({ phase }, goOn) => {
      if (phase !== "manifest") return false;
      proxy.inject({ kind: "stall" }, { on: ["PutObject"] });
      goOn();
      await vi.waitFor(() => {
        expect(filesBelow(folder.path)).toContain(manifest);
        expect(proxy.requests.at(-1)).toMatchObject({
          operation: "PutObject",
          path: expect.stringContaining(manifest),
        });
      });
      return true;
    });
    await proxy.heal();
    const [local, offsite] = storages;
    if (local === undefined || offsite === undefined) throw new Error("two storages are needed");
    const { finished, removed } = await cleanUpRun(storages, run().folder, recorded);
    expect(finished?.storedIn).toEqual(["local"]);
    expect(removed).toBe(2);
    expect(await keys(offsite)).toEqual([]);
    if (finished === undefined) return;
    const manifestBytes = await buffer(await local.read(manifest));
    const { signal } = new AbortController();
    await copyBackup({
      from: local,
      to: offsite,
      folder: run().folder,
      manifest: finished.manifest,
      manifestBytes,
      signal,
    });
    await verifyStored(offsite, finished.manifest);
  });

  it("after everything: the backup is recognised in both storages", async () => {
    const recorded = await killWhen({}, ({ done }) => done === true);
    const result = await cleanUpRun(storages, run().folder, recorded);
    expect(result).toMatchObject({ removed: 0, failed: [] });
    expect(result.finished?.storedIn.toSorted()).toEqual(["local", "offsite"]);
    for (const storage of storages) expect(await keys(storage)).toHaveLength(3);
  });
});
