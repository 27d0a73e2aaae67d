import { describe, expect, test } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import type { MetricValues } from "../../src/core/metric.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { type AlertsNode, allIncidents } from "../support/alerts.ts";
import { cardOf, contextAt } from "../support/incident.ts";
import { aServer, minute, type RuleInput, type RulesWorld, rulesWorld } from "../support/rules.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

const busy: RuleInput = {
  name: "cpu",
  when: "cpu > 90",
  for: "10m",
  clear: "cpu < 80",
  severity: "critical",
  text: "Look at top.",
};

async function only(node: AlertsNode): Promise<Incident> {
  const [incident, ...others] = await allIncidents(node);
  if (!incident || others.length > 0) throw new Error(`${others.length + (incident ? 1 : 0)} incidents`);
  return incident;
}

/** The card as it reads, without mark-up. */
function card(incident: Incident, locale: "en" | "ru" = "en"): string {
  const rendering = cardOf().render(incident, contextAt("2026-03-01T05:00:00Z", { messages: messagesOf(locale) }));
  return rendering.html
    .replaceAll(/<[^>]+>|\u2060/g, "")
    .replaceAll("&gt;", ">")
    .replaceAll("&lt;", "<");
}

/** Readings of one server, five minutes apart, with a pass after each. */
async function series(
  world: RulesWorld,
  runner: { step(): Promise<unknown> },
  all: readonly MetricValues[],
): Promise<void> {
  for (const metrics of all) {
    world.clock.advance(5 * minute);
    await world.read("web-1", metrics);
    await runner.step();
  }
}

const statuses = async (world: RulesWorld): Promise<string[]> =>
  (await allIncidents(world)).map(({ labels, status }) => `${labels["rule"]} ${labels["server"]} ${status}`).toSorted();

