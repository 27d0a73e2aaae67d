import { describe, expect, it } from "vitest";
import { tickJob } from "../../jobs/tick.ts";
import { phaseOf } from "../../src/core/polls.ts";
import { Keys } from "../../src/state/redis.ts";
import { hour, minute, type QueuedPoll, second, serversWorld } from "../support/servers.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

/** Failed requests are repeated, and the pauses between them are real: fewer polls take less of a test's time. */
const rarely = "stats: { every: 10m }";
const running = { signal: new AbortController().signal };

describe("the API of an account", () => {
  it("down for an hour is one incident, critical when it lasts, and no server's; all is well afterwards", async () => {
    const world = await serversWorld(fixture, { config: rarely });
    await world.pass(11 * minute);
    expect(await world.open()).toEqual([]);
    const fault = world.sandbox.addFault({ kind: "status", status: 503, body: "html" });
    await world.pass(11 * minute);
    expect(await world.open()).toEqual(["warning silence-account-api timeweb"]);
    await world.pass(49 * minute);
    expect(await world.open()).toEqual(["critical silence-account-api timeweb"]);
    world.sandbox.removeFault(fault);
    await world.pass(11 * minute);
    expect(await world.open()).toEqual([]);
    expect(await world.all()).toEqual(["silence-account-api 1"]);
    expect((await world.deps.serverStates.read("web-1"))?.failure).toBeUndefined();
  }, 30_000);

  it("that answers garbage is the same incident, also while some of its servers are off", async () => {
    const world = await serversWorld(fixture, { config: rarely });
    world.sandbox.setStatus(101, "off");
    await world.pass(11 * minute);
    expect(await world.open()).toEqual(["critical silence-off web-1"]);
    const fault = world.sandbox.addFault({ kind: "garbage" });
    await world.pass(11 * minute);
    expect(await world.open()).toEqual(["critical silence-off web-1", "warning silence-account-api timeweb"]);
    world.sandbox.removeFault(fault);
    await world.pass(11 * minute);
    expect(await world.open()).toEqual(["critical silence-off web-1"]);
    expect(await world.all()).toEqual(["silence-account-api 1", "silence-off 1"]);
  }, 30_000);

  it("that comes and goes becomes one incident that flaps, not one for each time", async () => {
    const world = await serversWorld(fixture, { config: `alerts: { flapping: { changes: 4, within: 1d } }` });
    await world.pass(6 * minute);
    for (let time = 0; time < 3; time++) {
      world.sandbox.revokeToken(world.sandbox.token);
      await world.pass(6 * minute);
      world.sandbox.allowToken(world.sandbox.token);
      await world.pass(6 * minute);
    }
    expect(await world.all()).toEqual(["silence-account-token 3"]);
    const [incident] = await world.deps.incidents.endedSince(new Date(0), 10);
    expect(incident?.flapping).toBeDefined();
  }, 30_000);

  it("that refuses the token is one critical incident at once, which says what to do", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.revokeToken(world.sandbox.token);
    await world.pass(6 * minute);
    expect(await world.open()).toEqual(["critical silence-account-token timeweb"]);
    const [incident] = await world.deps.incidents.open();
    expect(incident).toMatchObject({
      source: "servers",
      severity: "critical",
      labels: { provider: "timeweb" },
      text: { key: "silence-account-text", args: { reason: { key: "error-provider-token" } } },
    });
    expect(JSON.stringify(incident)).not.toContain(world.sandbox.token);
    await world.pass(30 * minute);
    expect(await world.all()).toEqual(["silence-account-token 1"]);
    world.sandbox.allowToken(world.sandbox.token);
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
  }, 30_000);
});

