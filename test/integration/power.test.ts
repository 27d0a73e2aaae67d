import { describe, expect, test, vi } from "vitest";
import type { PowerOrder } from "../../src/core/power.ts";
import type { JobPayload } from "../../src/queue/contracts.ts";
import { alice, bob, chat, powerJob, powerWorld } from "../support/power.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;
const stages = (order: PowerOrder) => Object.keys(order.stages);

describe("a reboot", () => {
  test("is looked at, confirmed, ordered once and followed until the server is back", async () => {
    const { ordered, follow, sandbox, asked, approval, deps } = await powerWorld(fixture);
    const order = await ordered("reboot");
    expect(order).toMatchObject({ status: "following", look: { status: "on", providerName: "web-one" } });
    expect(await approval(order)).toMatchObject({
      status: "done",
      action: "reboot",
      approvals: [{ by: { name: "alice" } }],
    });
    const done = await follow(order.id, 10 * minute);
    expect(done.status).toBe("done");
    expect(stages(done)).toEqual(["ordered", "going-down", "down", "booting", "answering", "green"]);
    expect(asked("reboot")).toBe(1);
    expect(sandbox.server(101).status).toBe("on");
    const entries = (await deps.audit.newest(50)).filter(({ about }) => about === "power");
    expect(entries.map(({ what, action, target, by }) => [what, action, target, by?.name])).toEqual([
      ["done", "reboot", "web-1", undefined],
      ["ordered", "reboot", "web-1", "alice"],
      ["requested", "reboot", "web-1", "alice"],
    ]);
  });

  test("is over with a poll: tables do not show the server as it was on its way", async () => {
    const { ordered, follow, deps } = await powerWorld(fixture);
    const { id } = await ordered("reboot");
    const enqueue = vi.spyOn(deps.producer, "enqueue");
    expect((await follow(id, 10 * minute)).status).toBe("done");
    const polls = enqueue.mock.calls.filter(([name]) => name === "poll");
    expect(polls).toMatchObject([["poll", { provider: "timeweb", servers: ["web-1"] }, { id: `poll-power-${id}` }]]);
    const [[, batch] = []] = polls as [string, JobPayload<"poll">][];
    if (!batch) throw new Error("no poll");
    expect(await deps.poller.run(batch, powerJob)).toMatchObject({ done: { looked: 1, failed: 0 } });
    expect(await deps.serverStates.read("web-1")).toMatchObject({ status: "on" });
  });

  test("is ordered once, however often and by however many workers it is carried out, and confirmed", async () => {
    const { ready, runner, worker, asked, read, deps } = await powerWorld(fixture);
    const { id } = await ready("reboot");
    const other = worker();
    const presses = Array.from({ length: 100 }, async (_, index) => {
      const orders = index % 2 === 0 ? deps.powerOrders : other.powerOrders;
      await orders.confirm(id, alice, chat).catch(() => undefined);
    });
    await Promise.all(presses);
    const { approval = "" } = await read(id);
    const runners = [runner(), runner(other)];
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await runners[index % 2]?.execute(approval, powerJob)),
    );
    for (let again = 0; again < 3; again++) await runner(other).execute(approval, powerJob);
    expect(asked("reboot")).toBe(1);
    expect((await read(id)).status).toBe("following");
  });

  test("hard wants the server's name typed, and a stranger to the order confirms nothing", async () => {
    const { ready, deps, read, asked, runner } = await powerWorld(fixture);
    const { id } = await ready("hard-reboot");
    await expect(deps.powerOrders.confirm(id, bob, chat)).rejects.toMatchObject({ code: "conflict" });
    await expect(deps.powerOrders.confirm(id, { id: 333, name: "vera" }, chat)).rejects.toMatchObject({
      code: "conflict",
    });
    const { approval = "" } = await deps.powerOrders.confirm(id, alice, chat);
    expect((await deps.approvals.read(approval))?.status).toBe("typing");
    await runner().execute(approval, powerJob);
    expect(asked("hard-reboot")).toBe(0);
    await deps.approvals.confirm(approval, alice, "web-2", false);
    expect((await deps.approvals.read(approval))?.status).toBe("typing");
    await deps.approvals.confirm(approval, alice, "web-1", false);
    await runner().execute(approval, powerJob);
    expect(asked("hard-reboot")).toBe(1);
    expect((await read(id)).status).toBe("following");
  });

  test("is void when the server has changed between the request and the approval", async () => {
    const { approved, runner, sandbox, asked, read } = await powerWorld(fixture);
    for (const change of ["off", "rebooted", "renamed", "deleted"] as const) {
      const order = await approved("reboot", change);
      if (change === "off") sandbox.setStatus(101, "off");
      if (change === "rebooted") sandbox.power(101, "reboot");
      if (change === "renamed") sandbox.renameServer(101, "web-other");
      if (change === "deleted") sandbox.deleteServer(101);
      await runner().execute(order.approval ?? "", powerJob);
      expect([change, (await read(order.id)).status]).toEqual([change, "failed"]);
      if (change === "off" || change === "rebooted") sandbox.setStatus(101, "on");
    }
    expect(asked("reboot")).toBe(0);
  });

  test("makes no sense for a server that is off, and a start none for one that is on", async () => {
    const { ready, sandbox } = await powerWorld(fixture);
    expect((await ready("start")).error?.text?.key).toBe("power-obstacle-on");
    sandbox.setStatus(101, "off");
    expect((await ready("reboot")).error?.text?.key).toBe("power-obstacle-off-start");
    expect(await ready("start")).toMatchObject({ status: "ready" });
  });

  test("waits for its turn: an order that is under way blocks the next one for that server alone", async () => {
    const { ordered, ready, deps } = await powerWorld(fixture);
    const first = await ordered("reboot");
    const second = await ready("hard-reboot", "second");
    await expect(deps.powerOrders.confirm(second.id, alice, chat)).rejects.toMatchObject({
      text: { key: "error-power-busy", args: { id: first.id } },
    });
    const { id } = await deps.powerOrders.request({ server: "db-1", action: "reboot", by: bob, target: chat });
    await deps.powerFollower.execute(id, powerJob);
    expect((await deps.powerOrders.confirm(id, bob, chat)).status).toBe("asked");
  });
});

