import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { databasesOf } from "../support/replace.ts";
import { alice, bob, chat } from "../support/restoration.ts";
import { useRestoreDatabase } from "../support/restore-database.ts";
import { useRedis } from "../support/state.ts";
import { flipBit } from "../support/verify.ts";

const fixture = useRedis();
const hour = 3_600_000;
const here = useRestoreDatabase(fixture);
const { world, rows } = here;
describe("a restore in place", () => {
  it("goes its whole way: looked at, confirmed, typed, carried out, taken back, dropped", async () => {
    const log = join(here.path, "services.log");
    const say = (what: string) => ["sh", "-c", `echo ${what} $VAKHTA_WORK $VAKHTA_TARGET >> ${log}`];
    const { deps, ...shop } = world({ restore: { keep: "24h", stop: [say("stop")], start: [say("start")] } });
    const backup = await shop.backUp();
    expect(backup.status).toBe("succeeded");
    await here.server.psql(
      here.database,
      "DELETE FROM orders WHERE id > 10; INSERT INTO orders SELECT g FROM generate_series(1001, 1700) g",
    );
    const looked = await shop.looked({ backup: backup.id });
    expect(looked.error).toBeUndefined();
    expect(looked).toMatchObject({
      status: "ready",
      preflight: {
        database: here.database,
        obstacles: [],
        storage: "local",
        passedOver: [],
        sameSystem: true,
        lost: [{ what: "public.orders", backup: 500, live: 710 }],
        wayBack: "kept",
        remarks: [
          { key: "restoration-remark-stop", args: { programs: expect.stringContaining("sh -c") } },
          { key: "restoration-remark-start" },
        ],
      },
    });
    const approval = await shop.approved(looked.id);
    expect(approval).toMatchObject({
      status: "approved",
      target: "shop",
      identity: { manifest: backup.manifestSha256, database: expect.stringMatching(/^\d+$/) },
    });
    here.clock.advance(5000);
    const done = await shop.carryOut(approval.id);
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({
      status: "done",
      result: { compared: { rows: 500 }, differencesTotal: 0, swap: { refusedMs: expect.any(Number) } },
      undo: { until: "2026-03-02T12:00:05.000Z" },
    });
    expect(await rows()).toBe(500);
    // What was live was backed up by the normal way, and is pinned where it lies.
    const former = await deps.runs.get(done.former ?? "");
    expect(former).toMatchObject({ status: "succeeded", trigger: "before-restore", restoration: done.id });
    for (const { order, waiting } of await deps.pins.all())
      for (const { storage } of waiting)
        await deps.pinWriter.execute(
          { order: order.id, folder: order.folder, storage },
          { signal: new AbortController().signal, jobId: "p", attempt: 1, maxAttempts: 1 },
        );
    for (const storage of ["local", "offsite"])
      expect(readFileSync(join(here.path, storage, former.folder ?? "", "pin.json"), "utf8")).toContain(
        `"reason": "${done.id}"`,
      );
    expect(readFileSync(log, "utf8").trim().split("\n")).toEqual([
      `stop restore ${here.database}`,
      `start restore ${here.database}`,
    ]);
    expect((await deps.verifications.restores("shop")).length).toBe(1);

    await here.server.psql(here.database, "INSERT INTO orders VALUES (9001), (9002)");
    const undone = await shop.undone(done.id);
    expect(undone.undo?.error).toBeUndefined();
    expect(undone).toMatchObject({ status: "undone", undo: { status: "done", changes: { written: 2 } } });
    expect(await rows()).toBe(710);
    const agreed = await deps.approvals.read(undone.undo?.approval ?? "");
    expect(agreed?.details.map(({ key }) => key)).toContain("restoration-detail-undo-lost");

    here.clock.advance(23 * hour);
    expect((await shop.work(done.id)).undo?.droppedAt).toBeUndefined();
    here.clock.advance(2 * hour);
    const dropped = await shop.work(done.id);
    expect(dropped.undo?.droppedAt).toBe(here.clock.now().toISOString());
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
    expect((await deps.pins.all()).map(({ order }) => order.pinned)).toEqual([false]);
    expect(await deps.restorationStates.unsettled()).toEqual([]);
    expect(await shop.audit(done.id)).toEqual([
      "requested",
      "began",
      "programs-stopped",
      "swapped",
      "programs-started",
      "done",
      "undo-requested",
      "programs-stopped",
      "programs-started",
      "undone",
      "dropped",
    ]);
  });

  it("keeps its backup and the one made before, whatever the retention says, until the way back is closed", async () => {
    const { deps, ...shop } = world();
    const old = await shop.backUp();
    here.clock.advance(hour);
    await shop.backUp();
    const looked = await shop.looked({ backup: old.id });
    const prune = async () => {
      for (const storage of ["local", "offsite"])
        await deps.pruner.execute(
          { storage, name: "shop" },
          { signal: new AbortController().signal, jobId: "p", attempt: 1, maxAttempts: 1 },
        );
    };
    await prune();
    const isThere = (folder = "") =>
      ["local", "offsite"].map((storage) => existsSync(join(here.path, storage, folder)));
    expect(isThere(old.folder)).toEqual([true, true]);
    await deps.restorations.cancel(looked.id, alice);
    await prune();
    expect(isThere(join(old.folder ?? "", "manifest.json"))).toEqual([false, false]);
  });

  it("reads another copy when the first is damaged, and refuses when all are", async () => {
    const { deps, ...shop } = world();
    const backup = await shop.backUp();
    const artifact = (storage: string) =>
      join(here.path, storage, backup.folder ?? "", backup.manifest?.parts[0]?.file ?? "");
    flipBit(artifact("local"));
    const looked = await shop.looked({ backup: backup.id });
    expect(looked).toMatchObject({
      status: "ready",
      preflight: { storage: "offsite", passedOver: [{ storage: "local", reason: { key: "error-storage-damaged" } }] },
    });
    expect(await deps.verifications.suspicions()).toMatchObject([{ storage: "local", proven: true }]);
    flipBit(artifact("offsite"));
    const approval = await shop.approved(looked.id);
    const failed = await shop.carryOut(approval.id);
    expect(failed).toMatchObject({ status: "failed", error: { code: "storage-mismatch" } });
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
    await deps.restorations.lookAgain(failed.id, alice);
    expect(await shop.work(failed.id)).toMatchObject({ status: "refused", error: { code: "no-copy" } });
  });

  it("is void when its backup was removed between request and approval", async () => {
    const shop = world();
    const backup = await shop.backUp();
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    for (const storage of ["local", "offsite"])
      rmSync(join(here.path, storage, backup.folder ?? ""), { recursive: true });
    const failed = await shop.carryOut(approval.id);
    expect(failed).toMatchObject({ status: "failed", error: { code: "void", text: { key: "error-verify-no-copy" } } });
    expect(await shop.audit(id)).toEqual(["requested", "failed"]);
  });

  it("is void when the database was made anew meanwhile", async () => {
    const shop = world();
    const backup = await shop.backUp();
    const { id } = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(id);
    await here.server.psql("postgres", `DROP DATABASE ${here.database}`);
    await here.server.createDatabase(here.database, "CREATE TABLE orders (id int)");
    expect(await shop.carryOut(approval.id)).toMatchObject({
      status: "failed",
      error: { text: { key: "restoration-ended-void-target" } },
    });
    expect(await rows()).toBe(0);
  });

  it("can be cancelled as long as nothing was swapped", async () => {
    const { deps, ...shop } = world({ approvals: { approvers: 2 } });
    const backup = await shop.backUp();
    const first = await deps.restorations.request({
      name: "shop",
      backup: backup.id,
      place: "in-place",
      by: alice,
      target: chat,
    });
    expect((await deps.restorations.cancel(first.id, alice)).status).toBe("cancelled");
    expect((await shop.work(first.id)).status).toBe("cancelled");
    const ready = await shop.looked({ backup: backup.id });
    expect((await deps.restorations.cancel(ready.id, bob)).status).toBe("cancelled");
    const asked = await shop.looked({ backup: backup.id });
    const approval = await shop.approved(asked.id);
    expect(approval.status).toBe("open");
    expect((await deps.restorations.cancel(asked.id, alice)).status).toBe("cancelled");
    expect((await deps.approvals.read(approval.id))?.status).toBe("cancelled");
    // The other way round: taken back on the card of the approval.
    const again = await shop.looked({ backup: backup.id });
    const other = await shop.approved(again.id);
    await deps.approvals.decide(other.id, "reject", bob);
    expect(await deps.restorations.read(again.id)).toMatchObject({
      status: "cancelled",
      cancelRequestedBy: bob,
      error: { text: { key: "restoration-ended-rejected", args: { by: "bob" } } },
    });
  });

  it("expires when nobody confirms it, or approves it, in time", async () => {
    const { deps, ...shop } = world({ approvals: { approvers: 2 } });
    const backup = await shop.backUp();
    const ready = await shop.looked({ backup: backup.id });
    here.clock.advance(16 * 60_000);
    expect(deps.restorations.refusal(ready, "confirm", alice)).toBeDefined();
    await deps.restorations.step();
    expect((await deps.restorations.read(ready.id))?.status).toBe("expired");
    await deps.restorations.lookAgain(ready.id, alice);
    expect((await shop.work(ready.id)).status).toBe("ready");
    await shop.approved(ready.id);
    here.clock.advance(16 * 60_000);
    await deps.restorations.step();
    expect((await deps.restorations.read(ready.id))?.status).toBe("expired");
  });

  it("is refused while another one is at the same target", async () => {
    const { deps, ...shop } = world();
    const backup = await shop.backUp();
    const first = await shop.looked({ backup: backup.id });
    await shop.approved(first.id);
    const second = await shop.looked({ backup: backup.id });
    expect(second).toMatchObject({
      status: "refused",
      preflight: { obstacles: [{ key: "restoration-obstacle-other", args: { id: first.id } }] },
    });
    await deps.restorations.cancel(first.id, alice);
  });

  it("says why it refuses: an encrypted backup without its key, with another key", async () => {
    const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const { deps, ...shop } = world({ encryption: { recipients: [recipient], identity: [] } });
    const backup = await shop.backUp();
    expect(await shop.looked({ backup: backup.id })).toMatchObject({
      status: "refused",
      error: { code: "encryption", text: { key: "error-identity-needed" } },
    });
    expect(await deps.restorationStates.unsettled()).toEqual([]);
  });
});

