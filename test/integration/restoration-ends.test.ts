import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { probeSource } from "../../src/services/probes/stores.ts";
import { filesSchema } from "../../src/sources/files/schema.ts";
import { quiet } from "../support/backup.ts";
import { startRedis } from "../support/redis.ts";
import { databasesOf } from "../support/replace.ts";
import { alice, bob, chat, type RestoreWorld } from "../support/restoration.ts";
import { useRestoreDatabase } from "../support/restore-database.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const here = useRestoreDatabase(fixture);
const { world, rows, backedUp, say, waits, said } = here;
const prefixOf = ({ root }: { readonly root: string }) => root.split(":")[0] ?? "";

/** A restore that has stopped the services and waits there, carried out. */
async function stopping(shop: RestoreWorld) {
  const backup = await backedUp(shop);
  const { id } = await shop.looked({ backup: backup.id });
  const approval = await shop.approved(id);
  const carried = shop.carryOut(approval.id);
  carried.catch(() => undefined);
  await until(() => said().length > 0, "stopping");
  return { id, approval: approval.id, carried };
}

describe("the backup made before", () => {
  it("stays pinned for nobody when the restore has come to nothing", async () => {
    const shop = world({ restore: { stop: [say("stop", "exit 3")], start: [say("start")] } });
    const backup = await backedUp(shop);
    const failed = await shop.restored({ backup: backup.id });
    expect(failed).toMatchObject({ status: "failed", former: expect.any(String) });
    const { folder } = await shop.deps.runs.get(failed.former ?? "");
    expect((await shop.deps.pins.read(folder ?? ""))?.order.pinned).toBe(false);
  });
});

describe("the only way back", () => {
  it("has what was written while nobody was at the restore", async () => {
    const live = await startRedis();
    onTestFinished(() => live.stop());
    const redis = new Redis(live.url);
    onTestFinished(() => redis.disconnect());
    await redis.set("a", "1");
    const shop = world({
      source: { kind: "redis", url: live.url },
      restore: { stop: [waits("stop")], start: [say("start")] },
    });
    const backup = await shop.backUp();
    await redis.set("a", "2");
    const { id } = await shop.looked({ backup: backup.id });
    const { id: approval } = await shop.approved(id);
    const shutdown = new AbortController();
    const carried = shop.carryOut(approval, shutdown.signal);
    await until(() => said().length > 0, "stopping");
    const { former } = await shop.deps.restorationStates.get(id);
    shutdown.abort(new Error("shutdown"));
    await expect(carried).rejects.toThrow();
    await redis.set("b", "written meanwhile");
    writeFileSync(join(here.path, "go"), "");
    const done = await shop.carryOut(approval);
    expect(done).toMatchObject({ status: "done", attempt: 2 });
    expect(await redis.exists("b")).toBe(0);
    expect((await shop.undone(id)).status).toBe("undone");
    expect([await redis.get("a"), await redis.get("b")]).toEqual(["2", "written meanwhile"]);
    const { folder = "" } = await shop.deps.runs.get(former ?? "");
    expect((await shop.deps.pins.read(folder))?.order.pinned).toBe(false);
  });
});

describe("Redis that loses everything in the middle", () => {
  it("leaves nothing stopped and nothing half made", async () => {
    const shop = world({ restore: { stop: [waits("stop")], start: [say("start")] } });
    const { carried } = await stopping(shop);
    await fixture.redis.flushall();
    writeFileSync(join(here.path, "go"), "");
    await expect(carried).rejects.toMatchObject({ code: "not-found" });
    expect(said()).toEqual(["stop", "start"]);
    expect(await rows()).toBe(10);
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
  });
});

describe("what is kept aside", () => {
  it("is found by who looks after the source, when no card knows of it any more", async () => {
    const shop = world();
    const probe = async () => {
      const [backup] = shop.deps.config.backups;
      if (!backup) throw new Error("no backup is configured");
      return await probeSource(backup.source, { clock: here.clock, logger: quiet }, new AbortController().signal);
    };
    const backup = await backedUp(shop);
    expect(await probe()).toMatchObject({ status: "ok" });
    const { id } = await shop.restored({ backup: backup.id });
    await fixture.redis.flushall();
    expect(await probe()).toMatchObject({
      status: "warning",
      key: "doctor-source-aside",
      args: { list: `${here.database}_before_${id}`, count: 1 },
    });
    await here.server.psql("postgres", `DROP DATABASE ${here.database}_before_${id}`);
  });
});

describe("a right to work that is lost", () => {
  it("while the approval's is not: it goes on from there, and has not failed", async () => {
    const keys = fixture.keys();
    const shop = world({ prefix: prefixOf(keys), restore: { stop: [waits("stop")], start: [say("start")] } });
    const { id, approval, carried } = await stopping(shop);
    const lease = keys.of("lease", `restoration:${id}`);
    await fixture.redis.set(lease, "another 1 x");
    await expect(carried).rejects.toMatchObject({ code: "lease-lost" });
    expect((await shop.deps.approvals.read(approval))?.status).toBe("executing");
    await fixture.redis.del(lease);
    writeFileSync(join(here.path, "go"), "");
    expect(await shop.carryOut(approval)).toMatchObject({ status: "done", interruptedIn: "stop" });
    expect(await rows()).toBe(500);
  });
});