describe("a rule that holds", () => {
  test("becomes an incident that says what, how much and since when, in both languages; and its end", async () => {
    const world = rulesWorld(fixture, [busy]);
    const runner = world.runner();
    await series(world, runner, [{ cpu: 95 }, { cpu: 96 }]);
    expect(await allIncidents(world)).toEqual([]);
    await series(world, runner, [{ cpu: 97.23 }]);
    const firing = await only(world);
    expect(firing).toMatchObject({
      source: "rule",
      status: "firing",
      severity: "critical",
      openedAt: "2026-03-01T03:05:00.000Z",
      labels: { env: "prod", server: "web-1", provider: "node-exporter", rule: "cpu", metric: "cpu" },
      repeats: false,
    });
    expect(card(firing)).toContain("web-1: CPU 97.2 % (> 90 %)");
    expect(card(firing)).toContain("So since 1 Mar 2026, 03:05. Rule cpu: cpu > 90\nLook at top.");
    expect(card(firing, "ru")).toContain("web-1: CPU 97,2 % (> 90 %)");
    expect(card(firing, "ru")).toContain("Так с 1 мар. 2026 г., 03:05. Правило cpu: cpu > 90\nLook at top.");
    await series(world, runner, [{ cpu: 85 }, { cpu: 62 }]);
    const over = await only(world);
    expect(over).toMatchObject({ status: "resolved", endedAt: "2026-03-01T03:25:00.000Z" });
    expect(card(over)).toContain("It was so from 1 Mar 2026, 03:05 to 1 Mar 2026, 03:25, now: CPU 62 % (< 80 %).");
    expect(card(over, "ru")).toContain(
      "Так было с 1 мар. 2026 г., 03:05 до 1 мар. 2026 г., 03:25, теперь: CPU 62 % (< 80 %).",
    );
    expect(await world.ruleStates.all()).toEqual(new Map());
  });

  test("does not touch its card with every reading: when it has changed much, or after half an hour", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runner = world.runner();
    const shown: string[] = [];
    const revisions: unknown[] = [];
    for (const cpu of [91, 92, 93, 98, 97, 96, 95, 96, 97, 96, 85]) {
      await series(world, runner, [{ cpu }]);
      const incident = await only(world);
      shown.push(/CPU ([\d.]+)/.exec(card(incident))?.[1] ?? "");
      revisions.push((await world.cards.read(world.incidents.ref(incident.id)))?.revision);
    }
    expect(shown).toEqual(["91", "91", "91", "98", "98", "98", "98", "98", "98", "96", "85"]);
    expect(new Set(revisions).size).toBe(4);
  });

  test("of several for one value, each is its own; only of the servers that it is about", async () => {
    const world = rulesWorld(fixture, [
      { ...busy, for: undefined, servers: ["web-*"] },
      { name: "warm", when: "cpu > 70", severity: "warning", match: { env: ["prod", "test"] } },
      { name: "db", when: "cpu > 70", match: { role: "db" } },
      { name: "two", when: "cpu > 70", servers: ["web-2"], match: { env: "dev" } },
    ]);
    const runner = world.runner();
    for (const server of ["web-1", "web-2", "db-1"]) await world.read(server, { cpu: server === "web-1" ? 95 : 75 });
    expect(await runner.step()).toEqual({ servers: 3, told: 4 });
    expect(await statuses(world)).toEqual([
      "cpu web-1 firing",
      "db db-1 firing",
      "warm web-1 firing",
      "warm web-2 firing",
    ]);
    expect(await runner.step()).toEqual({ servers: 3, told: 0 });
  });

  test("looks back on the history: means, trends, and a disk that will be full", async () => {
    const world = rulesWorld(fixture, [
      { name: "full", when: "full_in(disk, 6h) < 24h", clear: "full_in(disk, 6h) > 48h", severity: "warning" },
      { name: "mean", when: "avg(cpu, 30m) > 50 and rate(memory, 1h) > 5", severity: "info" },
      { name: "grown", when: "change(disk_free, 1h) < -5 GB" },
    ]);
    const runner = world.runner();
    const readings = Array.from({ length: 40 }, (_, index) => ({
      cpu: index % 2 === 0 ? 90 : 40,
      memory: 10 + index,
      disk: 40 + index,
      disk_free: 100e9 - index * 1e9,
    }));
    await series(world, runner, readings);
    const cards = (await allIncidents(world)).map((incident) => card(incident)).join("\n\n");
    expect(cards).toMatch(/web-1: disk full in \d[\d.]* h \(< 24 h\)/);
    expect(cards).toMatch(
      /web-1: average CPU of 30 min 6\d[\d.]* % \(> 50 %\), trend of memory over 1 h 12 %\/h \(> 5 %\/h\)/,
    );
    expect(cards).toMatch(/web-1: change of free space in 1 h -12 GB \(< -5 GB\)/);
    const russian = (await allIncidents(world)).map((incident) => card(incident, "ru")).join("\n\n");
    expect(russian).toMatch(/web-1: диск: заполнится через \d[\d,]* ч \(< 24 ч\)/);
    expect(russian).toMatch(/web-1: свободное место, изменение за 1 ч, -12 ГБ \(< -5 ГБ\)/);
    await series(world, runner, [{ cpu: 20, memory: 30, disk: 10, disk_free: 180e9 }]);
    expect(await statuses(world)).toContain("full web-1 resolved");
  });

  test("comes and goes on one card, which says that it flaps, though it is looked at once in five minutes", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runner = world.runner();
    await series(
      world,
      runner,
      [95, 50, 95, 50, 95, 50, 95].map((cpu) => ({ cpu })),
    );
    expect(await only(world)).toMatchObject({ status: "firing", times: 4, flapping: {} });
    expect(card(await only(world))).toContain("Flapping, 7 times in 1h");
    await series(
      world,
      runner,
      Array.from({ length: 12 }, () => ({ cpu: 50 })),
    );
    await world.keeper.step();
    expect((await only(world)).flapping).toBe(undefined);
  });
});

describe("without data", () => {
  test("what fires goes on, says so once, and ends with the first value that ends it", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runner = world.runner();
    await series(world, runner, [{ cpu: 95 }]);
    const revisions = new Set<unknown>();
    for (let passed = 0; passed < 60; passed += 5) {
      world.clock.advance(5 * minute);
      await world.fail("web-1");
      await runner.step();
      revisions.add((await world.cards.read(world.incidents.ref((await only(world)).id)))?.revision);
    }
    expect(revisions.size).toBe(2);
    expect(card(await only(world))).toContain("No data since 1 Mar 2026, 03:05: nobody knows how it is now.");
    expect(card(await only(world))).toContain("web-1: CPU 95 % (> 90 %)");
    await series(world, runner, [{ cpu: 95 }]);
    expect(await only(world)).toMatchObject({ status: "firing", times: 1 });
    expect(card(await only(world))).not.toContain("No data");
    await series(world, runner, [{ cpu: 50 }]);
    expect(await only(world)).toMatchObject({ status: "resolved", times: 1 });
  });

  test("nothing fires on what is old, and what waits begins anew", async () => {
    const world = rulesWorld(fixture, [busy]);
    await series(world, world.runner(), [{ cpu: 95 }, { cpu: 95 }]);
    world.clock.advance(20 * minute);
    // A worker that has just been started sees the reading for the first time.
    await world.runner().step();
    expect(await allIncidents(world)).toEqual([]);
    expect(await world.ruleStates.all()).toEqual(new Map());
    await series(world, world.runner(), [{ cpu: 95 }, { cpu: 95 }]);
    expect(await allIncidents(world)).toEqual([]);
    await series(world, world.runner(), [{ cpu: 95 }]);
    expect(await only(world)).toMatchObject({ openedAt: "2026-03-01T03:35:00.000Z" });
  });
});

