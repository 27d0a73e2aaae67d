import { describe, expect, test } from "vitest";
import type { Signal } from "../../src/core/signal.ts";
import { type AlertsNode, alertsWorld, allIncidents, devGroup, opsGroup, whereIs } from "../support/alerts.ts";
import { operator, signal, signals } from "../support/signals.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;

async function only(node: AlertsNode) {
  const [incident, ...others] = await allIncidents(node);
  if (!incident || others.length > 0) throw new Error(`${others.length + (incident ? 1 : 0)} incidents`);
  return incident;
}

/** Chats and topics where an incident is. */
async function placesOf(node: AlertsNode, keys: { of(...parts: string[]): string }, id: string): Promise<string[]> {
  const placements = await node.cards.placements(node.incidents.ref(id));
  const fields = await Promise.all(
    placements.map((one) => fixture.redis.hmget(keys.of("placement", one), "chat", "thread")),
  );
  return fields.map(([chat, thread]) => `${chat}:${thread}`);
}

describe("signals that are received", () => {
  test("become incidents with cards of their own, counted by what they brought", async () => {
    const world = alertsWorld(fixture);
    expect(await world.alerts.receive([signal("a"), signal("b", { severity: "critical" })])).toEqual({ opened: 2 });
    expect(await world.alerts.receive([signal("a"), signal("b", { status: "resolved" })])).toEqual({
      heard: 1,
      resolved: 1,
    });
    const [a, b] = await allIncidents(world);
    expect([a?.status, b?.status]).toEqual(["firing", "resolved"]);
    expect(await whereIs(world, a?.id ?? "")).toBe("card");
    expect(await whereIs(world, b?.id ?? "")).toBe("card");
    expect((await world.incidents.openIds()).length).toBe(1);
  });

  test("of one thing are applied in their order, whatever their severities", async () => {
    const world = alertsWorld(fixture);
    const order: Partial<Signal>[] = [{}, { severity: "critical" }, { status: "resolved", severity: "info" }, {}];
    await world.alerts.receive(order.map((change) => signal("a", change)));
    expect(await only(world)).toMatchObject({ status: "firing", severity: "warning", times: 2 });
  });

  test("that only repeat give no card a new look", async () => {
    const world = alertsWorld(fixture);
    await world.alerts.receive([signal("a")]);
    const { id } = await only(world);
    const before = await world.cards.read(world.incidents.ref(id));
    world.clock.advance(minute);
    await world.alerts.receive([signal("a"), signal("a")]);
    expect((await world.cards.read(world.incidents.ref(id)))?.revision).toBe(before?.revision);
    expect((await only(world)).heardAt).toBe(world.clock.now().toISOString());
  });

  test("that only say it in other words wait behind what is new", async () => {
    const world = alertsWorld(fixture);
    const critical = { severity: "critical" } as const;
    await world.alerts.receive([signal("a", critical)]);
    const posted = await world.cards.take(world.clock.now());
    if (!("placement" in posted)) throw new Error("nothing to deliver");
    await world.cards.done(posted, { messageId: 1, hash: "x", spent: true }, world.clock.now());
    world.clock.advance(minute);
    await world.alerts.receive([signal("a", { ...critical, text: "93 %" })]);
    await world.alerts.receive([signal("b")]);
    const next = [await world.cards.take(world.clock.now()), await world.cards.take(world.clock.now())];
    expect(next.map((claim) => "urgency" in claim && claim.urgency)).toEqual(["normal", "progress"]);
  });

  test("of an end that nobody has seen begin are shown nowhere, and not counted among the ended", async () => {
    const world = alertsWorld(fixture);
    const startsAt = world.clock.now().toISOString();
    await world.alerts.receive([signal("a", { status: "resolved", startsAt })]);
    await world.alerts.receive([signal("a", { startsAt })]);
    expect(await allIncidents(world)).toEqual([]);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("of events are noted once each, in whatever order they are told again", async () => {
    const world = alertsWorld(fixture);
    const at = (minutes: number): Signal =>
      signal("deploy", {
        status: "info",
        severity: "info",
        startsAt: new Date(world.clock.now().getTime() - minutes * minute).toISOString(),
      });
    const [first, second] = [at(2), at(1)];
    await world.alerts.receive([first, second, first, second, first]);
    expect((await allIncidents(world)).map(({ status }) => status)).toEqual(["noted", "noted"]);
    expect(await world.cards.backlog()).toBe(2);
  });

  test("of events do not hide what is wrong under the same name", async () => {
    const world = alertsWorld(fixture);
    await world.alerts.receive([signal("a"), signal("a", { status: "info" }), signal("a", { status: "resolved" })]);
    expect((await allIncidents(world)).map(({ status }) => status).toSorted()).toEqual(["noted", "resolved"]);
  });

  test("find what they are about even when its index has lost it", async () => {
    const world = alertsWorld(fixture);
    const startsAt = world.clock.now().toISOString();
    await world.alerts.receive([signal("a", { startsAt })]);
    await fixture.redis.del(world.keys.of("incident-of"));
    expect(await world.alerts.receive([signal("a", { startsAt })])).toEqual({ heard: 1 });
    await world.alerts.receive([signal("a", { startsAt, status: "resolved" })]);
    expect((await only(world)).status).toBe("resolved");
  });
});

describe("routes", () => {
  test("choose the chat and the topic, by labels, severity and source; the first chat takes the rest", async () => {
    const world = alertsWorld(fixture, {
      routes: [
        { match: { severity: "critical" }, topic: "alerts" },
        { match: { source: "alertmanager", instance: "/b.*/" }, chat: "dev" },
      ],
    });
    await world.alerts.receive([signal("a", { severity: "critical" }), signal("b"), signal("c")]);
    const places = await Promise.all((await allIncidents(world)).map(({ id }) => placesOf(world, world.keys, id)));
    expect(places).toEqual([[`${opsGroup}:12`], [`${devGroup}:`], [`${opsGroup}:`]]);
  });

  test("follow a group that became a supergroup", async () => {
    const world = alertsWorld(fixture);
    await world.cards.migrate(opsGroup, -1_001_000_001);
    await world.alerts.receive([signal("a")]);
    expect(await placesOf(world, world.keys, (await only(world)).id)).toEqual(["-1001000001:"]);
  });

  test("ring again for what fires and nobody has taken on", async () => {
    const world = alertsWorld(fixture, { routes: [{ match: { severity: "critical" }, repeat: "1h" }] });
    await world.alerts.receive([signal("a", { severity: "critical" }), signal("b")]);
    for (let round = 0; round < 3; round++) await world.pass(61 * minute);
    const [a, b] = await allIncidents(world);
    expect([a?.rings, b?.rings]).toEqual([3, 0]);
    await world.alerts.acknowledge(a?.id ?? "", operator);
    await world.pass(61 * minute);
    expect((await allIncidents(world))[0]?.rings).toBe(3);
  });
});

describe("a silence", () => {
  const order = { by: operator, durationMs: 60 * minute };

  test("hides what begins in it, and shows it at its end if it still fires", async () => {
    const world = alertsWorld(fixture);
    await world.alerts.silence({ ...order, matchers: [{ label: "instance", operator: "=~", value: "a|b" }] });
    await world.alerts.receive([signal("a"), signal("b"), signal("c")]);
    await world.alerts.receive([signal("b", { status: "resolved" })]);
    const [a, b, c] = await allIncidents(world);
    const where = async () => await Promise.all([a, b, c].map((one) => whereIs(world, one?.id ?? "")));
    expect(await where()).toEqual(["hidden", "nowhere", "card"]);
    await world.pass(59 * minute);
    expect(await where()).toEqual(["hidden", "nowhere", "card"]);
    await world.pass(2 * minute);
    expect(await where()).toEqual(["card", "nowhere", "card"]);
    expect((await allIncidents(world))[0]).not.toHaveProperty("silenced");
  });

  test("that ends is told on the card by whatever looks first: a repetition or the clock", async () => {
    for (const first of ["repetition", "clock"]) {
      const world = alertsWorld(fixture);
      await world.alerts.receive([signal("a")]);
      const { id } = await only(world);
      await world.alerts.silence({ ...order, incident: await only(world) });
      expect((await only(world)).silenced).toMatchObject({ by: operator });
      const before = await world.cards.read(world.incidents.ref(id));
      world.clock.advance(61 * minute);
      if (first === "repetition") await world.alerts.receive([signal("a")]);
      await world.keeper.step();
      expect(await only(world)).toMatchObject({ rings: 1 });
      expect(await only(world)).not.toHaveProperty("silenced");
      expect((await world.cards.read(world.incidents.ref(id)))?.revision).toBe((before?.revision ?? 0) + 1);
    }
  });

  test("covers also what was being received when it was made", async () => {
    const world = alertsWorld(fixture);
    await world.alerts.receive([signal("a")]);
    // Recorded, but its maker died before putting it on what is open.
    const until = new Date(world.clock.now().getTime() + 60 * minute).toISOString();
    const createdAt = world.clock.now().toISOString();
    const matchers = [{ label: "instance", operator: "=" as const, value: "a" }];
    await world.silences.create({ id: "s", matchers, by: operator, createdAt, until });
    await world.keeper.step();
    expect((await only(world)).silenced?.silence).toBe("s");
  });

  test("ends early by order, and another one that covers the same goes on", async () => {
    const world = alertsWorld(fixture);
    const matchers = [{ label: "instance", operator: "=" as const, value: "a" }];
    const long = await world.alerts.silence({ ...order, matchers });
    const short = await world.alerts.silence({ ...order, durationMs: 10 * minute, matchers });
    await world.alerts.receive([signal("a")]);
    expect((await only(world)).silenced?.silence).toBe(long.id);
    await world.alerts.endSilence(long.id, operator);
    expect((await only(world)).silenced?.silence).toBe(short.id);
    await world.alerts.endSilence(short.id, operator);
    expect(await whereIs(world, (await only(world)).id)).toBe("card");
    expect((await only(world)).history.at(-1)).toMatchObject({ event: "unsilenced", by: operator });
    await expect(world.alerts.endSilence("unknown", operator)).rejects.toMatchObject({ code: "not-found" });
  });

  test("is made once for one order, and forgotten a week after its end", async () => {
    const world = alertsWorld(fixture);
    const once = { ...order, source: "press 1", matchers: [{ label: "job", operator: "=" as const, value: "x" }] };
    const first = await world.alerts.silence(once);
    world.clock.advance(minute);
    expect(await world.alerts.silence(once)).toEqual(first);
    await world.pass(7 * 24 * 60 * minute);
    expect(await world.silences.all()).toHaveLength(1);
    await world.pass(2 * 60 * minute);
    expect(await world.silences.all()).toEqual([]);
  });

  test("over a storm's worth of incidents ends with one card for them", async () => {
    const world = alertsWorld(fixture, { storm: { incidents: 5 } });
    await world.alerts.silence({ ...order, matchers: [{ label: "alertname", operator: "=", value: "Down" }] });
    await world.alerts.receive(signals("n", 30));
    expect(await world.cards.backlog()).toBe(0);
    await world.pass(61 * minute);
    const places = await Promise.all((await allIncidents(world)).map(({ id }) => whereIs(world, id)));
    expect(places.filter((place) => place === "card")).toHaveLength(5);
    expect(new Set(places).size).toBe(2);
  });
});

describe("time", () => {
  test("makes stale what is not told again, and shows it once", async () => {
    const world = alertsWorld(fixture, { staleAfter: "1h" });
    await world.alerts.receive([signal("a"), signal("b", { repeats: false })]);
    await world.pass(61 * minute);
    await world.pass(61 * minute);
    const [a, b] = await allIncidents(world);
    expect(a?.history.map(({ event }) => event)).toEqual(["opened", "stale"]);
    expect(b?.history.map(({ event }) => event)).toEqual(["opened"]);
  });

  test("calms what has flapped, though it is over", async () => {
    const world = alertsWorld(fixture);
    for (let round = 0; round < 4; round++) {
      await world.alerts.receive([signal("a")]);
      await world.alerts.receive([signal("a", { status: "resolved" })]);
    }
    expect(await only(world)).toMatchObject({ flapping: {}, times: 4 });
    await world.pass(21 * minute);
    expect(await only(world)).not.toHaveProperty("flapping");
  });

  test("forgets what has ended long ago, with its card, and nothing else", async () => {
    const world = alertsWorld(fixture, { keep: "1d" });
    await world.alerts.receive([signal("a"), signal("b")]);
    await world.alerts.receive([signal("b", { status: "resolved" })]);
    const [, b] = await allIncidents(world);
    await world.pass(23 * 60 * minute);
    expect(await allIncidents(world)).toHaveLength(2);
    await world.pass(2 * 60 * minute);
    expect((await allIncidents(world)).map(({ title }) => title)).toEqual(["a is down"]);
    expect(await world.cards.read(world.incidents.ref(b?.id ?? ""))).toBeUndefined();
    expect(await world.incidents.endedCount()).toBe(0);
    const left = await fixture.redis.keys(`*${world.keys.root}*${b?.id}*`);
    expect(left).toEqual([]);
  });

  test("does not forget what begins again at the same moment", async () => {
    const world = alertsWorld(fixture);
    await world.alerts.receive([signal("a")]);
    await world.alerts.receive([signal("a", { status: "resolved" })]);
    const { id } = await only(world);
    const read = world.incidents.read.bind(world.incidents);
    world.incidents.read = async (asked) => {
      const known = await read(asked);
      await world.alerts.receive([signal("a")]);
      return known;
    };
    expect(await world.incidents.forget(id)).toBe(false);
    expect((await only(world)).status).toBe("firing");
  });
});
