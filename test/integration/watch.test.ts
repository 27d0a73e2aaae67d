import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { isOpen } from "../../src/core/incident.ts";
import { backupOf } from "../../src/services/schedules.ts";
import { tick } from "../../src/services/tick.ts";
import { workersWatch } from "../../src/services/watch/index.ts";
import { OwnHeartbeat } from "../../src/services/watch/own-heartbeat.ts";
import { Presences } from "../../src/state/presence.ts";
import { Keys } from "../../src/state/redis.ts";
import { useRedis } from "../support/state.ts";
import { hour, minute, presence, second, watchWorld } from "../support/watch.ts";

const fixture = useRedis();
const by = { id: 111, name: "alice" };

/** A worker whose clock's job is done, too. */
async function healthy(change: object = {}) {
  const world = watchWorld(fixture, change);
  world.alive.add(presence("worker")).add(presence("bot"));
  const ticking = { now: true };
  const worker = world.process();
  const watch = workersWatch(worker);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; ) {
      const next = Math.min(10 * second, ms - passed);
      passed += next;
      if (ticking.now) await tick({ ...worker, watch });
      await world.pass(next);
    }
  };
  return { ...world, pass, ticking, worker };
}

describe("a quiet start", () => {
  test("raises nothing, with bot and worker and a night of schedules", async () => {
    const { pass, deps } = await healthy();
    await pass(10 * minute);
    expect(await deps.incidents.openCount()).toBe(0);
    expect(await deps.incidents.endedCount()).toBe(0);
  });

  test("raises nothing in the first minute, before any worker is there", async () => {
    const { pass, open } = watchWorld(fixture);
    await pass(55 * second);
    expect(await open()).toEqual([]);
  });

  test("after everything was away for a day raises nothing either, while it comes back one by one", async () => {
    const world = await healthy();
    await world.pass(2 * minute);
    world.clock.advance(24 * hour);
    world.alive.clear();
    world.ticking.now = false;
    await world.pass(50 * second);
    world.alive.add(presence("worker")).add(presence("bot"));
    world.ticking.now = true;
    await world.pass(8 * minute);
    expect(await world.deps.incidents.openCount()).toBe(0);
    expect(await world.deps.incidents.endedCount()).toBe(0);
    expect((await world.deps.runs.list("app", 5)).map(({ trigger }) => trigger)).toEqual(["catch-up"]);
  });
});

describe("workers", () => {
  test("that are all gone are told as critical within a minute or so, and as back at once", async () => {
    const { alive, pass, open, deps } = watchWorld(fixture);
    alive.add(presence("worker"));
    await pass(30 * second);
    alive.clear();
    await pass(50 * second);
    expect(await open("workers")).toEqual([]);
    await pass(20 * second);
    expect(await open("workers")).toEqual(["critical no-worker"]);
    alive.add(presence("worker"));
    await pass(10 * second);
    expect(await open("workers")).toEqual([]);
    const [incident] = await deps.incidents.endedSince(new Date(0), 10);
    expect(incident).toMatchObject({
      status: "resolved",
      labels: { check: "workers" },
      text: {
        key: "watch-over",
        args: {
          from: { moment: "2026-03-01T12:00:00.000Z", timezone: "UTC" },
          to: { moment: "2026-03-01T12:01:00.000Z", timezone: "UTC" },
        },
      },
    });
  });

  test("are not needed where nothing is configured for them", async () => {
    const { pass, open } = watchWorld(fixture, { backups: [] });
    await pass(5 * minute);
    expect(await open("workers")).toEqual([]);
  });

  test("of a host that the configuration names are missed by themselves", async () => {
    const { alive, pass, open, incidents } = watchWorld(fixture, {
      backups: [{ name: "app", host: "db-2", storages: [], catchUp: true }],
      storages: { local: { kind: "local", path: "/x", host: "db-1" } },
    });
    alive.add(presence("worker", "db-1"));
    await pass(2 * minute);
    expect(await open("workers")).toEqual(["warning no-host"]);
    expect((await incidents()).find(({ labels }) => labels["check"] === "workers")?.labels).toEqual({
      check: "workers",
      host: "db-2",
    });
    alive.add(presence("worker", "db-2"));
    await pass(10 * second);
    expect(await open("workers")).toEqual([]);
  });

  test("stay missed when another bot goes on, also one that was away itself", async () => {
    const { pass, open, takeOver, clock, deps } = watchWorld(fixture);
    await pass(2 * minute);
    expect(await open("workers")).toEqual(["critical no-worker"]);
    clock.advance(10 * minute);
    await takeOver().step();
    expect(await open("workers")).toEqual(["critical no-worker"]);
    expect((await deps.incidents.open())[0]?.times).toBe(1);
  });

  test("whose clock is wrong are alive all the same", async () => {
    const { clock, deps, pass, open } = watchWorld(fixture);
    // What a worker writes whose clock is ten minutes ahead.
    const wrong = new Presences(fixture.redis, keysOf(deps), () => Date.now() + 10 * minute);
    for (let passed = 0; passed < 9; passed++) {
      await wrong.write(
        presence("worker", "db-1", { seenAt: new Date(clock.now().getTime() + 10 * minute).toISOString() }),
      );
      await pass(10 * second);
    }
    const [alive] = await deps.presences.alive(clock.now(), 20_000);
    expect(alive?.aheadMs).toBeGreaterThan(9 * minute);
    expect([await open("workers"), await open("clocks")]).toEqual([[], ["warning clock-host"]]);
  });
});

