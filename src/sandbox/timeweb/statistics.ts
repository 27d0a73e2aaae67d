import { drift, noise } from "./noise.ts";
import type { LoadOptions } from "./options.ts";
import type { Server } from "./servers.ts";

/** Longest series that is answered; samples. */
const mostSamples = 3000;

/** What is measured of a server at one moment. */
export interface Measured {
  readonly at: number;
  /** 0 to 1. */
  readonly cpu: number;
  /** MB. */
  readonly memory: { readonly total: number; readonly used: number; readonly cached: number };
  /** MB/s. */
  readonly network: { readonly incoming: number; readonly outgoing: number };
  readonly disk: { readonly read: number; readonly write: number };
}

/** A load that somebody has set for a while. */
export interface LoadSpan {
  readonly load: LoadOptions;
  readonly from: number;
  readonly until: number;
}

/** The samples of a span of time at which the system was up, oldest first. */
export function measure(server: Server, from: number, to: number, stepMs: number, seed: number): Measured[] {
  const last = Math.floor(to / stepMs);
  const first = Math.max(Math.ceil(from / stepMs), last - mostSamples + 1);
  const samples: Measured[] = [];
  for (let step = first; step <= last; step++) {
    const at = step * stepMs;
    if (server.wasMeasured(at)) samples.push(measureAt(server, at, seed));
  }
  return samples;
}

function measureAt(server: Server, at: number, seed: number): Measured {
  const own = [seed, server.id] as const;
  const load = server.loads.findLast((span) => at >= span.from && at < span.until)?.load ?? {};
  const usual = server.load;
  // Quiet at four in the morning, busiest in the afternoon, UTC.
  const day = (Math.sin(((at / 3_600_000 - 10) / 24) * 2 * Math.PI) + 1) / 2;
  const lively = (0.55 + 0.9 * day) * (0.75 + 0.5 * drift(at, 1_200_000, ...own, 1));
  // Just started, it has more to do.
  const start = Math.max(0, 1 - (at - server.startedAt) / 180_000) * 0.35;
  const burst = noise(...own, 2, Math.floor(at / 60_000)) > 0.985 ? 0.25 : 0;
  const cpu =
    load.cpu === undefined ? usual.cpu * lively + start + burst : load.cpu * (0.97 + 0.06 * noise(...own, 3, at));
  const memory = load.memory ?? usual.memory * (0.92 + 0.16 * drift(at, 7_200_000, ...own, 4));
  const incoming = load.networkIn ?? usual.networkIn * lively * (0.6 + 0.8 * noise(...own, 5, at));
  const outgoing = load.networkOut ?? usual.networkOut * lively * (0.6 + 0.8 * noise(...own, 6, at));
  const used = Math.round(server.ram * clamp(memory));
  return {
    at,
    cpu: clamp(cpu),
    memory: { total: server.ram, used, cached: Math.round((server.ram - used) * 0.4) },
    network: { incoming: round(incoming), outgoing: round(outgoing) },
    disk: { read: round(2 * lively * noise(...own, 7, at)), write: round(1 + 4 * lively * noise(...own, 8, at)) },
  };
}

const clamp = (part: number) => Math.min(Math.max(part, 0), 1);
const round = (value: number) => Math.round(value * 1000) / 1000;

/** Form (a). */
export function asFamilies(samples: readonly Measured[]): object {
  const logged = (sample: Measured) => ({ logged_at: new Date(sample.at).toISOString() });
  return {
    cpu: samples.map((sample) => ({ ...logged(sample), load: Math.round(sample.cpu * 10_000) / 10_000 })),
    network_traffic: samples.map((sample) => ({ ...logged(sample), ...sample.network })),
    disk: samples.map((sample) => ({ ...logged(sample), ...sample.disk })),
    ram: samples.map((sample) => {
      const { total, used, cached } = sample.memory;
      return { ...logged(sample), total, used, used_cached: used + cached, available: total - used };
    }),
  };
}

/** Form (b): percent and MB/s. */
export function asSeries(samples: readonly Measured[], keys: readonly string[]): object[] {
  const values = new Map<string, (sample: Measured) => number>([
    ["system.cpu.util", ({ cpu }) => Math.round(cpu * 10_000) / 100],
    ["network.request", ({ network }) => network.incoming],
    ["network.response", ({ network }) => network.outgoing],
  ]);
  return keys.flatMap((name) => {
    const value = values.get(name);
    if (!value) return [];
    const list = samples.map((sample) => ({ value: value(sample), time: new Date(sample.at).toISOString() }));
    return { name, list, meta: { amount: list.length } };
  });
}
