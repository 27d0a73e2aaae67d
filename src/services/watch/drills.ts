import type { Config } from "../../app/config.ts";
import { type DrillRecord, overOf } from "../../core/drill.ts";
import type { Drills } from "../../state/drills.ts";
import { drillTargets } from "../drills/choose.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

export interface DrillsCheckDeps {
  readonly config: Pick<Config, "backups" | "drill" | "timezone">;
  readonly drills: Pick<Drills, "results">;
}

/**
 * What the newest drill has found that no verification tells of: nothing to restore after the loss of every worker's disk,
 * a copy that cannot be restored where the drills run, a recovery beyond its limits. Over with a later drill that is good.
 */
export function drillsCheck({ config, drills }: DrillsCheckDeps): WatchCheck {
  return {
    name: "drills",
    everyMs: 10_000,
    look: async () => {
      if (!config.drill) return [];
      const found: Finding[] = [];
      for (const { name, cannot } of drillTargets(config)) {
        if (cannot) continue;
        const [newest] = await drills.results(name);
        const finding = newest && findingOf(newest, config.drill, config.timezone);
        if (finding) found.push(finding);
      }
      return found;
    },
  };
}

type Limits = Pick<NonNullable<Config["drill"]>, "rto" | "rpo">;

function findingOf(record: DrillRecord, limits: Limits, timezone: string): Finding | undefined {
  const { name, at, reason, storage, rtoMs = 0, rpoMs = 0 } = record;
  const labels = { backup: name, ...(storage === undefined ? {} : { storage }) };
  const base = { fingerprint: `drill:${name}`, labels, since: new Date(at) };
  const told = stamp(new Date(at), timezone);
  if (reason?.finding !== undefined) {
    const isNowhere = reason.finding === "no-backup" || reason.finding === "no-offsite";
    return {
      ...base,
      severity: isNowhere ? "critical" : "warning",
      title: { key: isNowhere ? "watch-drill-nothing" : "watch-drill-unable", args: { name } },
      text: { key: `watch-drill-text-${reason.finding}`, args: { name, at: told, reason: reason.message } },
    };
  }
  const over = overOf(record, limits);
  if (over.length === 0) return undefined;
  // Minutes rounded up: what exceeds a limit is not told as the limit.
  const args = {
    name,
    at: told,
    rto: minutes(rtoMs),
    rtoLimit: minutes(limits.rto),
    rpo: minutes(rpoMs),
    rpoLimit: minutes(limits.rpo),
  };
  const which = over.length === 2 ? "both" : (over[0] ?? "rto");
  return {
    ...base,
    severity: "warning",
    title: { key: `watch-drill-over-${which}`, args: { name } },
    text: { key: `watch-drill-over-${which}-text`, args },
  };
}

/** "90", as minutes; under ten with one digit behind the point. */
function minutes(ms: number): number {
  return ms < 600_000 ? Math.ceil(ms / 6000) / 10 : Math.ceil(ms / 60_000);
}