function keysOf(deps: { config: { redis: { prefix: string } } }) {
  return new Keys(deps.config.redis.prefix);
}

describe("an incident of the watch", () => {
  test("that a person has closed stays closed while it lasts, and begins anew the next time", async () => {
    const { alive, pass, open, incidents, deps } = watchWorld(fixture);
    await pass(90 * second);
    await deps.alerts.close((await incidents())[0]?.id ?? "", by);
    await pass(5 * minute);
    expect(await open("workers")).toEqual([]);
    alive.add(presence("worker"));
    await pass(10 * second);
    alive.clear();
    await pass(2 * minute);
    expect(await open("workers")).toEqual(["critical no-worker"]);
  });

  test("is raised although another check fails", async () => {
    const { pass, open, deps } = watchWorld(fixture);
    deps.producer.look = () => Promise.reject(new Error("broken"));
    deps.contact.read = () => Promise.reject(new Error("broken"));
    await pass(90 * second);
    expect(await open("workers")).toEqual(["critical no-worker"]);
  });

  test("is reported once more when the bot was killed before it was remembered, as the same", async () => {
    const { pass, watch, open, deps } = watchWorld(fixture);
    await pass(50 * second);
    const remember = deps.watchState.remember.bind(deps.watchState);
    deps.watchState.remember = () => Promise.reject(new Error("killed"));
    await pass(20 * second);
    deps.watchState.remember = remember;
    await watch.step();
    expect(await open("workers")).toEqual(["critical no-worker"]);
    expect((await deps.incidents.open())[0]?.times).toBe(1);
  });
});

describe("what was told with its beginning", () => {
  test("is told again when it is so again for the same reason", async () => {
    const world = await healthy();
    const { deps, clock } = world;
    await world.pass(3 * minute);
    const { run } = await deps.orders.request({ name: "app", trigger: "schedule", source: "s", dueAt: clock.now() });
    await world.pass(17 * minute);
    expect(await world.open("schedules")).toEqual(["warning schedule"]);
    const { run: other } = await deps.orders.request({ name: "app", trigger: "chat", source: "o" });
    const set = async (status: "running" | "succeeded") =>
      await deps.runs.update(other.id, "normal", clock.now(), (own) => ({ ...own, status, attempt: 1 }));
    await set("running");
    await world.pass(minute);
    expect(await world.open("schedules")).toEqual([]);
    await set("succeeded");
    await world.pass(minute);
    expect([run.status, await world.open("schedules")]).toEqual(["queued", ["warning schedule"]]);
  });
});

