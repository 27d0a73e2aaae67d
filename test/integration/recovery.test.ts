import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { WorkerDeps } from "../../src/app/worker-deps.ts";
import type { Look } from "../../src/providers/types.ts";
import { alice, chat, type PowerWorld, type PowerWorldOptions, powerJob, powerWorld } from "../support/power.ts";
import { useRedis } from "../support/state.ts";

const script = fileURLToPath(new URL("../support/recovery-child.ts", import.meta.url));
const fixture = useRedis();
const minute = 60_000;
const never = new AbortController().signal;

interface RecoveryWorld extends PowerWorld {
  /** Polls all servers, and lets recovery look, every 15 seconds. */
  readonly pass: (ms: number, options?: { readonly polls?: boolean; readonly by?: WorkerDeps }) => Promise<string[]>;
  /** Hangs a server, and lets something else notice it as well. */
  readonly hang: (id: number, server: string) => Promise<void>;
}

async function recoveryWorld(auto: string, more = "", options: PowerWorldOptions = {}): Promise<RecoveryWorld> {
  const config = `recovery: { auto: ${auto}${more} }`;
  const world = await powerWorld(fixture, { ...options, config });
  const { deps, clock, sandbox, fire } = world;
  const poll = async (): Promise<void> => {
    const provider = deps.provider("timeweb");
    const targets = deps.config.servers.map(({ name, config: own }) => ({ name, config: own }));
    const looks: Look[] = [];
    for await (const look of provider.looks(targets, never)) looks.push(look);
    for (const look of looks) await deps.serverStates.note(look, clock.now());
  };
  await poll();
  return {
    ...world,
    pass: async (ms, { polls = true, by = deps } = {}) => {
      const acted: string[] = [];
      for (let passed = 0; passed < ms; passed += 15_000) {
        clock.advance(15_000);
        if (polls && passed % minute === 0) await poll();
        const server = await by.recovery.step();
        if (server !== undefined) acted.push(server);
      }
      return acted;
    },
    hang: async (id, server) => {
      sandbox.hang(id);
      await fire(`heartbeat of ${server}`, { source: "heartbeat", labels: { server } });
      // Until its newest measurement says nothing of now.
      clock.advance(20 * minute);
      await poll();
    },
  };
}

describe("a server that does not answer", () => {
  test("is left alone by default", async () => {
    const { hang, pass, deps } = await recoveryWorld("off");
    await hang(101, "web-1");
    expect(await pass(30 * minute)).toEqual([]);
    expect(await deps.powerStates.list(9)).toEqual([]);
  });

  test("is rebooted by itself, once, on a card that says why, and audited", async () => {
    const { hang, pass, deps, runner, asked, follow, read } = await recoveryWorld("on");
    await hang(101, "web-1");
    expect(await pass(4 * minute)).toEqual([]);
    expect(await pass(3 * minute)).toEqual(["web-1"]);
    const [order] = await deps.powerStates.list(9);
    expect(order).toMatchObject({
      server: "web-1",
      trigger: "recovery",
      standing: true,
      why: [{ key: "recovery-sign-incident" }, { key: "recovery-sign-silence" }],
    });
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    const { approval = "" } = await read(id);
    expect(await deps.approvals.read(approval)).toMatchObject({
      status: "approved",
      standing: "recovery",
      approvals: [],
    });
    await runner().execute(approval, powerJob);
    await runner().execute(approval, powerJob);
    expect(asked("reboot")).toBe(1);
    expect((await follow(id, 30 * minute)).status).toBe("done");
    const agreed = (await deps.audit.newest(50)).find(({ what }) => what === "agreed");
    expect(agreed).toMatchObject({ about: "approval", action: "reboot", why: "standing policy: recovery" });
  });

  test("is rebooted at most once in six hours", async () => {
    const { hang, pass, deps, sandbox, asked, runner, read, follow, clock } = await recoveryWorld("on");
    await hang(101, "web-1");
    await pass(7 * minute);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    await runner().execute((await read(id)).approval ?? "", powerJob);
    await follow(id, 30 * minute);
    sandbox.hang(101);
    clock.advance(20 * minute);
    expect(await pass(60 * minute)).toEqual([]);
    clock.advance(5 * 60 * minute);
    expect(await pass(15 * minute)).toEqual(["web-1"]);
    expect(asked("reboot")).toBe(1);
  });

  test("waits while another one is being recovered, whichever worker looks", async () => {
    const { hang, pass, deps, worker, clock, sandbox, fire } = await recoveryWorld("on");
    sandbox.hang(102);
    await fire("heartbeat of db-1", { source: "heartbeat", labels: { server: "db-1" } });
    await hang(101, "web-1");
    const other = worker();
    const acted: (string | undefined)[] = [];
    await pass(5 * minute - 15_000);
    for (let n = 0; n < 20; n++) {
      clock.advance(15_000);
      acted.push(...(await Promise.all([deps.recovery.step(), other.recovery.step()])));
    }
    expect(acted.filter((server) => server !== undefined)).toHaveLength(1);
    expect(await deps.powerStates.list(9)).toHaveLength(1);
  });

  test("is asked about where the configuration says so, and an approved press reboots it", async () => {
    const { hang, pass, deps, runner, asked, read, clock } = await recoveryWorld("ask");
    await hang(101, "web-1");
    expect(await pass(7 * minute)).toEqual(["web-1"]);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    expect(await read(id)).toMatchObject({ status: "ready" });
    expect((await read(id)).approval).toBeUndefined();
    clock.advance(20 * minute);
    const { approval = "" } = await deps.powerOrders.confirm(id, alice, chat);
    expect(await deps.approvals.read(approval)).toMatchObject({ requestedBy: { name: "alice" }, status: "approved" });
    await runner().execute(approval, powerJob);
    expect(asked("reboot")).toBe(1);
  });

  test("asked about and not answered for is left alone", async () => {
    const { hang, pass, deps, read, clock, asked } = await recoveryWorld("ask");
    await hang(101, "web-1");
    await pass(7 * minute);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    clock.advance(31 * minute);
    await deps.powerOrders.step();
    expect((await read(id)).status).toBe("expired");
    expect(await pass(60 * minute)).toEqual([]);
    expect(asked("reboot")).toBe(0);
  });

  test("is ordered by the next look, as the same, when a worker was killed between taking its turn and ordering", async () => {
    const { hang, pass, deps, clock, configPath } = await recoveryWorld("on");
    await hang(101, "web-1");
    expect(await pass(5 * minute)).toEqual([]);
    clock.advance(15_000);
    const child = spawn(process.execPath, [script, configPath, clock.now().toISOString()], { stdio: "inherit" });
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    expect(await deps.powerStates.list(9)).toEqual([]);
    const turn = await deps.recoveryStates.turn();
    expect(turn).toMatchObject({ server: "web-1" });
    expect(await pass(minute)).toEqual(["web-1"]);
    expect((await deps.powerStates.list(9)).map(({ id }) => id)).toEqual([turn?.order]);
  });
});

