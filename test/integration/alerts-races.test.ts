import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { isOpen } from "../../src/core/incident.ts";
import type { Severity, Signal } from "../../src/core/signal.ts";
import type { Redis } from "../../src/state/redis.ts";
import {
  type AlertsNode,
  type AlertsWorld,
  alertsWorld,
  allIncidents,
  countedMembers,
  whereIs,
} from "../support/alerts.ts";
import { operator, signal } from "../support/signals.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;
const names = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** What must be so at any time: nothing is lost, nothing is shown twice, every number is true. */
async function expectWhole(world: AlertsWorld): Promise<void> {
  const all = await allIncidents(world);
  const open = new Set(await world.incidents.openIds());
  expect(all.filter((incident) => open.has(incident.id) !== isOpen(incident))).toEqual([]);
  const unseen: string[] = [];
  for (const incident of all) {
    const place = await whereIs(world, incident.id);
    if (isOpen(incident) && (place === "nowhere" || (place === "hidden" && !incident.silenced)))
      unseen.push(incident.id);
  }
  expect(unseen).toEqual([]);
  for (const storm of await world.storms.known(world.clock.now()))
    expect((await world.storms.summary(storm))?.counts).toEqual(await countedMembers(world, storm));
}

/** Everything about the incidents that does not depend on who was a moment faster. */
async function outcome(world: AlertsNode): Promise<unknown[]> {
  return (await allIncidents(world)).map(({ id, identity, status, severity, times, startsAt }) => {
    return { id, identity, status, severity, times, startsAt };
  });
}

/** Beginnings and ends, one after the other; `rounds` of them for every name. */
function script(world: AlertsWorld, rounds: number): Signal[][] {
  const from = world.clock.now().getTime() - 10 * minute;
  const at = (round: number): string => new Date(from + round * 10_000).toISOString();
  const severity = (index: number): Severity => (index % 3 === 0 ? "critical" : "warning");
  return Array.from({ length: rounds }, (_, round) => [
    names.map((name, index) => signal(name, { severity: severity(index), startsAt: at(2 * round) })),
    names
      .filter((_name, index) => round < rounds - 1 || index % 2 === 0)
      .map((name, index) =>
        signal(name, {
          severity: severity(index),
          status: "resolved",
          startsAt: at(2 * round),
          endsAt: at(2 * round + 1),
        }),
      ),
  ]).flat();
}

describe("several processes that are told the same at once", () => {
  test.for([1000, 3])(
    "end with the same incidents as one of them alone would; a storm takes more than %i",
    async (limit) => {
      const settings = { storm: { incidents: limit } };
      const alone = alertsWorld(fixture, settings);
      const together = alertsWorld(fixture, settings);
      for (const message of script(alone, 4)) await alone.alerts.receive(message);
      const nodes = [together.node(), together.node(), together.node()];
      await Promise.all(
        nodes.map(async ({ alerts }) => {
          for (const message of script(together, 4)) await alerts.receive(message);
        }),
      );
      expect(await outcome(together)).toEqual(await outcome(alone));
      await expectWhole(together);
      const cards = async (world: AlertsWorld) =>
        (await Promise.all((await allIncidents(world)).map(({ id }) => whereIs(world, id)))).filter(
          (at) => at === "card",
        ).length;
      expect(await cards(together)).toBe(await cards(alone));
      expect(await together.storms.raging()).toHaveLength(limit < names.length ? 1 : 0);
    },
  );

  test("open one incident and one card, however many hear of it first", async () => {
    const world = alertsWorld(fixture);
    const nodes = Array.from({ length: 5 }, () => world.node());
    const received = await Promise.all(nodes.map(({ alerts }) => alerts.receive([signal("a")])));
    expect(received.filter(({ opened }) => opened === 1)).toHaveLength(1);
    expect(await world.cards.backlog()).toBe(1);
    await expectWhole(world);
  });
});