describe("bots", () => {
  test("that are all gone are noted by the workers, for when one is back", async () => {
    const { clock, deps, alive, process } = watchWorld(fixture);
    const worker = workersWatch(process({ telegram: undefined }));
    const bot = presence("bot");
    const live = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 15_000) {
        clock.advance(15_000);
        for (const one of alive) await deps.presences.write({ ...one, seenAt: clock.now().toISOString() });
        await worker.step();
      }
    };
    alive.add(bot);
    await live(minute);
    alive.delete(bot);
    await live(10 * minute);
    const [incident] = await deps.incidents.open();
    expect(incident).toMatchObject({ severity: "critical", title: { key: "watch-no-bot" } });
    expect(incident?.openedAt).toBe("2026-03-01T12:01:00.000Z");
    alive.add(bot);
    await live(15_000);
    // The bot has had no time to show it yet.
    expect(await deps.incidents.openCount()).toBe(1);
    await live(15_000);
    expect(await deps.incidents.openCount()).toBe(0);
    const [ended] = await deps.incidents.endedSince(new Date(0), 10);
    expect(ended?.text).toEqual({
      key: "watch-over",
      args: {
        from: { moment: "2026-03-01T12:01:00.000Z", timezone: "UTC" },
        to: { moment: "2026-03-01T12:11:00.000Z", timezone: "UTC" },
      },
    });
  });
});

describe("the clock's job", () => {
  test("is missed when it stops while a worker is alive", async () => {
    const world = await healthy();
    await world.pass(3 * minute);
    world.ticking.now = false;
    await world.pass(90 * second);
    expect(await world.open()).toEqual([]);
    await world.pass(60 * second);
    expect(await world.open()).toEqual(["critical no-tick"]);
    world.ticking.now = true;
    await world.pass(20 * second);
    expect(await world.open()).toEqual([]);
  });
});

describe("queues", () => {
  const order = { name: "app", trigger: "chat", source: "x" } as const;

  test("whose jobs nobody takes are stuck after ten minutes", async () => {
    const world = await healthy();
    await world.deps.orders.request(order);
    // Redis' jobs have the machine's time: the observed wait counts from the first look.
    world.clock.advance(Date.now() - world.clock.now().getTime());
    await world.pass(9 * minute);
    expect(await world.open()).toEqual([]);
    await world.pass(2 * minute);
    expect(await world.open()).toEqual(["warning queue-stuck"]);
    const [run] = await world.deps.runs.list("app", 1);
    await world.deps.producer.forget("backup", `backup-${run?.id}`);
    await world.deps.runs.update(run?.id ?? "", "normal", world.clock.now(), (own) => ({
      ...own,
      status: "cancelled",
    }));
    await world.pass(minute);
    expect(await world.open()).toEqual([]);
  });

  test("of a host whose worker is gone are told with the host", async () => {
    const world = await healthy({ backups: [{ name: "app", host: "db-2", storages: [], catchUp: true }] });
    world.clock.advance(Date.now() - world.clock.now().getTime());
    await world.deps.orders.request(order);
    await world.pass(11 * minute);
    expect((await world.open()).toSorted()).toEqual(["warning no-host", "warning queue-unserved"]);
    world.alive.clear();
    world.ticking.now = false;
    await world.pass(2 * minute);
    expect((await world.open()).toSorted()).toEqual([
      "critical no-worker",
      "warning no-host",
      "warning queue-unserved",
    ]);
  });

  test("of a worker that handed its jobs back and did not return wait as well", async () => {
    const world = await healthy({ backups: [{ name: "app", host: "db-2", storages: [], catchUp: true }] });
    world.clock.advance(Date.now() - world.clock.now().getTime());
    const { run } = await world.deps.orders.request(order);
    await world.deps.producer.forget("backup", `backup-${run.id}`);
    await world.deps.orders.enqueue(run, 1000);
    await world.pass(9 * minute);
    expect(await world.open("queues")).toEqual([]);
    await world.pass(2 * minute);
    expect(await world.open("queues")).toEqual(["warning queue-unserved"]);
  });

  test("in which somebody is at work are not stuck, however long the others wait", async () => {
    const world = await healthy();
    world.clock.advance(Date.now() - world.clock.now().getTime());
    await world.deps.orders.request(order);
    const look = world.deps.producer.look.bind(world.deps.producer);
    world.deps.producer.look = async (name) => ({ ...(await look(name)), active: 1 });
    await world.pass(15 * minute);
    expect(await world.open()).toEqual([]);
  });
});