describe("another configuration", () => {
  test("with another condition: what the old one has said is over, the new one begins anew", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    await series(world, world.runner(), [{ cpu: 95 }]);
    const changed = world.runner([{ ...busy, for: undefined, when: "cpu > 93" }]);
    await changed.step();
    // At once, on the same reading and the same card.
    expect(await only(world)).toMatchObject({ status: "firing", times: 2 });
    expect(card(await only(world))).toContain("web-1: CPU 95 % (> 93 %)");
    await world.runner([{ ...busy, for: undefined, when: "cpu > 97" }]).step();
    const over = await only(world);
    expect(over.status).toBe("resolved");
    expect(card(over)).toContain("The rule cpu says something else now.");
  });

  test("without the rule, or without the server under it: it is over, and forgotten", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    await series(world, world.runner(), [{ cpu: 95 }]);
    await world.runner([{ ...busy, for: undefined, servers: ["db-*"] }]).step();
    const over = await only(world);
    expect(over.status).toBe("resolved");
    expect(card(over)).toContain("The rule cpu is not about this server any more.");
    expect(await world.ruleStates.all()).toEqual(new Map());
    await series(world, world.runner(), [{ cpu: 95 }]);
    await world.runner([]).step();
    expect(await statuses(world)).toEqual(["cpu web-1 resolved"]);
    expect(await world.ruleStates.all()).toEqual(new Map());
  });

  test("with another severity or advice: the card says so, and goes on", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined, severity: "warning" }]);
    await series(world, world.runner(), [{ cpu: 95 }]);
    await world.runner([{ ...busy, for: undefined, text: "Look at htop." }]).step();
    expect(await only(world)).toMatchObject({ status: "firing", severity: "critical", times: 1 });
    expect(card(await only(world))).toContain("Look at htop.");
    expect(card(await only(world))).toContain("web-1: CPU 95 % (> 90 %)");
  });
});

describe("a worker that is killed", () => {
  /** A runner that dies at a call: before it takes effect, or after. */
  const dying = (world: RulesWorld, where: "receive" | "replace", nth: number, after: boolean) => {
    let calls = 0;
    const die = async <T>(work: () => Promise<T>): Promise<T> => {
      calls += 1;
      if (calls !== nth) return await work();
      if (after) await work();
      throw new Error("killed");
    };
    const { alerts, ruleStates } = world;
    const deadly = {
      alerts: {
        receive: async (signals: Parameters<typeof alerts.receive>[0]) => {
          const work = async () => await alerts.receive(signals);
          return where === "receive" ? await die(work) : await work();
        },
      },
      ruleStates: {
        all: async () => await ruleStates.all(),
        replace: async (changes: Parameters<typeof ruleStates.replace>[0]) => {
          const work = async () => await ruleStates.replace(changes);
          return where === "replace" && changes.length > 0 ? await die(work) : await work();
        },
      },
    };
    return world.runner(undefined, deadly as never);
  };

  test.each([
    ["replace", 1, false],
    ["replace", 1, true],
    ["receive", 1, false],
    ["receive", 1, true],
    ["replace", 2, false],
    ["replace", 2, true],
  ] as const)("at %s %i (after it: %s) loses nothing, and nothing is told twice", async (where, nth, after) => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    world.clock.advance(5 * minute);
    await world.read("web-1", { cpu: 95 });
    await expect(dying(world, where, nth, after).step()).rejects.toThrow("killed");
    await world.runner().step();
    expect(await only(world)).toMatchObject({ status: "firing", times: 1, openedAt: "2026-03-01T03:05:00.000Z" });
    world.clock.advance(5 * minute);
    await world.read("web-1", { cpu: 50 });
    await expect(dying(world, where, nth, after).step()).rejects.toThrow("killed");
    await world.runner().step();
    expect(await only(world)).toMatchObject({ status: "resolved", times: 1, endedAt: "2026-03-01T03:10:00.000Z" });
    expect(await world.ruleStates.all()).toEqual(new Map());
  });

  test("and several that look at the same time tell it once", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runners = Array.from({ length: 5 }, () => world.runner());
    for (const [index, cpu] of [95, 50, 95].entries()) {
      world.clock.advance(5 * minute);
      for (const server of ["web-1", "web-2", "db-1"]) await world.read(server, { cpu });
      await Promise.all(runners.map(async (runner) => await runner.step()));
      await Promise.all(runners.map(async (runner) => await runner.step()));
      const incidents = await allIncidents(world);
      expect(incidents.map(({ times }) => times)).toEqual(index === 2 ? [2, 2, 2] : [1, 1, 1]);
      expect(new Set(incidents.map(({ status }) => status))).toEqual(new Set([cpu > 90 ? "firing" : "resolved"]));
    }
  });
});

