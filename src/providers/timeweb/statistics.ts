import type { MetricName, MetricValues } from "../../core/metric.ts";
import type { ServerDisk } from "../../core/server.ts";
import type { TimewebSeries, TimewebStatistics } from "../../lib/clients/timeweb-schema.ts";
import { megabyte } from "./facts.ts";

/** Values of one moment. */
export interface Sample {
  /** By the clock of Timeweb. */
  readonly at: Date;
  readonly metrics: MetricValues;
}

type Values = Readonly<Partial<Record<MetricName, number | undefined>>>;

interface Entry {
  readonly at: number;
  readonly values: Values;
}

/** What was measured at one moment may be written down at slightly different times; milliseconds. */
const togetherMs = 90_000;

/** What is so far behind the others is measured no more, and does not hold them back; milliseconds. */
const behindMs = 10 * 60_000;

/** No server here has a network of 80 Gbit/s; MB/s. */
const fastest = 10_000;

/** Load is told from 0 to 1. */
const percent = (part: number | undefined): number | undefined =>
  part === undefined ? undefined : Math.min(Math.max(part * 100, 0), 100);

const perSecond = (megabytes: number | undefined): number | undefined =>
  megabytes === undefined || megabytes < 0 ? undefined : megabytes * megabyte;

/** The newest sample of form (a) in which nothing is missing that others have; undefined when there is none at all. */
export function newestOf({ cpu, network_traffic, disk, ram }: TimewebStatistics): Sample | undefined {
  const families = [
    entries(cpu, ({ load }) => ({ cpu: percent(load) })),
    entries(ram, memoryOf),
    entries(network_traffic, ({ incoming, outgoing }) => ({
      network_in: perSecond(incoming),
      network_out: perSecond(outgoing),
    })),
    entries(disk, ({ read, write }) => ({ disk_read: perSecond(read), disk_write: perSecond(write) })),
  ].filter((family) => family.length > 0);
  return newest(families);
}

/**
 * The same of form (b), which has neither memory nor disks. Its units are not documented: taken are percent and MB/s,
 * with which a wrong guess gives values that are too small and no false alarm, and what no network carries is left out.
 */
export function newestOfSeries({ statistics }: TimewebSeries): Sample | undefined {
  const series = (name: string, values: (value: number) => Values): Entry[] =>
    statistics
      .filter((one) => one.name === name)
      .flatMap(({ list }) =>
        list.flatMap(({ value, time }) =>
          value === undefined || time === undefined ? [] : { at: time.getTime(), values: values(value) },
        ),
      )
      .toSorted((a, b) => b.at - a.at);
  const families = [
    series("system.cpu.util", (value) => ({ cpu: percent(value / 100) })),
    series("network.request", (value) => ({ network_in: value < fastest ? perSecond(value) : undefined })),
    series("network.response", (value) => ({ network_out: value < fastest ? perSecond(value) : undefined })),
  ].filter((family) => family.length > 0);
  return newest(families);
}

/** Of the fullest disk, and of the one with the least room. */
export function diskMetrics(disks: readonly ServerDisk[]): MetricValues {
  const known = disks.flatMap(({ bytes, usedBytes }) => (usedBytes === undefined ? [] : { bytes, used: usedBytes }));
  if (known.length === 0) return {};
  return {
    disk: Math.max(...known.map(({ bytes, used }) => (used / bytes) * 100)),
    disk_free: Math.min(...known.map(({ bytes, used }) => bytes - used)),
  };
}

/** `available` counts caches as free; `used` alone is all that some systems tell. */
function memoryOf({ total, used, available }: TimewebStatistics["ram"][number]): Values {
  if (total === undefined || total <= 0) return {};
  if (available !== undefined && available >= 0 && available <= total)
    return { memory: percent(1 - available / total) };
  return { memory: used === undefined ? undefined : percent(used / total) };
}

/** Newest first; what has no time or no value is left out. */
function entries<T extends { readonly logged_at: Date | undefined }>(
  family: readonly T[],
  values: (entry: T) => Values,
): Entry[] {
  return family
    .flatMap((entry): Entry[] => {
      const told = Object.entries(values(entry)).filter(([, value]) => value !== undefined);
      if (entry.logged_at === undefined || told.length === 0) return [];
      return [{ at: entry.logged_at.getTime(), values: Object.fromEntries(told) }];
    })
    .toSorted((a, b) => b.at - a.at);
}

/** The newest moment that every family has a value for; of no such, the newest, with what there is. */
function newest(all: readonly (readonly Entry[])[]): Sample | undefined {
  const last = Math.max(...all.map(([entry]) => entry?.at ?? 0));
  const families = all.filter(([entry]) => entry !== undefined && last - entry.at <= behindMs);
  const times = [...new Set(families.flat().map(({ at }) => at))].toSorted((a, b) => b - a);
  let first: Sample | undefined;
  for (const at of times) {
    // Earlier ones alone: a moment is complete when its last value has come.
    const found = families.flatMap(
      (family) => family.find((entry) => entry.at <= at && at - entry.at <= togetherMs) ?? [],
    );
    const sample: Sample = { at: new Date(at), metrics: Object.assign({}, ...found.map(({ values }) => values)) };
    if (found.length === families.length) return sample;
    first ??= sample;
  }
  return first;
}
