import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { encodeManifest, type Manifest, manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import type { Lease } from "../../src/core/ports.ts";
import type { KeepPolicy } from "../../src/core/retention.ts";
import type { BackupRun, RunCopy } from "../../src/core/run.ts";
import { BackupUploads, type BackupUploadsDeps, uploadHost } from "../../src/services/backup/uploads.ts";
import type { VerificationOrder } from "../../src/services/backup/verifications.ts";
import { clock, quiet, storageOf, temporaryFolder } from "../support/backup.ts";
import { dailyManifest } from "../support/catalogue.ts";
import { aManifest, aRun } from "../support/run.ts";

const folder = "app/20260301T030000Z-0f3a0f3a0f3a/";
const file = "artifact.dump.zst";
const content = Buffer.from("what was dumped");
const job = { signal: new AbortController().signal, jobId: "1", attempt: 1, maxAttempts: 1 };

interface World {
  readonly uploads: BackupUploads;
  readonly offsite: ReturnType<typeof storageOf>;
  /** The run as it was before. */
  readonly before: BackupRun;
  readonly run: () => BackupRun;
  /** What was given to a verification. */
  readonly doubted: VerificationOrder[];
  /** Takes a file of the copy in a storage away. */
  readonly remove: (storage: "local" | "other", name: string) => void;
}

interface Options {
  readonly held?: boolean;
  readonly damaged?: boolean;
  /** A second sound copy. */
  readonly other?: boolean;
  readonly tries?: number;
  readonly keep?: KeepPolicy;
  /** Later backups that are in `local`. */
  readonly later?: readonly Manifest[];
  readonly copies?: readonly Partial<RunCopy>[];
}

/** A run with a copy in `local` and none in `offsite`, and a worker that still has its lease or has lost it. */
function world(options: Options): World {
  const { held = true, keep = "all", later = [], tries = 0 } = options;
  const temporary = temporaryFolder();
  onTestFinished(() => temporary[Symbol.dispose]());
  const open = (name: string) => storageOf(name, { kind: "local", path: join(temporary.path, name) });
  const storages = { local: open("local"), other: open("other"), offsite: open("offsite") };
  const sha256 = createHash("sha256").update(content).digest("hex");
  const manifest = aManifest({ parts: [{ role: "artifact", file, bytes: content.length, sha256 }] });
  const manifestBytes = encodeManifest(manifest);
  for (const name of ["local", "other"]) {
    mkdirSync(join(temporary.path, name, folder), { recursive: true });
    const isDamaged = name === "local" && options.damaged;
    writeFileSync(join(temporary.path, name, folder, file), isDamaged ? content.toString().toUpperCase() : content);
    writeFileSync(join(temporary.path, name, folder, manifestFile), manifestBytes);
  }
  const place = { location: "somewhere", local: false };
  const other = { ...place, storage: "other", status: "stored" } as const;
  const before = aRun({
    status: "degraded",
    phase: "manifest",
    folder,
    manifest,
    manifestSha256: createHash("sha256").update(manifestBytes).digest("hex"),
    copies: [
      { ...place, storage: "local", local: true, status: "stored", ...options.copies?.[0] },
      { ...place, storage: "offsite", status: "retrying", tries, ...options.copies?.[1] },
      ...(options.other ? [other] : []),
    ],
  });
  let run = before;
  const lease: Lease = {
    name: "upload",
    token: 1,
    signal: new AbortController().signal,
    isHeld: () => held,
    release: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const doubted: VerificationOrder[] = [];
  const copies = new Map(later.map((one) => [manifestFolder(one), { manifest: one, proofs: [] }]));
  const deps = {
    config: {
      worker: { lease: 30_000 },
      timezone: "UTC",
      storages: { local: {}, other: {}, offsite: {} },
      backups: [{ name: "app", storages: ["local", "offsite"], keep: { offsite: keep } }],
    },
    clock,
    logger: quiet,
    leases: { tryAcquire: async () => lease },
    catalogue: { copies: async () => [{ storage: "local", copies, flaws: new Map() }] },
    verificationOrders: { request: async (order: VerificationOrder) => void doubted.push(order) },
    runs: {
      read: async () => run,
      record: async (_id: string, _urgency: string, _now: Date, change: (current: BackupRun) => BackupRun) => {
        run = change(run);
      },
    },
    storage: async (name: keyof typeof storages) => storages[name],
  } as unknown as BackupUploadsDeps;
  return {
    uploads: new BackupUploads(deps),
    offsite: storages.offsite,
    before,
    run: () => run,
    doubted,
    remove: (storage, name) => rmSync(join(temporary.path, storage, folder, name)),
  };
}

const offsiteOf = ({ copies }: BackupRun): RunCopy | undefined => copies.find(({ storage }) => storage === "offsite");

/** The outcomes on record; what was opened on the way is put there at once, whoever has the lease. */
const outcomes = (run: BackupRun) => [run.status, run.copies, run.leftIn];

test("a worker that still has the right to make a copy up records how it ended", async () => {
  const good = world({});
  expect(await good.uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "stored" } });
  expect(good.run()).toMatchObject({ status: "succeeded", open: [], copies: [{}, { status: "stored" }] });
  expect(await good.offsite.head(`${folder}${file}`)).toMatchObject({ bytes: content.length });

  const bad = world({ damaged: true });
  expect(await bad.uploads.execute("0f3a0f3a0f3a", "offsite", job)).toEqual({ later: 15_000 });
  expect(bad.run()).toMatchObject({
    status: "degraded",
    copies: [{}, { status: "retrying", tries: 1, error: { code: "storage-mismatch" } }],
  });
});