describe("a restore beside what is live", () => {
  it("makes a database of another name, compares it, and touches nothing", async () => {
    const { deps, ...shop } = world();
    const backup = await shop.backUp();
    await here.server.psql(here.database, "DELETE FROM orders");
    const to = `${here.database}_copy`;
    expect(deps.restorations.besideName("shop")).toBe(`${here.database}_20260301_1200`);
    const looked = await shop.looked({ backup: backup.id, place: "beside", to });
    expect(looked.error).toBeUndefined();
    expect(looked).toMatchObject({ status: "ready", to, preflight: { obstacles: [], database: to } });
    const done = await shop.carryOut((await shop.approved(looked.id)).id);
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", result: { compared: { rows: 500 }, differencesTotal: 0 } });
    expect(done.undo).toBeUndefined();
    expect(done.former).toBeUndefined();
    expect([await rows(), await rows(to)]).toEqual([0, 500]);
    expect(await deps.restorationStates.unsettled()).toEqual([]);
    // The same once more: it is there already.
    expect(await shop.looked({ backup: backup.id, place: "beside", to })).toMatchObject({ status: "refused" });
  });

  it("offers what the kind can", async () => {
    const { deps, ...shop } = world();
    await shop.backUp();
    expect(await deps.restorations.choices("shop")).toEqual({
      places: ["in-place", "beside"],
      picks: "schema",
      pickPlaces: ["beside"],
      globals: true,
    });
    expect(await deps.restorations.choices("nothing")).toMatchObject({
      places: [],
      reason: { key: "restoration-reason-unconfigured" },
    });
  });
});

describe("the estimate", () => {
  it("is told from measured restores, the backup before it included", async () => {
    const shop = world();
    const backup = await shop.backUp();
    const first = await shop.looked({ backup: backup.id });
    expect(first.preflight?.estimate).toBeUndefined();
    await shop.carryOut((await shop.approved(first.id)).id);
    here.clock.advance(hour);
    const { preflight } = await shop.looked({ backup: backup.id });
    const [measured] = await shop.deps.verifications.restores("shop");
    expect(preflight?.estimate).toMatchObject({ measured: 1, backupMs: expect.any(Number) });
    const { totalMs = 0, backupMs = 0 } = preflight?.estimate ?? {};
    expect(totalMs - backupMs).toBe(measured?.totalMs);
  });
});
