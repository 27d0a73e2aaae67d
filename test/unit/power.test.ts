import { describe, expect, test } from "vitest";
import { isPowerEvent, obstacleOf, type PowerIntent, type PowerOrder, powerActions } from "../../src/core/power.ts";
import { evidenceOf } from "../../src/core/power-evidence.ts";
import { type PowerObservation, progressed } from "../../src/core/power-progress.ts";
import { isLongEnough, mayActAgain, seenUnresponsive } from "../../src/core/recovery.ts";
import { type ServerAction, type ServerStatus, serverStatuses } from "../../src/core/server.ts";
import { covers, hostOf, type Silence } from "../../src/core/silence.ts";

const start = Date.parse("2026-03-01T03:00:00Z");
const at = (seconds: number): Date => new Date(start + seconds * 1000);
const line = (id: string, event = "server_reboot"): ServerAction => ({ id, at: at(0), event });

describe("what speaks for an order that was carried out", () => {
  const intent: PowerIntent = { at: at(0).toISOString(), status: "on", logId: "7", tries: 1 };
  const log = [line("7", "server_created")];

  test("a line about power that was not there, and the server on its way", () => {
    expect(evidenceOf("reboot", intent, { status: "on", log })).toBe("not-yet");
    expect(evidenceOf("reboot", intent, { status: "on", log: [line("8"), ...log] })).toBe("done");
    for (const status of ["rebooting", "stopping", "off", "starting"] as const)
      expect(evidenceOf("reboot", intent, { status, log })).toBe("done");
    expect(evidenceOf("shutdown", intent, { status: "rebooting", log })).toBe("unknown");
    expect(evidenceOf("start", { ...intent, status: "off" }, { status: "starting", log })).toBe("done");
  });

  test("nothing is certain without a log, with a line that nobody understands, or with one that has gone on too far", () => {
    expect(evidenceOf("reboot", intent, { status: "on", log: undefined })).toBe("unknown");
    expect(evidenceOf("reboot", { ...intent, logId: undefined } as never, { status: "on", log })).toBe("unknown");
    expect(evidenceOf("reboot", intent, { status: undefined, log })).toBe("unknown");
    expect(evidenceOf("reboot", intent, { status: "on", log: [line("8", "backup_created"), ...log] })).toBe("unknown");
    expect(evidenceOf("reboot", intent, { status: "on", log: [line("99", "backup_created")] })).toBe("unknown");
    expect(evidenceOf("reboot", { ...intent, logId: "" }, { status: "on", log: [] })).toBe("not-yet");
  });

  test("what it was doing anyway says nothing", () => {
    const stuck = { ...intent, status: "rebooting" } as const;
    expect(evidenceOf("hard-reboot", stuck, { status: "rebooting", log })).toBe("not-yet");
  });

  test("lines about power are known by their words", () => {
    for (const event of [
      "server_reboot",
      "server_hard_shutdown",
      "Перезагрузка сервера",
      "Сервер выключен",
      "turned on",
    ])
      expect([event, isPowerEvent({ event })]).toEqual([event, true]);
    for (const event of ["server_password_reset", "Сброс пароля", "Запуск бэкапа", "disk_backup_start"])
      expect([event, isPowerEvent({ event })]).toEqual([event, false]);
    for (const event of ["server_created", "backup_created", "Создан бэкап", "ip_added"])
      expect([event, isPowerEvent({ event })]).toEqual([event, false]);
  });
});