describe("what the configuration agrees to", () => {
  test("is not done to a server that has come back since it was polled, and is once it is silent anew", async () => {
    const { hang, pass, deps, sandbox, asked, read, clock, fire } = await recoveryWorld("on");
    await hang(101, "web-1");
    expect(await pass(7 * minute)).toEqual(["web-1"]);
    // By somebody at the machine: its provider's log has no line of it.
    sandbox.setStatus(101, "off");
    sandbox.setStatus(101, "on");
    clock.advance(minute);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    expect(await read(id)).toMatchObject({ status: "refused", error: { text: { key: "recovery-obstacle-answers" } } });
    expect(await pass(20 * minute)).toEqual([]);
    await fire("heartbeat of web-1", { source: "heartbeat", labels: { server: "web-1" } });
    sandbox.hang(101);
    clock.advance(20 * minute);
    expect(await pass(20 * minute)).toEqual(["web-1"]);
    const [next] = await deps.powerStates.list(9);
    expect(next?.id).not.toBe(id);
    expect(asked("reboot")).toBe(0);
  });

  test("is not done either where a person has agreed to it and it has come back meanwhile; it is asked about anew", async () => {
    const { hang, pass, deps, sandbox, asked, read, runner, clock, fire } = await recoveryWorld("ask");
    await hang(101, "web-1");
    expect(await pass(7 * minute)).toEqual(["web-1"]);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    await deps.powerFollower.execute(id, powerJob);
    // By somebody at the machine: neither its power nor its provider's log differ from what was agreed to.
    sandbox.setStatus(101, "off");
    sandbox.setStatus(101, "on");
    clock.advance(minute);
    await deps.powerOrders.confirm(id, alice, chat);
    const { approval = "" } = await read(id);
    await runner().execute(approval, powerJob);
    expect(await read(id)).toMatchObject({ status: "failed", error: { text: { key: "recovery-obstacle-answers" } } });
    expect(await deps.approvals.read(approval)).toMatchObject({
      execution: { error: { text: { key: "recovery-obstacle-answers" } } },
    });
    expect(asked("reboot")).toBe(0);
    expect(await pass(20 * minute)).toEqual([]);
    await fire("heartbeat of web-1", { source: "heartbeat", labels: { server: "web-1" } });
    sandbox.hang(101);
    clock.advance(20 * minute);
    expect(await pass(20 * minute)).toEqual(["web-1"]);
  });

  test("is over with its order: who has it looked at again has to confirm it", async () => {
    const { hang, pass, deps, asked, read, clock } = await recoveryWorld("on");
    await hang(101, "web-1");
    await pass(7 * minute);
    const [order] = await deps.powerStates.list(9);
    const id = order?.id ?? "";
    clock.advance(5 * minute);
    await deps.powerOrders.step();
    expect((await read(id)).status).toBe("expired");
    await deps.powerOrders.lookAgain(id, alice);
    await deps.powerFollower.execute(id, powerJob);
    expect(await read(id)).toMatchObject({ status: "ready", trigger: "chat", requestedBy: { name: "alice" } });
    expect((await read(id)).approval).toBeUndefined();
    expect(asked("reboot")).toBe(0);
  });
});

