import { type KeepCounts, type KeepPolicy, tiers } from "../core/retention.ts";
import { UsageError } from "./report.ts";

/**
 * A policy as `--keep` says it: `last=1`, `daily=7,monthly=4`, `all`. Throws `UsageError` for anything else, and for
 * one that would keep nothing by name.
 */
export function parseKeep(text: string): KeepPolicy {
  if (text === "all") return "all";
  const counts = text.split(",").map((pair): KeepCounts => {
    const [, name, count] = /^\s*([a-z]+)=(\d{1,5})\s*$/.exec(pair) ?? [];
    const tier = tiers.find((known) => known === name);
    if (tier === undefined || Number(count) < 1 || Number(count) > 10_000)
      throw new UsageError("cli-prune-keep-wrong", { text: pair.trim(), known: tiers.join(", ") });
    return { [tier]: Number(count) };
  });
  return Object.assign({}, ...counts) as KeepCounts;
}