describe("schedules", () => {
  test("that start nothing are told a quarter of an hour after their time", async () => {
    const world = await healthy();
    await world.pass(3 * minute);
    // The job is done and starts nothing.
    world.worker.orders.schedule = () => Promise.reject(new Error("broken"));
    const failing = tick({ ...world.worker });
    await failing;
    world.ticking.now = false;
    world.clock.advance(15 * hour - 3 * minute);
    await world.pass(10 * minute);
    expect(await world.open("schedules")).toEqual([]);
    await world.pass(10 * minute);
    expect(await world.open("schedules")).toEqual(["warning schedule"]);
    const incident = (await world.incidents()).find(({ labels }) => labels["backup"] === "app");
    expect(incident?.title).toEqual({
      key: "watch-schedule",
      args: { name: "app", at: { moment: "2026-03-02T03:00:00.000Z", timezone: "UTC" } },
    });
    Reflect.deleteProperty(world.worker.orders, "schedule");
    world.ticking.now = true;
    await world.pass(minute);
    const [run] = await world.deps.runs.list("app", 1);
    expect(run?.trigger).toBe("catch-up");
    expect(await world.open("schedules")).toEqual([]);
  });

  test("whose run is ordered and not begun are told as well, unless it waits for another run of its name", async () => {
    const world = await healthy();
    await world.pass(3 * minute);
    world.clock.advance(15 * hour - 3 * minute);
    await world.pass(14 * minute);
    expect(await world.open("schedules")).toEqual([]);
    const { run: other } = await world.deps.orders.request({ name: "app", trigger: "chat", source: "y" });
    const { deps, clock } = world;
    await deps.runs.update(other.id, "normal", clock.now(), (own) => ({ ...own, status: "running", attempt: 1 }));
    await world.pass(20 * minute);
    expect(await world.open("schedules")).toEqual([]);
    await deps.runs.update(other.id, "normal", clock.now(), (own) => ({ ...own, status: "succeeded" }));
    await world.pass(minute);
    expect(await world.open("schedules")).toEqual(["warning schedule"]);
    const scheduled = (await deps.runs.list("app", 5)).find(({ dueAt }) => dueAt !== undefined);
    await deps.runs.update(scheduled?.id ?? "", "normal", clock.now(), (own) => ({
      ...own,
      status: "running",
      attempt: 1,
    }));
    await world.pass(minute);
    expect(await world.open("schedules")).toEqual([]);
  });

  test("that are new, or were changed, owe nothing for a time before", async () => {
    const world = await healthy();
    await world.pass(3 * minute);
    const changed = [{ name: "app", schedule: "0 11 * * *", storages: [], catchUp: true }];
    const watch = world.takeOver({ backups: changed });
    await world.deps.schedule.write("backup:app", new Date("2026-03-01T03:00:00Z"));
    for (let looks = 0; looks < 10; looks++) {
      world.clock.advance(30 * second);
      await world.deps.presences.write({ ...presence("worker"), seenAt: world.clock.now().toISOString() });
      await watch.step();
    }
    expect(await world.open("schedules")).toEqual([]);
    expect(backupOf("backup:app")).toBe("app");
  });
});

