import type { Config } from "../../app/config.ts";
import type { Severity } from "../../core/signal.ts";
import type { Text } from "../../core/text.ts";
import type { Presence } from "../../state/presence.ts";
import { presenceWithinMs } from "../status.ts";

/** Something that is wrong now. The same content as before is no news, so what changes by itself (an age) is not said. */
export interface Finding {
  /** The same for as long as the same thing is wrong. */
  readonly fingerprint: string;
  readonly severity: Severity;
  readonly title: Text;
  /** What it means and what to do. */
  readonly text: Text;
  /** Beside `check`, for routes and silences. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Since when it is so, where that is known. Default: since it was found. */
  readonly since?: Date;
}

/** What a check is told. */
export interface Look {
  readonly now: Date;
  /**
   * Since when the watch has been looking without a pause. What has not been seen since long before says nothing: the
   * watch itself was away, or Redis was.
   */
  readonly awakeSince: Date;
  /** What this check has found and not taken back, by fingerprint: for what ends later than it begins. */
  readonly open: ReadonlyMap<string, Finding>;
}

/** One thing that the watch looks after. */
export interface WatchCheck {
  readonly name: string;
  /** Milliseconds between two looks. Default: every look of the watch. */
  readonly everyMs?: number;
  /** Everything that is wrong now. What is missing from it and was found before is over. Rejects when it cannot be told. */
  look(look: Look): Promise<readonly Finding[]>;
  /** What is said of what `look` gives no longer, when that does not mean that it is well. */
  over?(finding: Finding): Text | undefined;
  /** Called when what `look` gave has been reported. */
  reported?(): Promise<void>;
}

/** Nobody is missed sooner than this after the last sign of life, nor after the watch woke up; milliseconds. */
const missedAfterMs = 60_000;

/** Whether anything is configured that a worker is needed for. */
export function needsWorker({ backups, servers }: Pick<Config, "backups" | "servers">): boolean {
  return backups.length > 0 || servers.length > 0;
}

/**
 * Somebody who is missed, last seen at `seenAt`: the finding that is open already, else that of `missed` with since when,
 * else undefined.
 */
export function missing(
  fingerprint: string,
  seenAt: Date,
  look: Look,
  missed: (since: Date) => Omit<Finding, "fingerprint">,
): Finding | undefined {
  const { now, awakeSince, open } = look;
  if (now.getTime() - seenAt.getTime() <= presenceWithinMs) return undefined;
  const known = open.get(fingerprint);
  if (known) return known;
  const since = new Date(Math.max(seenAt.getTime(), awakeSince.getTime()));
  return now.getTime() - since.getTime() < missedAfterMs ? undefined : { fingerprint, since, ...missed(since) };
}

/** The newest sign of life of several processes; undefined of none. */
export function lastSign(presences: readonly Presence[]): Date | undefined {
  const signs = presences.map(({ seenAt }) => Date.parse(seenAt));
  return signs.length === 0 ? undefined : new Date(Math.max(...signs));
}

export { stamp } from "../stamp.ts";
