import type { Method, Sample } from "./methods.ts";

/** What one method came to. Times in milliseconds, sizes in bytes. */
export interface Result {
  readonly id: Method["id"];
  readonly title: string;
  readonly samples: readonly number[];
  readonly median: number;
  readonly bytes?: number;
}

/** One aim and whether it was reached. */
export interface Aim {
  readonly aim: string;
  readonly value: number;
  readonly limit: number;
  readonly met: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function summarise({ id, title }: Method, samples: readonly Sample[]): Result {
  const times = samples.map(({ ms }) => ms);
  const bytes = samples.at(-1)?.bytes;
  return { id, title, samples: times, median: median(times), ...(bytes === undefined ? {} : { bytes }) };
}

/** The ratios of medians that matter, against their limits. */
export function judge(results: readonly Result[]): Aim[] {
  // What was left out by --without is not judged.
  const ratio = (
    id: Method["id"],
    base: Method["id"],
    limit: number,
    what: string,
    of: keyof Pick<Result, "median" | "bytes">,
  ): Aim[] => {
    const [ours, theirs] = [id, base].map((wanted) => results.find((result) => result.id === wanted)?.[of]);
    return ours === undefined || theirs === undefined ? [] : [aim(what, ours / theirs, limit)];
  };
  return [
    ...ratio("plain", "pipe", 1.15, "whole job / (a): time", "median"),
    ...ratio("full", "pipe", 1.35, "whole job with encryption and counts / (a): time", "median"),
    ...ratio("plain", "script", 0.65, "whole job / (b): time", "median"),
    ...ratio("plain", "script", 0.7, "artifact / (b): size", "bytes"),
  ];
}

export function aim(text: string, value: number, limit: number): Aim {
  return { aim: text, value, limit, met: value <= limit };
}

/** A table in Markdown. */
export function table(results: readonly Result[]): string {
  const base = results.find(({ id }) => id === "pipe")?.median ?? Number.NaN;
  const script = results.find(({ id }) => id === "script")?.median ?? Number.NaN;
  const rows = results.map(({ title, samples, median: middle, bytes }) => [
    title,
    seconds(middle),
    `${seconds(Math.min(...samples))}-${seconds(Math.max(...samples))}`,
    `${(middle / base).toFixed(2)}x`,
    `${(middle / script).toFixed(2)}x`,
    bytes === undefined ? "-" : (bytes / 1e6).toFixed(1),
  ]);
  return markdown([["Method", "median s", "min-max s", "to (a)", "to (b)", "MB"], ...rows]);
}

export function aimTable(aims: readonly Aim[]): string {
  const rows = aims.map(({ aim: text, value, limit, met }) => [
    text,
    value.toFixed(2),
    `<= ${limit}`,
    met ? "yes" : "no",
  ]);
  return markdown([["Aim", "measured", "limit", "met"], ...rows]);
}

export function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}
