import { type Aim, aim, markdown, median } from "./report.ts";

/**
 * `plain`: not compressed. `bare`: to a file only. `pair`: to a file and a bucket, what Vakhta does too. `checked`: the
 * same, and read on the way by the program that finds damage in it.
 */
export type RowId = "plain" | "bare" | "pair" | "checked" | "vakhta" | "encrypted";

/** What one row came to: medians, in milliseconds; `serverMs`: processor time of the servers meanwhile. */
export interface SourceResult {
  readonly id: RowId;
  readonly title: string;
  readonly ms: number;
  readonly cpuMs: number;
  readonly serverMs: number;
  readonly bytes: number;
  readonly samples: readonly number[];
  /** Of the processor's time. */
  readonly cpuSamples: readonly number[];
}

export function summariseRow(
  { id, title }: Pick<SourceResult, "id" | "title">,
  samples: readonly { ms: number; cpuMs: number; serverMs: number; bytes: number }[],
): SourceResult {
  const middle = (of: "ms" | "cpuMs" | "serverMs" | "bytes"): number => median(samples.map((sample) => sample[of]));
  return {
    id,
    title,
    ms: middle("ms"),
    cpuMs: middle("cpuMs"),
    serverMs: middle("serverMs"),
    bytes: middle("bytes"),
    samples: samples.map(({ ms }) => ms),
    cpuSamples: samples.map(({ cpuMs }) => cpuMs),
  };
}

/** Against the bare pipe, and against the pair, which leaves the same behind: the file and the object. */
export function judgeRows(results: readonly SourceResult[]): Aim[] {
  const ratio = (id: RowId, of: RowId, limit: number, what: string): Aim[] => {
    const [ours, other] = [id, of].map((wanted) => results.find((result) => result.id === wanted)?.ms);
    return ours === undefined || other === undefined ? [] : [aim(what, ours / other, limit)];
  };
  return [
    ...ratio("vakhta", "bare", 1.15, "whole job / (a)"),
    ...ratio("encrypted", "bare", 1.35, "whole job with encryption / (a)"),
    ...ratio("vakhta", "pair", 1.15, "whole job / (b)"),
    ...ratio("encrypted", "pair", 1.35, "whole job with encryption / (b)"),
    ...ratio("vakhta", "checked", 1.15, "whole job / (c)"),
  ];
}

export function rowsTable(results: readonly SourceResult[]): string {
  const to = (id: RowId, ours: number, of: "ms" | "cpuMs"): string =>
    `${(ours / (results.find((result) => result.id === id)?.[of] ?? Number.NaN)).toFixed(2)}x`;
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  const rows = results.map(({ title, ms, cpuMs, serverMs, bytes, samples }) => [
    title,
    `${seconds(ms)} (${seconds(Math.min(...samples))}-${seconds(Math.max(...samples))})`,
    to("bare", ms, "ms"),
    to("pair", ms, "ms"),
    seconds(cpuMs),
    to("bare", cpuMs, "cpuMs"),
    seconds(serverMs),
    (bytes / 1e6).toFixed(1),
  ]);
  return markdown([["Method", "s (min-max)", "to (a)", "to (b)", "processor s", "to (a)", "servers s", "MB"], ...rows]);
}
