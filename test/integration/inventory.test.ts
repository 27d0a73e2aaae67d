import { describe, expect, test } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import { inventoryCheck } from "../../src/services/watch/inventory.ts";
import { Watch } from "../../src/services/watch/watch.ts";
import { account, type InventoryWorld, inventoryWorld, job, minute } from "../support/inventory.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const hour = 60 * minute;
const day = 24 * hour;

/** What is said of an account: each open incident as "severity title", after another reading of it. */
async function warned(world: InventoryWorld, elapsedMs = hour): Promise<string[]> {
  const { deps, clock } = world;
  clock.advance(elapsedMs);
  await world.readAccount();
  await new Watch("bot", deps, [inventoryCheck(deps)]).step();
  return (await deps.incidents.open())
    .filter(({ status }) => status === "firing")
    .map(({ severity, title, labels }: Incident) => {
      const about = labels["domain"] ?? labels["bucket"] ?? labels["provider"] ?? "?";
      return `${severity} ${typeof title === "string" ? title : title.key} ${about}`;
    })
    .toSorted();
}

const plenty = { balance: 10_000, hourly_cost: 1 };

describe("the money of an account", () => {
  test("is warned of when it lasts less than three days, urgently on the last one, and no more when it is paid in", async () => {
    const world = await inventoryWorld(fixture, { finances: plenty });
    expect(await warned(world)).toEqual([]);
    world.sandbox.setFinances({ balance: 71, hourly_cost: 1 });
    expect(await warned(world)).toEqual([`warning watch-balance ${account}`]);
    world.sandbox.setFinances({ balance: 23, hourly_cost: 1 });
    expect(await warned(world)).toEqual([`critical watch-balance ${account}`]);
    // The same incident all the time.
    expect(await world.deps.incidents.openCount()).toBe(1);
    world.sandbox.setFinances(plenty);
    expect(await warned(world)).toEqual([]);
  });

  test("is reckoned where the provider does not say how long it lasts, and unknown where nothing is spent", async () => {
    const world = await inventoryWorld(fixture, { finances: { balance: 30, hourly_cost: 1, hours_left: null } });
    expect(await warned(world)).toEqual([`warning watch-balance ${account}`]);
    world.sandbox.setFinances({ balance: 0, hourly_cost: 0, hours_left: 0 });
    expect(await warned(world)).toEqual([]);
  });

  test("is warned of as the configuration says", async () => {
    const world = await inventoryWorld(fixture, { finances: { balance: 100, hourly_cost: 1 } }, (config) => ({
      ...config,
      providers: {
        [account]: {
          kind: "timeweb",
          config: { ...Object(config.providers[account]?.config), warn: { hoursLeft: 240 * hour } },
        },
      },
    }));
    expect(await warned(world)).toEqual([`warning watch-balance ${account}`]);
  });
});

/** How the only incident reads. */
async function said({ deps }: InventoryWorld, locale: Locale = "en"): Promise<string> {
  const [incident] = await deps.incidents.open();
  const { text } = incident ?? {};
  return typeof text === "object" ? messagesOf(locale).plain(text.key, text.args) : "";
}

describe("what is said", () => {
  test("is that money is left as long as there is any, and no cost that nobody knows", async () => {
    const world = await inventoryWorld(fixture, { finances: { balance: 1, hourly_cost: 2 } });
    await warned(world);
    expect(await said(world)).toMatch(/^1 RUB are left, at 2 RUB an hour: less than an hour\. Pay in now/);
    expect(await said(world, "ru")).toMatch(/^Осталось 1 RUB при расходе 2 RUB в час: не хватит и на час\./);
    world.sandbox.setFinances({ balance: 0, hourly_cost: 2 });
    await warned(world);
    expect(await said(world)).toMatch(/nothing is paid for any more/);
  });

  test("is how long it lasts, where the cost is not told", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock } = world;
    const value = { balance: 90, currency: "RUB", hoursLeft: 50 };
    const at = clock.now();
    await deps.inventoryStates.note("account", account, { at, finances: { known: { at, value } } });
    await new Watch("bot", deps, [inventoryCheck(deps)]).step();
    expect(await said(world)).toMatch(/^90 RUB are left: about 2 days\./);
    expect(await said(world, "ru")).toMatch(/^Осталось 90 RUB: хватит примерно на 2 дня\./);
  });

  test("is the limit of a bucket, however small it is", async () => {
    const world = await inventoryWorld(fixture, {
      finances: plenty,
      buckets: [{ id: 1, name: "small", size: 4000, used: 3900 }],
    });
    await warned(world);
    expect(await said(world)).toMatch(/^97 % of 4\.1 MB are in use/);
    world.sandbox.addBucket({ id: 1, name: "small", size: 20_000_000, used: 19_900_000 });
    await warned(world);
    expect(await said(world, "ru")).toMatch(/^Занято 99 % из 20,48 ГБ\./);
  });

  test("is what is not told, in the reader's words", async () => {
    const world = await inventoryWorld(fixture, { finances: plenty });
    world.sandbox.addFault({ kind: "status", status: 500 });
    await warned(world);
    await warned(world, day + minute);
    expect(await said(world, "ru")).toContain("деньги, домены, бакеты, базы.");
  });
});