describe("people and sources that act at once", () => {
  const connections: Redis[] = [];
  beforeAll(() => void connections.push(fixture.connect(), fixture.connect(), fixture.connect()));

  interface Act {
    readonly name: string;
    readonly node: AlertsNode;
    readonly world: AlertsWorld;
  }
  const known = async ({ name, world }: Act) =>
    (await allIncidents(world)).filter(({ title }) => title === `${name} is down`);
  const quiet = { by: operator, durationMs: 2 * minute };
  const acts = {
    fire: async ({ name, node, world }: Act) =>
      await node.alerts.receive([signal(name, { startsAt: world.clock.now().toISOString() })]),
    worse: async ({ name, node }: Act) => await node.alerts.receive([signal(name, { severity: "critical" })]),
    resolve: async ({ name, node }: Act) => await node.alerts.receive([signal(name, { status: "resolved" })]),
    acknowledge: async (act: Act) => {
      for (const { id } of await known(act)) await act.node.alerts.acknowledge(id, operator);
    },
    close: async (act: Act) => {
      for (const { id } of await known(act)) await act.node.alerts.close(id, operator);
    },
    silence: async ({ name, node }: Act) =>
      await node.alerts.silence({ ...quiet, matchers: [{ label: "instance", operator: "=", value: name }] }),
    unsilence: async ({ node }: Act) => {
      for (const { id } of await node.silences.all()) await node.alerts.endSilence(id, operator);
    },
    keeper: async ({ node }: Act) => await node.keeper.step(),
    time: async ({ world }: Act) => void world.clock.advance(20_000),
    later: async ({ world }: Act) => void world.clock.advance(4 * minute),
  };
  const act = fc.record({
    name: fc.constantFrom(...names.slice(0, 4)),
    node: fc.nat(2),
    what: fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])),
  });

  test("leave every incident in exactly one place and every number true", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
        async (steps) => {
          const world = alertsWorld(fixture, {
            storm: { incidents: 2, within: "30s" },
            reopenWithin: "3m",
            flapping: { changes: 4, within: "1m" },
          });
          const nodes = connections.map((redis) => world.node(redis));
          // What a step holds happens at the same time.
          for (const step of steps) {
            await Promise.all(
              step.map(({ name, node, what }) => acts[what]({ name, node: nodes[node] ?? world, world })),
            );
            await world.pass(15_000);
            await expectWhole(world);
          }
          // When everything is over, everything says so, and nothing fires unseen.
          for (const name of names) await world.alerts.receive([signal(name, { status: "resolved" })]);
          expect(await world.incidents.open()).toEqual([]);
          expect(await world.incidents.hiddenIds()).toEqual([]);
          await world.pass(10 * minute);
          await expectWhole(world);
          expect(await world.storms.raging()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("acknowledge, resolve and silence are all in the history, and the end wins", async () => {
    const world = alertsWorld(fixture);
    const [one, two, three] = [world.node(), world.node(), world.node()];
    const startsAt = world.clock.now().toISOString();
    await world.alerts.receive([signal("a", { startsAt })]);
    const [incident] = await world.incidents.open();
    if (!incident) throw new Error("nothing opened");
    await Promise.all([
      one.alerts.acknowledge(incident.id, operator),
      two.alerts.silence({ by: operator, durationMs: minute, incident }),
      three.alerts.receive([signal("a", { status: "resolved", startsAt })]),
      one.alerts.receive([signal("a", { startsAt })]),
    ]);
    const [after] = await allIncidents(world);
    expect(after?.status).toBe("resolved");
    const events = after?.history.map(({ event }) => event) ?? [];
    expect(events).toContain("resolved");
    expect(events.includes("acknowledged")).toBe(after?.acknowledged !== undefined);
    // Whatever came after the end found nothing to take on.
    const isInOrder = !events.includes("acknowledged") || events.indexOf("acknowledged") < events.indexOf("resolved");
    expect(isInOrder).toBe(true);
    await expectWhole(world);
  });
});

describe("a process that dies at any moment", () => {
  let shared: Redis | undefined;

  /** A connection that is lost at its n-th command: before Redis has got it, or after that. */
  function dying(at: number, reached: boolean): Redis {
    shared ??= fixture.connect();
    let commands = 0;
    const lost = new Error("the process is dead");
    return new Proxy(shared, {
      get: (redis, name) => {
        const value: unknown = Reflect.get(redis, name, redis);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          commands += 1;
          if (commands > at || (commands === at && (!reached || name === "pipeline"))) throw lost;
          const answer: unknown = value.apply(redis, args);
          return commands < at ? answer : Promise.resolve(answer).then(() => Promise.reject(lost));
        };
      },
    });
  }

  test.for([true, false])("loses nothing that is sent again (its last command reached Redis: %s)", async (reached) => {
    let died = 0;
    for (let at = 1; at <= 60; at++) {
      const world = alertsWorld(fixture, { storm: { incidents: 3 } });
      const [firing = [], ended = []] = script(world, 1);
      const { alerts } = world.node(dying(at, reached));
      try {
        await alerts.receive(firing);
        await alerts.receive(ended);
        break;
      } catch {
        died += 1;
      }
      await expectWhole(world);
      await world.alerts.receive(firing);
      await world.alerts.receive(ended);
      const whole = await allIncidents(world);
      const unseen = names.length - whole.length;
      expect(unseen).toBe(0);
      expect(whole.map(({ status }) => status)).toEqual(
        names.map((_, index) => (index % 2 === 0 ? "resolved" : "firing")),
      );
      await expectWhole(world);
    }
    expect(died).toBeGreaterThan(20);
  });

  test("in the middle of a silence: the clock carries it out", async () => {
    let died = 0;
    for (let at = 1; at <= 30; at++) {
      const world = alertsWorld(fixture);
      await world.alerts.receive(names.map((name) => signal(name)));
      const matchers = [{ label: "alertname", operator: "=" as const, value: "Down" }];
      const order = { by: operator, durationMs: 60 * minute, source: "one press", matchers };
      const made = world.node(dying(at, true)).alerts.silence(order);
      died += await made.then(
        () => 0,
        () => 1,
      );
      await world.alerts.silence(order);
      await world.pass(20_000);
      expect((await world.incidents.open()).filter(({ silenced }) => silenced === undefined)).toEqual([]);
      expect(await world.silences.all()).toHaveLength(1);
    }
    expect(died).toBeGreaterThan(10);
  });
});
