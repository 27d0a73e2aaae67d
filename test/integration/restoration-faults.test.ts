import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { databasesOf } from "../support/replace.ts";
import { alice, bob, chat } from "../support/restoration.ts";
import { useRestoreDatabase } from "../support/restore-database.ts";
import { until, useRedis } from "../support/state.ts";
import { rewriteParts } from "../support/verify.ts";

const fixture = useRedis();
const here = useRestoreDatabase(fixture);
const { world, rows, backedUp, say, waits, said } = here;
const untouched = async () => {
  expect(await rows()).toBe(10);
  expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
};

describe("a restore that fails before the swap", () => {
  it("leaves what is live when what was restored is not what the manifest says", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    for (const storage of ["local", "offsite"])
      rewriteParts(join(here.path, storage, backup.folder ?? "", "manifest.json"), {
        tables: { "public.orders": 501 },
      });
    for (const storage of ["local", "offsite"])
      await shop.deps.catalogueKeeper.refresh(storage, undefined, new AbortController().signal);
    const failed = await shop.restored({ backup: backup.id });
    expect(failed).toMatchObject({
      status: "failed",
      error: { text: { key: "error-restoration-differs", args: { count: 1 } } },
      result: { differences: [{ what: "public.orders", expected: "501 rows", found: "500 rows" }] },
    });
    await untouched();
  });

  it("starts what it has stopped when one of the programs fails", async () => {
    const shop = world({ restore: { stop: [say("stop one"), say("stop two", "exit 3")], start: [say("start")] } });
    const backup = await backedUp(shop);
    const failed = await shop.restored({ backup: backup.id });
    expect(failed).toMatchObject({
      status: "failed",
      phase: "stop",
      error: { step: "hook sh", exit: "exit status 3" },
    });
    expect(said()).toEqual(["stop one", "stop two", "start"]);
    expect(failed.programs).toBeUndefined();
    await untouched();
  });

  it("says so when what is live can not be backed up before, and can be restored without", async () => {
    const broken = join(here.path, "broken");
    const shop = world({ backup: { hooks: { before: [["test", "!", "-e", broken]] } } });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    writeFileSync(broken, "");
    const failed = await shop.carryOut(approval.id);
    expect(failed).toMatchObject({ status: "failed", error: { text: { key: "error-restoration-backup" } } });
    await shop.deps.restorations.lookAgain(id, alice, { before: "off" });
    const looked = await shop.work(id);
    expect(looked).toMatchObject({ status: "ready", before: "off" });
    const again = await shop.approved(id);
    expect(again.details.map(({ key }) => key)).toContain("restoration-detail-no-backup");
    const done = await shop.carryOut(again.id);
    expect(done).toMatchObject({ status: "done", before: "off" });
    expect(done.former).toBeUndefined();
    expect(await rows()).toBe(500);
  });

  it("is cancelled while programs are being stopped: they are started again", async () => {
    const shop = world({ restore: { stop: [waits("stop")], start: [say("start")] } });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    const carried = shop.carryOut(approval.id);
    await until(() => said().length > 0, "stopping");
    await shop.deps.restorations.cancel(id, bob);
    expect(await carried).toMatchObject({ status: "cancelled", cancelRequestedBy: bob });
    expect(said()).toEqual(["stop", "start"]);
    await untouched();
    expect((await shop.audit(id)).at(-1)).toBe("cancelled");
  });

  it("is cancelled while the backup before is under way, and that with it", async () => {
    const shop = world({ backup: { hooks: { before: [waits("before")] } } });
    writeFileSync(join(here.path, "go"), "");
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    unlinkSync(join(here.path, "go"));
    const before = said().length;
    const carried = shop.carryOut(approval.id);
    await until(() => said().length > before, "backing up");
    await shop.deps.restorations.cancel(id, alice);
    const cancelled = await carried;
    expect(cancelled).toMatchObject({ status: "cancelled" });
    const runs = (await shop.deps.runs.list("shop", 10)).map(({ status }) => status);
    expect(runs.toSorted()).toEqual(["cancelled", "succeeded"]);
    // There is no such backup: nobody is told of one.
    expect(cancelled.former).toBeUndefined();
    await untouched();
  });

  it("is handed back by a worker that shuts down, and goes on with the next", async () => {
    const shop = world({ restore: { stop: [waits("stop")], start: [say("start")] } });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    const shutdown = new AbortController();
    const carried = shop.carryOut(approval.id, shutdown.signal);
    await until(() => said().length > 0, "stopping");
    shutdown.abort(new Error("shutdown"));
    await expect(carried).rejects.toThrow();
    expect(said()).toEqual(["stop", "start"]);
    expect((await shop.deps.restorationStates.get(id)).status).toBe("running");
    writeFileSync(join(here.path, "go"), "");
    expect(await shop.carryOut(approval.id)).toMatchObject({ status: "done", interruptedIn: "stop" });
    expect(await rows()).toBe(500);
  });
});

