import { type Aim, aim, markdown, median } from "./report.ts";

/** `bare`: to a file only. `pair`: to a file and a bucket, what Vakhta does too. */
export type RowId = "bare" | "pair" | "vakhta" | "encrypted";

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

/** Against the pair, which leaves the same behind: the file and the object. */
export function judgeRows(results: readonly SourceResult[]): Aim[] {
  const ratio = (id: RowId, limit: number, of: "ms" | "cpuMs", what: string): Aim[] => {
    const [ours, pair] = [id, "pair"].map((wanted) => results.find((result) => result.id === wanted)?.[of]);
    return ours === undefined || pair === undefined ? [] : [aim(what, ours / pair, limit)];
  };
  return [
    ...ratio("vakhta", 1.15, "ms", "whole job / (b): time"),
    ...ratio("encrypted", 1.35, "ms", "whole job with encryption / (b): time"),
    ...ratio("vakhta", 1.15, "cpuMs", "whole job / (b): processor"),
    ...ratio("encrypted", 1.35, "cpuMs", "whole job with encryption / (b): processor"),
  ];
}

export function rowsTable(results: readonly SourceResult[]): string {
  const pair = results.find(({ id }) => id === "pair");
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  const rows = results.map(({ title, ms, cpuMs, serverMs, bytes, samples }) => [
    title,
    `${seconds(ms)} (${seconds(Math.min(...samples))}-${seconds(Math.max(...samples))})`,
    `${(ms / (pair?.ms ?? Number.NaN)).toFixed(2)}x`,
    seconds(cpuMs),
    `${(cpuMs / (pair?.cpuMs ?? Number.NaN)).toFixed(2)}x`,
    seconds(serverMs),
    (bytes / 1e6).toFixed(1),
  ]);
  return markdown([["Method", "s (min-max)", "to (b)", "processor s", "to (b)", "servers s", "MB"], ...rows]);
}
