import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config } from "../../src/app/config.ts";
import { drillMetrics } from "../../src/app/drill-metrics.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import { type Drill, isOver, keepDrills } from "../../src/core/drill.ts";
import { AppError } from "../../src/core/errors.ts";
import { runFolder } from "../../src/core/manifest.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { drillByClock } from "../../src/services/drills/schedule.ts";
import { drillsCheck } from "../../src/services/watch/drills.ts";
import { schedulesCheck } from "../../src/services/watch/schedules.ts";
import { createSource, sourceSchema } from "../../src/sources/index.ts";
import { storageSchema } from "../../src/storages/index.ts";
import { orderOf, quiet, storageOf, temporaryFolder } from "../support/backup.ts";
import { jobContext } from "../support/catalogue.ts";
import { noServers } from "../support/no-servers.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const hour = 3_600_000;
const alice = { id: 111, name: "alice" };
const target = { chatId: -1001, threadId: 15 };
const signal = new AbortController().signal;

let postgres: PostgresServer;
let s3: S3Server;
let shopUrl: string;
let path: string;
let clock: ManualClock;
let prefix: string;

beforeAll(async () => {
  [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
  const sql =
    "CREATE TABLE orders (id serial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(n::text) FROM generate_series(1, 2000) n";
  shopUrl = await postgres.createDatabase("shop", sql);
}, 120_000);
afterAll(async () => await Promise.all([postgres?.stop(), s3?.stop()]));

beforeEach(() => {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  path = made.path;
  // A Sunday; Moscow is three hours ahead of UTC.
  clock = new ManualClock("2026-03-01T12:00:00Z");
  prefix = fixture.keys().root.split(":")[0] ?? "";
});

const placeInS3 = () => {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  return { kind: "s3", endpoint, region, bucket, prefix, accessKeyId, secretAccessKey, forcePathStyle: true };
};
const placeHere = () => ({ kind: "local", path: join(path, "local"), host: "here" });

const shop = () => ({ kind: "postgres", url: shopUrl, counts: "exact" });
/** Its test-restore waits while the gate is shut. */
const gate = () => join(path, "gate");
const numbers = (then = "test $(wc -l) = 2000") => ({
  kind: "command",
  argv: ["seq", "1", "2000"],
  file: "numbers.txt",
  testRestore: ["sh", "-c", `while [ -e ${gate()} ]; do sleep 0.02; done; ${then}`],
});
const words = { kind: "command", argv: ["echo", "words"], file: "words.txt" };

interface World {
  readonly backups?: Readonly<Record<string, { readonly source: object; readonly storages?: readonly string[] }>>;
  readonly drill?: object | undefined;
  readonly storages?: object;
}

/** A worker, and what it needs to be a bot's half of the watch. */
function worker({ backups = { shop: { source: shop() } }, drill = {}, storages }: World = {}): WorkerDeps {
  const config = {
    timezone: "Europe/Moscow",
    redis: { url: fixture.server.url, prefix },
    worker: { host: "here", concurrency: 1, lease: 5000 },
    ...noServers,
    alerts: alertsSchema.parse({}),
    telegram: { chats: { ops: { id: target.chatId, topics: { backups: 15 } } }, users: [] },
    storages: Object.fromEntries(
      Object.entries({ local: placeHere(), offsite: placeInS3(), ...storages }).map(([name, place]) => [
        name,
        storageSchema.parse(place),
      ]),
    ),
    drill: { schedule: "0 6 * * 1", rto: 2 * hour, rpo: 26 * hour, ...drill },
    backups: Object.entries(backups).map(([name, { source, storages: own = ["local", "offsite"] }]) => ({
      name,
      source: sourceSchema.parse(source),
      storages: own,
      encrypt: false,
      hooks: { before: [], after: [], timeout: 1000 },
      anomaly: false,
      verify: { depth: "stored", timeout: hour },
    })),
  } as unknown as Config;
  const { deps, close } = createWorkerDeps({ config, logger: quiet, clock, role: "test" });
  onTestFinished(close);
  return deps;
}

/** A backup of a name, some hours old, in some storages; the catalogue knows of it. */
async function backUp(deps: WorkerDeps, name: string, hoursAgo: number, into = ["local", "offsite"]): Promise<string> {
  const config = deps.config.backups.find((backup) => backup.name === name)?.source;
  if (!config) throw new Error(`no backup is called ${name}`);
  const startedAt = new Date(clock.now().getTime() - hoursAgo * hour);
  const runId = startedAt.getTime().toString(16).padStart(12, "0");
  const storages = into.map((storage) => storageOf(storage, storage === "local" ? placeHere() : placeInS3()));
  const folder = runFolder(name, startedAt, runId);
  await runBackup(
    orderOf({
      source: createSource(config, { clock, logger: quiet }),
      storages,
      runId,
      name,
      startedAt,
      folder,
      clock: { now: () => startedAt },
    }),
  );
  await look(deps);
  return runId;
}

async function look(deps: WorkerDeps): Promise<void> {
  for (const storage of Object.keys(deps.config.storages))
    await deps.catalogueKeeper.refresh(storage, undefined, signal);
}

/** Works as the queues would have it done, until the drill has ended. */
async function work(deps: WorkerDeps, id: string): Promise<Drill> {
  for (;;) {
    await deps.drillRunner.execute(id, jobContext());
    const drill = await deps.drills.get(id);
    if (isOver(drill)) return drill;
    for (const verification of await deps.verifications.unsettled())
      await deps.verifier.execute(verification.id, jobContext());
  }
}

async function drilled(deps: WorkerDeps, source?: string): Promise<Drill> {
  const order = { trigger: "chat", requestedBy: alice, target, ...(source === undefined ? {} : { source }) } as const;
  return await work(deps, (await deps.drillOrders.request(order)).drill.id);
}

const findings = async (deps: WorkerDeps) =>
  await drillsCheck(deps).look({ now: clock.now(), awakeSince: clock.now(), open: new Map() });

describe("a drill", { timeout: 60_000 }, () => {
  it("restores the newest copy in the bucket into a private PostgreSQL, and counts it", async () => {
    const deps = worker();
    await backUp(deps, "shop", 20);
    const newest = await backUp(deps, "shop", 5);
    // Newer, but it would be lost with the server.
    await backUp(deps, "shop", 1, ["local"]);
    const drill = await drilled(deps);
    expect(drill).toMatchObject({ status: "passed", attempt: 1 });
    expect(drill.items).toMatchObject([
      {
        name: "shop",
        status: "passed",
        copy: { backup: newest, storage: "offsite" },
        rpoMs: 5 * hour,
        compared: { rows: 2000, tables: 1 },
      },
    ]);
    const [item] = drill.items;
    const verification = await deps.verifications.get(item?.verification ?? "");
    expect(verification).toMatchObject({ storage: "offsite", backup: newest, depth: "restored", trigger: "drill" });
    // Everything is in it: also the private server's start and end, which the restore alone has not.
    expect(item?.rtoMs).toBe(verification.tookMs);
    expect(item?.rtoMs).toBeGreaterThanOrEqual(verification.proof?.elapsedMs ?? Number.POSITIVE_INFINITY);
    expect(item?.rtoMs).toBeGreaterThan(item?.restoreMs ?? Number.POSITIVE_INFINITY);
    // The proof lies beside the copy, as of any verification.
    const [known] = (await deps.catalogue.list("shop")).entries.filter((entry) => entry.manifest.id === newest);
    expect(known?.proofs).toMatchObject([{ depth: "restored", ok: true, storage: "offsite" }]);
    // One card for all of it: the verification has none.
    expect(await deps.cards.placements(deps.drills.ref(drill.id))).toHaveLength(1);
    expect(await deps.cards.placements(deps.verifications.ref(verification.id))).toEqual([]);
    expect(await findings(deps)).toEqual([]);
    expect(await deps.drills.results("shop")).toMatchObject([{ drill: drill.id, status: "passed", rpoMs: 5 * hour }]);
  });

  it("goes through all backups one after another, and says of each why it is not drilled", async () => {
    const deps = worker({
      backups: {
        shop: { source: shop() },
        numbers: { source: numbers() },
        here: { source: numbers(), storages: ["local"] },
        behind: { source: numbers() },
        words: { source: words },
        none: { source: numbers() },
      },
    });
    for (const name of ["shop", "numbers", "words"]) await backUp(deps, name, 2);
    await backUp(deps, "here", 2, ["local"]);
    await backUp(deps, "behind", 2, ["local"]);
    const drill = await drilled(deps);
    expect(drill.status).toBe("failed");
    expect(drill.items).toMatchObject([
      { name: "shop", status: "passed" },
      { name: "numbers", status: "passed", compared: {} },
      {
        name: "here",
        status: "undrilled",
        reason: { finding: "no-offsite", text: { key: "drill-reason-only-local" } },
      },
      {
        name: "behind",
        status: "undrilled",
        reason: { finding: "no-offsite", text: { key: "drill-reason-no-offsite" } },
      },
      { name: "words", status: "left-out", reason: { text: { key: "verify-because-command" } } },
      { name: "none", status: "undrilled", reason: { finding: "no-backup" } },
    ]);
    expect((await findings(deps)).map(({ fingerprint, severity }) => `${severity} ${fingerprint}`)).toEqual([
      "critical drill:here",
      "critical drill:behind",
      "critical drill:none",
    ]);
    // Only the named ones, in the configuration's order.
    const some = worker({
      backups: { shop: { source: shop() }, numbers: { source: numbers() } },
      drill: { backups: ["numbers"] },
    });
    expect((await drilled(some)).items).toMatchObject([{ name: "numbers", status: "passed" }]);
  });

  it("does not take a bucket that nobody has seen for an empty one", async () => {
    const deps = worker();
    expect((await drilled(deps)).items).toMatchObject([
      { status: "undrilled", reason: { finding: "unseen", text: { key: "drill-reason-unseen-yet" } } },
    ]);
    const away = worker({
      storages: { offsite: { ...placeInS3(), endpoint: "http://127.0.0.1:1" } },
    });
    await expect(look(away)).rejects.toThrow();
    const drill = await drilled(away);
    expect(drill.items).toMatchObject([{ reason: { finding: "unseen", text: { key: "drill-reason-unseen" } } }]);
    expect(await findings(away)).toMatchObject([{ severity: "warning", text: { key: "watch-drill-text-unseen" } }]);
  });

  it("does not take an older copy for the newest, when nobody can read what the newest is", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    await backUp(deps, "numbers", 30);
    await backUp(deps, "numbers", 2);
    const offsite = await deps.storage("offsite");
    const manifests: string[] = [];
    for await (const { key } of offsite.list("numbers/")) if (key.endsWith("/manifest.json")) manifests.push(key);
    const [older = "", newer = ""] = manifests.toSorted();
    const damage = async (key: string) => {
      await offsite.delete([key]);
      await offsite.put(key, Buffer.from("{"), signal);
      await look(deps);
    };
    await damage(newer);
    expect(await drilled(deps)).toMatchObject({
      status: "failed",
      items: [{ status: "undrilled", reason: { text: { key: "drill-reason-manifest", args: { object: newer } } } }],
    });
    expect(await findings(deps)).toMatchObject([{ severity: "warning" }]);
    await backUp(deps, "numbers", 1);
    await damage(older);
    expect(await drilled(deps)).toMatchObject({ status: "passed" });
    expect(await findings(deps)).toEqual([]);
  });

  it("does not take an older copy for the newest, while the newest can not be read", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    await backUp(deps, "numbers", 30);
    const offsite = await deps.storage("offsite");
    const read = offsite.read.bind(offsite);
    offsite.read = async () => {
      throw new AppError("storage-unreachable", "it is away", { permanent: false });
    };
    await expect(backUp(deps, "numbers", 2)).rejects.toThrow("it is away");
    expect(await drilled(deps)).toMatchObject({
      items: [{ status: "undrilled", reason: { finding: "unseen", text: { key: "drill-reason-unseen" } } }],
    });
    offsite.read = read;
    await look(deps);
    expect(await drilled(deps)).toMatchObject({ status: "passed" });
  });

  it("that finds a copy which does not hold shows what was found, and leaves the alarm to the proofs", async () => {
    const deps = worker({ backups: { numbers: { source: numbers("test $(wc -l) = 1") } } });
    await backUp(deps, "numbers", 2);
    const drill = await drilled(deps);
    expect(drill).toMatchObject({
      status: "failed",
      items: [{ status: "failed", reason: { message: expect.any(String) } }],
    });
    expect(drill.items[0]).not.toHaveProperty("rtoMs");
    const verification = drill.items[0]?.verification ?? "";
    expect(await deps.cards.placements(deps.verifications.ref(verification))).toHaveLength(1);
    expect(await deps.verifications.suspicions()).toMatchObject([{ proven: true, storage: "offsite" }]);
    expect(await findings(deps)).toEqual([]);
  });

  it("beyond a limit is marked and an incident, until one is within or the limit is another", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } }, drill: { rto: 1, rpo: 2 * hour } });
    await backUp(deps, "numbers", 3);
    const drill = await drilled(deps);
    expect(drill).toMatchObject({ status: "slow", items: [{ status: "passed", over: ["rto", "rpo"] }] });
    expect(await findings(deps)).toMatchObject([
      {
        severity: "warning",
        fingerprint: "drill:numbers",
        title: { key: "watch-drill-over-both" },
        labels: { backup: "numbers" },
      },
    ]);
    const wider = worker({ backups: { numbers: { source: numbers() } }, drill: { rpo: 2 * hour } });
    expect(await findings(wider)).toMatchObject([
      { title: { key: "watch-drill-over-rpo" }, text: { args: { rpo: 180, rpoLimit: 120 } } },
    ]);
    await backUp(wider, "numbers", 1);
    expect((await drilled(wider)).status).toBe("passed");
    expect(await findings(wider)).toEqual([]);
  });

  it("remembers half a year, tells where it is going, and the metrics have the newest", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    for (let week = 0; week < keepDrills + 4; week++)
      await deps.drills.note({
        drill: `d${week}`,
        name: "numbers",
        at: new Date(clock.now().getTime() - (100 - week) * 168 * hour).toISOString(),
        status: "passed",
        rtoMs: 40_000 + week,
      });
    await backUp(deps, "numbers", 2);
    const drill = await drilled(deps);
    expect(drill.items[0]?.former).toEqual([25, 26, 27, 28, 29].map((week) => 40_000 + week));
    const results = await deps.drills.results("numbers");
    expect(results).toHaveLength(keepDrills);
    expect(results[0]?.drill).toBe(drill.id);
    const registry = new Registry();
    drillMetrics(deps, registry);
    const text = await registry.metrics();
    expect(text).toContain('vakhta_drill_success{backup="numbers"} 1');
    expect(text).toContain('vakhta_drill_rpo_seconds{backup="numbers"} 7200');
    expect(text).toContain(`vakhta_drill_rto_seconds{backup="numbers"} ${(drill.items[0]?.rtoMs ?? 0) / 1000}`);
    expect(text).toContain(`vakhta_drill_timestamp_seconds{backup="numbers"} ${clock.now().getTime() / 1000}`);
  });
});

