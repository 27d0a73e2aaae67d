import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";
import type { Lease } from "../../src/core/ports.ts";
import { Leases } from "../../src/state/leases.ts";
import type { Keys } from "../../src/state/redis.ts";
import { startRedis } from "../support/redis.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const quiet = pino({ level: "silent" });
const holder = "run 01ab on db-1";

/** Leases of one process; each process has a connection of its own. */
const leasesOf = (keys: Keys): Leases => new Leases(fixture.connect(), keys, quiet);

async function held(leases: Leases, ttlMs = 30_000): Promise<Lease> {
  const lease = await leases.tryAcquire("target", { ttlMs, holder });
  if (!lease) throw new Error("the lease is taken");
  return lease;
}

const lost = async (lease: Lease): Promise<string> => {
  if (!lease.signal.aborted)
    await new Promise((resolve) => lease.signal.addEventListener("abort", resolve, { once: true }));
  return (lease.signal.reason as Error).message;
};

describe("a lease", () => {
  test("has one holder when 50 want it at the same time", async () => {
    const keys = fixture.keys();
    const all = Array.from({ length: 5 }, () => leasesOf(keys));
    const taken = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, n) => await all[n % 5]?.tryAcquire("target", { ttlMs: 30_000, holder: `bot ${n}` }),
      ),
    );
    const holders = taken.filter((lease) => lease !== undefined);
    expect(holders).toHaveLength(1);
    expect(await all[0]?.holder("target")).toBe(`bot ${taken.findIndex((lease) => lease !== undefined)}`);
    await holders[0]?.release();
  });

  test("tells who holds it, and nobody when it was released", async () => {
    const leases = leasesOf(fixture.keys());
    expect(await leases.holder("target")).toBeUndefined();
    const lease = await held(leases);
    expect(await leases.holder("target")).toBe(holder);
    await lease.release();
    expect(await leases.holder("target")).toBeUndefined();
  });

  test("has a token that grows with every acquisition, also after a release and an expiry", async () => {
    const keys = fixture.keys();
    const leases = leasesOf(keys);
    const tokens: number[] = [];
    for (let n = 0; n < 3; n++) {
      await using lease = await held(leases);
      tokens.push(lease.token);
    }
    await fixture.redis.set(keys.of("lease", "target"), "a dead one x y", "PX", 20);
    const next = await until(
      () => leases.tryAcquire("target", { ttlMs: 30_000, holder }),
      "the lease after its expiry",
    );
    tokens.push(next.token);
    await next.release();
    expect(tokens).toEqual([1, 2, 3, 4]);
  });

  test("is renewed for as long as it is held", async () => {
    const keys = fixture.keys();
    const lease = await held(leasesOf(keys), 900);
    const other = leasesOf(keys);
    let left = 900;
    // A third of its time each: twice as long as it would last.
    for (let renewals = 0; renewals < 6; ) {
      expect(await other.tryAcquire("target", { ttlMs: 300, holder: "other" })).toBeUndefined();
      const now = await fixture.redis.pttl(keys.of("lease", "target"));
      if (now > left) renewals++;
      left = now;
    }
    expect(lease.signal.aborted).toBe(false);
    await lease.release();
  });

  test("is released once, and never takes away another's", async () => {
    const leases = leasesOf(fixture.keys());
    const first = await held(leases);
    await first.release();
    const second = await held(leases);
    await first.release();
    expect(await leases.holder("target")).toBe(holder);
    expect(second.signal.aborted).toBe(false);
    await second.release();
    expect(first.signal.aborted).toBe(false);
  });

  test("is waited for until it is free", async () => {
    const keys = fixture.keys();
    const first = await held(leasesOf(keys));
    const waiting = leasesOf(keys).acquire("target", {
      ttlMs: 30_000,
      holder,
      signal: AbortSignal.timeout(10_000),
      pollMs: 5,
    });
    await first.release();
    await using second = await waiting;
    expect(second.token).toBe(first.token + 1);
  });

  test("is waited for no longer than the one who waits wants", async () => {
    const keys = fixture.keys();
    await using _held = await held(leasesOf(keys));
    const stopping = new AbortController();
    const waiting = leasesOf(keys).acquire("target", { ttlMs: 30_000, holder, signal: stopping.signal, pollMs: 5 });
    stopping.abort();
    await expect(waiting).rejects.toThrow();
  });
});