describe("a lost answer", () => {
  test("of an order that was carried out is found by the action log, and not repeated", async () => {
    const { approved, runner, sandbox, asked, read, follow } = await powerWorld(fixture);
    const order = await approved("reboot");
    sandbox.addFault({ kind: "lost-answer", method: "POST", times: 1 });
    await runner().execute(order.approval ?? "", powerJob);
    expect((await read(order.id)).status).toBe("following");
    expect((await follow(order.id, 10 * minute)).status).toBe("done");
    expect(asked("reboot")).toBe(1);
  });

  test("of an order that was not carried out is ordered again, when that is certain", async () => {
    const { approved, runner, sandbox, asked, read } = await powerWorld(fixture);
    const order = await approved("reboot");
    sandbox.addFault({ kind: "reset", method: "POST", times: 1 });
    await runner().execute(order.approval ?? "", powerJob);
    expect(await read(order.id)).toMatchObject({ status: "following", intent: { tries: 2 } });
    expect(asked("reboot")).toBe(2);
    expect(sandbox.server(101).status).toBe("rebooting");
  });

  test("is said to be so when nobody can tell, and nothing is ordered a second time", async () => {
    const { approved, runner, sandbox, asked, read, follow, approval } = await powerWorld(fixture);
    const order = await approved("reboot");
    sandbox.addFault({ kind: "reset", method: "POST", times: 1 });
    // Its log can be read before, and not after.
    const blinded = runner(undefined, () => sandbox.addFault({ kind: "status", status: 403, path: "/logs" }));
    await blinded.execute(order.approval ?? "", powerJob);
    expect((await read(order.id)).status).toBe("unclear");
    expect(await approval(order)).toMatchObject({ status: "failed" });
    expect(asked("reboot")).toBe(1);
    expect((await follow(order.id, 10 * minute)).status).toBe("unknown");
    expect(asked("reboot")).toBe(1);
  });

  test("that says no leaves the server alone", async () => {
    const { approved, runner, sandbox, asked, read, deps } = await powerWorld(fixture);
    const order = await approved("reboot");
    sandbox.addFault({ kind: "status", status: 403, method: "POST", times: 1 });
    await runner().execute(order.approval ?? "", powerJob);
    expect((await read(order.id)).status).toBe("failed");
    expect(asked("reboot")).toBe(1);
    expect((await deps.silences.all()).every(({ until }) => Date.parse(until) <= deps.clock.now().getTime())).toBe(
      true,
    );
  });
});

