import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OpenObject } from "../../src/core/ports.ts";
import type { RunCopy } from "../../src/core/run.ts";
import { tick } from "../../src/services/tick.ts";
import { aRun } from "../support/run.ts";
import { startWorkerStack, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;
let dumps: number;

/** Everything stays. */
const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, "all"]));

beforeAll(async () => {
  stack = await startWorkerStack({
    configure: ({ storages, backups }) => {
      storages.elsewhere = { ...storages.offsite, bucket: "nowhere" };
      backups[0].storages = ["local", "offsite"];
      const others = { lost: ["local", "elsewhere"], far: ["offsite"], near: ["local"] };
      for (const [name, names] of Object.entries(others))
        backups.push({ ...backups[0], source: { ...backups[0].source }, name, storages: names, keep: all(names) });
    },
  });
  await stack.startOurWorker();
});

beforeEach(() => {
  dumps = stack.tools.calls("pg_dump");
});

afterEach(async () => await stack.empty());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

const copyIn = (copies: readonly RunCopy[], storage: string) => copies.find((copy) => copy.storage === storage);

describe("a run survives without a second dump", () => {
  test.each([
    ["S3 asks to slow down for a while", { kind: "slow-down" }, 3],
    ["S3 resets connections in the middle of parts", { kind: "reset", afterBytes: 1_000_000 }, 2],
    ["S3 is slow", { kind: "slow", bytesPerSecond: 6_000_000 }, Number.POSITIVE_INFINITY],
  ] as const)(
    "%s",
    async (_name, fault, times) => {
      stack.proxy.inject(fault, { on: ["UploadPart", "CreateMultipartUpload"], times });
      const id = await stack.order();
      const run = await stack.ended(id);
      expect(run).toMatchObject({ status: "succeeded", attempt: 1 });
      expect((await stack.sound()).size).toBe(2);
      expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    },
    60_000,
  );

  test.each([
    ["S3 loses a part and says so at the end", false],
    ["S3 loses a part without a word", true],
  ])(
    "%s: noticed, said, and made up from the local copy",
    async (_name, hidden) => {
      stack.proxy.inject({ kind: "lose", hidden }, { on: ["UploadPart"], path: /partNumber=2/, times: 1 });
      const id = await stack.order();
      const ended = await stack.ended(id);
      expect(ended.status).toBe("degraded");
      expect(copyIn(ended.copies, "offsite")).toMatchObject({
        status: "retrying",
        error: { code: "storage-mismatch" },
      });
      await stack.card(id, /a copy is missing[\s\S]*✓ local[\s\S]*↻ offsite/);
      await stack.hastenUpload(id, "offsite");
      const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
      expect((await stack.sound()).size).toBe(2);
      expect(run.attempt).toBe(1);
      expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    },
    60_000,
  );
});

test("a bucket that does not exist is said, the local copy is kept", async () => {
  const id = await stack.order("lost");
  const run = await stack.ended(id);
  expect(run.status).toBe("degraded");
  expect(copyIn(run.copies, "elsewhere")?.error).toMatchObject({ code: "storage-refused" });
  await stack.card(id, /a copy is missing[\s\S]*✓ local[\s\S]*elsewhere[^\n]*bucket nowhere does not exist/);
});

test("what a failed run could not remove is said and removed as soon as the store lets it", async () => {
  stack.proxy.inject({ kind: "slow-down" }, { on: ["DeleteObject", "DeleteObjects"] });
  stack.proxy.inject({ kind: "slow-down" }, { on: ["PutObject"], path: /manifest\.json/ });
  const id = await stack.order("far");
  const run = await stack.ended(id);
  expect(run).toMatchObject({ status: "failed", open: [], leftIn: [{ storage: "offsite", folder: run.folder }] });
  await stack.card(id, /failed[\s\S]*may still be in offsite/);
  await stack.proxy.heal();
  const offsite = await stack.deps.storage("offsite");
  await tick(stack.deps);
  await stack.runUntil(id, ({ leftIn }) => leftIn?.length === 0);
  for await (const { key } of offsite.list("")) expect.fail(`${key} is still there`);
  await stack.card(id, /failed[\s\S]*Nothing was kept/);
}, 180_000);

test("what an interrupted attempt left in a storage that the backup no longer has is removed", async () => {
  const folder = "near/20260301T030000Z-abcabcabcabc/";
  const open: OpenObject[] = [];
  const { signal } = new AbortController();
  const offsite = await stack.deps.storage("offsite");
  const opened = async (object: OpenObject) => void open.push(object);
  const writer = await offsite.create(`${folder}artifact.dump.zst`, { signal, opened });
  await writer.write(Buffer.alloc(6 * 1024 * 1024));
  expect(stack.s3.openUploads()).toHaveLength(1);
  const copies = [{ storage: "offsite", location: "s3://b", local: false, status: "pending" as const }];
  const id = "abcabcabcabc";
  const interrupted = { id, name: "near", status: "running", phase: "dump", attempt: 1, folder, open, copies } as const;
  await stack.deps.runs.create(aRun({ ...interrupted, startedAt: "2026-03-01T03:00:00.000Z" }), new Date());
  await stack.deps.runner.execute(id, { signal, jobId: "1", attempt: 1, maxAttempts: 1 });
  expect(await stack.runOf(id)).toMatchObject({ status: "succeeded", attempt: 2, open: [], cleaned: 1 });
  expect(stack.s3.openUploads()).toEqual([]);
}, 180_000);

/** Only root may mount: for anybody else these fail, and what `mount` says tells why. */
describe("a full local disk", () => {
  const mount = (options: string) =>
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", stack.localFolder], { stdio: "pipe" });

  beforeEach(() => {
    mkdirSync(stack.localFolder, { recursive: true });
    mount("size=4m");
  });

  afterEach(() => {
    execFileSync("umount", ["--lazy", stack.localFolder]);
  });

  test("is said; the off-site copy is made all the same, and the local one from it when there is room", async () => {
    const id = await stack.order();
    const ended = await stack.ended(id);
    expect(ended.status).toBe("degraded");
    expect(copyIn(ended.copies, "local")).toMatchObject({ status: "retrying", error: { code: "storage-full" } });
    expect(copyIn(ended.copies, "offsite")).toMatchObject({ status: "stored" });
    await stack.card(id, /a copy is missing[\s\S]*↻ local[^\n]*(?:the disk is full|stay free)[\s\S]*✓ offsite/);
    expect([...(await stack.sound()).keys()]).toEqual([`offsite ${ended.folder}`]);
    mount("remount,size=64m");
    await stack.hastenUpload(id, "local");
    await stack.runUntil(id, ({ status }) => status === "succeeded");
    expect((await stack.sound()).size).toBe(2);
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
  }, 180_000);

  test("and S3 out of reach: the run fails, says why and what to do, and keeps nothing", async () => {
    await stack.proxy.refuse();
    const id = await stack.order();
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "failed", copies: [{ status: "aborted" }, { status: "aborted" }] });
    await stack.card(
      id,
      /failed\s[\s\S]*(the disk is full|stay free|can not be reached)[\s\S]*No backup came of this run[\s\S]*offsite[\s\S]*Retry/,
    );
    expect(stack.children()).toEqual([]);
    await stack.proxy.accept();
    expect((await stack.sound()).size).toBe(0);
  }, 180_000);
});