describe("a holder", () => {
  test("that another has replaced learns it with its next renewal", async () => {
    const keys = fixture.keys();
    const lease = await held(leasesOf(keys), 300);
    await fixture.redis.del(keys.of("lease", "target"));
    const other = await held(leasesOf(keys), 30_000);
    expect(await lost(lease)).toContain("another holder took it");
    expect(other.token).toBe(lease.token + 1);
    await lease.release();
    expect(await leasesOf(keys).holder("target")).toBe(holder);
    await other.release();
  });

  test("that cannot renew gives up before Redis gives the lease to another", async () => {
    const keys = fixture.keys();
    const connection = fixture.connect();
    const lease = await new Leases(connection, keys, quiet).tryAcquire("target", { ttlMs: 600, holder });
    if (!lease) throw new Error("the lease is taken");
    // From here on nothing that it sends arrives.
    connection.disconnect();
    const other = leasesOf(keys).acquire("target", {
      ttlMs: 600,
      holder: "other",
      signal: AbortSignal.timeout(10_000),
      pollMs: 2,
    });
    await using taken = await other;
    expect(lease.signal.aborted).toBe(true);
    expect(await lost(lease)).toContain("could not be renewed in time");
    expect(taken.token).toBe(lease.token + 1);
  });

  test("that may outlive an outage of Redis keeps its lease when nobody took it", async () => {
    await using server = await startRedis({ appendOnly: false });
    const redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    redis.on("error", () => undefined);
    const keys = fixture.keys();
    const leases = new Leases(redis, keys, quiet);
    await (await held(leases)).release();
    const lease = await leases.tryAcquire("target", { ttlMs: 400, holder, lostAfterMs: 60_000 });
    // Started again without any data: neither the lease nor the count of tokens is there.
    await server.kill();
    await server.restart();
    await until(async () => (await leases.holder("target")) === holder, "the lease taken up again");
    expect(lease?.signal.aborted).toBe(false);
    await lease?.release();
    const next = await held(leases);
    expect(next.token).toBe(3);
    await next.release();
    redis.disconnect();
  });

  test("does not take it up again when a newer token was given out meanwhile", async () => {
    const keys = fixture.keys();
    const lease = await leasesOf(keys).tryAcquire("target", { ttlMs: 300, holder, lostAfterMs: 60_000 });
    // The key expired during an outage, another had the lease and has released it.
    await fixture.redis.multi().del(keys.of("lease", "target")).incr(keys.of("fence", "target")).exec();
    expect(await lost(lease as Lease)).toContain("another holder took it");
    expect(await fixture.redis.exists(keys.of("lease", "target"))).toBe(0);
  });

  test.each([
    ["that finds the key", false],
    ["when the key has just gone", true],
  ])("that was released does not come back by a renewal under way, %s", async (_, isGone) => {
    const keys = fixture.keys();
    const connection = fixture.connect();
    const leases = new Leases(connection, keys, quiet);
    const lease = await leases.tryAcquire("target", { ttlMs: 300, holder, lostAfterMs: 60_000 });
    if (!lease) throw new Error("the lease is taken");
    if (isGone) await fixture.redis.del(keys.of("lease", "target"));
    // The next command is the renewal; it is released before that is answered.
    const send = vi.spyOn(connection, "sendCommand");
    const { promise: renewing, resolve } = Promise.withResolvers<void>();
    const original = Redis.prototype.sendCommand.bind(connection);
    send.mockImplementation((command, stream) => {
      const reply = original(command, stream);
      resolve();
      return reply;
    });
    await renewing;
    expect(send).toHaveBeenCalledTimes(1);
    await lease.release();
    send.mockRestore();
    // On the same connection: behind whatever an answered renewal has sent.
    for (let n = 0; n < 3; n++) await connection.ping();
    expect(await leases.holder("target")).toBeUndefined();
  });
});
