import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isOver } from "../../src/core/database-backup.ts";
import type { CompleteAutoBackups } from "../../src/core/inventory.ts";
import type { AutoBackups } from "../../src/core/managed.ts";
import { person } from "../support/approvals.ts";
import { account, chat, type InventoryWorld, inventoryWorld, job, minute } from "../support/inventory.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const shop = { id: "7", name: "shop", type: "postgres16" };
const crm = { id: "8", name: "crm", type: "postgres16" };
const asked = { by: person("alice"), place: chat };
const post = "POST /api/v1/dbs/";

/** What the provider has of a database, but for its own automatic backup of yesterday. */
async function manualBackups({ deps }: InventoryWorld, id = "7") {
  const inventory = await deps.inventoryReader.open(account);
  return (await inventory.databaseBackups(id, job.signal)).filter(
    ({ comment }) => comment !== undefined && comment !== "",
  );
}

/** Orders a backup of a database; the state of the order after the worker's first step. */
async function ordered(world: InventoryWorld, database = shop) {
  const approval = await world.carryOut(await world.deps.managedOrders.backUp({ account, database }, asked));
  return { approval, id: approval.id };
}

describe("a backup of a managed database that was approved", () => {
  test("is ordered once, followed and shown on a card to its end", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, seen } = world;
    const { approval, id } = await ordered(world);
    expect(approval).toMatchObject({ status: "done", execution: { note: { key: "managed-backup-ordered" } } });
    expect(await deps.databaseBackups.read(id)).toMatchObject({
      status: "making",
      comment: `vakhta ${id}`,
      backup: { progress: 0 },
    });
    expect(await deps.cards.placements(deps.databaseBackups.ref(id))).toHaveLength(1);
    clock.advance(minute / 2);
    expect(await deps.managedBackupRunner.step(id, job.signal)).toMatchObject({ backup: { progress: 50 } });
    clock.advance(minute);
    const done = await deps.managedBackupRunner.step(id, job.signal);
    expect(done).toMatchObject({ status: "done", backup: { status: "done", bytes: expect.any(Number) } });
    expect(await deps.databaseBackups.unsettled()).toEqual([]);
    expect(await manualBackups(world)).toMatchObject([{ comment: `vakhta ${id}`, status: "done" }]);
    expect(seen(post)).toBe(1);
    // A job that is run once more, and the next look of somebody at the database.
    await deps.approvalRunner.execute(id, job);
    await deps.managedBackupRunner.step(id, job.signal);
    expect(seen(post)).toBe(1);
    expect(await deps.producer.isPending("inventory", `inventory.database.${account}/7`)).toBe(true);
  });

  test("whose answer is lost is found by its comment, and not repeated", async () => {
    const world = await inventoryWorld(fixture);
    world.sandbox.addFault({ kind: "lost-answer", method: "POST", path: "/backups$", times: 1 });
    const { id } = await ordered(world);
    expect(await world.deps.databaseBackups.read(id)).toMatchObject({ status: "ordering", unseen: expect.anything() });
    const found = await world.deps.managedBackupRunner.step(id, job.signal);
    expect(found).toMatchObject({ status: "making" });
    expect(found?.unseen).toBeUndefined();
    expect(await manualBackups(world)).toHaveLength(1);
    expect(world.seen(post)).toBe(1);
  });

  test("whose request is lost is repeated once, when the list did not have it for a minute", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, seen, sandbox } = world;
    sandbox.addFault({ kind: "reset", method: "POST", path: "/backups$", times: 1 });
    const { id } = await ordered(world);
    const again = async () => await deps.managedBackupRunner.step(id, job.signal);
    clock.advance(minute - 1000);
    expect(await again()).toMatchObject({ status: "ordering" });
    expect(seen(post)).toBe(1);
    clock.advance(2000);
    expect(await again()).toMatchObject({ status: "making" });
    expect(seen(post)).toBe(2);
    expect(await manualBackups(world)).toHaveLength(1);
  });

  test("that is never answered is given up, and that nobody knows is said", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, seen, sandbox } = world;
    sandbox.addFault({ kind: "reset", method: "POST", path: "/backups$" });
    const { id } = await ordered(world);
    for (let step = 0; step < 5; step += 1) {
      clock.advance(minute);
      await deps.managedBackupRunner.step(id, job.signal);
    }
    expect(await deps.databaseBackups.read(id)).toMatchObject({ status: "unclear", asked: { length: 2 } });
    expect(seen(post)).toBe(2);
  });

  test("that is refused fails, with the provider's reason", async () => {
    const world = await inventoryWorld(fixture);
    world.sandbox.addFault({ kind: "status", status: 400, method: "POST", path: "/backups$" });
    const { approval, id } = await ordered(world);
    expect(approval).toMatchObject({
      status: "failed",
      execution: { error: { text: { key: "error-provider-refused" } } },
    });
    expect(await world.deps.databaseBackups.read(id)).toMatchObject({ status: "failed" });
    expect(world.seen(post)).toBe(1);
  });

  test("that is one request too many now is asked for again", async () => {
    const world = await inventoryWorld(fixture);
    world.sandbox.addFault({ kind: "status", status: 429, method: "POST", path: "/backups$", times: 1 });
    const { id } = await ordered(world);
    expect(await world.deps.databaseBackups.read(id)).toMatchObject({ status: "ordering", asked: [] });
    expect(await world.deps.managedBackupRunner.step(id, job.signal)).toMatchObject({ status: "making" });
    expect(await manualBackups(world)).toHaveLength(1);
  });

  test("that cannot be asked for waits for the API, and for no longer than an hour", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox, seen } = world;
    const listFails = { kind: "status", status: 503, method: "GET", path: "/dbs/7/backups" } as const;
    const outage = sandbox.addFault(listFails);
    const first = await ordered(world);
    expect(await deps.databaseBackups.read(first.id)).toMatchObject({ status: "ordering", asked: [] });
    sandbox.removeFault(outage);
    clock.advance(10 * minute);
    expect(await deps.managedBackupRunner.step(first.id, job.signal)).toMatchObject({ status: "making" });
    sandbox.addFault(listFails);
    const second = await ordered(world);
    clock.advance(61 * minute);
    const late = await deps.managedBackupRunner.step(second.id, job.signal);
    expect(late).toMatchObject({ status: "failed", error: { code: "provider-failed" } });
    expect(seen(post)).toBe(1);
  });

  test("of which a provider of several nodes names none is found in the list", async () => {
    const world = await inventoryWorld(fixture);
    const { id } = await ordered(world, crm);
    const taken = await world.deps.databaseBackups.read(id);
    expect(taken).toMatchObject({ status: "making" });
    expect(taken?.backup).toBeUndefined();
    expect(await world.deps.managedBackupRunner.step(id, job.signal)).toMatchObject({
      backup: { id: expect.anything() },
    });
    expect(world.seen(post)).toBe(1);
  });

  test("is not asked for twice by a worker that is stopped while it asks and by the next one", async () => {
    const world = await inventoryWorld(fixture);
    const { sandbox, deps } = world;
    const approval = await deps.managedOrders.backUp({ account, database: shop }, asked);
    await deps.approvals.decide(approval.id, "approve", person("alice"));
    sandbox.addFault({ kind: "lost-answer", method: "POST", path: "/backups$", times: 1 });
    const stop = new AbortController();
    const running = deps.approvalRunner.execute(approval.id, { ...job, signal: stop.signal });
    await until(() => world.seen(post) === 1, "the request");
    stop.abort(new Error("the worker shuts down"));
    await running.catch(() => undefined);
    await world.another().approvalRunner.execute(approval.id, job);
    await deps.managedBackupRunner.step(approval.id, job.signal);
    expect(await deps.databaseBackups.read(approval.id)).toMatchObject({ status: "making" });
    expect(await manualBackups(world)).toHaveLength(1);
    expect(world.seen(post)).toBe(1);
  });

  test.each([
    { isCarriedOut: true, what: "carried out nevertheless" },
    { isCarriedOut: false, what: "lost" },
  ])("is made once when its worker is killed while it asks, and the request is $what", async ({ isCarriedOut }) => {
    const world = await inventoryWorld(fixture);
    const { sandbox, deps, clock, config } = world;
    const { id } = await deps.managedOrders.backUp({ account, database: shop }, asked);
    await deps.approvals.decide(id, "approve", person("alice"));
    sandbox.addFault({ kind: "silent", method: "POST", path: "/backups$", times: 1 });
    const file = join(import.meta.dirname, "../support/managed-child.ts");
    // Nobody gives up waiting before the kill.
    const patient = structuredClone(config);
    Object.assign(Object(patient.providers[account]?.config), { timeout: 60_000 });
    const child = spawn(process.execPath, [file, JSON.stringify({ config: patient, now: clock.now(), id })]);
    onTestFinished(() => void child.kill("SIGKILL"));
    await until(() => world.seen(post) === 1, "the request");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await deps.databaseBackups.read(id)).toMatchObject({ status: "ordering", asked: [expect.any(String)] });
    // Its leases run out in real time.
    const leases = await fixture.redis.keys(`${config.redis.prefix}:*lease:*`);
    expect(leases.some((key) => key.endsWith(id))).toBe(true);
    await fixture.redis.del(...leases);
    const another = world.another();
    // What the provider did with the request that nobody heard the answer to.
    if (isCarriedOut)
      await (await another.inventoryReader.open(account)).backUpDatabase("7", `vakhta ${id}`, job.signal);
    const before = world.seen(post);
    await another.approvalRunner.execute(id, job);
    expect(world.seen(post)).toBe(before);
    clock.advance(2 * minute);
    await another.managedBackupRunner.step(id, job.signal);
    clock.advance(2 * minute);
    expect(await another.managedBackupRunner.step(id, job.signal)).toMatchObject({ status: "done" });
    expect(await deps.approvals.read(id)).toMatchObject({ status: "done" });
    expect(await manualBackups(world)).toHaveLength(1);
    expect(world.seen(post)).toBe(2);
  });

  test("is taken further by one of two workers at a time", async () => {
    const world = await inventoryWorld(fixture);
    world.sandbox.addFault({ kind: "reset", method: "POST", path: "/backups$", times: 1 });
    const { id } = await ordered(world);
    world.clock.advance(2 * minute);
    const workers = [world.deps, world.another(), world.another()];
    await Promise.all(workers.map(async ({ managedBackupRunner }) => await managedBackupRunner.step(id, job.signal)));
    expect(await manualBackups(world)).toHaveLength(1);
    expect(world.seen(post)).toBe(2);
  });

  test("outlives that the token is refused for a while, and ends when it fails or is removed", async () => {
    const world = await inventoryWorld(fixture);
    const { sandbox, deps } = world;
    const { id } = await ordered(world);
    sandbox.revokeToken(sandbox.token);
    const step = async () => await deps.managedBackupRunner.step(id, job.signal);
    expect(await step()).toMatchObject({ status: "making", unseen: { error: { code: "provider-token" } } });
    sandbox.allowToken(sandbox.token);
    expect(await step()).not.toHaveProperty("unseen");
    sandbox.failBackups(7);
    expect(await step()).toMatchObject({ status: "failed" });
    expect(await deps.databaseBackups.unsettled()).toEqual([]);
  });

  test("of a database that is gone or called otherwise by then is void", async () => {
    const world = await inventoryWorld(fixture);
    const gone = await ordered(world, { ...shop, id: "99" });
    expect(gone.approval).toMatchObject({ status: "void", ended: { void: "gone" } });
    const other = await ordered(world, { ...shop, name: "shop-old" });
    expect(other.approval).toMatchObject({ status: "void", ended: { void: "target", facts: ["database"] } });
    expect(world.seen(post)).toBe(0);
  });

  test("is followed by the clock, whoever has begun it", async () => {
    const world = await inventoryWorld(fixture);
    const { id } = await ordered(world);
    await world.deps.inventoryOrders.step();
    expect(await world.deps.producer.isPending("inventory", `inventory.order.${id}`)).toBe(true);
    expect((await world.deps.databaseBackups.unsettled()).every((one) => !isOver(one))).toBe(true);
  });
});