describe("what was lost or set", () => {
  test("with an empty Redis everything begins anew", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runner = world.runner();
    await series(world, runner, [{ cpu: 95 }]);
    const all = await fixture.redis.keys(`${world.keys.root}*`);
    await fixture.redis.del(...all);
    expect(await allIncidents(world)).toEqual([]);
    await series(world, runner, [{ cpu: 96 }]);
    expect(await only(world)).toMatchObject({ status: "firing", times: 1 });
  });

  test("a record that cannot be read begins anew", async () => {
    const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
    const runner = world.runner();
    for (const broken of ["", "{", "[]", '["x","q"]', "null"])
      await fixture.redis.hset(world.keys.of("rule-states"), `cpu:web-1${broken}`, broken);
    await fixture.redis.hset(world.keys.of("rule-states"), "cpu:web-1", "[1]");
    await series(world, runner, [{ cpu: 95 }]);
    expect(await only(world)).toMatchObject({ status: "firing" });
    expect([...(await world.ruleStates.all()).keys()]).toEqual(["cpu:web-1"]);
  });

  test.each([-60, -4, 60])(
    "a clock that jumps by %i minutes: it goes on firing, ends, and fires again",
    async (jump) => {
      const world = rulesWorld(fixture, [{ ...busy, for: undefined }]);
      const runner = world.runner();
      await series(world, runner, [{ cpu: 95 }]);
      world.clock.advance(jump * minute);
      await runner.step();
      await series(world, runner, [{ cpu: 96 }, { cpu: 97 }]);
      expect(await only(world)).toMatchObject({ status: "firing", times: 1 });
      expect(card(await only(world))).not.toContain("No data");
      await series(world, runner, [{ cpu: 50 }]);
      expect(await only(world)).toMatchObject({ status: "resolved", times: 1 });
      await series(world, runner, [{ cpu: 95 }]);
      const incidents = await allIncidents(world);
      expect(incidents.filter(({ status }) => status === "firing")).toHaveLength(1);
      await series(world, runner, [{ cpu: 50 }]);
      expect((await allIncidents(world)).filter(({ status }) => status === "firing")).toEqual([]);
    },
  );
});

describe("many servers", () => {
  const servers = Array.from({ length: 60 }, (_, index) => aServer(`web-${index}`));
  const names = servers.map(({ name }) => name);
  const rule: RuleInput = { name: "busy", when: "min(cpu, 5m) > 90", severity: "warning" };

  async function allBusy(): Promise<RulesWorld> {
    const world = rulesWorld(fixture, [rule], { servers });
    for (const name of names) await world.read(name, { cpu: 95 });
    return world;
  }

  test("are read while others are calculated: each once, never more than twice the few of a portion", async () => {
    const world = await allBusy();
    const asked: string[] = [];
    let told = 0;
    let mostAhead = 0;
    const runner = world.runner([rule], {
      serverHistory: {
        columns: async (some, ...rest) => {
          asked.push(...some);
          mostAhead = Math.max(mostAhead, asked.length - told);
          return await world.serverHistory.columns(some, ...rest);
        },
      },
      alerts: {
        receive: async (signals) => {
          told += signals.length;
          return await world.alerts.receive(signals);
        },
      },
    });
    expect(await runner.step()).toEqual({ servers: 60, told: 60 });
    expect(asked).toEqual(names);
    expect(mostAhead).toBeLessThanOrEqual(50);
  });

  test("whose history cannot be read end the pass; those before them were told, and the next pass tells the others", async () => {
    const world = await allBusy();
    let isBroken = true;
    const runner = world.runner([rule], {
      serverHistory: {
        columns: async (some, ...rest) => {
          if (isBroken && some.includes("web-59")) throw new Error("away");
          return await world.serverHistory.columns(some, ...rest);
        },
      },
    });
    await expect(runner.step()).rejects.toThrow("away");
    expect(await statuses(world)).toHaveLength(50);
    isBroken = false;
    expect(await runner.step()).toMatchObject({ told: 10 });
    expect(await statuses(world)).toHaveLength(60);
  });

  test("that cannot be told end the pass, whatever becomes of what is read meanwhile", async () => {
    const world = await allBusy();
    const runner = world.runner([rule], {
      serverHistory: {
        columns: async (some, ...rest) => {
          if (!some.includes("web-0")) throw new Error("away");
          return await world.serverHistory.columns(some, ...rest);
        },
      },
      alerts: { receive: () => Promise.reject(new Error("refused")) },
    });
    await expect(runner.step()).rejects.toThrow("refused");
    expect(await world.runner().step()).toMatchObject({ told: 60 });
  });
});