test("a copy is not given up while its backup would be kept there: an hour at most lies between two attempts", async () => {
  const { uploads, run } = world({ damaged: true, tries: 11, keep: { last: 1 } });
  expect(await uploads.execute("0f3a0f3a0f3a", "offsite", job)).toEqual({ later: 3_600_000 });
  const retryAt = new Date(clock.now().getTime() + 3_600_000).toISOString();
  expect(offsiteOf(run())).toMatchObject({ status: "retrying", tries: 12, retryAt });
});

test("it is given up when the retention would not keep it there any more, and what it has left is removed", async () => {
  const later = ["03:02", "03:03"].map((time) => dailyManifest(0, { newest: `2026-03-01T${time}:00.000Z` }));
  const kept = world({ keep: { last: 3 }, later });
  expect(await kept.uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "stored" } });
  const error = { code: "storage-unreachable", message: "away", step: "copy" };
  const { uploads, run, offsite } = world({ keep: { last: 2 }, later, tries: 90, copies: [{}, { error }] });
  expect(await uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "missing" } });
  expect(offsiteOf(run())).toMatchObject({ status: "missing", tries: 90, error: { code: "storage-unreachable" } });
  expect(run().leftIn).toEqual([{ storage: "offsite", folder }]);
  expect(await offsite.head(`${folder}${file}`)).toBeUndefined();
});

test("it is given up when nothing is left to copy from", async () => {
  const { uploads, run } = world({ copies: [{ status: "gone" }] });
  expect(await uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "missing" } });
  expect(offsiteOf(run())).toMatchObject({ status: "missing", error: { code: "no-copy" } });
});

test("where one copy is damaged or lost the next one serves, and the bad one is given to a verification", async () => {
  for (const broken of ["damaged", file, manifestFile]) {
    const made = world({ damaged: broken === "damaged", other: true });
    if (broken !== "damaged") made.remove("local", broken);
    expect(await made.uploads.execute("0f3a0f3a0f3a", "offsite", job)).toMatchObject({ done: { status: "stored" } });
    expect(await buffer(await made.offsite.read(`${folder}${file}`))).toEqual(content);
    expect(made.doubted).toMatchObject([{ storage: "local", depth: "stored", trigger: "copy" }]);
  }
  const sound = world({ other: true });
  await sound.uploads.execute("0f3a0f3a0f3a", "offsite", job);
  expect(sound.doubted).toEqual([]);
});

test("its job goes to the disk it needs, and to any worker when that host is gone and another copy can be reached", () => {
  const s3 = { kind: "s3" };
  const disk = { kind: "local", path: "/x" };
  const run = (...stored: string[]) =>
    aRun({
      host: "db-1",
      copies: stored.map((storage) => ({ storage, location: "", local: storage.startsWith("disk"), status: "stored" })),
    });
  const storages = { far: s3, farther: s3, disk, diskOfTwo: { ...disk, host: "db-2" } };
  const config = { storages, backups: [{ name: "app", storages: [] }] } as unknown as Config;
  const host = (made: BackupRun, to: string, ...alive: string[]) => uploadHost(config, made, to, new Set(alive));
  expect(host(run("far"), "farther", "db-1")).toBeUndefined();
  expect(host(run("far", "disk"), "farther", "db-1", "db-2")).toBe("db-1");
  // A new container has another name, and the same disk or none.
  expect(host(run("far", "disk"), "farther", "db-3")).toBeUndefined();
  expect(host(run("disk"), "farther", "db-3")).toBeUndefined();
  // Nobody else has that disk.
  expect(host(run("far"), "diskOfTwo", "db-3")).toBe("db-2");
  expect(host(run("diskOfTwo"), "far", "db-3")).toBe("db-2");
  expect(host(run("diskOfTwo", "far"), "farther", "db-3")).toBeUndefined();
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