describe("a server that does not come back", () => {
  test("is a critical incident after five minutes, and over when it is back after all", async () => {
    const { ordered, follow, sandbox, deps, read } = await powerWorld(fixture, {
      sandbox: { durations: { booting: null } },
    });
    const order = await ordered("reboot");
    expect((await follow(order.id, 4 * minute)).status).toBe("following");
    expect(await deps.incidents.openCount()).toBe(0);
    const late = await follow(order.id, 2 * minute);
    expect(late).toMatchObject({ status: "late", late: { cause: "stuck" } });
    const [incident] = await deps.incidents.open();
    expect(incident).toMatchObject({
      source: "power",
      severity: "critical",
      labels: { server: "web-1" },
      links: [{ kind: "console" }],
    });
    expect(incident?.silenced).toBeUndefined();
    sandbox.setStatus(101, "on");
    expect((await follow(order.id, 10 * minute)).status).toBe("done");
    expect(await deps.incidents.openCount()).toBe(0);
    expect((await read(order.id)).late).toBeDefined();
  });

  test("that hangs is one as well, and the next order takes its place", async () => {
    const { ordered, follow, sandbox, deps, asked, runner } = await powerWorld(fixture);
    const order = await ordered("reboot");
    await follow(order.id, 50_000);
    sandbox.hang(101);
    const late = await follow(order.id, 6 * minute);
    expect(late).toMatchObject({ status: "late", late: { cause: "silent" } });
    const next = await deps.powerOrders.next(order.id, "hard-reboot", alice, chat);
    await deps.powerFollower.execute(next.id, powerJob);
    // What is to be confirmed shows that it is not back, beside what others say of it.
    expect((await deps.powerOrders.read(next.id))?.look?.incidents).toContainEqual({
      title: { key: "power-late-title", args: { server: "web-1", minutes: 5 } },
      severity: "critical",
    });
    const { approval = "" } = await deps.powerOrders.confirm(next.id, alice, chat);
    await deps.approvals.confirm(approval, alice, "web-1", false);
    await runner().execute(approval, powerJob);
    expect(asked("hard-reboot")).toBe(1);
    await deps.powerFollower.execute(order.id, powerJob);
    expect(await deps.powerOrders.read(order.id)).toMatchObject({ status: "lost", next: next.id });
    expect((await follow(next.id, 10 * minute)).status).toBe("done");
    expect(await deps.incidents.openCount()).toBe(0);
  });

  test("while its provider cannot be asked is told to be so, and goes on when it can", async () => {
    const { ordered, follow, sandbox } = await powerWorld(fixture);
    const order = await ordered("reboot");
    await sandbox.refuse();
    const blind = await follow(order.id, 20_000);
    expect(blind).toMatchObject({ status: "following", blindText: { key: expect.stringContaining("error-provider") } });
    await sandbox.accept();
    const done = await follow(order.id, 10 * minute);
    expect(done.status).toBe("done");
    expect(done.blindSince).toBeUndefined();
  });
});

describe("alerts", () => {
  test("that a reboot explains are held back, and shown when they stay", async () => {
    const { ordered, follow, fire, deps, clock } = await powerWorld(fixture, {
      sandbox: { durations: { booting: 60_000 } },
    });
    await fire("already there");
    clock.advance(5 * minute);
    const order = await ordered("reboot");
    for (let n = 0; n < 50; n++) await fire(`alert ${n}`, { labels: { instance: "203.0.113.7:9100", n: String(n) } });
    await fire("elsewhere", { labels: { server: "db-1" } });
    const silenced = async (): Promise<string[]> =>
      (await deps.incidents.open()).filter((one) => one.silenced).map(({ title }) => title as string);
    expect((await silenced()).length).toBe(50);
    expect((await deps.incidents.hiddenIds()).length).toBe(50);
    for (let n = 0; n < 48; n++)
      await fire(`alert ${n}`, { status: "resolved", labels: { instance: "203.0.113.7:9100", n: String(n) } });
    await fire("already there", { status: "resolved" });
    const done = await follow(order.id, 30 * minute);
    expect(done.status).toBe("done");
    expect(stages(done)).not.toContain("green");
    expect(await silenced()).toEqual([]);
    expect(await deps.incidents.hiddenIds()).toEqual([]);
    expect(new Set((await deps.incidents.open()).map(({ title }) => title))).toEqual(
      new Set(["alert 48", "alert 49", "elsewhere"]),
    );
  });
});

