import { rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isFinal, type RunCopy } from "../../src/core/run.ts";
import { tick } from "../../src/services/tick.ts";
import { startWorkerStack, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;
const job = { signal: new AbortController().signal, jobId: "1", attempt: 1, maxAttempts: 1 };

beforeAll(async () => {
  stack = await startWorkerStack();
});

afterEach(async () => await stack.empty());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** A run whose copy in S3 failed because nothing answered there. S3 still does not. */
async function degraded(): Promise<string> {
  await stack.proxy.refuse();
  const id = await stack.order();
  expect((await stack.ended(id)).status).toBe("degraded");
  return id;
}

test("a copy that failed is made up later from the local one, byte by byte the same, without another dump", async () => {
  await stack.ourWorker();
  const dumps = stack.tools.calls("pg_dump");
  const id = await degraded();
  const card = await stack.card(id, /is done, but a copy is missing[\s\S]*✓ local[\s\S]*↻ offsite/);
  expect(card.text).toContain("can not be reached (ECONNREFUSED)");
  await stack.proxy.accept();
  await stack.hastenUpload(id, "offsite");
  const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
  expect(run).toMatchObject({ attempt: 1, open: [], leftIn: [] });
  expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
  const found = await stack.sound();
  expect([...found.keys()]).toEqual([`local ${run.folder}`, `offsite ${run.folder}`]);
  const manifests = ["local", "offsite"].map(async (name) => {
    return await text(await (await stack.deps.storage(name)).read(`${run.folder}manifest.json`));
  });
  expect(await manifests[1]).toBe(await manifests[0]);
  await stack.card(id, /is done\n[\s\S]*✓ local[\s\S]*✓ offsite/);
}, 180_000);

test("an upload whose worker is killed in the middle is taken up again and leaves nothing open", async () => {
  const worker = await stack.ourWorker();
  const id = await degraded();
  stack.proxy.inject({ kind: "stall" }, { on: ["UploadPart"], path: /partNumber=2/ });
  await stack.proxy.accept();
  await stack.hastenUpload(id, "offsite");
  await stack.runUntil(id, ({ open }) => open.length === 1);
  await worker.kill();
  expect(stack.s3.openUploads()).toHaveLength(1);
  await stack.proxy.heal();
  await stack.startOurWorker();
  const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
  expect(run.open).toEqual([]);
  expect((await stack.sound()).size).toBe(2);
}, 180_000);

test("an upload whose job is lost is put into the queue again by the tick", async () => {
  const worker = await stack.ourWorker();
  const id = await degraded();
  await worker.stop();
  const job = `upload-${id}-offsite`;
  await stack.deps.producer.forget("upload", job, stack.deps.host);
  expect(await stack.deps.producer.isPending("upload", job, stack.deps.host)).toBe(false);
  expect((await tick(stack.deps)).requeued).toEqual([job]);
  expect((await tick(stack.deps)).requeued).toEqual([]);
  await stack.proxy.accept();
  await stack.startOurWorker();
  await stack.runUntil(id, ({ status }) => status === "succeeded");
  expect((await tick(stack.deps)).requeued).toEqual([]);
}, 180_000);

test("an upload that has nothing left to copy from is given up and said, and what it has left is removed", async () => {
  const worker = await stack.ourWorker();
  const id = await degraded();
  await worker.stop();
  await stack.proxy.accept();
  // The artifact arrives, the last object does not.
  stack.proxy.inject({ kind: "slow-down" }, { on: ["PutObject"] });
  expect(await stack.deps.uploads.execute(id, "offsite", job)).toEqual({ later: expect.any(Number) });
  const change = (copy: RunCopy): RunCopy => (copy.storage === "local" ? { ...copy, status: "gone" } : copy);
  await stack.deps.runs.update(id, "normal", new Date(), (run) => ({ ...run, copies: run.copies.map(change) }));
  expect(await stack.deps.uploads.execute(id, "offsite", job)).toMatchObject({ done: { status: "missing" } });
  const run = await stack.runOf(id);
  expect(run.status).toBe("degraded");
  expect(run.copies.find(({ storage }) => storage === "offsite")).toMatchObject({ status: "missing" });
  await stack.card(id, /is done, but a copy is missing[\s\S]*✗ offsite[\s\S]*SlowDown[\s\S]*Given up/);
  await expect(stack.sound()).rejects.toThrow(/offsite has objects without a manifest/);
  await stack.proxy.heal();
  expect((await tick(stack.deps)).requeued).toEqual([`backup-${id}`]);
  await stack.startOurWorker();
  await stack.runUntil(id, ({ leftIn }) => leftIn?.length === 0);
  expect([...(await stack.sound()).keys()]).toEqual([`local ${run.folder}`]);
  expect((await tick(stack.deps)).requeued).toEqual([]);
}, 180_000);

test("an upload that fails after another worker has made the copy does not take its success back", async () => {
  const worker = await stack.ourWorker();
  const id = await degraded();
  await worker.stop();
  await stack.proxy.accept();
  stack.proxy.inject({ kind: "slow-down" }, { on: ["PutObject"] });
  const late = stack.deps.uploads.execute(id, "offsite", job);
  await stack.runUntil(id, ({ open }) => open.length === 1);
  const made = await stack.deps.runs.update(id, "normal", new Date(), (run) => ({
    ...run,
    status: "succeeded",
    open: [],
    copies: run.copies.map((copy) => ({ ...copy, status: "stored" as const })),
  }));
  expect(await late).toEqual({ later: expect.any(Number) });
  expect(await stack.runOf(id)).toEqual(made);
}, 180_000);

test("an upload whose local copy is damaged is refused: a damaged backup is not spread", async () => {
  await stack.ourWorker();
  const id = await degraded();
  const run = await stack.runOf(id);
  rmSync(`${stack.localFolder}/${run.folder}artifact.dump.zst`);
  await stack.proxy.accept();
  await stack.hastenUpload(id, "offsite");
  const failed = await stack.runUntil(id, ({ copies }) => copies.some(({ tries }) => (tries ?? 0) > 0));
  expect(isFinal(failed.status)).toBe(true);
  expect(failed.copies.find(({ storage }) => storage === "offsite")).toMatchObject({
    status: "retrying",
    error: { code: "not-found" },
  });
  const offsite = await stack.deps.storage("offsite");
  for await (const { key } of offsite.list("")) expect.fail(`${key} was stored`);
}, 180_000);
