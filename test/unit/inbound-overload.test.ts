import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Signal } from "../../src/core/signal.ts";
import { givenToken, sameSecret } from "../../src/http/auth.ts";
import { Gate, StalledError, whileMoving } from "../../src/http/overload.ts";
import { Inbound } from "../../src/services/inbound.ts";
import type { Refusals } from "../../src/state/refusals.ts";
import { signals } from "../support/signals.ts";

afterEach(() => vi.useRealTimers());

describe("the gate", () => {
  test("lets in so many, and so much", () => {
    const gate = new Gate({ requests: 2, bytes: 100 });
    const first = gate.enter(60);
    expect(gate.enter(41)).toBeUndefined();
    const second = gate.enter(40);
    expect(gate.enter(0)).toBeUndefined();
    second?.leave();
    expect(gate.enter(50)).toBeUndefined();
    first?.resize(50);
    expect(gate.enter(50)).toBeDefined();
  });

  test("counts nobody out twice", () => {
    const gate = new Gate({ requests: 1, bytes: 10 });
    const place = gate.enter(10);
    place?.leave();
    place?.leave();
    place?.resize(5);
    expect(gate.requests).toBe(0);
    expect(gate.enter(10)).toBeDefined();
    expect(gate.enter(0)).toBeUndefined();
  });
});

describe("work that is waited for while it moves", () => {
  test("gives what it gives", async () => {
    await expect(whileMoving(1000, async () => await Promise.resolve(7))).resolves.toBe(7);
    await expect(whileMoving(1000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  test("is given up when nothing moves, and told so", async () => {
    vi.useFakeTimers();
    const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let ended: unknown;
    const waiting = whileMoving(3000, async (moved) => {
      try {
        for (const { promise } of steps) {
          await promise;
          moved();
        }
      } catch (error) {
        ended = error;
        throw error;
      }
    });
    const outcome = waiting.catch((error: unknown) => error);
    for (const step of steps.slice(0, 2)) {
      await vi.advanceTimersByTimeAsync(2900);
      step.resolve();
      await vi.advanceTimersByTimeAsync(0);
    }
    await vi.advanceTimersByTimeAsync(3000);
    expect(await outcome).toBeInstanceOf(StalledError);
    // Redis is back: the rest is left to the sender.
    steps[2]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toBeInstanceOf(StalledError);
  });
});

describe("many signals", () => {
  const inboundOf = (receive: (some: readonly Signal[]) => Promise<Record<string, number>>): Inbound =>
    new Inbound({
      config: { http: {}, timezone: "UTC" } as never,
      clock: { now: () => new Date() },
      logger: pino({ level: "silent" }),
      refusals: {} as Refusals,
      alerts: { receive },
    });

  test("are applied in portions, the most severe first, and no further when nobody waits", async () => {
    const received: (readonly Signal[])[] = [];
    const inbound = inboundOf((some) => {
      received.push(some);
      return Promise.resolve({});
    });
    const all = [...signals("i", 300, "info"), ...signals("w", 300), ...signals("c", 10, "critical")];
    await inbound.accept(all);
    expect(received.flat()).toHaveLength(610);
    expect(received[0]?.slice(0, 10).map(({ severity }) => severity)).toEqual(
      Array.from({ length: 10 }, () => "critical"),
    );
    const before = received.length;
    let portions = 0;
    const given = inbound.accept(all, () => {
      portions += 1;
      if (portions === 2) throw new StalledError("nobody waits");
    });
    await expect(given).rejects.toBeInstanceOf(StalledError);
    expect(received.length - before).toBe(2);
  });
});

describe("tokens", () => {
  test.each([
    ["Bearer abc", "abc"],
    ["  bearer   abc ", "abc"],
    [`Basic ${btoa("user:pass:word")}`, "pass:word"],
    [`basic ${btoa(":pass")}`, "pass"],
    [`Basic ${btoa("nopassword")}`, undefined],
    ["Basic %%%", undefined],
    ["Digest abc", undefined],
    ["abc", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("of %j: %j", (header, token) => expect(givenToken(header)).toBe(token));

  test("are compared whatever their length", () => {
    expect([sameSecret("a", "a"), sameSecret("a", "ab"), sameSecret("", "a"), sameSecret(undefined, "")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
