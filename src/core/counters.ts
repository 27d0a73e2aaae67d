import type { MetricValues } from "./metric.ts";

/** What one of several devices has moved since it is there; bytes. */
export interface DeviceCounters {
  readonly in: number;
  readonly out: number;
}

/** What a host has counted since it was started. */
export interface HostCounters {
  /** When it was read, by the reader's clock; milliseconds since 1970. */
  readonly at: number;
  /** How long the system has been running, by the host's own clock; milliseconds. */
  readonly uptime?: number | undefined;
  /** When the system was started, by the host's own clock; milliseconds since 1970. */
  readonly startedAt?: number | undefined;
  /** A word that every start of the system has anew, where the host tells one. */
  readonly boot?: string | undefined;
  /** Processor time, of all processors together; seconds. `total` has the idle time too. */
  readonly cpu?: { readonly busy: number; readonly total: number; readonly cores: number } | undefined;
  /** Network interfaces: received, sent. */
  readonly network: Readonly<Record<string, DeviceCounters>>;
  /** Disks: written (`in`), read (`out`). */
  readonly disks: Readonly<Record<string, DeviceCounters>>;
}

/** What is remembered of a host from one look to the next. */
export interface RememberedCounters extends HostCounters {
  /** When the system was started, as it was told last; milliseconds since 1970. */
  readonly bootedAt?: number | undefined;
  /** What was told of the time before. */
  readonly rates?: MetricValues | undefined;
}

/** What two looks at a host give together. */
export interface HostRates {
  /** `cpu`, `network_in`, `network_out`, `disk_read`, `disk_write`; absent where there is nothing to compare with. */
  readonly rates: MetricValues;
  /** When the system was started; milliseconds since 1970, whole seconds. The same for as long as it runs. */
  readonly bootedAt?: number | undefined;
  /** For the next look. */
  readonly remember: RememberedCounters;
}

/** Looks that are less apart say the same: what is counted in between is little, and their times are not exact; milliseconds. */
const leastApart = 5000;

/** Start-up times that differ by less are one: hosts work theirs out from two clocks; milliseconds. */
const bootJitter = 5000;

/** So much may the two readings of the time that has passed differ when neither clock was set; milliseconds. */
const clockJitter = 10_000;

/**
 * What has been done between two looks, per second, across a restart of the host or of one of its devices.
 * `mostApart`: counters that were read earlier (milliseconds) say nothing about now.
 */
export function ratesBetween(before: RememberedCounters | undefined, now: HostCounters, mostApart: number): HostRates {
  const startedAt = now.uptime === undefined ? undefined : roundToSecond(now.at - now.uptime);
  const ranOn = before !== undefined && isSameRun(before, now);
  const bootedAt = ranOn ? (before.bootedAt ?? startedAt) : startedAt;
  const nothing = { rates: {}, bootedAt, remember: { ...now, bootedAt } };
  if (before === undefined) return nothing;
  const passed = ranOn ? timeBetween(before, now) : (now.uptime ?? now.at - before.at);
  if (ranOn && passed >= 0 && passed < leastApart) return { rates: before.rates ?? {}, bootedAt, remember: before };
  if (passed < leastApart || passed > mostApart) return nothing;
  // After a start the counters have counted from there on.
  const since = ranOn ? before : undefined;
  const seconds = passed / 1000;
  const cpu = cpuBetween(since, now);
  const network = movedBetween(since?.network, now.network);
  const disks = movedBetween(since?.disks, now.disks);
  const rates = {
    ...(cpu !== undefined && { cpu }),
    ...(network && { network_in: network.in / seconds, network_out: network.out / seconds }),
    ...(disks && { disk_read: disks.out / seconds, disk_write: disks.in / seconds }),
  };
  return { rates, bootedAt, remember: { ...now, bootedAt, rates } };
}

function roundToSecond(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}

/** Whether the system has run on from one look to the other. A clock that was set is no restart. */
function isSameRun(before: HostCounters, now: HostCounters): boolean {
  if (before.boot !== undefined && now.boot !== undefined) return before.boot === now.boot;
  // Idle time may go back a little, all of it together hardly.
  if (before.cpu && now.cpu && before.cpu.cores === now.cpu.cores && now.cpu.total < before.cpu.total * 0.9) {
    return false;
  }
  // Either clock may have been set meanwhile, the host's or the reader's: it is a restart by both or it is none.
  if (before.startedAt !== undefined && now.startedAt !== undefined) {
    if (Math.abs(now.startedAt - before.startedAt) <= bootJitter) return true;
  }
  if (before.uptime === undefined || now.uptime === undefined) return true;
  return Math.abs(now.uptime - before.uptime - (now.at - before.at)) <= clockJitter;
}

/** Milliseconds between two looks at a system that has run on. */
function timeBetween(before: HostCounters, now: HostCounters): number {
  const here = now.at - before.at;
  if (before.uptime === undefined || now.uptime === undefined) return here;
  const there = now.uptime - before.uptime;
  // The reader's clock is the finer one, unless it was set; the host's uptime is in whole seconds.
  return Math.abs(there - here) <= 2000 ? here : there;
}

/** Percent of the processors' time. */
function cpuBetween(before: HostCounters | undefined, now: HostCounters): number | undefined {
  if (now.cpu === undefined) return undefined;
  const from = before === undefined ? { busy: 0, total: 0, cores: now.cpu.cores } : before.cpu;
  // A processor that came or went has brought its whole past with it.
  if (from === undefined || from.cores !== now.cpu.cores) return undefined;
  const total = now.cpu.total - from.total;
  if (total <= 0) return undefined;
  return Math.min(100, Math.max(0, ((now.cpu.busy - from.busy) / total) * 100));
}

/** The sum over all devices that can be compared; `before` is absent when everything has begun anew. */
function movedBetween(
  before: HostCounters["network"] | undefined,
  now: HostCounters["network"],
): DeviceCounters | undefined {
  let found = false;
  const sum = { in: 0, out: 0 };
  for (const [name, counters] of Object.entries(now)) {
    const from = before === undefined ? { in: 0, out: 0 } : Object.hasOwn(before, name) ? before[name] : undefined;
    // One that was not there before has counted since nobody knows when.
    if (from === undefined) continue;
    found = true;
    sum.in += increase(from.in, counters.in);
    sum.out += increase(from.out, counters.out);
  }
  return found ? sum : undefined;
}

/** A counter that is less than before has begun anew, from nothing. */
function increase(before: number, now: number): number {
  return now >= before ? now - before : now;
}