describe("a server on its way", () => {
  test("that says it has been running all the time is not back, but was never rebooted", () => {
    const running = (seconds: number, bootedAt: number) => ({
      reading: { at: at(seconds), status: "on" as const, metrics: {}, bootedAt: at(bootedAt) },
    });
    let now = order();
    for (let seconds = 10; seconds < 300; seconds += 10) now = see(now, seconds, "on", running(seconds, -86_400));
    expect(Object.keys(now.stages)).toEqual(["ordered"]);
    now = see(now, 300, "on", running(300, -86_400));
    expect(now).toMatchObject({ status: "late", late: { cause: "running" } });
    now = see(now, 320, "on", running(320, 290));
    expect(now.stages.answering).toBe(at(320).toISOString());
    // A clock that is a little behind says nothing.
    expect(see(order(), 100, "on", running(100, -60)).stages.answering).toBe(at(100).toISOString());
  });

  const order = (change: Partial<PowerOrder> = {}): PowerOrder => ({
    id: "p1",
    server: "web-1",
    action: "reboot",
    trigger: "chat",
    status: "following",
    createdAt: at(-30).toISOString(),
    looks: 0,
    fence: 1,
    intent: { at: at(0).toISOString(), status: "on", logId: "7", tries: 1 },
    stages: { ordered: at(0).toISOString() },
    backBy: at(300).toISOString(),
    ...change,
  });
  const see = (from: PowerOrder, seconds: number, status?: ServerStatus, more: Partial<PowerObservation> = {}) =>
    progressed(from, { at: at(seconds), status, alerts: 0, ...more });
  const measured = (seconds: number) => ({ reading: { at: at(seconds), status: "on" as const, metrics: {} } });

  test("goes through each stage, and is back when it is measured after it was away and stays well", () => {
    let now = order();
    now = see(now, 10, "on", measured(5));
    expect(Object.keys(now.stages)).toEqual(["ordered"]);
    now = see(now, 20, "rebooting");
    now = see(now, 30, "off");
    now = see(now, 40, "starting");
    // What was measured before it went down says nothing.
    now = see(now, 50, "on", measured(15));
    expect(Object.keys(now.stages)).toEqual(["ordered", "going-down", "down", "booting"]);
    now = see(now, 60, "on", measured(55));
    expect(now).toMatchObject({ status: "following", stages: { answering: at(60).toISOString() } });
    now = see(now, 70, "on", measured(65));
    expect(now.status).toBe("following");
    now = see(now, 80, "on", measured(75));
    expect(now).toMatchObject({ status: "done", stages: { green: at(80).toISOString() } });
  });

  test("so fast that nobody has seen it away is back when the system says so, or after a while", () => {
    const booted = { reading: { at: at(20), metrics: {}, bootedAt: at(12) } };
    expect(see(order(), 20, "on", booted).stages.answering).toBeDefined();
    expect(see(order(), 60, "on", measured(60)).stages.answering).toBeUndefined();
    expect(see(order(), 120, "on", measured(95)).stages.answering).toBeDefined();
  });

  test("is late at its time and not before, whatever hangs; and back after all", () => {
    expect(see(order(), 299, "starting").status).toBe("following");
    expect(see(order(), 300, "starting")).toMatchObject({ status: "late", late: { cause: "stuck" } });
    expect(see(order(), 300, "off")).toMatchObject({ late: { cause: "off" } });
    expect(see(order(), 300, "on")).toMatchObject({ late: { cause: "silent" } });
    expect(see(order(), 300, undefined, { blind: { key: "x" } })).toMatchObject({ late: { cause: "api" } });
    expect(see(order({ action: "shutdown" }), 300, "on")).toMatchObject({ late: { cause: "on" } });
    const late = see(order(), 300, "off");
    expect(see(late, 310, "off")).toMatchObject({ status: "late", late: { at: at(300).toISOString() } });
    expect(see(late, 310, "on", measured(309))).toMatchObject({ status: "following" });
    expect(see(late, 300 + 24 * 3600, "off").status).toBe("lost");
  });

  test("with alerts that stay is done after ten minutes, and not green", () => {
    const back = see(see(order(), 20, "off"), 30, "on", { ...measured(29), alerts: 2 });
    expect(see(back, 600, "on", { ...measured(599), alerts: 2 }).status).toBe("following");
    const done = see(back, 630, "on", { ...measured(629), alerts: 2 });
    expect(done).toMatchObject({ status: "done", alerts: 2 });
    expect(done.stages.green).toBeUndefined();
  });

  test("of which nobody knows whether it was asked is followed when it moves, and given up when it does not", () => {
    const unclear = order({ status: "unclear", stages: {} });
    expect(see(unclear, 200, "on", measured(200)).status).toBe("unclear");
    expect(see(unclear, 20, "rebooting").status).toBe("following");
    expect(see(unclear, 20, "on", { happened: true }).status).toBe("following");
    expect(see(unclear, 300, "on", measured(299)).status).toBe("unknown");
  });

  test("every order has an answer for every state", () => {
    for (const action of powerActions)
      for (const status of serverStatuses) {
        const text = obstacleOf(action, status);
        expect(text === undefined || text.key.startsWith("power-obstacle-")).toBe(true);
      }
    expect(obstacleOf("hard-reboot", "rebooting")).toBeUndefined();
    expect(obstacleOf("reboot", "rebooting")?.key).toBe("power-obstacle-moving");
  });
});

describe("alerts that an order explains", () => {
  const silence: Silence = {
    id: "s",
    matchers: [],
    hold: { server: "web-1", aliases: ["web-one", "203.0.113.7", "2001:db8::7"], since: at(0).toISOString() },
    by: { id: 1, name: "alice" },
    createdAt: at(0).toISOString(),
    until: at(900).toISOString(),
  };
  const about = (labels: Record<string, string>, seconds = 30) =>
    covers(silence, { identity: "i", matchLabels: labels, firedAt: at(seconds).toISOString() });

  test("are those of the server, by any of its names, from then on", () => {
    expect(about({ server: "web-1" })).toBe(true);
    expect(about({ instance: "203.0.113.7:9100" })).toBe(true);
    expect(about({ instance: "[2001:db8::7]:9100" })).toBe(true);
    expect(about({ instance: "https://WEB-ONE/health" })).toBe(true);
    expect(about({ server: "web-10" })).toBe(false);
    expect(about({ instance: "203.0.113.70:9100" })).toBe(false);
    expect(about({ job: "web-1" })).toBe(false);
    expect(about({ server: "web-1" }, -300)).toBe(false);
    expect(about({ server: "web-1", source: "power" })).toBe(false);
  });

  test("name their hosts in many ways", () => {
    expect(["web-1:9100", "http://web-1/x", "2001:db8::1", "[::1]:80", "web-1"].map(hostOf)).toEqual([
      "web-1",
      "web-1",
      "2001:db8::1",
      "::1",
      "web-1",
    ]);
  });
});

describe("a server that does not answer", () => {
  test("has to be found so again and again: a pause or a clock that was set begins anew", () => {
    let known = seenUnresponsive(undefined, at(0));
    for (let seconds = 15; seconds <= 300; seconds += 15) known = seenUnresponsive(known, at(seconds));
    expect(isLongEnough(known, 300_000)).toBe(true);
    expect(isLongEnough(seenUnresponsive(known, at(3600)), 300_000)).toBe(false);
    expect(isLongEnough(seenUnresponsive(known, at(100)), 60_000)).toBe(false);
    expect(isLongEnough(seenUnresponsive(seenUnresponsive(undefined, at(0)), at(80)), 60_000)).toBe(false);
  });

  test("is acted on again only after a while, whatever the clock did", () => {
    expect(mayActAgain(undefined, 1000, at(0))).toBe(true);
    expect(mayActAgain(start - 999, 1000, at(0))).toBe(false);
    expect(mayActAgain(start - 1000, 1000, at(0))).toBe(true);
    expect(mayActAgain(start + 500, 1000, at(0))).toBe(false);
  });
});