describe("clocks", () => {
  test("are compared with Telegram's, by the date in any answer", async () => {
    let aheadMs = 0;
    const server = createServer((_, response) => {
      response.setHeader("date", new Date(Date.now() - aheadMs).toUTCString());
      response.writeHead(302).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const apiRoot = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const telegram = { apiRoot, chats: { ops: { id: -1001, topics: {} } }, users: [] };
    const { pass, open, incidents } = watchWorld(fixture, { backups: [], telegram });
    await pass(11 * minute);
    expect(await open()).toEqual([]);
    aheadMs = 2 * minute;
    await pass(11 * minute);
    expect(await open("clocks")).toEqual(["warning clock-telegram"]);
    expect((await incidents())[0]?.text).toMatchObject({ args: { ahead: "yes", seconds: expect.closeTo(120, -1) } });
    aheadMs = 0;
    await pass(11 * minute);
    expect(await open("clocks")).toEqual([]);
  });
});

describe("the own sign of life", () => {
  test("is sent while all is well, at its pace, and told when it is not heard five times", async () => {
    let status = 200;
    let heard = 0;
    const server = createServer((_, response) => {
      heard += 1;
      response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/key`;
    const { pass, open, deps, alive, telegram } = watchWorld(fixture, { heartbeat: { url, every: minute } });
    const own = new OwnHeartbeat(deps);
    const minutes = async (count: number): Promise<void> => {
      for (let passed = 0; passed < count * 6; passed++) {
        await pass(10 * second);
        await own.step();
      }
    };
    await minutes(2);
    expect(heard).toBe(0);
    alive.add(presence("worker"));
    await minutes(3);
    expect(heard).toBe(3);
    status = 500;
    await minutes(4);
    // Each is tried twice.
    expect(heard).toBe(11);
    expect(await open("own-heartbeat")).toEqual([]);
    await minutes(2);
    expect(await open("own-heartbeat")).toEqual(["warning own-heartbeat"]);
    status = 200;
    await minutes(2);
    expect(await open("own-heartbeat")).toEqual([]);
    telegram.answers = false;
    await minutes(4);
    const before = heard;
    await minutes(3);
    expect(heard).toBe(before);
  });
});

describe("disks", () => {
  test("that are nearly full are told once per host, worse as news, and better only when there is enough", async () => {
    const world = await healthy();
    const disk = (free: number) => [{ path: "/var/backups", device: "7", free, total: 100e9 }];
    world.alive.clear();
    const of = (free: number) => {
      world.alive.clear();
      for (const role of ["worker", "bot"] as const)
        world.alive.add(presence(role, "db-1", { disks: disk(free), pid: 1 }));
    };
    of(50e9);
    await world.pass(30 * second);
    expect(await world.open()).toEqual([]);
    of(1.9e9);
    await world.pass(30 * second);
    expect(await world.open()).toEqual(["warning disk"]);
    of(0.5e9);
    await world.pass(30 * second);
    expect(await world.open()).toEqual(["critical disk"]);
    of(2.3e9);
    await world.pass(30 * second);
    expect(await world.open()).toEqual(["warning disk"]);
    of(3e9);
    await world.pass(30 * second);
    expect(await world.open()).toEqual([]);
    const [ended] = await world.deps.incidents.endedSince(new Date(0), 10);
    expect(ended?.labels).toEqual({ check: "disks", host: "db-1", path: "/var/backups" });
  });

  const full = { path: "/var/backups", device: "7", free: 1.9e9, total: 100e9 };

  test("of one machine are told once, though its bot and its worker call it differently", async () => {
    const world = await healthy();
    const disks = [{ ...full, machine: "boot-1" }];
    world.alive.clear();
    world.alive.add(presence("bot", "9f3c2a", { disks }));
    world.alive.add(presence("worker", "db-1", { disks }));
    world.alive.add(presence("worker", "db-2", { disks: [{ ...full, machine: "boot-2" }] }));
    await world.pass(30 * second);
    const hosts = (await world.incidents()).map(({ labels }) => labels["host"]);
    expect(new Set(hosts)).toEqual(new Set(["db-1", "db-2"]));
    expect(hosts).toHaveLength(2);
  });

  test("of a host that has vanished are told until nobody can know any more, and then with that reason", async () => {
    const world = await healthy();
    const lost = presence("worker", "db-9", { disks: [full] });
    world.alive.add(lost);
    await world.pass(30 * second);
    expect(await world.open("disks")).toEqual(["warning disk"]);
    world.alive.delete(lost);
    await world.pass(14 * minute);
    expect(await world.open("disks")).toEqual(["warning disk"]);
    await world.pass(2 * minute);
    expect(await world.open("disks")).toEqual([]);
    const [ended] = await world.deps.incidents.endedSince(new Date(0), 10);
    expect(ended?.text).toEqual({ key: "watch-disk-unknown", args: { host: "db-9", minutes: 15 } });
  });
});

describe("Telegram", () => {
  test("that answers nobody for a minute holds the deliveries back until what gathered is in order", async () => {
    const { telegram, pass, open, deps, clock } = watchWorld(fixture, { backups: [] });
    await pass(minute);
    expect(telegram.asked).toBeLessThanOrEqual(4);
    telegram.answers = false;
    await pass(50 * second);
    expect(await open()).toEqual([]);
    await pass(50 * second);
    expect(await open()).toEqual(["critical telegram"]);
    for (let count = 0; count < 60; count++) {
      const severity = count % 6 === 0 ? "critical" : "warning";
      await deps.alerts.receive([{ source: "test", status: "firing", severity, title: `alert ${count}`, labels: {} }]);
      await pass(10 * second);
    }
    expect(await deps.cards.take(clock.now())).toEqual({ waitMs: undefined });
    const receive = deps.alerts.receive.bind(deps.alerts);
    let shownBeforeTheEnd: unknown;
    deps.alerts.receive = async (signals) => {
      shownBeforeTheEnd = await deps.cards.take(clock.now());
      return await receive(signals);
    };
    telegram.answers = true;
    await pass(10 * second);
    expect(shownBeforeTheEnd).toEqual({ waitMs: undefined });
    expect(await open()).toEqual([]);
    const kinds = new Map<string, number>();
    for (;;) {
      const claim = await deps.cards.take(clock.now());
      if (!("placement" in claim)) break;
      kinds.set(claim.card.kind, (kinds.get(claim.card.kind) ?? 0) + 1);
      await deps.cards.done(claim, { messageId: kinds.size, hash: "x", spent: false }, clock.now());
    }
    // Ten criticals, the outage itself, and one card for all the rest.
    expect(Object.fromEntries(kinds)).toEqual({ incident: 11, storm: 1 });
    expect((await deps.incidents.open()).filter(isOpen)).toHaveLength(60);
  });

  test("that is back after a flood of criticals brings as many of them by themselves as make no storm", async () => {
    const { telegram, pass, deps, clock } = watchWorld(fixture, { backups: [] });
    await pass(minute);
    telegram.answers = false;
    await pass(2 * minute);
    for (let count = 0; count < 30; count++) {
      const critical = { status: "firing", severity: "critical", labels: {} } as const;
      await deps.alerts.receive([{ ...critical, source: "test", title: `alert ${count}` }]);
      await pass(10 * second);
    }
    telegram.answers = true;
    await pass(10 * second);
    const cards: string[] = [];
    for (;;) {
      const claim = await deps.cards.take(clock.now());
      if (!("placement" in claim)) break;
      cards.push(claim.card.kind);
      await deps.cards.done(claim, { messageId: cards.length, hash: "x", spent: false }, clock.now());
    }
    // The outage's own card is one of the twenty.
    expect(cards.filter((kind) => kind === "incident")).toHaveLength(20);
    expect(cards.filter((kind) => kind === "storm")).toHaveLength(1);
    const [storm] = await deps.storms.known(clock.now());
    expect(await deps.storms.members(storm ?? "")).toHaveLength(11);
  });

  test("is away for nobody when another bot gets answers", async () => {
    const { telegram, pass, open, deps, clock } = watchWorld(fixture, { backups: [] });
    telegram.answers = false;
    for (let passed = 0; passed < 30; passed++) {
      await deps.contact.failed(clock.now(), "no answer");
      clock.advance(5 * second);
      await deps.contact.ok(clock.now());
      await pass(5 * second);
    }
    expect(await open()).toEqual([]);
    expect(await deps.cards.pausedSince()).toBeUndefined();
  });

  test("is back for a bot that was killed before it went on with the deliveries", async () => {
    const { telegram, pass, open, deps, takeOver } = watchWorld(fixture, { backups: [] });
    telegram.answers = false;
    await pass(3 * minute);
    expect(await open()).toEqual(["critical telegram"]);
    telegram.answers = true;
    deps.cards.resume = () => Promise.reject(new Error("killed"));
    await pass(10 * second);
    expect(await deps.cards.pausedSince()).toBeDefined();
    await takeOver().step();
    expect([await deps.cards.pausedSince(), await open()]).toEqual([undefined, []]);
  });
});