describe("a server", () => {
  it("that was deleted at its provider is told at once, and back when it is back", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.deleteServer(102);
    await world.pass(6 * minute);
    expect(await world.open()).toEqual(["critical silence-deleted web-2"]);
    world.sandbox.addServer({ id: 102, name: "web-2" });
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
    const events = await world.deps.serverStates.events("web-2", new Date(0), world.clock.now());
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["gone", "back"]));
  });

  it("that has another name there is told once, and keeps its own here", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.renameServer(103, "shop-db");
    await world.pass(20 * minute);
    expect(await world.open()).toEqual([]);
    expect(await world.all()).toEqual(["server-renamed 1"]);
    expect((await world.deps.serverStates.read("web-3"))?.facts?.providerName).toBe("shop-db");
  });

  it("that has another name there is told also when the worker was killed before it could", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.renameServer(103, "shop-db");
    const { alerts } = world.deps;
    const receive = alerts.receive.bind(alerts);
    alerts.receive = () => Promise.reject(new Error("killed"));
    await expect(world.pass(6 * minute)).rejects.toThrow("killed");
    alerts.receive = receive;
    expect(await world.all()).toEqual([]);
    await world.pass(12 * minute);
    expect(await world.all()).toEqual(["server-renamed 1"]);
    expect((await world.deps.serverStates.read("web-3"))?.untold).toBeUndefined();
  });

  it("that is neither on nor off for long is told, and no more when it is on", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.setStatus(102, "reinstalling");
    await world.pass(15 * minute);
    expect(await world.open()).toEqual([]);
    await world.pass(15 * minute);
    expect(await world.open()).toEqual(["warning silence-stuck web-2"]);
    world.sandbox.setStatus(102, "on");
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
  });

  it("that is off is told at once, not when that was ordered here, and no more when it is on", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    await world.deps.powerStates.wantOff("web-1", "order", world.clock.now());
    world.sandbox.setStatus(101, "off");
    world.sandbox.setStatus(102, "off");
    world.sandbox.setStatus(103, "no_paid");
    await world.pass(6 * minute);
    expect(await world.open()).toEqual(["critical silence-blocked web-3", "critical silence-off web-2"]);
    for (const id of [101, 102, 103]) world.sandbox.setStatus(id, "on");
    await world.pass(11 * minute);
    expect(await world.open()).toEqual([]);
  });

  it("that was switched off here stays so for a poll whose list is older, and is wanted again when it is really on", async () => {
    const { deps, clock } = await serversWorld(fixture);
    const { powerStates } = deps;
    const at = (ms: number) => new Date(clock.now().getTime() + ms);
    await powerStates.wantOff("web-1", "order", at(0));
    await powerStates.seen("web-1", "off", at(20 * second));
    await powerStates.seen("web-1", "on", at(50 * second));
    expect(await powerStates.expected("web-1")).toBe("off");
    await powerStates.seen("web-1", "on", at(6 * minute));
    expect(await powerStates.expected("web-1")).toBeUndefined();
  });

  it("that gives no data is told after two looks, and a single one says nothing", async () => {
    const world = await serversWorld(fixture);
    await world.pass(30 * minute);
    world.sandbox.hang(101);
    await world.pass(5 * minute);
    expect(await world.open()).toEqual([]);
    await world.pass(30 * minute);
    expect(await world.open()).toEqual(["warning silence-no-data web-1"]);
    world.sandbox.power(101, "hard-reboot");
    await world.pass(15 * minute);
    expect(await world.open()).toEqual([]);
    const events = await world.deps.serverStates.events("web-1", new Date(0), world.clock.now());
    expect(events.map(({ kind }) => kind)).toContain("booted");
  });

  it("that is taken out of the configuration takes its incident with it, and its history in a month", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    world.sandbox.deleteServer(102);
    await world.pass(6 * minute);
    const rest = world.worker("  - { name: web-1, provider: timeweb, id: 101 }");
    await world.tick(rest);
    expect(await world.open()).toEqual([]);
    const { serverHistory, serverStates } = world.deps;
    const values = async () => {
      const past = new Date(world.clock.now().getTime() - 40 * 24 * hour);
      return (await serverHistory.hours("web-2", ["cpu"], past, world.clock.now())).get("cpu")?.length;
    };
    for (let day = 0; day < 29; day++) {
      world.clock.advance(24 * hour);
      await world.tick(rest);
    }
    expect(await values()).toBe(1);
    world.clock.advance(36 * hour);
    await world.tick(rest);
    expect(await values()).toBe(0);
    expect(await serverStates.read("web-2")).toBeUndefined();
    expect([...(await serverStates.known()).keys()]).toEqual(["web-1"]);
  });
});