describe("the drill's clock", { timeout: 60_000 }, () => {
  const missed = async (deps: WorkerDeps) =>
    (await schedulesCheck(deps).look({ now: clock.now(), awakeSince: new Date(0), open: new Map() })).map(
      ({ fingerprint }) => fingerprint,
    );

  it("orders one at its hour, once, makes up for a missed one once, and tells when nobody begins it", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    await backUp(deps, "numbers", 2);
    expect((await drillByClock(deps)).ordered).toEqual([]);
    await missed(deps);
    // Monday, 06:00 in Moscow.
    clock.advance(15 * hour - 1);
    expect((await drillByClock(deps)).ordered).toEqual([]);
    clock.advance(1);
    const { ordered } = await drillByClock(deps);
    expect(ordered).toHaveLength(1);
    expect((await drillByClock(deps)).ordered).toEqual([]);
    const [id = ""] = ordered;
    expect(await deps.drills.get(id)).toMatchObject({ trigger: "schedule", dueAt: "2026-03-02T03:00:00.000Z", target });
    expect(await deps.producer.isPending("drill", `drill-${id}`)).toBe(true);
    expect(await missed(deps)).toEqual([]);
    clock.advance(2 * hour + 1);
    expect(await missed(deps)).toEqual(["drill-schedule"]);
    expect(await work(deps, id)).toMatchObject({ status: "passed", items: [{ rpoMs: 19 * hour + 1 }] });
    expect(await missed(deps)).toEqual([]);
    // Three weeks without anybody.
    clock.advance(21 * 24 * hour);
    expect(await missed(deps)).toEqual(["drill-schedule"]);
    const made = (await drillByClock(deps)).ordered;
    expect(made).toHaveLength(1);
    expect(await deps.drills.get(made[0] ?? "")).toMatchObject({ dueAt: "2026-03-23T03:00:00.000Z" });
    // A clock that was set back orders nothing twice.
    clock.advance(-24 * hour);
    expect((await drillByClock(deps)).ordered).toEqual([]);
  });

  it("that was years ahead leaves no result that counts as the newest", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    await backUp(deps, "numbers", 2);
    clock.advance(2 * 365 * 24 * hour);
    expect(await drilled(deps)).toMatchObject({ status: "slow", items: [{ over: ["rpo"] }] });
    expect(await findings(deps)).toHaveLength(1);
    clock.advance(-2 * 365 * 24 * hour);
    const drill = await drilled(deps);
    expect((await deps.drills.results("numbers")).map((result) => result.drill)[0]).toBe(drill.id);
    expect(await findings(deps)).toEqual([]);
  });

  it("puts a drill whose job is gone back into the queue", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    const { drill } = await deps.drillOrders.request({ trigger: "chat", target });
    await deps.producer.forget("drill", `drill-${drill.id}`);
    expect(await drillByClock(deps)).toMatchObject({ requeued: [`drill-${drill.id}`] });
  });
});

