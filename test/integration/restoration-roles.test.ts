import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { applicableRoles } from "../../src/core/globals.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { alice, bob, chat, restoreWorld } from "../support/restoration.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const secret = "worker-secret-1";
let server: PostgresServer;
let clock: ManualClock;
let path: string;

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", "CREATE TABLE orders (id int PRIMARY KEY)");
});
afterAll(async () => {
  await server?.stop();
});
beforeEach(async () => {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  path = made.path;
  clock = new ManualClock("2026-03-01T12:00:00Z");
  await server
    .psql("shop", `DROP OWNED BY app CASCADE; DROP ROLE IF EXISTS worker, app, newcomer`)
    .catch(async () => await server.psql("shop", "DROP ROLE IF EXISTS worker, app, newcomer"));
  await server.psql(
    "shop",
    `CREATE ROLE app; CREATE ROLE worker LOGIN PASSWORD '${secret}'; GRANT app TO worker; ALTER ROLE worker SET work_mem = '5MB'`,
  );
});

const world = () => restoreWorld(fixture, clock, { path, source: { kind: "postgres", url: server.url("shop") } });
type World = ReturnType<typeof world>;

/** Looked at, and asked for by the button of the card. */
async function asked(shop: World, backup: string, scope: "missing" | "all") {
  const looked = await shop.looked({ backup, place: "globals" });
  expect(looked.error).toBeUndefined();
  const { approval } = await shop.deps.restorations.confirm(looked.id, alice, chat, scope);
  return { looked, approval: approval ?? "" };
}

async function agreed(shop: World, approval: string): Promise<void> {
  const { status } = (await shop.deps.approvals.confirm(approval, alice, "shop", false)).approval;
  expect(status).toBe("approved");
}

describe("the roles of a backup", () => {
  it("are shown as a difference, and given once that was approved", async () => {
    const shop = world();
    const backup = await shop.backUp();
    await server.psql("shop", "DROP ROLE worker; ALTER ROLE app CREATEDB; CREATE ROLE newcomer");
    const { looked, approval } = await asked(shop, backup.id, "missing");
    expect(looked).toMatchObject({ status: "ready", place: "globals", roles: { storage: "local", host: "here" } });
    const look = looked.roles?.look;
    expect(look && [applicableRoles(look, "missing"), applicableRoles(look, "all"), look.extra]).toEqual([
      ["worker"],
      ["worker", "app"],
      ["newcomer"],
    ]);
    const order = await shop.deps.approvals.read(approval);
    expect(order).toMatchObject({
      action: "restore-globals",
      policyName: "restore",
      status: "typing",
      identity: { manifest: backup.manifestSha256, system: look?.system, roles: looked.roles?.digest },
    });
    // Nothing is done before it was approved.
    await shop.carryOut(approval);
    expect((await shop.deps.restorationStates.get(looked.id)).status).toBe("asked");
    await agreed(shop, approval);
    const done = await shop.carryOut(approval);
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ status: "done", applied: { made: ["worker"], altered: [], left: [] } });
    // With its password, its group and its setting; what was not asked for is as it was.
    expect(
      await server.psql(
        "shop",
        "SELECT rolcanlogin, pg_has_role('worker', 'app', 'MEMBER'), rolconfig FROM pg_roles WHERE rolname = 'worker'",
      ),
    ).toBe("t|t|{work_mem=5MB}");
    expect(await server.psql("shop", "SELECT rolcreatedb FROM pg_roles WHERE rolname = 'app'")).toBe("t");
    expect((await shop.deps.approvals.read(approval))?.status).toBe("done");
    // Once.
    await server.psql("shop", "DROP ROLE worker");
    await shop.carryOut(approval);
    expect(await server.psql("shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'worker'")).toBe("0");
    expect(await shop.audit(looked.id)).toEqual(["requested", "began", "done"]);
    const everything = JSON.stringify([done, order, await shop.deps.audit.of("restore", looked.id)]);
    expect(everything).not.toMatch(/SCRAM|worker-secret/);
    expect(await shop.deps.restorationStates.unsettled()).toEqual([]);
  });

  it("are altered too where that is wanted, and nothing is left to be done then", async () => {
    const shop = world();
    const backup = await shop.backUp();
    await server.psql("shop", "DROP ROLE worker; ALTER ROLE app CREATEDB");
    const { approval } = await asked(shop, backup.id, "all");
    expect((await shop.deps.approvals.read(approval))?.details.map(({ key }) => key)).toEqual([
      "restoration-detail-backup",
      "restoration-detail-roles-made",
      "restoration-detail-roles-altered",
      "restoration-detail-roles-kept",
      "restoration-detail-id",
    ]);
    await agreed(shop, approval);
    expect(await shop.carryOut(approval)).toMatchObject({
      status: "done",
      applied: { made: ["worker"], altered: ["app"], left: [] },
    });
    const again = await shop.looked({ backup: backup.id, place: "globals" });
    expect(again).toMatchObject({ status: "done", roles: { look: { missing: [], different: [] } } });
    expect(again.applied).toBeUndefined();
  });

  it("are not given when they differ in another way than was agreed to", async () => {
    const shop = world();
    const backup = await shop.backUp();
    await server.psql("shop", "DROP ROLE worker");
    const { looked, approval } = await asked(shop, backup.id, "missing");
    await agreed(shop, approval);
    await server.psql("shop", "ALTER ROLE app CREATEROLE");
    const failed = await shop.carryOut(approval);
    expect(await shop.deps.approvals.read(approval)).toMatchObject({
      status: "void",
      ended: { void: "target", facts: ["roles"] },
    });
    await shop.deps.restorations.step();
    expect((await shop.deps.restorationStates.get(failed.id)).status).toBe("failed");
    expect(await server.psql("shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'worker'")).toBe("0");
    // Looked at again, it can be agreed to anew.
    await shop.deps.restorations.lookAgain(looked.id, alice);
    expect(await shop.work(looked.id)).toMatchObject({ status: "ready" });
    const { approval: anew = "" } = await shop.deps.restorations.confirm(looked.id, alice, chat, "missing");
    await agreed(shop, anew);
    expect(await shop.carryOut(anew)).toMatchObject({ status: "done", applied: { made: ["worker"] } });
  });

  it("are left alone when it is cancelled, or not asked for as offered", async () => {
    const shop = world();
    const backup = await shop.backUp();
    await server.psql("shop", "DROP ROLE worker");
    const looked = await shop.looked({ backup: backup.id, place: "globals" });
    await expect(shop.deps.restorations.confirm(looked.id, alice, chat)).rejects.toMatchObject({ code: "conflict" });
    const { approval = "" } = await shop.deps.restorations.confirm(looked.id, alice, chat, "missing");
    expect(await shop.deps.restorations.cancel(looked.id, bob)).toMatchObject({ status: "cancelled" });
    await shop.carryOut(approval);
    expect(await server.psql("shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'worker'")).toBe("0");
  });

  it("say so when a backup has none", async () => {
    const shop = world();
    const choices = await shop.deps.restorations.choices("shop", (await shop.backUp()).id);
    expect(choices.globals).toBe(true);
    const without = restoreWorld(fixture, clock, { path, source: { kind: "files", paths: [path] }, prefix: "other" });
    await expect(
      without.deps.restorations.request({ name: "shop", backup: "x", place: "globals", by: alice, target: chat }),
    ).rejects.toMatchObject({ permanent: true });
  });
});