describe("polls", () => {
  it("come once for each server in each interval, each at its own moment", async () => {
    const world = await serversWorld(fixture);
    await world.pass(5 * minute);
    const looks = async () => [...(await world.deps.serverStates.readAll(["web-1", "web-2", "web-3"])).values()];
    const before = await looks();
    expect(new Set(before.map(({ lookedAt }) => lookedAt.getTime())).size).toBe(3);
    await world.pass(5 * minute);
    const after = await looks();
    for (const [index, { lookedAt }] of after.entries())
      expect(lookedAt.getTime() - (before[index]?.lookedAt.getTime() ?? 0)).toBe(5 * minute);
  });

  it("come at once for what is new, of a great number for the first ones", async () => {
    const few = await serversWorld(fixture);
    await few.tick();
    expect((await few.deps.serverStates.readAll(["web-1", "web-2", "web-3"])).size).toBe(3);
    const exporters = Array.from(
      { length: 100 },
      (_, index) => `  - { name: s-${index}, provider: node-exporter, url: "http://127.0.0.1:1/${index}" }`,
    );
    const many = await serversWorld(fixture, { servers: exporters.join("\n") });
    const begun = (await many.begin()).flatMap(({ batch }) => batch.servers);
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun.length).toBeGreaterThanOrEqual(20);
    expect(begun.length).toBeLessThan(40);
  });

  it("and what they have found are told although the backups' part of the tick fails", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    const { deps } = world;
    world.sandbox.setStatus(101, "off");
    world.clock.advance(5 * minute);
    const targets = deps.config.servers.map(({ name, config }) => ({ name, config }));
    for await (const look of deps.provider("timeweb").looks(targets, running.signal))
      await deps.serverStates.note(look, world.clock.now());
    deps.verificationOrders.requeueLost = () => Promise.reject(new Error("broken"));
    const ticked = tickJob(deps)({}, { ...running, jobId: "tick", attempt: 1, maxAttempts: 1 });
    await expect(ticked).rejects.toThrow("broken");
    expect(await world.open()).toEqual(["critical silence-off web-1"]);
  });

  it("go on with the others when what was found out about one cannot be written down", async () => {
    const world = await serversWorld(fixture, { servers: sameMoment(world3) });
    const [poll] = await untilBegun(world);
    const { serverStates, poller } = world.deps;
    const [broken = ""] = poll.batch.servers;
    const note = serverStates.note.bind(serverStates);
    const never = async (...[look, ...rest]: Parameters<typeof note>) =>
      look.name === broken ? await Promise.reject(new Error("broken")) : await note(look, ...rest);
    serverStates.note = never;
    await expect(poller.run(poll.batch, running)).rejects.toThrow("broken");
    const states = await serverStates.readAll(poll.batch.servers);
    const read = [...states.values()].filter(({ reading }) => reading !== undefined);
    expect(read.map(({ name }) => name).toSorted()).toEqual(poll.batch.servers.slice(1).toSorted());
  });

  it("of a worker that was killed midway are redone; what it had written down stays", async () => {
    const world = await serversWorld(fixture, { servers: sameMoment(world3) });
    const [poll] = await untilBegun(world);
    const killed = new AbortController();
    const dying = world.worker();
    const note = dying.serverStates.note.bind(dying.serverStates);
    let noted = 0;
    dying.serverStates.note = async (...look) => {
      const result = await note(...look);
      noted += 1;
      if (noted === 1) killed.abort(new Error("killed"));
      return result;
    };
    await expect(dying.poller.run(poll.batch, { signal: killed.signal })).rejects.toThrow("killed");
    expect((await world.deps.serverStates.readAll(poll.batch.servers)).size).toBe(1);
    expect(await world.deps.poller.run(poll.batch, running)).toMatchObject({ done: { left: 0, looked: 3 } });
    expect((await world.deps.serverStates.readAll(poll.batch.servers)).size).toBe(3);
  });

  it("of two workers never meet: the second waits, and what is begun twice has the same id", async () => {
    const world = await serversWorld(fixture, { servers: sameMoment(world3) });
    const other = world.worker();
    const [poll] = await untilBegun(world);
    const slow = world.sandbox.addFault({ kind: "slow", delayMs: 300 });
    const first = world.deps.poller.run(poll.batch, running);
    await expect.poll(() => world.sandbox.requests().length).toBeGreaterThan(0);
    expect(await other.poller.run(poll.batch, running)).toEqual({ later: 5000 });
    expect(await first).toMatchObject({ done: { looked: 3 } });
    world.sandbox.removeFault(slow);
    world.clock.advance(5 * minute);
    await world.deps.serverStates.setClock({
      slice: Math.floor(world.clock.now().getTime() / (15 * second)) - 1,
      epoch: 1,
    });
    // Both begin before either has recorded how far it got.
    const clock = await world.deps.serverStates.clock();
    const mine = await world.begin();
    if (clock) await world.deps.serverStates.setClock(clock);
    const theirs = await world.begin(other);
    expect(theirs.map(({ id }) => id)).toEqual(mine.map(({ id }) => id));
  });

  it("that come later than a newer look change nothing", async () => {
    const world = await serversWorld(fixture);
    const { serverStates } = world.deps;
    const [older, newer] = [await serverStates.begin(), await serverStates.begin()];
    const at = world.clock.now();
    const look = (cpu: number) => ({ name: "web-1", reading: { at, metrics: { cpu } }, tookMs: 1 });
    await serverStates.note(look(2), at, newer);
    const late = await serverStates.note(look(1), new Date(at.getTime() + hour), older);
    expect(late.isNewest).toBe(false);
    expect((await serverStates.read("web-1"))?.reading?.metrics.cpu).toBe(2);
    await fixture.redis.flushall();
    // A look that was under way when Redis lost its data: those after it count on behind it.
    await serverStates.note(look(3), at, newer);
    await serverStates.note(look(4), at);
    expect((await serverStates.read("web-1"))?.reading?.metrics.cpu).toBe(4);
  });

  it("come neither all at once nor late when the clock is set, forward or back", async () => {
    const many = Array.from(
      { length: 40 },
      (_, index) => `  - { name: s-${index}, provider: timeweb, id: ${1000 + index} }`,
    );
    const world = await serversWorld(fixture, {
      servers: many.join("\n"),
      sandbox: { servers: Array.from({ length: 40 }, (_, index) => ({ id: 1000 + index, name: `s-${index}` })) },
    });
    await world.pass(5 * minute);
    for (const jump of [3 * hour, -2 * hour, -40 * second, 400 * 24 * hour, -400 * 24 * hour]) {
      world.clock.advance(jump);
      const begun: QueuedPoll[] = [];
      for (let passed = 0; passed < 6 * minute; passed += 15 * second) {
        const now = await world.begin();
        expect(now.flatMap(({ batch }) => batch.servers).length).toBeLessThanOrEqual(12);
        begun.push(...now);
        world.clock.advance(15 * second);
      }
      expect(new Set(begun.flatMap(({ batch }) => batch.servers)).size).toBe(40);
      expect(new Set(begun.map(({ id }) => id)).size).toBe(begun.length);
    }
    for (const jump of [3 * hour, -3 * hour]) {
      world.clock.advance(jump);
      await world.pass(6 * minute);
      expect(await world.open()).toEqual([]);
    }
    expect(await world.all()).toEqual([]);
    // Nothing was removed by a clock that was a year ahead for some minutes.
    const { serverHistory, clock } = world.deps;
    const kept = await serverHistory.points("s-1", ["cpu"], new Date(clock.now().getTime() - 24 * hour), clock.now());
    expect(kept.get("cpu")?.length).toBeGreaterThan(1);
  }, 30_000);

  it("that nobody carries out are overdue: one incident for all, over when they come", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    const run = world.deps.poller.run.bind(world.deps.poller);
    world.deps.poller.run = () => Promise.resolve({ later: 5000 });
    await world.pass(16 * minute);
    expect(await world.open()).toEqual(["warning watch-polls"]);
    world.deps.poller.run = run;
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
    expect(await world.all()).toEqual(["watch-polls 1"]);
  });

  it("begin anew for a server whose record cannot be read, and go on for the others meanwhile", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    const key = new Keys(world.deps.config.redis.prefix).of("servers");
    expect(await fixture.redis.hset(key, "web-1", '{"name":')).toBe(0);
    expect([...(await world.deps.serverStates.readAll(["web-1", "web-2", "web-3"])).keys()]).toEqual([
      "web-2",
      "web-3",
    ]);
    await world.pass(6 * minute);
    expect((await world.deps.serverStates.read("web-1"))?.reading?.metrics.cpu).toBeDefined();
  });

  it("go on after Redis has lost everything", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    await fixture.redis.flushall();
    await world.pass(6 * minute);
    const states = await world.deps.serverStates.readAll(["web-1", "web-2", "web-3"]);
    expect([...states.values()].map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
    expect(await world.open()).toEqual([]);
  });
});

/** Names of servers whose turn comes at the same moment, as many as ids. */
function sameMoment(ids: readonly number[]): string {
  const names = Array.from({ length: 2000 }, (_, index) => `m-${index}`);
  const phase = phaseOf("m-0", 5 * minute);
  const chosen = names.filter((name) => phaseOf(name, 5 * minute) === phase).slice(0, ids.length);
  return chosen.map((name, index) => `  - { name: ${name}, provider: timeweb, id: ${ids[index]} }`).join("\n");
}
const world3 = [101, 102, 103];

/** Lets time pass until the turn of some servers has come, and gives their batches. */
async function untilBegun(world: Awaited<ReturnType<typeof serversWorld>>): Promise<[QueuedPoll, ...QueuedPoll[]]> {
  for (let passed = 0; passed < 6 * minute; passed += 15 * second) {
    const [first, ...rest] = await world.begin();
    if (first) return [first, ...rest];
    world.clock.advance(15 * second);
  }
  throw new Error("nobody's turn has come");
}