describe("taking back", () => {
  it("that nobody goes on with: the target says what is live", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    const { id } = await shop.restored({ backup: backup.id });
    await shop.undone(id);
    expect(await rows()).toBe(10);
    // As it is on record when the last worker was lost before it could say so.
    const states = shop.deps.restorationStates;
    for (const approval of ["gone", "0123456789ab"]) {
      await states.update(id, "normal", here.clock.now(), (current) => ({
        ...current,
        status: "undoing",
        undo: { ...current.undo, status: "running", approval },
      }));
      await shop.deps.restorations.step();
      expect((await states.get(id)).status).toBe("undoing");
      expect(await shop.work(id)).toMatchObject({ status: "undone", undo: { status: "done" } });
    }
    expect((await states.get(id)).undo?.lost).toBeUndefined();
  });

  it("that nobody goes on with, and that had not happened: it has failed", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    const { id } = await shop.restored({ backup: backup.id });
    await shop.deps.restorationStates.update(id, "normal", here.clock.now(), (current) => ({
      ...current,
      status: "undoing",
      undo: { ...current.undo, status: "running", approval: "gone" },
    }));
    await shop.deps.restorations.step();
    expect(await shop.work(id)).toMatchObject({
      status: "done",
      undo: { status: "failed", error: { text: { key: "error-restoration-undo-lost" } } },
    });
    expect(await shop.undone(id)).toMatchObject({ status: "undone" });
  });

  it("keeps what was written aside for its whole time, however late it is", async () => {
    const shop = world({ restore: { keep: "1h" }, approvals: { expires: "3h" } });
    const backup = await backedUp(shop);
    const { id } = await shop.restored({ backup: backup.id });
    await shop.deps.restorations.undo(id, alice, chat);
    const { undo } = await shop.work(id);
    await shop.deps.approvals.confirm(undo?.approval ?? "", alice, "shop", false);
    here.clock.advance(2 * 3_600_000);
    const undone = await shop.carryOut(undo?.approval ?? "");
    expect(undone).toMatchObject({ status: "undone", undo: { until: "2026-03-01T15:00:00.000Z" } });
    expect((await shop.work(id)).undo?.droppedAt).toBeUndefined();
  });

  it("waits for the later restore of the same to be taken back first", async () => {
    const data = join(here.path, "data");
    mkdirSync(data);
    const write = (text: string) => writeFileSync(join(data, "a"), text);
    const read = () => readFileSync(join(data, "a"), "utf8");
    const shop = world({ source: { kind: "files", paths: [data] } });
    write("one");
    const one = await shop.backUp();
    here.clock.advance(1000);
    write("two");
    const two = await shop.backUp();
    here.clock.advance(1000);
    write("three");
    const first = await shop.restored({ backup: two.id });
    here.clock.advance(1000);
    const second = await shop.restored({ backup: one.id });
    expect([first.status, second.status, read()]).toEqual(["done", "done", "one"]);
    const probed = await probeSource(
      { ...filesSchema.parse({ kind: "files", paths: [data] }) },
      { clock: here.clock, logger: quiet },
      new AbortController().signal,
    );
    expect(probed).toMatchObject({ status: "warning", args: { count: 2 } });
    await expect(shop.deps.restorations.undo(first.id, alice, chat)).rejects.toMatchObject({
      code: "conflict",
      text: { key: "restoration-refused-successor", args: { id: second.id } },
    });
    expect((await shop.undone(second.id)).status).toBe("undone");
    expect(read()).toBe("two");
    expect((await shop.undone(first.id)).status).toBe("undone");
    expect(read()).toBe("three");
  });

  it("is refused once the old one is being dropped", async () => {
    const shop = world({ restore: { keep: "1h" } });
    const backup = await backedUp(shop);
    const { id } = await shop.restored({ backup: backup.id });
    here.clock.advance(2 * 3_600_000);
    const states = shop.deps.restorationStates;
    const record = states.record.bind(states);
    const refusals: unknown[] = [];
    states.record = async (...how) => {
      const recorded = await record(...how);
      if (recorded.journal?.step === "discard" && recorded.undo?.droppedAt === undefined)
        refusals.push(await shop.deps.restorations.undo(id, alice, chat).catch((error: unknown) => error));
      return recorded;
    };
    const dropped = await shop.work(id);
    expect(refusals).toEqual([expect.objectContaining({ code: "conflict" })]);
    expect(dropped.undo).toMatchObject({ droppedAt: here.clock.now().toISOString() });
    expect(dropped.undo?.status).toBeUndefined();
  });
});

describe("cancelling", () => {
  it("ends the approval of what an admin has confirmed for somebody", async () => {
    const carol = { id: 333, name: "carol" };
    const users = [
      { ...alice, role: "operator" },
      { ...bob, role: "admin" },
      { ...carol, role: "admin" },
    ];
    const shop = world({ users });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const asked = await shop.deps.restorations.confirm(id, bob, chat);
    expect(await shop.deps.restorations.cancel(id, alice)).toMatchObject({ status: "cancelled" });
    expect((await shop.deps.approvals.read(asked.approval ?? ""))?.status).toBe("cancelled");
    expect((await shop.audit(id)).at(-1)).toBe("cancelled");
  });
});

describe("the index of what is open", () => {
  it("keeps one that was opened once more while another process closes it", async () => {
    const prefix = prefixOf(fixture.keys());
    const shop = world({ prefix });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    await shop.deps.restorations.cancel(id, alice);
    const other = world({ prefix });
    const cards = shop.deps.cards as unknown as { update: (...how: unknown[]) => Promise<unknown> };
    const update = cards.update.bind(cards);
    cards.update = async (...how) => {
      const closed = await update(...how);
      await other.deps.restorations.lookAgain(id, alice);
      return closed;
    };
    await shop.deps.restorationStates.update(id, "normal", here.clock.now(), (current) => ({ ...current, attempt: 9 }));
    expect((await other.deps.restorationStates.unsettled()).map((one) => one.id)).toEqual([id]);
  });
});
