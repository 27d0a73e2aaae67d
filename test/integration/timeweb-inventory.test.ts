import { describe, expect, test } from "vitest";
import { surelyNotDone } from "../../src/core/errors.ts";
import type { Inventory } from "../../src/providers/types.ts";
import type { TimewebSandboxOptions } from "../../src/sandbox/timeweb/index.ts";
import { never, startTimeweb, target } from "../support/timeweb.ts";

async function startAccount(options: TimewebSandboxOptions = {}) {
  const world = await startTimeweb({
    databases: [
      { id: 501, name: "app", size: 1000, used: 250, backupMs: 60_000 },
      { id: 502, name: "cluster", type: "postgres17", multiNode: true },
    ],
    buckets: [
      { id: 701, name: "backups", size: 2048, used: 1024, objects: 7 },
      { id: 702, name: "endless", size: 0, used: 5 },
    ],
    domains: [
      { fqdn: "a.example", expiration: "2026-04-01" },
      { fqdn: "b.example", expiration: "0000-00-00" },
    ],
    ...options,
  });
  const { inventory } = world.provider;
  if (!inventory) throw new Error("no inventory");
  return { ...world, inventory };
}

const settings = {
  enabled: true,
  copies: 5,
  interval: "week",
  startAt: "2026-03-02T00:00:00.000Z",
  dayOfWeek: 3,
} as const;
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe("what an account has beside servers", () => {
  test("money, domains, databases and buckets, in our units and without a secret", async () => {
    const { inventory } = await startAccount({ finances: { balance: 100.5, hourly_cost: 2, hours_left: 50 } });
    const found = {
      finances: await inventory.finances(never),
      domains: await inventory.domains(never),
      databases: await inventory.databases(never),
      buckets: await inventory.buckets(never),
    };
    expect(found.finances).toEqual({ balance: 100.5, currency: "RUB", hourlyCost: 2, hoursLeft: 50 });
    expect(found.domains).toEqual([
      { name: "a.example", expiresAt: new Date("2026-04-01T00:00:00Z") },
      { name: "b.example", expiresAt: undefined },
    ]);
    expect(found.databases[0]).toEqual({
      id: "501",
      name: "app",
      type: "postgres16",
      status: "on",
      diskBytes: 1000 * 1024,
      usedBytes: 250 * 1024,
      autoBackups: true,
    });
    expect(found.buckets).toEqual([
      { id: "701", name: "backups", limitBytes: 2 * 1024 ** 2, usedBytes: 1024 ** 2, objects: 7, location: "ru-1" },
      { id: "702", name: "endless", limitBytes: undefined, usedBytes: 5120, objects: 1200, location: "ru-1" },
    ]);
    expect(JSON.stringify(found)).not.toContain("secret");
  });

  test("no hours that are left, and statuses that nobody knows", async () => {
    const { sandbox, inventory } = await startAccount({ finances: { hours_left: null } });
    expect((await inventory.finances(never))?.hoursLeft).toBeUndefined();
    const seen: (string | undefined)[] = [];
    for (const word of ["stopped", "starting", "dreaming"]) {
      sandbox.setDatabaseStatus(501, word);
      seen.push((await inventory.databases(never))[0]?.status);
    }
    expect(seen).toEqual(["off", "busy", "unknown"]);
  });

  test("a list of several pages is read whole", async () => {
    const domains = Array.from({ length: 230 }, (_, n) => ({ fqdn: `d${n}.example`, expiration: "2027-01-01" }));
    const { sandbox, inventory } = await startAccount({ domains });
    expect((await inventory.domains(never)).map(({ name }) => name)).toEqual(domains.map(({ fqdn }) => fqdn));
    expect(sandbox.counts()["GET /api/v1/domains"]).toBe(3);
  });

  test("copies of a disk", async () => {
    const { sandbox, inventory } = await startAccount();
    sandbox.setDisk(101, { size: 1000, used: 100, growth: 0 });
    const [copy] = await inventory.diskBackups(target(101), "1010", never);
    expect(copy).toMatchObject({ status: "done", comment: "before the update", bytes: 100 * 1024 ** 2 });
    await expect(inventory.diskBackups(target(101), "9", never)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a backup of a managed database", () => {
  const newest = async (inventory: Inventory, id: string) => (await inventory.databaseBackups(id, never))[0];

  test("is ordered once, told from others by its comment, and followed until it is done", async () => {
    const { sandbox, inventory, clock } = await startAccount();
    const made = await inventory.backUpDatabase("501", "order 7", never);
    expect(made).toMatchObject({ status: "making", progress: 0, comment: "order 7", at: clock.now() });
    clock.advance(30_000);
    expect(await newest(inventory, "501")).toMatchObject({ id: made?.id, status: "making", progress: 50 });
    clock.advance(31_000);
    const done = await newest(inventory, "501");
    expect(done).toMatchObject({ status: "done", comment: "order 7", bytes: 1024 ** 2 });
    expect(done?.progress).toBeUndefined();
    expect(sandbox.counts()["POST /api/v1/dbs/:id/backups"]).toBe(1);
  });

  test("that fails says so", async () => {
    const { sandbox, inventory } = await startAccount();
    await inventory.backUpDatabase("501", "order 8", never);
    sandbox.failBackups(501);
    expect(await newest(inventory, "501")).toMatchObject({ status: "failed", comment: "order 8" });
  });

  test("of several nodes is made without being named", async () => {
    const { inventory } = await startAccount();
    expect(await inventory.backUpDatabase("502", "order 9", never)).toBeUndefined();
    expect(await newest(inventory, "502")).toMatchObject({ comment: "order 9", status: "making" });
  });

  test("whose answer is lost leaves open whether it is made, and is not ordered again", async () => {
    const { sandbox, inventory } = await startAccount();
    sandbox.addFault({ kind: "lost-answer", method: "POST" });
    expect(surelyNotDone(await failure(inventory.backUpDatabase("501", "order 10", never)))).toBe(false);
    expect(sandbox.counts()["POST /api/v1/dbs/:id/backups"]).toBe(1);
    expect(await newest(inventory, "501")).toMatchObject({ comment: "order 10" });
  });

  test("whose answer is garbage is made all the same", async () => {
    const { sandbox, inventory } = await startAccount();
    sandbox.addFault({ kind: "garbage", method: "POST" });
    expect(await inventory.backUpDatabase("501", "order 11", never)).toBeUndefined();
  });
});

describe("automatic backups", () => {
  test("are shown and changed as a whole", async () => {
    const { inventory } = await startAccount();
    expect(await inventory.autoBackups("501", never)).toMatchObject({ enabled: true, copies: 7, interval: "day" });
    await inventory.setAutoBackups("501", settings, never);
    expect(await inventory.autoBackups("501", never)).toEqual(settings);
    await inventory.setAutoBackups("501", { enabled: false }, never);
    expect(await inventory.autoBackups("501", never)).toEqual({ ...settings, enabled: false });
  });

  test("are not turned on by half", async () => {
    const { sandbox, inventory } = await startAccount();
    const half = await failure(inventory.setAutoBackups("501", { enabled: true, copies: 3 }, never));
    expect(half).toMatchObject({ code: "provider-refused", text: { args: { what: "interval, startAt" } } });
    const { dayOfWeek: _, ...weekly } = settings;
    const week = await failure(inventory.setAutoBackups("501", weekly, never));
    expect(week).toMatchObject({ text: { args: { what: "dayOfWeek" } } });
    expect(surelyNotDone(week)).toBe(true);
    expect(sandbox.requests()).toEqual([]);
  });

  test("that the API refuses say why", async () => {
    const { inventory } = await startAccount();
    const refused = await failure(inventory.setAutoBackups("501", { ...settings, copies: 500 }, never));
    expect(refused).toMatchObject({
      code: "provider-refused",
      text: { key: "error-provider-refused", args: { reason: "copy_count must be a number from 1 to 99" } },
    });
    await expect(inventory.autoBackups("9", never)).rejects.toMatchObject({ code: "not-found" });
  });
});
