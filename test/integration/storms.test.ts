import { describe, expect, test, vi } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { foldBacklog } from "../../src/services/alerts/backlog.ts";
import {
  type AlertsWorld,
  alertsWorld,
  allIncidents,
  countedMembers,
  opsGroup,
  ragingStorm,
  titleOf,
  whereIs,
} from "../support/alerts.ts";
import { operator, signal, signals } from "../support/signals.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;
const limits = { storm: { incidents: 5, within: "1m" } };

/** How many are on cards of their own, and how many on each storm's. */
async function spread(world: AlertsWorld): Promise<Record<string, number>> {
  const places = await Promise.all((await allIncidents(world)).map(({ id }) => whereIs(world, id)));
  return Object.fromEntries(
    Object.entries(Object.groupBy(places, (place) => place)).map(([place, all = []]) => [place, all.length]),
  );
}

async function expectTrueNumbers(world: AlertsWorld, storm: string): Promise<void> {
  expect((await world.storms.summary(storm))?.counts).toEqual(await countedMembers(world, storm));
}

describe("a storm", () => {
  test("begins with one incident too many: those before it keep their cards, the rest share one", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 5));
    expect(await world.storms.raging()).toEqual([]);
    await world.alerts.receive(signals("m", 95));
    const storm = await ragingStorm(world);
    expect(await spread(world)).toEqual({ card: 5, [storm]: 95 });
    expect(await world.cards.backlog()).toBe(6);
    expect(await world.storms.summary(storm)).toMatchObject({
      target: { chatId: opsGroup },
      total: 100,
      ownFiring: 5,
      late: false,
      counts: { warning: { firing: 95, over: 0 } },
      labels: [{ label: "alertname=Down", count: 95 }, ...Array.from({ length: 7 }, () => ({ count: 1 }))],
    });
  });

  test("is none when as many come slowly", async () => {
    const world = alertsWorld(fixture, limits);
    for (const one of signals("n", 30)) {
      await world.alerts.receive([one]);
      await world.pass(13_000);
    }
    expect(await spread(world)).toEqual({ card: 30 });
  });

  test("leaves criticals their own cards until they would flood as well, and gives them room again a minute later", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 20));
    await world.alerts.receive(signals("c", 8, "critical"));
    const storm = await ragingStorm(world);
    expect(await spread(world)).toEqual({ card: 5 + 5, [storm]: 15 + 3 });
    world.clock.advance(61_000);
    await world.alerts.receive(signals("d", 1, "critical"));
    expect(await spread(world)).toEqual({ card: 11, [storm]: 18 });
    await expectTrueNumbers(world, storm);
    const members = await world.incidents.readAll(await world.storms.members(storm, 3));
    expect(members.map(({ severity }) => severity)).toEqual(["critical", "critical", "critical"]);
  });

  test("is counted truly while its members end, begin again, are taken on, closed and change their severity", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive([...signals("n", 30), ...signals("i", 10, "info")]);
    const storm = await ragingStorm(world);
    const ids = await world.storms.members(storm);
    await world.alerts.receive(signals("n", 20, "warning", { status: "resolved" }));
    await expectTrueNumbers(world, storm);
    await world.alerts.receive(signals("n", 10));
    await expectTrueNumbers(world, storm);
    for (const id of ids.slice(0, 6)) await world.alerts.close(id, operator);
    await world.alerts.receive(signals("i", 5, "warning"));
    await expectTrueNumbers(world, storm);
    const firing = (await world.incidents.readAll(ids)).filter(({ status }) => status === "firing").length;
    expect(await world.alerts.acknowledgeStorm(storm, operator)).toBe(firing);
    expect(await world.alerts.acknowledgeStorm(storm, operator)).toBe(0);
    await expectTrueNumbers(world, storm);
    expect(await spread(world)).toMatchObject({ [storm]: 35 });
    expect(await world.storms.summary(storm)).toMatchObject({ total: 40, ownFiring: 5, acknowledged: firing });
  });

  test("lets go what becomes critical in it, as long as there is room", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 20));
    const storm = await ragingStorm(world);
    await world.alerts.receive(signals("n", 20, "critical"));
    expect(await spread(world)).toEqual({ card: 10, [storm]: 10 });
    await expectTrueNumbers(world, storm);
    expect(await world.storms.summary(storm)).toMatchObject({ total: 20, ownFiring: 10 });
  });

  test("is of one topic: others are not touched by it", async () => {
    const world = alertsWorld(fixture, { ...limits, routes: [{ match: { severity: "info" }, topic: "alerts" }] });
    await world.alerts.receive([...signals("n", 20), ...signals("i", 3, "info")]);
    expect((await world.storms.raging()).map(({ target }) => target)).toEqual([`${opsGroup}:`]);
    expect(await spread(world)).toMatchObject({ card: 8 });
  });

  test("ends when not too many have begun at once for a while, and says so on its card", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 20));
    const storm = await ragingStorm(world);
    await world.pass(minute);
    await world.alerts.receive(signals("m", 6));
    await world.pass(minute);
    await world.alerts.receive(signals("k", 5));
    await world.pass(59_000);
    expect(await world.storms.raging()).toHaveLength(1);
    const before = await world.cards.read(world.storms.ref(storm));
    await world.pass(2000);
    expect(await world.storms.raging()).toEqual([]);
    expect((await world.storms.summary(storm))?.endedAt).toEqual(world.clock.now());
    expect((await world.cards.read(world.storms.ref(storm)))?.revision).toBe((before?.revision ?? 0) + 1);
    await world.alerts.receive(signals("late", 3));
    expect(await spread(world)).toEqual({ card: 8, [storm]: 26 });
  });

  test("is over although new ones go on to begin, as long as they are few: they have cards of their own then", async () => {
    const world = alertsWorld(fixture, { storm: { incidents: 5, within: "20s" } });
    await world.alerts.receive(signals("n", 8));
    const storm = await ragingStorm(world);
    for (const one of signals("m", 20)) {
      await world.pass(55_000);
      await world.alerts.receive([one]);
    }
    expect(await world.storms.raging()).toEqual([]);
    expect(await spread(world)).toEqual({ card: 5 + 19, [storm]: 3 + 1 });
  });

  test("made only of criticals has no card as long as all of them have their own", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("c", 10, "critical"));
    const storm = await ragingStorm(world);
    expect(await spread(world)).toEqual({ card: 10 });
    expect(await world.cards.read(world.storms.ref(storm))).toBeUndefined();
    expect(await world.cards.backlog()).toBe(10);
    await world.alerts.receive(signals("d", 1, "critical"));
    expect(await spread(world)).toEqual({ card: 10, [storm]: 1 });
    expect(await world.storms.summary(storm)).toMatchObject({ total: 11, ownFiring: 10 });
    await world.alerts.receive(signals("c", 4, "critical", { status: "resolved" }));
    expect(await world.storms.summary(storm)).toMatchObject({ total: 11, ownFiring: 6 });
    const quiet = alertsWorld(fixture, limits);
    await quiet.alerts.receive(signals("c", 10, "critical"));
    await quiet.pass(3 * minute);
    expect(await quiet.storms.raging()).toEqual([]);
    expect(await quiet.cards.backlog()).toBe(10);
  });

  test("knows what is done about its members elsewhere, and when their routes are silent", async () => {
    const routes = [{ match: { severity: "critical" } }, { match: {}, silent: "22:00-08:00" }];
    const world = alertsWorld(fixture, { ...limits, routes });
    await world.alerts.receive([...signals("n", 15), ...signals("c", 15, "critical")]);
    const storm = await ragingStorm(world);
    const summary = async () => await world.storms.summary(storm);
    const members = await world.incidents.readAll(await world.storms.members(storm));
    const hours = { from: 22 * 60, to: 8 * 60 };
    expect(await summary()).toMatchObject({ acknowledged: 0, silenced: 0, ringing: 20 });
    expect(new Set((await summary())?.silent)).toEqual(new Set([hours, false]));
    for (const { id } of members.slice(0, 3)) await world.alerts.acknowledge(id, operator);
    const matchers = [{ label: "severity", operator: "=" as const, value: "critical" }];
    const silence = await world.alerts.silence({ by: operator, durationMs: 10 * minute, matchers });
    expect(await summary()).toMatchObject({ acknowledged: 3, silenced: 5, ringing: 15, silent: [hours] });
    await world.alerts.endSilence(silence.id, operator);
    await world.alerts.receive(signals("c", 15, "critical", { status: "resolved" }));
    expect(await summary()).toMatchObject({ acknowledged: 0, silenced: 0, ringing: 15 });
    await expectTrueNumbers(world, storm);
  });

  test("rings for its members: once for all of them, at most once a minute", async () => {
    const world = alertsWorld(fixture, { ...limits, routes: [{ match: {}, repeat: "10m" }] });
    await world.alerts.receive(signals("n", 25));
    const storm = await ragingStorm(world);
    const rings = async () => (await world.storms.summary(storm))?.rings;
    await world.pass(9 * minute);
    expect(await rings()).toBe(0);
    await world.pass(minute);
    expect(await rings()).toBe(1);
    // A silence ends a moment later: heard when the minute is over.
    const matchers = [{ label: "alertname", operator: "=" as const, value: "Down" }];
    const silence = await world.alerts.silence({ by: operator, durationMs: minute, matchers });
    await world.alerts.endSilence(silence.id, operator);
    await world.pass(20_000);
    expect(await rings()).toBe(1);
    await world.pass(41_000);
    expect(await rings()).toBe(2);
    await world.alerts.acknowledgeStorm(storm, operator);
    await world.pass(20 * minute);
    expect(await rings()).toBe(2);
  });

  test("never rings for members whose routes are silent then", async () => {
    const world = alertsWorld(fixture, { ...limits, routes: [{ match: {}, repeat: "10m", silent: true }] });
    await world.alerts.receive(signals("n", 25));
    const storm = await ragingStorm(world);
    await world.pass(25 * minute);
    expect(await world.storms.summary(storm)).toMatchObject({ rings: 0, silent: [true] });
  });

  test("rings when the first member comes that may be heard", async () => {
    const routes = [{ match: { severity: "info" }, silent: true }];
    const world = alertsWorld(fixture, { ...limits, routes });
    await world.alerts.receive(signals("i", 10, "info"));
    const storm = await ragingStorm(world);
    await world.alerts.receive(signals("n", 3));
    await world.pass(minute);
    expect(await world.storms.summary(storm)).toMatchObject({ rings: 1 });
    await world.alerts.receive(signals("m", 3));
    await world.pass(minute);
    expect(await world.storms.summary(storm)).toMatchObject({ rings: 1 });
  });

  test("lets go those whose route leads elsewhere now, and nobody when only the chat has got another id", async () => {
    const routes = [{ match: { severity: "critical" }, topic: "alerts" }];
    const world = alertsWorld(fixture, { ...limits, routes });
    await world.alerts.receive(signals("n", 20));
    const storm = await ragingStorm(world);
    await world.cards.migrate(opsGroup, -100_777);
    await world.alerts.receive(signals("n", 20, "warning", { text: "more words" }));
    expect(await spread(world)).toEqual({ card: 5, [storm]: 15 });
    await world.alerts.receive(signals("n", 20, "critical"));
    const [other] = (await world.storms.raging()).filter(({ id }) => id !== storm);
    if (!other) throw new Error("no second storm");
    expect(other.target).toBe("-100777:12");
    // Five made it a storm there, five more had room beside its card.
    expect(await spread(world)).toEqual({ card: 10, [other.id]: 10 });
    expect((await world.storms.summary(storm))?.counts["warning"]).toEqual({ firing: 0, over: 0 });
    await expectTrueNumbers(world, storm);
    await expectTrueNumbers(world, other.id);
  });

  test("does not end because somebody is a moment ahead of whoever looks", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 20));
    const [storm] = await world.storms.raging();
    if (!storm) throw new Error("no storm");
    const at = (ms: number): Date => new Date(world.clock.now().getTime() + ms);
    expect(await world.storms.end(storm, 2 * minute, at(-5))).toBe(false);
    // A clock that was set back by an hour must not keep it up for that long.
    expect(await world.storms.end(storm, 2 * minute, at(-60 * minute))).toBe(true);
  });

  test("gives back criticals that still fire at its end, if they are few", async () => {
    for (const [many, released] of [
      [4, 4],
      [6, 0],
    ] as const) {
      const world = alertsWorld(fixture, limits);
      await world.alerts.receive(signals("n", 10));
      await world.alerts.receive(signals("c", 5 + many, "critical"));
      await world.alerts.receive(signals("c", 1, "critical", { status: "resolved" }));
      const storm = await ragingStorm(world);
      const before = await spread(world);
      expect(before).toEqual({ card: 10, [storm]: 5 + many });
      await world.pass(3 * minute);
      expect(await spread(world)).toEqual({ card: 10 + released, [storm]: 5 + many - released });
      await expectTrueNumbers(world, storm);
    }
  });

  test("has its criticals in front that fire, also those that have become critical", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive([...signals("n", 20), ...signals("c", 20, "critical")]);
    const storm = await ragingStorm(world);
    const first = async (count: number): Promise<Incident[]> =>
      await world.incidents.readAll(await world.storms.members(storm, count));
    const [oldest, ...others] = await first(5);
    if (!oldest) throw new Error("no member");
    await world.alerts.close(oldest.id, operator);
    expect((await first(4)).map(({ id }) => id)).toEqual(others.map(({ id }) => id));
    const warning = (await first(0)).find(({ severity }) => severity === "warning");
    if (!warning) throw new Error("no warning");
    await world.alerts.receive([signal(titleOf(warning).split(" ")[0] ?? "", { severity: "critical" })]);
    const kinds = (await first(0)).map(({ severity, status }) => `${severity} ${status}`);
    expect(kinds.filter((kind) => kind === "critical firing")).toHaveLength(10);
    expect(kinds.slice(0, 11)).toEqual([...Array.from({ length: 10 }, () => "critical firing"), "critical closed"]);
    await expectTrueNumbers(world, storm);
  });

  test("is taken on by two people at once: each is told of those that are theirs, hundreds within a moment", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("many", 300));
    const storm = await ragingStorm(world);
    const alice = { id: 1, name: "alice" };
    const bob = { id: 2, name: "bob" };
    const counts = await Promise.all([alice, bob].map((by) => world.node().alerts.acknowledgeStorm(storm, by)));
    const members = await world.incidents.readAll(await world.storms.members(storm));
    const taken = [alice, bob].map((by) => members.filter(({ acknowledged }) => acknowledged?.by.id === by.id).length);
    expect(counts).toEqual(taken);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(295);
  });

  test("keeps its members after its end: only what begins again gets a card of its own", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 25));
    const storm = await ragingStorm(world);
    await world.pass(3 * minute);
    await world.alerts.acknowledgeStorm(storm, operator);
    await world.alerts.receive(signals("n", 25, "warning", { text: "still" }));
    await world.pass(25 * 60 * minute);
    expect(await spread(world)).toEqual({ card: 5, [storm]: 20 });
    await world.alerts.receive(signals("n", 25, "warning", { status: "resolved" }));
    await world.alerts.receive([signal("n24")]);
    expect(await spread(world)).toEqual({ card: 6, [storm]: 19 });
    await expectTrueNumbers(world, storm);
  });

  test("is forgotten after the last of its members", async () => {
    const world = alertsWorld(fixture, { ...limits, keep: "1d" });
    await world.alerts.receive(signals("n", 20));
    const storm = await ragingStorm(world);
    await world.pass(3 * minute);
    await world.alerts.receive(signals("n", 20, "warning", { status: "resolved" }));
    await world.pass(23 * 60 * minute);
    expect(await world.storms.members(storm)).toHaveLength(15);
    await world.pass(2 * 60 * minute);
    await world.pass(minute);
    expect(await world.storms.summary(storm)).toBeUndefined();
    expect(await fixture.redis.keys(`*${world.keys.root}*${storm}*`)).toEqual([]);
    expect(await world.storms.known(world.clock.now())).toEqual([]);
  });
});

