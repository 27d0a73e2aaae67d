import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messagesOf } from "../../src/messages/index.ts";
import { wallTime } from "../../src/services/stamp.ts";
import { wrongClocks } from "../../src/services/watch/clocks.ts";
import { diskSeverity, readDisks } from "../../src/services/watch/disks.ts";
import { stuckQueues } from "../../src/services/watch/queues.ts";
import { missedRun } from "../../src/services/watch/schedules.ts";
import { awaySince, isBack } from "../../src/services/watch/telegram.ts";
import { missedTick } from "../../src/services/watch/ticks.ts";
import { type Finding, missing, needsWorker, stamp } from "../../src/services/watch/types.ts";
import { aRun } from "../support/run.ts";

const gib = 2 ** 30;
const at = (time: string): Date => new Date(`2026-03-01T${time}Z`);
const none: ReadonlyMap<string, Finding> = new Map();

describe("a queue", () => {
  const stuck = (name: string, active: number) =>
    stuckQueues(
      [{ name, active, waiting: 1, delayed: 0, waitingSince: at("02:00:00") }],
      new Set(["here"]),
      { now: at("03:00:00") },
      "UTC",
    );

  test("of a host without a worker is stuck although its worker has died at work", () => {
    expect(stuck("work@db-1", 1)).toMatchObject([{ title: { key: "watch-queue-unserved", args: { host: "db-1" } } }]);
    expect(stuck("work@db-1", 0)).toHaveLength(1);
  });

  test("whose worker is alive and busy only waits", () => {
    expect(stuck("work@here", 1)).toEqual([]);
    expect(stuck("work", 1)).toEqual([]);
    expect(stuck("work@here", 0)).toMatchObject([{ title: { key: "watch-queue-stuck" } }]);
  });
});

describe("the room on a disk", () => {
  test.each([
    ["plenty", 500 * gib, 1000 * gib, undefined],
    ["little of a huge disk, which is much", 30 * gib, 4000 * gib, undefined],
    ["little of a small disk in gigabytes, much in percent", 1.5 * gib, 10 * gib, undefined],
    ["both", 1.5 * gib, 40 * gib, "warning"],
    ["next to none", 0.3 * gib, 40 * gib, "critical"],
    ["none", 0, 40 * gib, "critical"],
    ["a disk without a size", 0, 0, undefined],
  ] as const)("%s", (_, free, total, severity) => expect(diskSeverity({ free, total })).toBe(severity));

  test("does not go to and fro about its limits", () => {
    const total = 40 * gib;
    expect(diskSeverity({ free: 2.1 * gib, total }, "warning")).toBe("warning");
    expect(diskSeverity({ free: 2.6 * gib, total }, "warning")).toBeUndefined();
    expect(diskSeverity({ free: 0.5 * gib, total }, "critical")).toBe("critical");
    expect(diskSeverity({ free: 0.7 * gib, total }, "critical")).toBe("warning");
  });

  test("is read from the folder, or the nearest one above it that is there, each disk once", async () => {
    const disks = await readDisks([join(tmpdir(), "not", "there", "yet"), tmpdir()]);
    expect(disks).toHaveLength(1);
    expect(disks[0]?.path).toContain("yet");
    expect(disks[0]?.total).toBeGreaterThan(disks[0]?.free ?? Number.POSITIVE_INFINITY);
  });
});

describe("clocks", () => {
  const prints = (...given: Parameters<typeof wrongClocks>) =>
    wrongClocks(...given).map(({ fingerprint, text }) => [fingerprint, text.args?.["seconds"], text.args?.["ahead"]]);

  test("are compared with that of Redis, with each other, and with Telegram's", () => {
    expect(prints([{ host: "a", aheadMs: 29_000 }, { host: "b" }], 3000, none)).toEqual([]);
    expect(prints([{ host: "a", aheadMs: -31_000 }, { host: "b" }], undefined, none)).toEqual([["clock:a", 31, "no"]]);
    expect(
      prints(
        [
          { host: "a", aheadMs: -20_000 },
          { host: "b", aheadMs: 20_000 },
        ],
        undefined,
        none,
      ),
    ).toEqual([["clock:between", 40, undefined]]);
    expect(prints([{ host: "a" }], 90_000, none)).toEqual([["clock:telegram", 90, "yes"]]);
  });

  test("of the processes of a host are one, and right again only when clearly so", () => {
    const open = new Map(wrongClocks([{ host: "a", aheadMs: 60_000 }], undefined, none).map((f) => [f.fingerprint, f]));
    const of = (aheadMs: number) =>
      wrongClocks(
        [
          { host: "a", aheadMs },
          { host: "a", aheadMs: aheadMs + 1 },
        ],
        undefined,
        open,
      );
    expect(of(25_000)).toEqual([...open.values()]);
    expect(of(19_000)).toEqual([]);
  });
});