describe("other settings of automatic backups", () => {
  const wanted: CompleteAutoBackups = {
    enabled: true,
    copies: 14,
    interval: "week",
    dayOfWeek: 6,
    startAt: "2026-03-07T01:00:00.000Z",
  };
  const patch = "PATCH ";
  const settings = async ({ deps }: InventoryWorld): Promise<AutoBackups> =>
    await (await deps.inventoryReader.open(account)).autoBackups("7", job.signal);
  const order = async (world: InventoryWorld, to = wanted) =>
    await world.deps.managedOrders.setAutoBackups(
      { account, database: shop },
      { ...asked, from: await settings(world), to },
    );
  /** As somebody does in the provider's panel. */
  const inThePanel = async ({ sandbox }: InventoryWorld, body: object): Promise<void> => {
    const answer = await fetch(`${sandbox.url}/api/v1/dbs/7/auto-backups`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${sandbox.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
  };

  test("are asked for as what changes, and set when they are approved", async () => {
    const world = await inventoryWorld(fixture);
    const approval = await order(world);
    expect(approval).toMatchObject({ status: "typing", policyName: "autoBackups" });
    expect(approval.details.map(({ key, args }) => [key, args?.["from"], args?.["to"]])).toEqual([
      ["managed-change-copies", 7, 14],
      ["managed-change-interval", "day", "week"],
      ["managed-change-day", "d0", "d6"],
      [
        "managed-change-start",
        expect.objectContaining({ moment: "2026-01-30T03:00:00.000Z" }),
        expect.objectContaining({ moment: "2026-03-07T01:00:00.000Z" }),
      ],
      ["managed-same-provider", undefined, undefined],
    ]);
    // Weekly ones instead of daily ones: fewer, so the name is typed, which is the approval of an admin as well.
    await world.deps.approvals.confirm(approval.id, person("alice"), "shop", false);
    expect(await world.carryOut(approval)).toMatchObject({ status: "done" });
    expect(await settings(world)).toMatchObject({ enabled: true, copies: 14, interval: "week", dayOfWeek: 6 });
    expect(world.seen(patch)).toBe(1);
  });

  test("that make more backups need no typing, but an admin", async () => {
    const world = await inventoryWorld(fixture);
    const more = { ...wanted, interval: "day", copies: 30 } as const;
    const approval = await order(world, more);
    expect(approval.status).toBe("open");
    const step = await world.deps.approvals.decide(approval.id, "approve", person("bob"));
    expect(step.refused).toBe("role");
    expect(await world.carryOut(approval)).toMatchObject({ status: "done" });
  });

  test("are void when somebody has changed them in the panel since", async () => {
    const world = await inventoryWorld(fixture);
    const approval = await order(world, { ...wanted, interval: "day" });
    await inThePanel(world, { is_enabled: false });
    expect(await world.carryOut(approval)).toMatchObject({
      status: "void",
      ended: { void: "target", facts: ["state"] },
    });
    expect(await settings(world)).toMatchObject({ enabled: false });
  });

  test("are in force when the answer to them is lost, and failed when the request is", async () => {
    const world = await inventoryWorld(fixture);
    world.sandbox.addFault({ kind: "lost-answer", method: "PATCH", times: 1 });
    const more = { ...wanted, interval: "day" } as const;
    expect(await world.carryOut(await order(world, more))).toMatchObject({ status: "done" });
    expect(world.seen(patch)).toBe(1);
    world.sandbox.addFault({ kind: "reset", method: "PATCH", times: 1 });
    const failed = await world.carryOut(await order(world, { ...more, copies: 40 }));
    expect(failed).toMatchObject({ status: "failed", execution: { error: { code: "provider-unreachable" } } });
    expect(await settings(world)).toMatchObject({ copies: 14 });
  });

  test("of which only the time is another are not called set when nobody has said so", async () => {
    const world = await inventoryWorld(fixture);
    const later = { ...((await settings(world)) as CompleteAutoBackups), startAt: "2026-03-07T01:00:00.000Z" };
    world.sandbox.addFault({ kind: "reset", method: "PATCH", times: 1 });
    expect(await world.carryOut(await order(world, later))).toMatchObject({
      status: "failed",
      execution: { error: { code: "provider-unreachable" } },
    });
    expect(await world.carryOut(await order(world, later))).toMatchObject({ status: "done" });
    expect(await settings(world)).toMatchObject({ startAt: expect.stringContaining("2026-03-07") });
  });

  test("that are the same already are refused at once", async () => {
    const world = await inventoryWorld(fixture);
    const now = (await settings(world)) as CompleteAutoBackups;
    await expect(order(world, now)).rejects.toMatchObject({ text: { key: "error-auto-backups-same" } });
  });
});