describe("a person", { timeout: 60_000 }, () => {
  it("gets the drill that is under way rather than a second one", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    await backUp(deps, "numbers", 2);
    const first = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target });
    const second = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target: { chatId: 111 } });
    expect(second).toMatchObject({ created: false, drill: { id: first.drill.id } });
    expect(await deps.cards.placements(deps.drills.ref(first.drill.id))).toHaveLength(2);
    await expect(deps.drillOrders.again(first.drill.id, alice, target)).rejects.toThrow("has not ended");
    await work(deps, first.drill.id);
    const again = await deps.drillOrders.again(first.drill.id, alice, target);
    expect((await deps.drillOrders.again(first.drill.id, alice, target)).id).toBe(again.id);
    expect(await work(deps, again.id)).toMatchObject({ status: "passed", trigger: "again" });
  });

  it("gets the same one as all the others who ask at the same moment", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() } } });
    const ordered = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target: { chatId: 100 + index } }),
      ),
    );
    expect(new Set(ordered.map(({ drill }) => drill.id)).size).toBe(1);
    expect(ordered.filter(({ created }) => created)).toHaveLength(1);
    expect(await deps.drills.unsettled()).toHaveLength(1);
  });

  it("cancels it: what is being restored is ended and removed, the rest is not begun", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() }, shop: { source: shop() } } });
    await backUp(deps, "numbers", 2);
    await backUp(deps, "shop", 2);
    writeFileSync(gate(), "");
    const { drill } = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target });
    await deps.drillRunner.execute(drill.id, jobContext());
    const [verification] = await deps.verifications.unsettled();
    const looking = deps.verifier.execute(verification?.id ?? "", jobContext());
    await expect.poll(async () => (await deps.verifications.get(verification?.id ?? "")).phase).toBe("restored");
    await deps.drillRunner.execute(drill.id, jobContext());
    expect((await deps.drills.get(drill.id)).items).toMatchObject([{ phase: "restored" }, { status: "waiting" }]);
    await deps.drillOrders.cancel(drill.id, alice);
    await deps.drillRunner.execute(drill.id, jobContext());
    await looking;
    rmSync(gate());
    expect(await work(deps, drill.id)).toMatchObject({
      status: "cancelled",
      items: [{ status: "cancelled" }, { status: "cancelled" }],
    });
    expect(await deps.drills.results("numbers")).toEqual([]);
    // One that nobody has begun is cancelled at once.
    const next = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target });
    expect(await deps.drillOrders.cancel(next.drill.id, alice)).toMatchObject({ status: "cancelled", items: [] });
  });
});