describe("a restore that was swapped", () => {
  it("stays when what was stopped does not start, and says so", async () => {
    const shop = world({ restore: { start: [say("one", "exit 1"), say("two")] } });
    const backup = await backedUp(shop);
    const done = await shop.restored({ backup: backup.id });
    expect(done).toMatchObject({ status: "done", programError: { exit: "exit status 1" } });
    expect(said()).toEqual(["one", "two"]);
    expect(await rows()).toBe(500);
  });

  it("is kept for good when somebody says so: there is no way back then", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    const done = await shop.restored({ backup: backup.id });
    const { restorations } = shop.deps;
    expect(restorations.refusal(done, "keep", alice)).toBeUndefined();
    await restorations.keepNow(done.id, alice);
    const dropped = await shop.work(done.id);
    expect(dropped).toMatchObject({
      status: "done",
      undo: { dropBy: alice, droppedAt: here.clock.now().toISOString() },
    });
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
    await expect(restorations.undo(done.id, alice, chat)).rejects.toMatchObject({ code: "conflict" });
    expect((await shop.audit(done.id)).slice(-2)).toEqual(["drop-requested", "dropped"]);
  });

  it("keeps what is aside while somebody wants it back, however late it is", async () => {
    const shop = world({ restore: { keep: "1h" } });
    const backup = await backedUp(shop);
    const done = await shop.restored({ backup: backup.id });
    await shop.deps.restorations.undo(done.id, alice, chat);
    const { undo } = await shop.work(done.id);
    expect(undo).toMatchObject({ status: "asked", changes: { written: 0 } });
    here.clock.advance(2 * 3_600_000);
    await shop.deps.restorations.step();
    const expired = await shop.deps.restorationStates.get(done.id);
    // The approval has expired with the time; so has the way back.
    expect(expired.undo).toMatchObject({ status: "failed", error: { text: { key: "restoration-ended-expired" } } });
    expect((await shop.work(done.id)).undo?.droppedAt).toBeDefined();
  });
});

describe("two at once", () => {
  it("of one target: the second is refused, whichever way it comes", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    const first = await shop.looked({ backup: backup.id });
    const second = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(first.id);
    await expect(shop.deps.restorations.confirm(second.id, alice, chat)).rejects.toMatchObject({
      code: "conflict",
      text: { key: "error-approval-asked", args: { id: approval.id } },
    });
    expect((await shop.carryOut(approval.id)).status).toBe("done");
  });

  it("waits for nobody who works on another one of the same target: it fails and names it", async () => {
    const shop = world();
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    const { system = "", database: oid = "" } = (await shop.deps.restorationStates.get(id)).preflight?.identity ?? {};
    await using _other = await shop.deps.leases.acquire(`restore-target:postgres:${system}:${oid}`, {
      ttlMs: 5000,
      holder: "0123456789ab",
      signal: new AbortController().signal,
    });
    const failed = await shop.carryOut(approval.id);
    expect(failed).toMatchObject({
      status: "failed",
      error: { text: { key: "error-restoration-target-busy", args: { id: "0123456789ab" } } },
    });
    await untouched();
  });
});

describe("people", () => {
  it("who are not on the list any more have approved nothing", async () => {
    const prefix = fixture.keys().root.split(":")[0] ?? "";
    const shop = world({ prefix, approvals: { approvers: 2 } });
    const backup = await backedUp(shop);
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    await shop.deps.approvals.decide(approval.id, "approve", bob);
    const carol = { id: 333, name: "carol", role: "admin" };
    const later = world({ prefix, approvals: { approvers: 2 }, users: [{ ...alice, role: "admin" }, carol] });
    expect(await later.carryOut(approval.id)).toMatchObject({ status: "asked" });
    expect((await later.deps.approvals.read(approval.id))?.status).toBe("open");
    await untouched();
  });

  it("who may not are told so", async () => {
    const users = [
      { ...alice, role: "operator" },
      { ...bob, role: "operator" },
      { id: 5, name: "root", role: "admin" },
    ];
    const shop = world({ users });
    const backup = await backedUp(shop);
    const ready = await shop.looked({ backup: backup.id });
    const { restorations } = shop.deps;
    const keyOf = (what: "confirm" | "cancel" | "look" | "undo" | "keep", by: { id: number; name: string }) =>
      restorations.refusal(ready, what, by)?.key;
    expect(keyOf("confirm", alice)).toBeUndefined();
    expect(keyOf("confirm", bob)).toBe("restoration-refused-not-yours");
    expect(keyOf("cancel", { id: 5, name: "root" })).toBeUndefined();
    expect(keyOf("look", { id: 99, name: "stranger" })).toBe("restoration-refused-role-operator");
    expect(keyOf("undo", alice)).toBe("restoration-refused-undo");
    expect(keyOf("keep", alice)).toBe("restoration-refused-role-admin");
  });
});
