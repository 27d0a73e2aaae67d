import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HostCounters, type RememberedCounters, ratesBetween } from "../../src/core/counters.ts";

const minute = 60_000;
const day = 1440 * minute;
const noon = Date.parse("2026-03-01T12:00:00Z");

/** A host that has been running for `uptime` milliseconds at `at`, both clocks right. */
function counters(at: number, uptime: number, rest: Partial<HostCounters> = {}): HostCounters {
  const seconds = uptime / 1000;
  return {
    at,
    uptime,
    startedAt: at - uptime,
    cpu: { busy: seconds * 0.5, total: seconds * 2, cores: 2 },
    network: { eth0: { in: seconds * 1000, out: seconds * 100 } },
    disks: { vda: { in: seconds * 50, out: seconds * 20 } },
    ...rest,
  };
}

const remembered = (from: HostCounters, bootedAt = from.at - (from.uptime ?? 0)): RememberedCounters => ({
  ...from,
  bootedAt,
});

const usual = { cpu: 25, network_in: 1000, network_out: 100, disk_read: 20, disk_write: 50 };

function near(rates: object, expected: Readonly<Record<string, number>>): void {
  expect(Object.keys(rates).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) expect(rates).toHaveProperty(name, expect.closeTo(value, 6));
}

describe("rates between two looks", () => {
  it("are per second and of all processors", () => {
    const before = counters(noon, day);
    const { rates, bootedAt } = ratesBetween(
      remembered(before),
      counters(noon + 5 * minute, day + 5 * minute),
      15 * minute,
    );
    near(rates, usual);
    expect(bootedAt).toBe(noon - day);
  });

  it("are absent at the first look", () => {
    expect(ratesBetween(undefined, counters(noon, day), 15 * minute)).toMatchObject({
      rates: {},
      bootedAt: noon - day,
    });
  });

  it("are those of before when the last look was just now, and go on from the one before that", () => {
    const first = remembered(counters(noon, day));
    const second = ratesBetween(first, counters(noon + 5 * minute, day + 5 * minute), 15 * minute);
    const again = ratesBetween(second.remember, counters(noon + 5 * minute + 900, day + 5 * minute + 900), 15 * minute);
    expect(again.rates).toEqual(second.rates);
    expect(again.remember).toEqual(second.remember);
    near(ratesBetween(again.remember, counters(noon + 6 * minute, day + 6 * minute), 15 * minute).rates, usual);
    expect(ratesBetween(first, counters(noon + 500, day + 500), 15 * minute)).toMatchObject({
      rates: {},
      remember: first,
    });
  });

  it("are absent when the last look is too long ago, or has not been yet", () => {
    const before = remembered(counters(noon, day));
    expect(ratesBetween(before, counters(noon + 16 * minute, day + 16 * minute), 15 * minute).rates).toEqual({});
    expect(ratesBetween(before, counters(noon - minute, day - minute), 15 * minute).rates).toEqual({});
  });

  it("are of the time since the start when the host was restarted meanwhile", () => {
    const before = remembered(counters(noon, day));
    const { rates, bootedAt } = ratesBetween(before, counters(noon + 5 * minute, 2 * minute), 15 * minute);
    near(rates, usual);
    expect(bootedAt).toBe(noon + 3 * minute);
  });

  it("are of the time since the start when it was looked at long ago, and started just now", () => {
    const before = remembered(counters(noon, day));
    near(ratesBetween(before, counters(noon + 10 * day, 2 * minute), 15 * minute).rates, usual);
  });

  it("know a restart of a host that had been up for less time than it is now", () => {
    const before = remembered(counters(noon, minute));
    const { rates, bootedAt } = ratesBetween(before, counters(noon + 10 * minute, 4 * minute), 15 * minute);
    near(rates, usual);
    expect(bootedAt).toBe(noon + 6 * minute);
  });

  it("know a restart by its word, or by what the processors have done, where there is no more", () => {
    const before = remembered(
      { ...counters(noon, day), boot: "a", uptime: undefined, startedAt: undefined },
      noon - day,
    );
    const now = { ...counters(noon + 5 * minute, minute), boot: "b", uptime: undefined, startedAt: undefined };
    expect(ratesBetween(before, now, 15 * minute).rates.network_in).toBeCloseTo((1000 * 60) / 300);
    const { boot: _, ...nameless } = now;
    expect(ratesBetween({ ...before, boot: undefined }, nameless, 15 * minute).rates.cpu).toBeCloseTo(25);
  });

  it("stay as they are, and are no restart, when the reader's clock is set", () => {
    const before = remembered(counters(noon, day));
    for (const ahead of [day, -day, 20_000]) {
      const now = { ...counters(noon + 5 * minute, day + 5 * minute), at: noon + 5 * minute + ahead };
      const { rates, bootedAt } = ratesBetween(before, now, 15 * minute);
      near(rates, usual);
      expect(bootedAt).toBe(noon - day);
    }
  });

  it("stay as they are, and are no restart, when the host's clock is set", () => {
    const before = remembered(counters(noon, day));
    for (const ahead of [day, -day, 20_000]) {
      const now = { ...counters(noon + 5 * minute, day + 5 * minute), startedAt: noon - day + ahead };
      const { rates, bootedAt } = ratesBetween(before, now, 15 * minute);
      near(rates, usual);
      expect(bootedAt).toBe(noon - day);
    }
  });

  it("are no restart when a host works out its start a second differently", () => {
    let before = remembered(counters(noon, day));
    for (const [look, jitter] of [1000, -1000, 0, 900, -400].entries()) {
      const passed = (look + 1) * 5 * minute;
      const now = counters(noon + passed, day + passed + jitter, { startedAt: noon - day - jitter });
      const { bootedAt } = ratesBetween(before, now, 15 * minute);
      expect(bootedAt).toBe(noon - day);
      before = { ...now, bootedAt };
    }
  });

  it("count an interface that was made anew from nothing, and one that was not there not at all", () => {
    const before = remembered(
      counters(noon, day, { network: { eth0: { in: 1e9, out: 1e9 }, eth1: { in: 1e9, out: 1e9 } } }),
    );
    const network = { eth0: { in: 3e5, out: 6e5 }, eth2: { in: 9e12, out: 9e12 }, eth1: { in: 1e9, out: 1e9 } };
    const { rates } = ratesBetween(before, counters(noon + 5 * minute, day + 5 * minute, { network }), 15 * minute);
    expect(rates).toMatchObject({ network_in: 1000, network_out: 2000 });
  });

  it("give no use of processors when their number has changed, or nothing was counted", () => {
    const before = remembered(counters(noon, day));
    const now = (cpu: HostCounters["cpu"]) => counters(noon + 5 * minute, day + 5 * minute, { cpu });
    expect(ratesBetween(before, now({ busy: 1e9, total: 4e9, cores: 4 }), 15 * minute).rates).not.toHaveProperty("cpu");
    expect(ratesBetween(before, now(before.cpu), 15 * minute).rates).not.toHaveProperty("cpu");
    expect(ratesBetween(before, now(undefined), 15 * minute).rates).not.toHaveProperty("cpu");
  });

  it("take idle time that goes back a little for what it is", () => {
    const before = remembered(counters(noon, day));
    const cpu = { busy: 0.5 * 86_400 + 75, total: 2 * 86_400 + 600 - 3, cores: 2 };
    const { rates, bootedAt } = ratesBetween(
      before,
      counters(noon + 5 * minute, day + 5 * minute, { cpu }),
      15 * minute,
    );
    expect(rates.cpu).toBeCloseTo((75 / 597) * 100);
    expect(bootedAt).toBe(noon - day);
  });

  it("are never negative, never infinite, never more than all processors, whatever was counted", () => {
    const amount = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e18, noNaN: true }));
    const device = fc.record({ in: amount, out: amount });
    const devices = fc.dictionary(fc.constantFrom("a", "b", "constructor", "__proto__"), device);
    const any = fc.record({
      at: fc.integer({ min: 0, max: 4e12 }),
      uptime: fc.option(amount, { nil: undefined }),
      startedAt: fc.option(amount, { nil: undefined }),
      boot: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
      cpu: fc.option(fc.record({ busy: amount, total: amount, cores: fc.integer({ min: 1, max: 4 }) }), {
        nil: undefined,
      }),
      network: devices,
      disks: devices,
    });
    fc.assert(
      fc.property(any, any, (before, now) => {
        const { rates, bootedAt } = ratesBetween(before, now, Number.POSITIVE_INFINITY);
        for (const value of Object.values(rates)) expect(value >= 0 && Number.isFinite(value)).toBe(true);
        expect(rates.cpu ?? 0).toBeLessThanOrEqual(100);
        expect(Number.isFinite(bootedAt ?? 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