describe("domains and buckets", () => {
  test("are one incident each; what nobody knows the end of has not ended", async () => {
    const domains = [
      { fqdn: "far.example", expiration: "2027-03-01" },
      { fqdn: "unknown.example", expiration: "0000-00-00" },
      { fqdn: "soon.example", expiration: "2026-03-20" },
      { fqdn: "now.example", expiration: "2026-03-05" },
      { fqdn: "over.example", expiration: "2026-02-01" },
    ];
    const buckets = [
      { id: 1, name: "roomy", size: 1000, used: 100 },
      { id: 2, name: "endless", size: 0, used: 10_000_000 },
      { id: 3, name: "nearly", size: 1000, used: 900 },
      { id: 4, name: "full", size: 1000, used: 970 },
    ];
    const world = await inventoryWorld(fixture, { finances: plenty, domains, buckets });
    expect(await warned(world)).toEqual([
      "critical watch-bucket full",
      "critical watch-domain now.example",
      "critical watch-domain-ended over.example",
      "warning watch-bucket nearly",
      "warning watch-domain soon.example",
    ]);
    const record = await world.deps.inventoryStates.read("account", account);
    expect(record?.domains?.known?.value.map(({ name }) => name)).toEqual([
      "over.example",
      "now.example",
      "soon.example",
      "far.example",
      "unknown.example",
    ]);
    world.sandbox.addBucket({ id: 4, name: "full", size: 1000, used: 500 });
    expect(await warned(world)).not.toContain("critical watch-bucket full");
  });
});

describe("an API that cannot be asked", () => {
  test("changes nothing of what is known, alarms nobody, and is said when a day is over", async () => {
    const world = await inventoryWorld(fixture, {
      finances: { balance: 71, hourly_cost: 1 },
      domains: [{ fqdn: "edge.example", expiration: "2026-03-31" }],
    });
    const before = await warned(world, 0);
    expect(before).toEqual(["warning watch-balance timeweb", "warning watch-domain edge.example"]);
    for (const fault of [
      { kind: "status", status: 500 },
      { kind: "status", status: 404, body: "html" },
      { kind: "garbage" },
      { kind: "form" },
      { kind: "status", status: 401, body: "empty" },
    ] as const) {
      world.sandbox.clearFaults();
      world.sandbox.addFault(fault);
      expect(await warned(world)).toEqual(before);
    }
    const { finances } = (await world.deps.inventoryStates.read("account", account)) ?? {};
    expect(finances).toMatchObject({
      known: { value: { balance: 71 } },
      failed: { error: { code: "provider-token" } },
    });
    expect(await warned(world, day)).toEqual(["warning watch-account timeweb", ...before]);
    world.sandbox.clearFaults();
    world.sandbox.setFinances(plenty);
    // A day later the domain is still only soon to end.
    expect(await warned(world)).toEqual(["warning watch-domain edge.example"]);
  }, 120_000);

  test("for one part leaves the others", async () => {
    const world = await inventoryWorld(fixture, { finances: plenty });
    world.sandbox.addFault({ kind: "status", status: 500, path: "/domains" });
    await world.readAccount();
    const record = await world.deps.inventoryStates.read("account", account);
    expect(record?.domains?.failed).toBeDefined();
    expect(record?.domains?.known).toBeUndefined();
    expect(record?.finances?.known?.value.balance).toBe(10_000);
    expect(record?.databases?.known?.value.map(({ name }) => name)).toEqual(["shop", "crm"]);
  });
});

