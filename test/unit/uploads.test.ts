import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encodeManifest } from "../../src/core/manifest.ts";
import type { Lease } from "../../src/core/ports.ts";
import type { BackupRun } from "../../src/core/run.ts";
import type { BackupRunnerDeps } from "../../src/services/backup/runner.ts";
import { BackupUploads } from "../../src/services/backup/uploads.ts";
import { clock, storageOf, temporaryFolder } from "../support/backup.ts";
import { aManifest, aRun } from "../support/run.ts";

const folder = "app/20260301T030000Z-0f3a0f3a0f3a/";
const file = "artifact.dump.zst";
const content = Buffer.from("what was dumped");
const job = { signal: new AbortController().signal, jobId: "1", attempt: 12, maxAttempts: 12 };

interface World {
  readonly uploads: BackupUploads;
  readonly offsite: ReturnType<typeof storageOf>;
  /** The run as it was before. */
  readonly before: BackupRun;
  readonly run: () => BackupRun;
}

/** A run with a copy in `local` and none in `offsite`, and a worker that still has its lease or has lost it. */
function world(options: { held: boolean; damaged?: boolean }): World {
  const temporary = temporaryFolder();
  onTestFinished(() => temporary[Symbol.dispose]());
  const paths = { local: join(temporary.path, "local"), offsite: join(temporary.path, "offsite") };
  const storages = {
    local: storageOf("local", { kind: "local", path: paths.local }),
    offsite: storageOf("offsite", { kind: "local", path: paths.offsite }),
  };
  const sha256 = createHash("sha256").update(content).digest("hex");
  const manifest = aManifest({ parts: [{ role: "artifact", file, bytes: content.length, sha256 }] });
  mkdirSync(join(paths.local, dirname(`${folder}${file}`)), { recursive: true });
  writeFileSync(join(paths.local, folder, file), options.damaged ? content.toString().toUpperCase() : content);
  writeFileSync(join(paths.local, folder, "manifest.json"), encodeManifest(manifest));

  const place = { location: "somewhere", local: false };
  const before = aRun({
    status: "degraded",
    phase: "manifest",
    folder,
    manifest,
    copies: [
      { ...place, storage: "local", local: true, status: "stored" },
      { ...place, storage: "offsite", status: "retrying", tries: 0 },
    ],
  });
  let run = before;
  const lease: Lease = {
    name: "upload",
    token: 1,
    signal: new AbortController().signal,
    isHeld: () => options.held,
    release: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const deps = {
    config: { worker: { lease: 30_000 } },
    clock,
    leases: { tryAcquire: async () => lease },
    runs: {
      read: async () => run,
      record: async (_id: string, _urgency: string, _now: Date, change: (current: BackupRun) => BackupRun) => {
        run = change(run);
      },
    },
    storage: async (name: keyof typeof storages) => storages[name],
  } as unknown as BackupRunnerDeps;
  return { uploads: new BackupUploads(deps), offsite: storages.offsite, before, run: () => run };
}

/** The outcomes on record; what was opened on the way is put there at once, whoever has the lease. */
const outcomes = (run: BackupRun) => [run.status, run.copies, run.leftIn];

test("a worker that still has the right to make a copy up records how it ended", async () => {
  const good = world({ held: true });
  expect(await good.uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "stored" } });
  expect(good.run()).toMatchObject({ status: "succeeded", open: [], copies: [{}, { status: "stored" }] });
  expect(await good.offsite.head(`${folder}${file}`)).toMatchObject({ bytes: content.length });

  const bad = world({ held: true, damaged: true });
  await expect(bad.uploads.execute("0f3a0f3a0f3a", "offsite", job)).rejects.toMatchObject({ code: "storage-mismatch" });
  expect(bad.run()).toMatchObject({ status: "degraded", copies: [{}, { status: "missing", tries: 12 }] });
  expect(bad.run().leftIn).toEqual([{ storage: "offsite", folder }]);
});

test("one that has lost it to another worker does not record a success, which is the other's to tell", async () => {
  const { uploads, before, run } = world({ held: false });
  await expect(uploads.execute("0f3a0f3a0f3a", "offsite", job)).rejects.toMatchObject({ code: "lease-lost" });
  expect(outcomes(run())).toEqual(outcomes(before));
});

test("nor a failure, which would give up what the other one may be making", async () => {
  const { uploads, before, run } = world({ held: false, damaged: true });
  await expect(uploads.execute("0f3a0f3a0f3a", "offsite", job)).rejects.toMatchObject({ code: "storage-mismatch" });
  expect(outcomes(run())).toEqual(outcomes(before));
});
