import { expect, test } from "vitest";
import { ClockTrust } from "../../src/services/restorations/clock-trust.ts";

const hour = 3_600_000;
const begin = Date.parse("2026-03-01T03:00:00Z");

/** A machine and a Redis that share a clock, which can be put forward. */
function machine() {
  const state = { passedMs: 0, putMs: 0, redisPutMs: 0 };
  const time = { now: () => begin + state.passedMs + state.putMs, uptime: () => 500 + state.passedMs / 1000 };
  const redis = {
    time: async () => [Math.floor((begin + state.passedMs + state.redisPutMs) / 1000), 0] as [number, number],
  };
  return { state, trust: new ClockTrust(redis, time) };
}

test("time that has passed is trusted, however much", async () => {
  const { state, trust } = machine();
  expect(await trust.isAhead()).toBe(false);
  state.passedMs = 400 * 24 * hour;
  expect(await trust.isAhead()).toBe(false);
});

test("a clock ahead of that of Redis is not trusted, one behind it drops too late only", async () => {
  const { state, trust } = machine();
  state.putMs = 2 * hour;
  expect(await trust.isAhead()).toBe(true);
  state.putMs = -2 * hour;
  expect(await trust.isAhead()).toBe(false);
});

test("a clock that was put forward is not trusted where Redis has the same one, until it is put back", async () => {
  const { state, trust } = machine();
  state.putMs = 24 * hour;
  state.redisPutMs = 24 * hour;
  expect(await trust.isAhead()).toBe(true);
  state.putMs = 60_000;
  state.redisPutMs = 60_000;
  expect(await trust.isAhead()).toBe(false);
});