describe("a schedule", () => {
  const entry = { key: "backup:app", pattern: "0 3 * * *", timezone: "UTC", catchUp: true };
  const view = { entry, handled: at("02:00:00"), since: at("00:00:00"), runs: [] };

  test("owes a run a quarter of an hour after its time, until the clock's job has handled it", () => {
    expect(missedRun(view, at("03:14:59"))).toBeUndefined();
    expect(missedRun(view, at("03:15:00"))).toEqual(at("03:00:00"));
    expect(missedRun({ ...view, handled: at("03:00:00") }, at("04:00:00"))).toBeUndefined();
  });

  test("that is new, or was changed since, owes nothing", () => {
    expect(missedRun({ ...view, handled: undefined }, at("09:00:00"))).toBeUndefined();
    expect(missedRun({ ...view, since: at("03:00:30") }, at("09:00:00"))).toBeUndefined();
  });

  test("whose missed runs are not to be made up owes them until they are dropped", () => {
    const dropped = { ...view, entry: { ...entry, catchUp: false } };
    expect(missedRun(dropped, at("03:20:00"))).toEqual(at("03:00:00"));
    expect(missedRun({ ...dropped, handled: at("03:00:00") }, at("03:20:00"))).toBeUndefined();
  });

  test("owes a run that was ordered and not begun, unless it waits for another one of the same name", () => {
    const handled = at("03:00:00");
    const run = aRun({ id: "b", dueAt: handled.toISOString(), createdAt: handled.toISOString() });
    const owes = (...runs: readonly ReturnType<typeof aRun>[]) => missedRun({ ...view, handled, runs }, at("03:30:00"));
    expect(owes(run)).toEqual(handled);
    expect(owes(run, aRun({ id: "a", status: "running", attempt: 1 }))).toBeUndefined();
    expect(owes({ ...run, waitsFor: "a" })).toBeUndefined();
    expect(owes({ ...run, status: "running", attempt: 1 })).toBeUndefined();
    expect(missedRun({ ...view, handled, runs: [run] }, at("03:10:00"))).toBeUndefined();
  });

  test("whatever it is, owes nothing right after it was handled", () => {
    const minutes = fc.integer({ min: 0, max: 40_000 });
    const patterns = fc.constantFrom("* * * * *", "*/5 * * * *", "30 2 * * *", "0 4 1 * *", "15 3 * * 0");
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu");
    fc.assert(
      fc.property(minutes, patterns, zones, (minute, pattern, timezone) => {
        const now = new Date(at("00:00:00").getTime() + minute * 60_000);
        const plain = { entry: { ...entry, pattern, timezone }, since: new Date(0), runs: [] };
        expect(missedRun({ ...plain, handled: now }, new Date(now.getTime() + 14 * 60_000))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe("somebody", () => {
  const missed = () => ({ severity: "warning", title: { key: "a" }, text: { key: "b" } }) as const;
  const look = { now: at("12:00:00"), awakeSince: at("00:00:00"), open: none };

  test("is missed a while after the last sign of life, never before the watch has been awake for a minute", () => {
    expect(missing("x", look.now, look, missed)).toBeUndefined();
    expect(missing("x", at("11:59:01"), look, missed)).toBeUndefined();
    expect(missing("x", at("11:59:00"), look, missed)?.since).toEqual(at("11:59:00"));
    expect(missing("x", new Date(0), { ...look, awakeSince: at("11:59:01") }, missed)).toBeUndefined();
    expect(missing("x", new Date(0), { ...look, awakeSince: at("11:59:00") }, missed)?.since).toEqual(at("11:59:00"));
  });

  test("who was missed before stays so until seen, whatever the watch did meanwhile", () => {
    const known: Finding = { fingerprint: "x", ...missed() };
    const open = new Map([["x", known]]);
    expect(missing("x", at("09:00:00"), { ...look, awakeSince: look.now, open }, missed)).toBe(known);
    expect(missing("x", at("11:59:39"), { ...look, open }, missed)).toBe(known);
    expect(missing("x", at("11:59:40"), { ...look, open }, missed)).toBeUndefined();
  });
});

test("the clock's job is missed only while a worker has been there for it", () => {
  const look = { now: at("12:00:00"), awakeSince: at("00:00:00") };
  expect(missedTick(at("11:00:00"), undefined, look, "UTC")).toBeUndefined();
  expect(missedTick(undefined, at("11:58:30"), look, "UTC")).toBeUndefined();
  expect(missedTick(at("11:58:30"), at("10:00:00"), look, "UTC")).toBeUndefined();
  expect(missedTick(at("11:58:00"), at("10:00:00"), look, "UTC")?.since).toEqual(at("11:58:00"));
  expect(missedTick(at("11:00:00"), at("10:00:00"), { ...look, awakeSince: at("11:59:00") }, "UTC")).toBeUndefined();
});

test("Telegram is away after a minute of failures, and back with any answer after they began", () => {
  const failedSince = at("11:59:00");
  expect(awaySince({ okAt: at("11:58:00") }, at("12:30:00"))).toBeUndefined();
  expect(awaySince({ failedSince }, at("11:59:59"))).toBeUndefined();
  expect(awaySince({ failedSince }, at("12:00:00"))).toEqual(failedSince);
  expect(isBack({ okAt: at("11:58:00") }, failedSince)).toBe(false);
  expect(isBack({ okAt: at("12:10:00"), failedSince: at("12:10:01") }, failedSince)).toBe(true);
});

test("a worker is needed for backups, and for servers", () => {
  expect(needsWorker({ backups: [], servers: [] })).toBe(false);
  const server = { name: "web-1", provider: "local", kind: "local", labels: {}, config: {} };
  expect(needsWorker({ backups: [], servers: [server] })).toBe(true);
});

test("times are told in the configured zone and in the reader's language, to the minute", () => {
  const moment = stamp(at("21:30:59"), "Europe/Moscow");
  expect(moment).toEqual(stamp(at("21:30:00"), "Europe/Moscow"));
  const text = { key: "watch-no-bot-text", args: { at: moment } };
  expect(messagesOf("en").t(text.key, text.args)).toContain("at 2 Mar 2026, 00:30.");
  expect(messagesOf("ru").plain(text.key, text.args)).toContain("2 мар. 2026 г., 00:30.");
  expect(wallTime(at("21:30:59"), "Europe/Moscow")).toBe("2026-03-02 00:30");
});