test("an order that was refused and is asked for anew holds alerts back as well, whoever had it before", async () => {
  const { approved, sandbox, deps, runner, fire, asked, follow, read } = await powerWorld(fixture);
  const fault = sandbox.addFault({ kind: "status", status: 403, path: "/reboot$" });
  const { id, approval = "" } = await approved("reboot");
  // Taken over from workers that were lost: its fence is ahead of what the next approval's lease counts from.
  await deps.powerStates.update(id, "reply", deps.clock.now(), (current) => ({ ...current, fence: 1 }));
  for (let n = 0; n < 3; n++)
    await (await deps.leases.tryAcquire(`approval:${approval}`, { ttlMs: 5000, holder: "x" }))?.release();
  await runner().execute(approval, powerJob);
  expect(await read(id)).toMatchObject({ status: "failed", fence: 4 });
  sandbox.removeFault(fault);
  await deps.powerOrders.lookAgain(id, alice);
  await deps.powerFollower.execute(id, powerJob);
  const again = await deps.powerOrders.confirm(id, alice, chat);
  await runner().execute(again.approval ?? "", powerJob);
  expect((await read(id)).status).toBe("following");
  expect(asked("reboot")).toBe(2);
  await fire("explained");
  expect((await deps.incidents.open()).map(({ silenced }) => silenced !== undefined)).toEqual([true]);
  await fire("explained", { status: "resolved" });
  expect((await follow(id, 30 * minute)).status).toBe("done");
});

describe("a shutdown and a start", () => {
  test("are followed likewise, and being off is expected in between", async () => {
    const { ordered, follow, deps, sandbox, approved, runner } = await powerWorld(fixture);
    const off = await follow((await ordered("shutdown")).id, 5 * minute);
    expect(off.status).toBe("done");
    expect(stages(off)).toEqual(["ordered", "going-down", "down"]);
    expect(await deps.powerStates.expected("web-1")).toBe("off");
    expect(sandbox.server(101).status).toBe("off");
    const start = await approved("start", "start");
    await runner().execute(start.approval ?? "", powerJob);
    expect(await deps.powerStates.expected("web-1")).toBeUndefined();
    const on = await follow(start.id, 10 * minute);
    expect(on.status).toBe("done");
    expect(stages(on)).toEqual(["ordered", "booting", "answering", "green"]);
  });

  test("by somebody in the panel ends the expectation", async () => {
    const { ordered, follow, deps, sandbox, clock } = await powerWorld(fixture);
    await follow((await ordered("shutdown")).id, 5 * minute);
    // Sooner it could be an old list that a poll has read.
    clock.advance(4 * minute);
    sandbox.setStatus(101, "on");
    const reading = { at: clock.now(), status: "on", metrics: {} } as const;
    await deps.serverStates.note({ name: "web-1", reading, tookMs: 1 }, clock.now());
    await deps.powerOrders.step();
    expect(await deps.powerStates.expected("web-1")).toBeUndefined();
  });
});

describe("time", () => {
  test("that nobody confirms, or looks, ends an order", async () => {
    const { ready, deps, clock, read } = await powerWorld(fixture);
    const { id } = await ready("reboot");
    clock.advance(6 * minute);
    await expect(deps.powerOrders.confirm(id, alice, chat)).rejects.toMatchObject({ code: "conflict" });
    await deps.powerOrders.step();
    expect((await read(id)).status).toBe("expired");
    const again = await deps.powerOrders.lookAgain(id, alice);
    expect(again.status).toBe("looking");
    await deps.powerFollower.execute(id, powerJob);
    expect((await read(id)).status).toBe("ready");
  });

  test("that is set back or ahead does not hurt one that is followed", async () => {
    const { ordered, deps, clock, read, follow, asked } = await powerWorld(fixture);
    const order = await ordered("reboot");
    clock.advance(-2 * minute);
    await deps.powerFollower.execute(order.id, powerJob);
    clock.advance(2 * minute + 5000);
    await deps.powerFollower.execute(order.id, powerJob);
    expect((await read(order.id)).status).toBe("following");
    expect((await follow(order.id, 10 * minute)).status).toBe("done");
    expect(asked("reboot")).toBe(1);
  });
});