describe("what is kept", () => {
  test("has no secret of the provider's in it, and is whole after Redis has lost its data", async () => {
    const world = await inventoryWorld(fixture, { buckets: [{ id: 1, name: "b" }] });
    const { deps, sandbox } = world;
    const readAll = async (): Promise<void> => {
      await world.readAccount();
      await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
      await deps.inventoryReader.execute({ kind: "database", id: `${account}/7` }, job);
    };
    await readAll();
    const { redis } = deps;
    const kinds = ["account", "server", "database"] as const;
    const keys = kinds.map((kind) => `${deps.config.redis.prefix}:v1:inventory:${kind}`);
    const kept = JSON.stringify(await Promise.all(keys.map(async (key) => await redis.hgetall(key))));
    expect(kept).toContain("203.0.113.7");
    expect(kept).not.toContain("secret");
    expect(kept).not.toContain(sandbox.token);
    await redis.flushall();
    expect(await deps.inventoryStates.read("server", "web-1")).toBeUndefined();
    await deps.inventoryOrders.step();
    expect(await deps.producer.isPending("inventory", `inventory.account.${account}`)).toBe(true);
    await readAll();
    expect((await deps.inventoryStates.read("database", `${account}/7`))?.backups?.known?.value).toHaveLength(1);
  });

  test("of a server is what it is, what was done to it and its disks' backups", async () => {
    const { deps } = await inventoryWorld(fixture);
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    const details = await deps.inventoryStates.read("server", "web-1");
    expect(details?.facts?.known?.value).toMatchObject({ status: "on", cores: expect.any(Number) });
    expect(details?.backups?.known?.value).toMatchObject([
      { isSystem: true, backups: [{ comment: "before the update" }] },
    ]);
    expect(details?.backups?.known?.value[0]?.backups[0]?.at).toBeInstanceOf(Date);
    expect(details?.consoleUrl).toMatch(/^https:/);
    // Of a kind that tells nothing else there is nothing, and that is no failure.
    const { done } = (await deps.inventoryReader.execute({ kind: "server", id: "db-1" }, job)) as { done: object };
    expect(done).toMatchObject({ failed: 0 });
  });

  test("is never an older answer than is there, but for one of a clock that was ahead", async () => {
    const { deps, clock } = await inventoryWorld(fixture);
    const { inventoryStates } = deps;
    const at = (ms: number) => ({ at: new Date(clock.now().getTime() + ms) });
    expect(await inventoryStates.note("account", "a", at(1000))).toBe(true);
    expect(await inventoryStates.note("account", "a", at(0))).toBe(false);
    expect(await inventoryStates.note("account", "a", at(day))).toBe(true);
    expect(await inventoryStates.note("account", "a", at(2000))).toBe(true);
  });
});

describe("the clock", () => {
  test("has an account read every hour, sooner after a failure, and forgets what is not configured", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox } = world;
    const isPending = async () => await deps.producer.isPending("inventory", `inventory.account.${account}`);
    const isDue = async (): Promise<boolean> => {
      await deps.inventoryOrders.step();
      const pending = await isPending();
      await deps.producer.forget("inventory", `inventory.account.${account}`);
      return pending;
    };
    expect(await isDue()).toBe(true);
    await world.readAccount();
    expect(await isDue()).toBe(false);
    clock.advance(hour - 1000);
    expect(await isDue()).toBe(false);
    clock.advance(1000);
    expect(await isDue()).toBe(true);
    // The clock was set back by a day: what is ahead of it is no reason to wait for it.
    await world.readAccount();
    clock.advance(-day);
    expect(await isDue()).toBe(true);
    sandbox.addFault({ kind: "status", status: 500, path: "/domains" });
    await world.readAccount();
    clock.advance(hour / 6);
    expect(await isDue()).toBe(true);
    await deps.inventoryStates.note("server", "gone-1", { at: clock.now() });
    await deps.inventoryStates.note("database", "other/7", { at: clock.now() });
    await deps.inventoryOrders.step();
    expect(await deps.inventoryStates.read("server", "gone-1")).toBeUndefined();
    expect(await deps.inventoryStates.read("database", "other/7")).toBeUndefined();
  });
});
