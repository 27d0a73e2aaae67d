import { Redis } from "ioredis";
import { type RememberedCounters, ratesBetween } from "../src/core/counters.ts";
import { gaugesOf } from "../src/core/host-sample.ts";
import type { MetricValues } from "../src/core/metric.ts";
import { HostMetrics } from "../src/providers/node-exporter/host-metrics.ts";
import { ExporterHost } from "../src/sandbox/servers/exporter-host.ts";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { Keys } from "../src/state/redis.ts";
import { ServerHistory } from "../src/state/server-history.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a year of a server's measurements takes. */
export interface YearSize {
  readonly servers: number;
  readonly readings: number;
  /** Metrics of each reading. */
  readonly metrics: number;
  /** Of Redis, for each server, by its own MEMORY USAGE; bytes. */
  readonly bytes: number;
  /** How long a reading took to be written and folded, on the average; milliseconds. */
  readonly msPerReading: number;
}

/**
 * Keeps the measurements of `days` days of some servers as a worker does: every reading appended when it was taken, hours
 * folded as they end, old chunks swept each day. `every`: milliseconds between two readings.
 */
export async function measureYear(
  servers: number,
  days: number,
  every: number,
  say: (line: string) => void,
): Promise<YearSize> {
  await using server = await startRedis({ appendOnly: false });
  const redis = new Redis(server.url);
  try {
    const history = new ServerHistory(redis, new Keys("bench"), { raw: 7 * dayMs, hourly: 400 * dayMs });
    const end = Date.parse("2026-03-01T00:00:00Z");
    const start = end - days * dayMs;
    const hosts = Array.from({ length: servers }, (_, index) => new MeasuredHost(`web-${index + 1}`, start, every));
    const began = performance.now();
    let readings = 0;
    let metrics = 0;
    for (let at = start; at < end; at += every) {
      const now = new Date(at);
      for (const host of hosts) {
        const values = host.read(at);
        metrics = Object.keys(values).length;
        await history.append(host.name, { at: now, metrics: values }, now);
        readings += 1;
        if (at % hourMs < every) await history.fold(host.name, now);
      }
      const names = hosts.map(({ name }) => name);
      if (at % dayMs < every) await history.sweep(names, now);
      if ((at - start) % (60 * dayMs) < every) say(`  year: day ${Math.round((at - start) / dayMs)} of ${days}`);
    }
    const passed = performance.now() - began;
    return { servers, readings, metrics, bytes: (await usedBytes(redis)) / servers, msPerReading: passed / readings };
  } finally {
    redis.disconnect();
  }
}

/** What the keys take, as Redis itself counts it. */
export async function usedBytes(redis: Redis, pattern = "*"): Promise<number> {
  let sum = 0;
  for await (const keys of redis.scanStream({ match: pattern, count: 1000 }) as AsyncIterable<string[]>) {
    const sizes = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
    for (const size of sizes) sum += size ?? 0;
  }
  return sum;
}

/** A made-up host, read as the provider reads it. */
class MeasuredHost {
  readonly name: string;
  readonly #host: ExporterHost;
  readonly #every: number;
  #before: RememberedCounters | undefined;

  constructor(name: string, now: number, every: number) {
    this.name = name;
    this.#host = new ExporterHost(name, now);
    this.#every = every;
  }

  read(at: number): MetricValues {
    const metrics = new HostMetrics();
    metrics.write(Buffer.from(this.#host.metrics(at)));
    const sample = metrics.end(at);
    if (typeof sample === "string") throw new Error(`the exporter gives ${sample}`);
    const { rates, remember } = ratesBetween(this.#before, sample.counters, 3 * this.#every);
    this.#before = remember;
    return { ...rates, ...gaugesOf(sample) };
  }
}