describe("a drill that is interrupted anywhere", { timeout: 60_000 }, () => {
  it("goes on where it stood: each of its steps may be done twice", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() }, more: { source: numbers() } } });
    await backUp(deps, "numbers", 2);
    await backUp(deps, "more", 2);
    const { drill } = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target });
    // The record of the begin, of the order and of the result is lost in turn, as if it had been killed before it.
    const states = new Set<string>();
    for (let steps = 0; steps < 20; steps++) {
      const before = await deps.drills.get(drill.id);
      if (isOver(before)) break;
      await deps.drillRunner.execute(drill.id, jobContext());
      const after = await deps.drills.get(drill.id);
      states.add(after.items.map(({ status }) => status).join(" "));
      await deps.drills.update(drill.id, "normal", clock.now(), () => before);
      await Promise.all([
        deps.drillRunner.execute(drill.id, jobContext()),
        deps.drillRunner.execute(drill.id, jobContext()),
      ]);
      for (const verification of await deps.verifications.unsettled())
        await deps.verifier.execute(verification.id, jobContext());
    }
    const done = await deps.drills.get(drill.id);
    expect(done).toMatchObject({ status: "passed", items: [{ status: "passed" }, { status: "passed" }] });
    expect([...states]).toEqual(["running waiting", "passed running", "passed passed"]);
    for (const name of ["numbers", "more"]) {
      expect(await deps.drills.results(name)).toHaveLength(1);
      expect(await deps.verifications.list(name, 10)).toHaveLength(1);
    }
  });

  it("whose copy was removed meanwhile, or whose test-restore is unknown, says so and goes on", async () => {
    const deps = worker({ backups: { numbers: { source: numbers() }, more: { source: numbers() } } });
    await backUp(deps, "numbers", 2);
    await backUp(deps, "more", 2);
    const { drill } = await deps.drillOrders.request({ trigger: "chat", requestedBy: alice, target });
    await deps.drillRunner.execute(drill.id, jobContext());
    const [verification] = await deps.verifications.unsettled();
    await deps.cards.remove(deps.verifications.ref(verification?.id ?? ""));
    const offsite = await deps.storage("offsite");
    const keys: string[] = [];
    for await (const { key } of offsite.list("more/")) keys.push(key);
    await offsite.delete(keys);
    await look(deps);
    expect(await work(deps, drill.id)).toMatchObject({
      status: "failed",
      items: [
        { status: "undrilled", reason: { text: { key: "drill-reason-lost" } } },
        { status: "undrilled", reason: { text: { key: "drill-reason-gone" } } },
      ],
    });
  });
});