describe("the backlog of an outage", () => {
  test("becomes one card when it is long: of what nobody has seen, criticals that fire excepted", async () => {
    const world = alertsWorld(fixture, { storm: { incidents: 10, within: "10s" } });
    const since = world.clock.now();
    const began = [...signals("n", 12), ...signals("c", 3, "critical"), ...signals("e", 3, "critical")];
    for (const one of began) {
      await world.alerts.receive([one]);
      world.clock.advance(9000);
    }
    await world.alerts.receive(signals("e", 3, "critical", { status: "resolved" }));
    expect(await spread(world)).toEqual({ card: 18 });
    // One was shown before the end of the outage, one is on its way.
    const claims = [await world.cards.take(world.clock.now()), await world.cards.take(world.clock.now())];
    const [shown, onItsWay] = claims.map((claim) => ("placement" in claim ? claim : undefined));
    if (!shown || !onItsWay) throw new Error("nothing to deliver");
    await world.cards.done(shown, { messageId: 1, hash: "x", spent: true }, world.clock.now());
    const kept = new Set([shown.card.id, onItsWay.card.id]);
    const all = await allIncidents(world);
    const expected = all.filter(
      (incident) => !kept.has(incident.id) && !(incident.severity === "critical" && incident.status === "firing"),
    );
    expect(await foldBacklog(world, since)).toBe(expected.length);
    const [storm = ""] = await world.storms.known(world.clock.now());
    expect(await spread(world)).toEqual({ card: 18 - expected.length, [storm]: expected.length });
    await expectTrueNumbers(world, storm);
    expect(await world.storms.summary(storm)).toMatchObject({ late: true, startedAt: since, total: expected.length });
    expect(await foldBacklog(world, since)).toBe(0);
  });

  test("is put together in portions, however long it is", async () => {
    const world = alertsWorld(fixture, { storm: { incidents: 500, within: "1s" } });
    for (const prefix of ["a", "b", "c"]) {
      await world.alerts.receive(signals(prefix, 500));
      world.clock.advance(2000);
    }
    const redis = fixture.connect();
    await redis.ping();
    const writes = vi.spyOn(redis.stream, "write");
    expect(await foldBacklog(world.node(redis), new Date(0))).toBe(1500);
    expect(writes.mock.calls.length).toBeLessThan(100);
  });

  test("stays as it is when it is short", async () => {
    const world = alertsWorld(fixture, limits);
    await world.alerts.receive(signals("n", 5));
    expect(await foldBacklog(world, new Date(0))).toBe(0);
    expect(await spread(world)).toEqual({ card: 5 });
  });
});
