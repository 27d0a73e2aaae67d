import { describe, expect, it } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { RuleRunner } from "../../src/services/servers/rules.ts";
import { hour, minute, type ServersWorld, serversWorld } from "../support/servers.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

/** Failed requests are repeated, and the pauses between them are real: fewer polls take less of a test's time. */
const config = `
stats: { every: 10m }
rules:
  - { name: cpu, when: "cpu > 90", for: 20m, clear: "cpu < 80", severity: critical }
  - { name: mean, when: "avg(cpu, 1h) > 70" }
`;

/** Time passes: polls, the watch over silence, the rules. */
async function pass(world: ServersWorld, runner: RuleRunner, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += minute) {
    world.clock.advance(minute);
    await world.tick();
    await runner.step();
  }
}

async function incidents({ deps }: ServersWorld): Promise<Incident[]> {
  return [...(await deps.incidents.open()), ...(await deps.incidents.endedSince(new Date(0), 1000))];
}

/** "rule server status times" of each, and what its text says in English. */
async function told(world: ServersWorld): Promise<string[]> {
  const ours = (await incidents(world)).filter(({ source }) => source === "rule");
  return ours.map(({ labels, status, times }) => `${labels["rule"]} ${labels["server"]} ${status} ${times}`).toSorted();
}

const textOf = ({ text }: Incident): string =>
  typeof text === "object" ? messagesOf("en").plain(text.key, text.args) : (text ?? "");

describe("rules about servers of an API", () => {
  it("that is away for an hour: what fired goes on and says that nothing is known; then it ends, or goes on", async () => {
    const world = await serversWorld(fixture, { config });
    const runner = new RuleRunner(world.deps);
    world.sandbox.setLoad(101, { cpu: 0.97 }, 100 * minute);
    world.sandbox.setLoad(102, { cpu: 0.97 }, 10 * hour);
    await pass(world, runner, 45 * minute);
    expect(await told(world)).toEqual([
      "cpu web-1 firing 1",
      "cpu web-2 firing 1",
      "mean web-1 firing 1",
      "mean web-2 firing 1",
    ]);
    const down = world.sandbox.addFault({ kind: "status", status: 503, body: "html" });
    await pass(world, runner, 15 * minute);
    world.sandbox.removeFault(down);
    // A refused token is not tried again at once: so the rest of the hour takes a test no time.
    world.sandbox.revokeToken(world.sandbox.token);
    await pass(world, runner, 45 * minute);
    // One fault of the account; none of the rules has ended or begun for it.
    expect(await world.open()).toEqual(["critical silence-account-token timeweb"]);
    expect((await told(world)).filter((line) => !line.endsWith("firing 1"))).toEqual([]);
    for (const incident of (await incidents(world)).filter(({ source }) => source === "rule"))
      expect(textOf(incident)).toContain("No data since 1 Mar 2026, 03:4");
    world.sandbox.allowToken(world.sandbox.token);
    await pass(world, runner, 75 * minute);
    expect(await world.open()).toEqual([]);
    expect(await told(world)).toEqual([
      "cpu web-1 resolved 1",
      "cpu web-2 firing 1",
      "mean web-1 resolved 1",
      "mean web-2 firing 1",
    ]);
    for (const incident of (await incidents(world)).filter(({ labels }) => labels["server"] === "web-2"))
      expect(textOf(incident)).not.toContain("No data");
  }, 60_000);

  it("from which a server was deleted, or that is taken out of the configuration", async () => {
    const world = await serversWorld(fixture, { config });
    const runner = new RuleRunner(world.deps);
    world.sandbox.setLoad(101, { cpu: 0.97 }, 10 * hour);
    await pass(world, runner, 45 * minute);
    world.sandbox.deleteServer(101);
    await pass(world, runner, 45 * minute);
    expect(await told(world)).toEqual(["cpu web-1 firing 1", "mean web-1 firing 1"]);
    const without = new RuleRunner(world.worker("  - { name: web-2, provider: timeweb, id: 102 }"));
    await without.step();
    expect(await told(world)).toEqual(["cpu web-1 resolved 1", "mean web-1 resolved 1"]);
    const [incident] = await world.deps.incidents.endedSince(new Date(0), 1);
    expect(textOf(incident as Incident)).toContain("is not about this server any more");
  }, 60_000);

  it("in a Redis that was emptied meanwhile: they begin anew", async () => {
    const world = await serversWorld(fixture, { config });
    const runner = new RuleRunner(world.deps);
    world.sandbox.setLoad(101, { cpu: 0.97 }, 10 * hour);
    await pass(world, runner, 45 * minute);
    await fixture.redis.flushall();
    expect(await told(world)).toEqual([]);
    await pass(world, runner, 45 * minute);
    expect(await told(world)).toEqual(["cpu web-1 firing 1", "mean web-1 firing 1"]);
  }, 60_000);
});
