import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import { type Manifest, manifestFile, manifestFolder, runFolder } from "../../src/core/manifest.ts";
import { type Depth, encodeProofs, parseProofs, proofFile } from "../../src/core/proof.ts";
import { isOver, type Verification } from "../../src/core/verification.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import { readHealth } from "../../src/services/backup/health.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { recordProof } from "../../src/services/backup/proofs.ts";
import { serverName } from "../../src/services/backup/scratch.ts";
import { verifyByClock } from "../../src/services/backup/verify-schedule.ts";
import { proofsCheck } from "../../src/services/watch/proofs.ts";
import { schedulesCheck } from "../../src/services/watch/schedules.ts";
import { sourceSchema } from "../../src/sources/index.ts";
import { orderOf, quiet, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { jobContext, signal } from "../support/catalogue.ts";
import { noServers } from "../support/no-servers.ts";
import { aRun } from "../support/run.ts";
import { ManualClock, useRedis } from "../support/state.ts";
import { flipBit } from "../support/verify.ts";
import { until } from "../support/worker.ts";

const fixture = useRedis();
const hour = 3_600_000;
const alice = { id: 111, name: "alice" };
const target = { chatId: -1001 };

let path: string;
let clock: ManualClock;
let manifest: Manifest;

/** Every test-restore waits at this file, and leaves a trace in that one. */
const gate = () => join(path, "gate");
const calls = () => join(path, "calls");
const script = (then: string) => `echo x >> ${calls()}; while [ -e ${gate()} ]; do sleep 0.02; done; ${then}`;

function source(then = "test $(wc -l) = 2000") {
  return sourceSchema.parse({
    kind: "command",
    argv: ["seq", "1", "2000"],
    file: "numbers.txt",
    testRestore: ["sh", "-c", script(then)],
  });
}

function worker(
  change: { verify?: object; source?: object; encryption?: object } = {},
  prefix = fixture.keys().root,
): WorkerDeps {
  const backup = {
    name: "app",
    source: change.source ?? source(),
    storages: ["local", "offsite"],
    encrypt: false,
    hooks: { before: [], after: [], timeout: 1000 },
    anomaly: false,
    verify: { depth: "restored", timeout: hour, ...change.verify },
  };
  const config = {
    timezone: "UTC",
    redis: { url: fixture.server.url, prefix: prefix.split(":")[0] },
    worker: { host: "here", concurrency: 1, lease: 5000 },
    ...noServers,
    alerts: alertsSchema.parse({}),
    telegram: { chats: { ops: { id: target.chatId, topics: {} } }, users: [] },
    storages: {
      local: { kind: "local", path: join(path, "local"), host: "here" },
      // Another disk, as far as a test can have one.
      offsite: { kind: "local", path: join(path, "offsite"), host: "here" },
    },
    ...(change.encryption ? { encryption: change.encryption } : {}),
    backups: [backup],
  } as unknown as Config;
  const { deps, close } = createWorkerDeps({ config, logger: quiet, clock, role: "test" });
  onTestFinished(close);
  return deps;
}

const folderIn = (storage: string) => join(path, storage, manifestFolder(manifest));
const artifactIn = (storage: string) => join(folderIn(storage), manifest.parts[0]?.file ?? "");
const proofsIn = (storage: string) => parseProofs(readFileSync(join(folderIn(storage), proofFile)))?.proofs ?? [];

beforeEach(async () => {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  path = made.path;
  clock = new ManualClock("2026-03-01T12:00:00Z");
  const storages = ["local", "offsite"].map((name) => storageOf(name, { kind: "local", path: join(path, name) }));
  ({ manifest } = await runBackup(orderOf({ source: sourceOf(source()), storages, runId: "0f3a0f3a0f3a" })));
});

/** Orders a verification of the backup's copy and takes it to its end. */
async function verified(
  deps: WorkerDeps,
  order: { depth?: Depth; storage?: string; source?: string } = {},
): Promise<Verification> {
  const { id } = await ordered(deps, order);
  await deps.verifier.execute(id, jobContext());
  return await deps.verifications.get(id);
}

async function ordered(
  deps: WorkerDeps,
  order: { depth?: Depth; storage?: string; source?: string } = {},
): Promise<Verification> {
  for (const storage of ["local", "offsite"])
    await deps.catalogueKeeper.refresh(storage, undefined, new AbortController().signal);
  const [backup] = await deps.verificationOrders.backups("app");
  if (!backup) throw new Error("no backup");
  return (
    await deps.verificationOrders.request({
      backup,
      storage: "offsite",
      trigger: "chat",
      requestedBy: alice,
      target,
      ...order,
    })
  ).verification;
}

const findings = async (deps: WorkerDeps) => {
  const now = clock.now();
  return await proofsCheck(deps).look({ now, awakeSince: now, open: new Map() });
};

describe("a verification", () => {
  it("writes its proof beside the manifest, into the catalogue, onto the run's card and into the metrics' figures", async () => {
    const deps = worker();
    await deps.runs.create(aRun({ status: "succeeded", folder: manifestFolder(manifest), manifest }), clock.now());
    const done = await verified(deps);
    expect(done).toMatchObject({ status: "passed", storage: "offsite", proof: { depth: "restored", ok: true } });
    expect(proofsIn("offsite")).toMatchObject([{ depth: "restored", ok: true, host: "here" }]);
    expect(() => proofsIn("local")).toThrow("ENOENT");
    const [entry] = (await deps.catalogue.list("app")).entries;
    expect(entry?.proofs).toMatchObject([{ depth: "restored", ok: true, storage: "offsite" }]);
    expect((await deps.runs.get(manifest.id)).proofs).toMatchObject([{ depth: "restored", storage: "offsite" }]);
    expect(await deps.verifications.lastLooks()).toMatchObject([{ name: "app", storage: "offsite", ok: true }]);
    expect(await deps.verifications.restores("app")).toMatchObject([
      { storage: "offsite", restoreMs: expect.any(Number) },
    ]);
    expect(await findings(deps)).toEqual([]);
    // The manifest itself is as it was.
    expect(readFileSync(join(folderIn("offsite"), manifestFile))).toEqual(
      readFileSync(join(folderIn("local"), manifestFile)),
    );
  });

  it("keeps the proofs of other depths, and at most twenty measured restores", async () => {
    const deps = worker();
    await verified(deps, { depth: "stored" });
    await verified(deps, { depth: "restored" });
    clock.advance(hour);
    await verified(deps, { depth: "stored" });
    expect(
      proofsIn("offsite")
        .map(({ depth }) => depth)
        .toSorted(),
    ).toEqual(["restored", "stored"]);
    for (let index = 0; index < 25; index++)
      await deps.verifications.addRestore("app", {
        at: "",
        restoreMs: index,
        bytes: 1,
        storage: "offsite",
        host: "here",
      });
    expect((await deps.verifications.restores("app")).map(({ restoreMs }) => restoreMs)).toEqual(
      Array.from({ length: 20 }, (_, index) => 24 - index),
    );
  });

  it("that fails is a critical finding until a later one of the same copy is good at that depth", async () => {
    const deps = worker();
    const mend = flipBit(artifactIn("offsite"));
    expect(await verified(deps)).toMatchObject({
      status: "failed",
      proof: { ok: false, error: { code: "storage-mismatch" } },
    });
    expect(await findings(deps)).toMatchObject([
      { severity: "critical", labels: { backup: "app", storage: "offsite" } },
    ]);
    mend();
    // The other copy says nothing of this one, and a shallower look says too little.
    await verified(deps, { storage: "local" });
    await verified(deps, { depth: "stored" });
    expect(await findings(deps)).toHaveLength(1);
    await verified(deps);
    expect(await findings(deps)).toEqual([]);
  });

  it("that failed is forgotten when the copy is gone, by a look that is newer", async () => {
    const deps = worker();
    flipBit(artifactIn("offsite"));
    await verified(deps);
    rmSync(folderIn("offsite"), { recursive: true });
    expect(await findings(deps)).toHaveLength(1);
    clock.advance(hour);
    await deps.catalogueKeeper.refresh("offsite", undefined, new AbortController().signal);
    expect(await findings(deps)).toEqual([]);
  });

  it("that somebody made at a terminal counts as well: what lies beside the manifest is what is told", async () => {
    const deps = worker();
    await deps.catalogueKeeper.refresh("offsite", undefined, signal);
    const folder = manifestFolder(manifest);
    const sha256 = createHash("sha256")
      .update(readFileSync(join(folderIn("offsite"), manifestFile)))
      .digest("hex");
    const look = async (ok: boolean, depth: Depth): Promise<void> => {
      clock.advance(hour);
      const at = clock.now().toISOString();
      const error = ok ? {} : { error: { code: "storage-mismatch", message: "damaged" } };
      const proof = { depth, ok, at, host: "there", elapsedMs: 1, ...error };
      await recordProof(await deps.storage("offsite"), folder, sha256, proof, signal);
      await deps.catalogueKeeper.refresh("offsite", undefined, signal);
    };
    await look(false, "restored");
    const told = await findings(deps);
    expect(told).toMatchObject([{ severity: "critical", fingerprint: `proof:offsite:${folder}` }]);
    // Redis was emptied, and the catalogue read anew.
    await fixture.redis.flushall();
    await deps.catalogueKeeper.refresh("offsite", undefined, signal);
    expect(await findings(deps)).toEqual(told);
    await look(true, "stored");
    expect(await findings(deps)).toEqual(told);
    await look(true, "restored");
    expect(await findings(deps)).toEqual([]);
    // And the other way round: found by a worker, made good at a terminal.
    const mend = flipBit(artifactIn("offsite"));
    clock.advance(hour);
    await verified(deps);
    mend();
    expect(await findings(deps)).toHaveLength(1);
    await look(true, "restored");
    expect(await findings(deps)).toEqual([]);
    expect(await deps.verifications.suspicions()).toEqual([]);
  });

  it("finds a manifest in which a bit was flipped, though it still can be read", async () => {
    const deps = worker();
    const order = await ordered(deps);
    const file = join(folderIn("offsite"), manifestFile);
    writeFileSync(file, readFileSync(file, "utf8").replace('"host": "here"', '"host": "hers"'));
    await deps.verifier.execute(order.id, jobContext());
    expect(await deps.verifications.get(order.id)).toMatchObject({
      status: "failed",
      proof: { ok: false, error: { code: "manifest", text: { key: "error-manifest-digest" } } },
    });
    expect(await findings(deps)).toMatchObject([{ severity: "critical" }]);
  });

  it("refuses a manifest of a newer version without a word against the backup", async () => {
    const deps = worker();
    const order = await ordered(deps);
    const file = join(folderIn("offsite"), manifestFile);
    writeFileSync(file, readFileSync(file, "utf8").replace('"version": 1', '"version": 7'));
    await deps.verifier.execute(order.id, jobContext());
    const { proof, error } = await deps.verifications.get(order.id);
    expect({ proof, key: error?.text?.key }).toEqual({ proof: undefined, key: "error-manifest-newer" });
    expect(await findings(deps)).toMatchObject([{ severity: "warning" }]);
  });

  it("takes a proof in which a bit was flipped for none, and writes a new one", async () => {
    const deps = worker();
    await verified(deps, { depth: "stored" });
    const file = join(folderIn("offsite"), proofFile);
    writeFileSync(file, readFileSync(file, "utf8").replace('"elapsedMs": ', '"elapsedMs": 1'));
    expect(parseProofs(readFileSync(file))).toBeUndefined();
    await verified(deps, { depth: "readable" });
    expect(proofsIn("offsite")).toMatchObject([{ depth: "readable" }]);
    expect(parseProofs(encodeProofs({ version: 1, manifestSha256: "", proofs: [] }))).toBeDefined();
  });

  it("of a copy that is gone writes nothing there and alarms nobody", async () => {
    const deps = worker();
    const order = await ordered(deps);
    rmSync(folderIn("offsite"), { recursive: true });
    await deps.verifier.execute(order.id, jobContext());
    expect(await deps.verifications.get(order.id)).toMatchObject({ status: "failed", error: { code: "no-copy" } });
    expect(() => readFileSync(join(folderIn("offsite"), proofFile))).toThrow("ENOENT");
    expect(await findings(deps)).toEqual([]);
  });

  it("that cannot be carried out is a warning until one of the name can be", async () => {
    const deps = worker({ source: source("kill -9 $$") });
    expect(await verified(deps)).toMatchObject({ status: "failed", error: { code: "tool-failed" } });
    expect((await deps.verifications.list("app", 1))[0]?.proof).toBeUndefined();
    expect(await findings(deps)).toMatchObject([{ severity: "warning" }]);
    const mended = worker({}, (deps as unknown as { config: Config }).config.redis.prefix);
    await verified(mended);
    expect(await findings(mended)).toEqual([]);
  });
});

describe("an order", () => {
  it("is carried out once, however often it arrives and whoever works on it", async () => {
    const deps = worker();
    const first = await ordered(deps, { source: "view:1" });
    const second = await ordered(deps, { source: "view:1" });
    expect(second.id).toBe(first.id);
    const other = worker({}, deps.config.redis.prefix);
    await Promise.all([deps.verifier.execute(first.id, jobContext()), other.verifier.execute(first.id, jobContext())]);
    await deps.verifier.execute(first.id, jobContext());
    expect(readFileSync(calls(), "utf8")).toBe("x\n");
    expect(await deps.verifications.get(first.id)).toMatchObject({ status: "passed", attempt: 1 });
  });

  it("of the same copy waits for the other to end", async () => {
    const deps = worker();
    writeFileSync(gate(), "");
    const [a, b] = [await ordered(deps), await ordered(deps)];
    const first = deps.verifier.execute(a.id, jobContext());
    await until(async () => (await deps.verifications.get(a.id)).phase === "restored" || undefined);
    expect(await deps.verifier.execute(b.id, jobContext())).toMatchObject({ later: expect.any(Number) });
    expect(await deps.verifications.get(b.id)).toMatchObject({ status: "queued", waitsFor: a.id });
    rmSync(gate());
    await first;
    expect(await deps.verifier.execute(b.id, jobContext())).toMatchObject({ done: { status: "passed" } });
  });

  it("can be cancelled before it begins and while it is worked on, and says who did", async () => {
    const deps = worker();
    const waiting = await ordered(deps);
    await deps.verificationOrders.cancel(waiting.id, alice);
    expect(await deps.verifications.get(waiting.id)).toMatchObject({ status: "cancelled", cancelRequestedBy: alice });
    writeFileSync(gate(), "");
    const running = await ordered(deps);
    const work = deps.verifier.execute(running.id, jobContext());
    await until(async () => (await deps.verifications.get(running.id)).phase === "restored" || undefined);
    await deps.verificationOrders.cancel(running.id, alice);
    expect(await work).toMatchObject({ done: { status: "cancelled" } });
    expect(await findings(deps)).toEqual([]);
  });

  it("is handed back by a worker that shuts down, and finished by the next one", async () => {
    const deps = worker();
    writeFileSync(gate(), "");
    const { id } = await ordered(deps);
    const stop = new AbortController();
    const context: JobContext = jobContext({ signal: stop.signal });
    const work = deps.verifier.execute(id, context);
    await until(async () => (await deps.verifications.get(id)).phase === "restored" || undefined);
    stop.abort(new Error("shutting down"));
    await expect(work).rejects.toThrow();
    expect(await deps.verifications.get(id)).toMatchObject({ status: "queued", interruptedIn: "restored" });
    rmSync(gate());
    await deps.verifier.execute(id, jobContext());
    expect(await deps.verifications.get(id)).toMatchObject({ status: "passed", attempt: 2 });
  });

  it("that has left something on a server that is configured no more names it, and is not tried for ever", async () => {
    const deps = worker({ verify: { scratch: "postgres://me:secret@new.example:5432/postgres" } });
    const told = vi.spyOn(deps.logger, "error");
    const { id } = await ordered(deps);
    await deps.verifications.update(id, "normal", clock.now(), (current) => ({
      ...current,
      status: "cancelled",
      scratch: { server: serverName("postgres://me:secret@old.example:5433/postgres"), kind: "postgres" },
    }));
    expect(await deps.verifications.unsettled()).toHaveLength(1);
    await deps.verifier.execute(id, jobContext());
    expect(told).toHaveBeenCalledWith(
      { verification: id, server: "old.example:5433" },
      expect.stringContaining("not configured any more"),
    );
    expect(await deps.verifications.unsettled()).toEqual([]);
  });

  it("that has ended five workers is given up", async () => {
    const deps = worker();
    const { id } = await ordered(deps);
    await deps.verifications.update(id, "normal", clock.now(), (current) => ({
      ...current,
      status: "running",
      attempt: 5,
    }));
    await deps.verifier.execute(id, jobContext());
    const given = await deps.verifications.get(id);
    expect(given).toMatchObject({ status: "failed", error: { text: { key: "error-verify-given-up" } } });
    expect(given.proof).toBeUndefined();
  });

  it("repeats a verification once, by its button", async () => {
    const deps = worker();
    const before = await verified(deps);
    const again = await deps.verificationOrders.again(before.id, alice, target);
    const twice = await deps.verificationOrders.again(before.id, alice, target);
    expect(twice.id).toBe(again.id);
    expect(again).toMatchObject({ trigger: "again", depth: "restored", storage: "offsite", status: "queued" });
    expect(await deps.verifications.get(before.id)).toMatchObject({ again: { verification: again.id, by: alice } });
  });

  it("takes a copy elsewhere rather than one on the worker's own disk, unless one is named", async () => {
    const deps = worker();
    const orders = deps.verificationOrders;
    const storages = { ...deps.config.storages, cloud: { kind: "s3" } };
    Object.assign(deps.config, { storages });
    expect(orders.storageFor({ name: "app", copies: ["local", "cloud"] })).toBe("cloud");
    expect(orders.storageFor({ name: "app", copies: ["local"] })).toBe("local");
    expect(orders.storageFor({ name: "app", copies: ["local", "cloud"] }, "local")).toBe("local");
    expect(orders.storageFor({ name: "app", copies: ["gone"] })).toBeUndefined();
    expect(orders.hostOf({ name: "app", storage: "local" })).toBe("here");
    expect(orders.hostOf({ name: "app", storage: "cloud" })).toBeUndefined();
  });
});

describe("the schedule", () => {
  it("proves the newest backup, once per time, and makes up for one that was missed", async () => {
    const deps = worker({ verify: { schedule: "0 5 * * *", storage: "offsite" } });
    for (const storage of ["local", "offsite"])
      await deps.catalogueKeeper.refresh(storage, undefined, new AbortController().signal);
    expect((await verifyByClock(deps)).ordered).toEqual([]);
    clock.advance(4 * 24 * hour);
    const { ordered: ids } = await verifyByClock(deps);
    expect(ids).toHaveLength(1);
    expect((await verifyByClock(deps)).ordered).toEqual([]);
    const verification = await deps.verifications.get(ids[0] ?? "");
    expect(verification).toMatchObject({
      trigger: "schedule",
      depth: "restored",
      storage: "offsite",
      dueAt: "2026-03-05T05:00:00.000Z",
    });
    expect(await deps.producer.isPending("verify", `verify-${verification.id}`, "here")).toBe(true);
    // One that has not ended stands for the next time too.
    clock.advance(24 * hour);
    expect((await verifyByClock(deps)).ordered).toEqual(ids);
    await deps.verifier.execute(verification.id, jobContext());
    expect(isOver(await deps.verifications.get(verification.id))).toBe(true);
  });

  it("tells of one that nobody begins, and of a proof that is older than two of its times", async () => {
    const deps = worker({ verify: { schedule: "0 5 * * *" } });
    const missed = async () =>
      await schedulesCheck(deps).look({ now: clock.now(), awakeSince: new Date(0), open: new Map() });
    const reasons = async () => {
      for (const storage of ["local", "offsite"])
        await deps.catalogueKeeper.refresh(storage, undefined, new AbortController().signal);
      return (await readHealth(deps)).flatMap((health) => health.reasons);
    };
    await verified(deps, { depth: "stored" });
    await verifyByClock(deps);
    clock.advance(19 * hour);
    expect(await missed()).toEqual([]);
    const { ordered: ids } = await verifyByClock(deps);
    expect(await missed()).toEqual([]);
    clock.advance(2 * hour);
    expect(await missed()).toMatchObject([
      { fingerprint: "verify-schedule:app", severity: "warning", title: { key: "watch-verify-schedule" } },
    ]);
    expect(await reasons()).toEqual([]);
    clock.advance(22 * hour);
    expect(await reasons()).toEqual(["proof-old"]);
    await deps.verifier.execute(ids[0] ?? "", jobContext());
    expect(await reasons()).toEqual([]);
    await verifyByClock(deps);
    expect(await missed()).toEqual([]);
  });

  it("proves the newest that no wrong clock has dated ahead", async () => {
    const deps = worker({ verify: { schedule: "0 5 * * *" } });
    const storages = [storageOf("offsite", { kind: "local", path: join(path, "offsite") })];
    for (let index = 0; index < 6; index++) {
      const startedAt = new Date(`2026-04-${10 + index}T03:00:00Z`);
      const runId = `a${index}`.repeat(6);
      const folder = runFolder("app", startedAt, runId);
      await runBackup(orderOf({ source: sourceOf(source()), storages, startedAt, folder, runId }));
    }
    await verifyByClock(deps);
    clock.advance(24 * hour);
    for (const storage of ["local", "offsite"])
      await deps.catalogueKeeper.refresh(storage, undefined, new AbortController().signal);
    const { ordered: ids } = await verifyByClock(deps);
    expect(await deps.verifications.get(ids[0] ?? "")).toMatchObject({ backup: manifest.id });
    expect((await deps.verificationOrders.backups("app", 1)).map(({ id }) => id)).toEqual([manifest.id]);
  });

  it("puts back what its queue has lost", async () => {
    const deps = worker();
    const { id } = await ordered(deps);
    await deps.producer.forget("verify", `verify-${id}`, "here");
    expect((await verifyByClock(deps)).requeued).toEqual([`verify-${id}`]);
    expect((await verifyByClock(deps)).requeued).toEqual([]);
  });
});
