import { describe, expect, test } from "vitest";
import type { WorkerDeps } from "../../src/app/worker-deps.ts";
import { AppError } from "../../src/core/errors.ts";
import type { Power, Provider } from "../../src/providers/types.ts";
import { type PowerWorld, powerJob, powerWorld } from "../support/power.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;

/** What a worker that is gone leaves behind: everything up to here, and nothing after it. */
const killed = (): AppError => new AppError("lease-lost", "killed", { permanent: false });

/** A worker that dies at its nth step: right before it, or when it is done and nothing of it is known yet. */
function dying(world: PowerWorld, at: number, when: "before" | "after"): { deps: WorkerDeps; steps: () => number } {
  const deps = world.worker();
  let steps = 0;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    steps += 1;
    if (steps > at || (steps === at && when === "before")) throw killed();
    const result = await work();
    if (steps === at) throw killed();
    return result;
  };
  const { powerStates, alerts } = deps;
  const record = powerStates.record.bind(powerStates);
  powerStates.record = async (...how) => await step(async () => await record(...how));
  const claim = powerStates.claim.bind(powerStates);
  powerStates.claim = async (...how) => await step(async () => await claim(...how));
  const silence = alerts.silence.bind(alerts);
  alerts.silence = async (order) => await step(async () => await silence(order));
  const provider = (name: string): Provider => {
    const opened = deps.provider(name);
    const { power } = opened;
    if (!power) return opened;
    const ordering: Power = {
      actions: power.actions,
      order: async (...how) => await step(async () => await power.order(...how)),
      facts: async (...how) => await power.facts(...how),
      actionLog: async (...how) => await power.actionLog(...how),
    };
    return { looks: (...how) => opened.looks(...how), power: ordering, close: async () => await opened.close() };
  };
  return { deps: { ...deps, provider }, steps: () => steps };
}

describe("a worker that is killed while it orders a reboot", () => {
  for (const when of ["before", "after"] as const) {
    for (let at = 1; at <= 6; at++) {
      test(`${when} its step ${at} leaves what another one goes on with: the provider is asked once`, async () => {
        const world = await powerWorld(fixture);
        const order = await world.approved("reboot");
        const approval = order.approval ?? "";
        const { deps, steps } = dying(world, at, when);
        await world
          .runner(deps)
          .execute(approval, powerJob)
          .catch(() => undefined);
        expect(steps()).toBeGreaterThanOrEqual(Math.min(at, 5));
        await world.runner().execute(approval, powerJob);
        expect(await world.approval(order)).toMatchObject({ status: "done" });
        expect(world.asked("reboot")).toBe(1);
        expect((await world.follow(order.id, 10 * minute)).status).toBe("done");
        expect(world.asked("reboot")).toBe(1);
      });
    }
  }

  test("five times in a row is reported, and the server is watched for what nobody can tell", async () => {
    const world = await powerWorld(fixture);
    const order = await world.approved("reboot");
    const approval = order.approval ?? "";
    for (let attempt = 1; attempt <= 5; attempt++)
      await world
        .runner(dying(world, attempt === 1 ? 3 : 2, "after").deps)
        .execute(approval, powerJob)
        .catch(() => undefined);
    await world.runner().execute(approval, powerJob);
    expect(await world.approval(order)).toMatchObject({ status: "unknown" });
    expect((await world.read(order.id)).status).toBe("unclear");
    expect((await world.follow(order.id, 10 * minute)).status).toBe("unknown");
    expect(world.asked("reboot")).toBeLessThanOrEqual(1);
  });
});

describe("a worker that is killed while it follows a server", () => {
  test("is followed by the next one from where it was", async () => {
    const world = await powerWorld(fixture);
    const { id } = await world.ordered("reboot");
    await world.follow(id, 30_000);
    const { deps, clock } = world;
    const other = world.worker();
    clock.advance(10_000);
    // Its job is gone with it: the tick puts it back.
    await deps.producer.forget("power", `power-${id}`);
    expect(await other.powerOrders.step()).toEqual([id]);
    await Promise.all([other.powerFollower.execute(id, powerJob), deps.powerFollower.execute(id, powerJob)]);
    expect((await world.follow(id, 10 * minute)).status).toBe("done");
    expect(world.asked("reboot")).toBe(1);
  });

  test("and everything in Redis with it leaves the server alone", async () => {
    const world = await powerWorld(fixture);
    const order = await world.approved("reboot");
    await fixture.redis.flushall();
    await world.runner().execute(order.approval ?? "", powerJob);
    expect(await world.deps.powerOrders.step()).toEqual([]);
    expect(world.asked("reboot")).toBe(0);
  });
});