describe("it is not rebooted", () => {
  const untouched = async (world: RecoveryWorld): Promise<void> => {
    expect(await world.pass(20 * minute)).toEqual([]);
    expect(world.asked("reboot")).toBe(0);
  };

  test("by one sign alone", async () => {
    const world = await recoveryWorld("on");
    world.sandbox.hang(101);
    world.clock.advance(20 * minute);
    await untouched(world);
  });

  test("while it answers, whatever is reported of it", async () => {
    const world = await recoveryWorld("on");
    await world.fire("cpu", { source: "rule" });
    await world.fire("site down", { source: "alertmanager" });
    await untouched(world);
  });

  test("while the API is down, refuses the token, or does not give measurements", async () => {
    for (const fault of ["down", "token", "statistics"] as const) {
      const world = await recoveryWorld("on");
      await world.fire("heartbeat", { source: "heartbeat" });
      await world.fire("site down", { source: "alertmanager" });
      if (fault === "down") world.sandbox.addFault({ kind: "status", status: 403, path: "^/api" });
      if (fault === "token") world.sandbox.revokeToken(world.sandbox.token);
      if (fault === "statistics") world.sandbox.addFault({ kind: "status", status: 403, path: "statistics" });
      world.clock.advance(20 * minute);
      // Silent heartbeat and failing alert are two signs, and none of them is the server's own.
      const acted = await world.pass(20 * minute);
      expect([fault, fault === "statistics" ? [] : acted]).toEqual([fault, []]);
    }
  });

  test("in maintenance: silenced, taken on, with something under way, or switched off", async () => {
    const silenced = await recoveryWorld("on");
    await silenced.hang(101, "web-1");
    const matchers = [{ label: "server", operator: "=" as const, value: "web-1" }];
    await silenced.deps.alerts.silence({ by: alice, durationMs: 60 * minute, matchers });
    await untouched(silenced);

    const taken = await recoveryWorld("on");
    await taken.hang(101, "web-1");
    const [incident] = await taken.deps.incidents.open();
    await taken.deps.alerts.acknowledge(incident?.id ?? "", alice);
    await untouched(taken);

    const ordered = await recoveryWorld("on");
    await ordered.hang(101, "web-1");
    await ordered.ready("hard-reboot");
    expect(await ordered.pass(4 * minute)).toEqual([]);

    const off = await recoveryWorld("on");
    await off.hang(101, "web-1");
    await off.deps.powerStates.wantOff("web-1", "order", off.clock.now());
    await untouched(off);
  });

  test("when the only worker runs on it, or any process of Vakhta on it is alive", async () => {
    const world = await recoveryWorld("on");
    await world.hang(101, "web-1");
    const alive = async (): Promise<void> =>
      await world.deps.presences.write({
        role: "worker",
        host: "web-1",
        pid: 1,
        version: "1",
        startedAt: world.clock.now().toISOString(),
        state: "working",
        seenAt: world.clock.now().toISOString(),
      });
    const acted: string[] = [];
    for (let n = 0; n < 60; n++) {
      await alive();
      acted.push(...(await world.pass(15_000)));
    }
    expect(acted).toEqual([]);
  });

  test("without fresh polls, nor because a clock was set ahead", async () => {
    const stale = await recoveryWorld("on");
    await stale.hang(101, "web-1");
    await stale.pass(minute);
    stale.clock.advance(15 * minute);
    expect(await stale.pass(10 * minute, { polls: false })).toEqual([]);

    const ahead = await recoveryWorld("on");
    await ahead.hang(101, "web-1");
    await ahead.pass(minute);
    ahead.clock.advance(60 * minute);
    expect(await ahead.pass(3 * minute)).toEqual([]);
  });

  test("when it is not among those that the configuration names", async () => {
    const world = await recoveryWorld("on", ", servers: [db-*]");
    await world.hang(101, "web-1");
    await untouched(world);
  });
});

test("an exporter on the machine that does not answer is a sign of its own", async () => {
  const world = await recoveryWorld("on");
  const { deps, clock, sandbox } = world;
  const exporter = { name: "web-1-node", provider: "node-exporter", kind: "node-exporter", labels: {} };
  deps.config.servers.push({ ...exporter, config: { url: "http://web-1:9100/metrics" } });
  sandbox.hang(101);
  clock.advance(20 * minute);
  const acted: string[] = [];
  for (let n = 0; n < 8; n++) {
    const reason = { key: "look-gone", args: { id: "1" } };
    const look = { name: "web-1-node", failure: "unreachable", reason, tookMs: 1 } as const;
    await deps.serverStates.note(look, clock.now());
    const provider = deps.provider("timeweb");
    for await (const own of provider.looks([{ name: "web-1", config: { id: 101 } }], never))
      await deps.serverStates.note(own, clock.now());
    acted.push(...(await world.pass(minute, { polls: false })));
  }
  expect(acted).toEqual(["web-1"]);
  const [order] = await deps.powerStates.list(9);
  expect(new Set(order?.why?.map(({ key }) => key))).toEqual(
    new Set(["recovery-sign-exporter", "recovery-sign-silence"]),
  );
});
