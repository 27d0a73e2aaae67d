import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { jobContext } from "../support/catalogue.ts";
import { alice, chat, type RestoreWorld } from "../support/restoration.ts";
import { useRestoreDatabase } from "../support/restore-database.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const here = useRestoreDatabase(fixture);
const { world } = here;
/** Says that it was begun, and waits until the test lets it go on. */
const waits = (what: string) => [
  "sh",
  "-c",
  `touch ${join(here.path, what)}; while [ ! -e ${join(here.path, `${what}-go`)} ]; do sleep 0.02; done`,
];
const begun = async (what: string) =>
  await vi.waitFor(() => expect(existsSync(join(here.path, what))).toBe(true), 20_000);
const goOn = (what: string) => writeFileSync(join(here.path, `${what}-go`), "");

async function ordered({ deps }: RestoreWorld): Promise<string> {
  here.clock.advance(1000);
  const { run } = await deps.orders.request({ name: "shop", trigger: "chat", requestedBy: alice, target: chat });
  return run.id;
}

describe("backups of the same name and what replaces what they read", () => {
  it("one that is under way is waited for before anything is stopped, and that is said", async () => {
    const prefix = fixture.keys().root.split(":")[0] ?? "";
    const shop = world({ prefix, restore: { backup: "off" } });
    const { id: backup } = await shop.backUp();
    const { id } = await shop.looked({ backup });
    const approval = await shop.approved(id);
    const held = join(here.path, "held");
    const other = world({ prefix, restore: { backup: "off" }, backup: { hooks: { before: [waits("held")] } } });
    const run = await ordered(other);
    const running = other.deps.runner.execute(run, jobContext());
    await begun("held");
    const carried = shop.carryOut(approval.id);
    await vi.waitFor(async () => {
      const { waitsFor, phase } = await shop.deps.restorationStates.get(id);
      expect({ waitsFor, phase }).toEqual({ waitsFor: run, phase: "restore" });
    }, 30_000);
    // What is read is kept from a command line that knows no Redis.
    const leases = () => readdirSync(join(here.path, "local", "shop")).filter((name) => name.startsWith("lease-"));
    expect(leases()).toHaveLength(1);
    expect(existsSync(held)).toBe(true);
    goOn("held");
    await running;
    const done = await carried;
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done" });
    expect(done.waitsFor).toBeUndefined();
    expect((await shop.deps.runs.get(run)).status).toBe("succeeded");
    expect(leases()).toEqual([]);
    expect(await shop.deps.leases.holder("backup:shop")).toBeUndefined();
  });

  it("none is begun while it is exchanged, nor while it is taken back; each is made up for afterwards", async () => {
    const shop = world({ restore: { stop: [waits("stop")] } });
    const { id: backup } = await shop.backUp();
    const { id } = await shop.looked({ backup });
    const approval = await shop.approved(id);
    const carried = shop.carryOut(approval.id);
    await begun("stop");
    const run = await ordered(shop);
    expect(await shop.deps.runner.execute(run, jobContext())).toEqual({ later: expect.any(Number) });
    expect(await shop.deps.runs.get(run)).toMatchObject({ status: "queued", waitsFor: `restore ${id}` });
    goOn("stop");
    expect(await carried).toMatchObject({ status: "done" });
    await shop.deps.runner.execute(run, jobContext());
    expect((await shop.deps.runs.get(run)).status).toBe("succeeded");
    expect(await shop.undone(id)).toMatchObject({ status: "undone" });
    expect(await shop.deps.leases.holder("backup:shop")).toBeUndefined();
  });

  it("can be cancelled while it waits", async () => {
    const shop = world({ restore: { backup: "off" } });
    const { id: backup } = await shop.backUp();
    const { id } = await shop.looked({ backup });
    const approval = await shop.approved(id);
    const lease = await shop.deps.leases.acquire("backup:shop", {
      ttlMs: 30_000,
      holder: "retention local",
      signal: new AbortController().signal,
    });
    const carried = shop.carryOut(approval.id);
    await vi.waitFor(
      async () => expect((await shop.deps.restorationStates.get(id)).waitsFor).toBe("retention local"),
      30_000,
    );
    await shop.deps.restorations.cancel(id, alice);
    expect(await carried).toMatchObject({ status: "cancelled" });
    await lease.release();
  });
});
