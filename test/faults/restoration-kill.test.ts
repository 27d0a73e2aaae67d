import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { databasesOf } from "../support/replace.ts";
import { alice, chat, type RestoreConfig, type RestoreWorld } from "../support/restoration.ts";
import type { RestoreChildOrder } from "../support/restoration-child.ts";
import { useRestoreDatabase } from "../support/restore-database.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const here = useRestoreDatabase(fixture);
const { rows, backedUp, say, said } = here;
let config: RestoreConfig;
let shop: RestoreWorld;

beforeEach(() => {
  config = {
    path: here.path,
    prefix: fixture.keys().root.split(":")[0] ?? "",
    redisUrl: fixture.server.url,
    source: { kind: "postgres", url: here.server.url(here.database), counts: "exact" },
    restore: { stop: [say("stop")], start: [say("start")] },
  };
  shop = here.world(config);
});

/** A worker that carries it out and is killed there. */
async function killedAt(approval: string, dieAt: string): Promise<void> {
  const order: RestoreChildOrder = { config, approval, dieAt, now: here.clock.now().toISOString() };
  const script = join(import.meta.dirname, "../support/restoration-child.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(order)], { stdio: ["ignore", "inherit", "inherit"] });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect({ code, signal, dieAt }).toEqual({ code: null, signal: "SIGKILL", dieAt });
}

async function approved(): Promise<{ id: string; approval: string }> {
  const backup = await backedUp(shop);
  const { id, error } = await shop.looked({ backup: backup.id });
  expect(error).toBeUndefined();
  return { id, approval: (await shop.approved(id)).id };
}

describe("a worker that is killed while it restores", () => {
  it.each([
    ["is-running", "check"],
    ["check", "check"],
    ["backup", "backup"],
    ["make", "restore"],
    ["prepared", "restore"],
    ["stop", "stop"],
    ["swap", "swap"],
    ["swapped", "swap"],
    ["start", "start"],
  ])("at %s: the next one goes on to the end", async (dieAt, interruptedIn) => {
    const { approval } = await approved();
    await killedAt(approval, dieAt);
    const done = await shop.carryOut(approval);
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", interruptedIn, attempt: 2 });
    expect(await rows()).toBe(500);
    // Whatever was stopped runs.
    expect(said().at(-1)).toBe("start");
    expect(done.programs).toBeUndefined();
    expect((await shop.deps.runs.list("shop", 10)).length).toBe(2);
    expect(await shop.audit(done.id)).toContain("resumed");
    expect((await shop.undone(done.id)).status).toBe("undone");
    expect(await rows()).toBe(10);
  });

  it("can be cancelled afterwards: what it has made is removed", async () => {
    const { id, approval } = await approved();
    await killedAt(approval, "prepared");
    await shop.deps.restorations.cancel(id, alice);
    expect(await shop.carryOut(approval)).toMatchObject({ status: "cancelled" });
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
    expect(await rows()).toBe(10);
  });

  it("again and again: it is given up, tidied up, and what was stopped is started", async () => {
    const { id, approval } = await approved();
    for (let attempt = 1; attempt <= 5; attempt++) await killedAt(approval, "stop");
    expect(await shop.carryOut(approval)).toMatchObject({ status: "failed", cleanUp: true });
    const tidied = await shop.work(id);
    expect(tidied).toMatchObject({ status: "failed", error: { text: { key: "error-restoration-lost" } } });
    expect(tidied.cleanUp).toBeUndefined();
    expect(await databasesOf(here.server, here.database)).toBe(`${here.database} t`);
  });
});

describe("a worker that is killed while it takes a restore back", () => {
  it.each(["undoing", "undo-undo", "undo-undone"])("at %s: the next one goes on to the end", async (dieAt) => {
    const { approval } = await approved();
    const { id } = await shop.carryOut(approval);
    await shop.deps.restorations.undo(id, alice, chat);
    const { undo } = await shop.work(id);
    const agreed = undo?.approval ?? "";
    await shop.deps.approvals.confirm(agreed, alice, "shop", false);
    await killedAt(agreed, dieAt);
    expect(await shop.carryOut(agreed)).toMatchObject({ status: "undone", undo: { status: "done" } });
    expect(await rows()).toBe(10);
    expect(said().at(-1)).toBe("start");
  });
});

describe("a worker that is killed while it gives roles", () => {
  it.each(["swap", "given"])("at %s: the next one finds what was given, and gives the rest once", async (dieAt) => {
    await here.server.psql(
      here.database,
      "CREATE ROLE clerk LOGIN; CREATE ROLE guard; ALTER ROLE clerk SET work_mem = '5MB'",
    );
    onTestFinished(async () => void (await here.server.psql(here.database, "DROP ROLE IF EXISTS clerk, guard")));
    const backup = await shop.backUp();
    await here.server.psql(here.database, "DROP ROLE clerk, guard");
    const { id } = await shop.looked({ backup: backup.id, place: "globals" });
    const { approval = "" } = await shop.deps.restorations.confirm(id, alice, chat, "missing");
    await shop.deps.approvals.confirm(approval, alice, "shop", false);
    await killedAt(approval, dieAt);
    const done = await shop.carryOut(approval);
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({
      status: "done",
      attempt: 2,
      applied: { made: ["clerk", "guard"], altered: [], left: [] },
    });
    expect(await here.server.psql(here.database, "SELECT rolconfig FROM pg_roles WHERE rolname = 'clerk'")).toBe(
      "{work_mem=5MB}",
    );
    expect(await shop.audit(id)).toEqual(["requested", "began", "resumed", "done"]);
  });
});
