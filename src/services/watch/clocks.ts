import type { Config } from "../../app/config.ts";
import type { Presence, Presences } from "../../state/presence.ts";
import { presenceWithinMs } from "../status.ts";
import type { Finding, WatchCheck } from "./types.ts";

/** More than this is wrong; milliseconds. */
const wrongMs = 30_000;
/** Less than this is right again. */
const rightMs = 20_000;

/** Telegram is asked for the time so often; milliseconds. */
const askEveryMs = 10 * 60_000;

type Clocks = readonly Pick<Presence, "host" | "aheadMs">[];

/**
 * Which clocks are wrong: of a host against that of Redis, of the hosts against each other, and ours against that of
 * Telegram (`aheadOfTelegram`, milliseconds).
 */
export function wrongClocks(
  clocks: Clocks,
  aheadOfTelegram: number | undefined,
  open: ReadonlyMap<string, Finding>,
): Finding[] {
  const isWrong = (fingerprint: string, ms: number): boolean =>
    Math.abs(ms) > (open.has(fingerprint) ? rightMs : wrongMs);
  const found: Finding[] = [];
  const wrong = (fingerprint: string, ms: number, finding: () => Pick<Finding, "title" | "text" | "labels">): void => {
    const known = open.get(fingerprint);
    if (isWrong(fingerprint, ms)) found.push(known ?? { fingerprint, severity: "warning", ...finding() });
  };
  const ahead = new Map<string, number>();
  for (const { host, aheadMs = 0 } of clocks)
    if (Math.abs(aheadMs) >= Math.abs(ahead.get(host) ?? 0)) ahead.set(host, aheadMs);
  for (const [host, ms] of ahead)
    wrong(`clock:${host}`, ms, () => ({
      title: { key: "watch-clock-host", args: { host } },
      text: { key: "watch-clock-host-text", args: { host, seconds: Math.round(Math.abs(ms) / 1000), ahead: way(ms) } },
      labels: { host },
    }));
  const sorted = [...ahead].toSorted(([, a], [, b]) => a - b);
  const [slowest, slowestMs] = sorted[0] ?? ["", 0];
  const [fastest, fastestMs] = sorted.at(-1) ?? ["", 0];
  // What is known to be off by itself needs no comparison.
  if (found.length === 0)
    wrong("clock:between", fastestMs - slowestMs, () => ({
      title: { key: "watch-clock-between", args: { slowest, fastest } },
      text: { key: "watch-clock-between-text", args: { seconds: Math.round((fastestMs - slowestMs) / 1000) } },
    }));
  if (aheadOfTelegram !== undefined)
    wrong("clock:telegram", aheadOfTelegram, () => ({
      title: { key: "watch-clock-telegram" },
      text: {
        key: "watch-clock-telegram-text",
        args: { seconds: Math.round(Math.abs(aheadOfTelegram) / 1000), ahead: way(aheadOfTelegram) },
      },
    }));
  return found;
}

function way(ms: number): "yes" | "no" {
  return ms > 0 ? "yes" : "no";
}

/** Whether the clocks are right. `machine`: this machine's own. */
export function clocksCheck({
  config,
  presences,
  machine = Date.now,
}: {
  readonly config: Pick<Config, "telegram">;
  readonly presences: Presences;
  readonly machine?: () => number;
}): WatchCheck {
  let askedAt = Number.NEGATIVE_INFINITY;
  let aheadOfTelegram: number | undefined;
  return {
    name: "clocks",
    everyMs: 15_000,
    look: async ({ now, open }) => {
      const root = config.telegram?.apiRoot;
      if (root !== undefined && Math.abs(now.getTime() - askedAt) >= askEveryMs) {
        askedAt = now.getTime();
        aheadOfTelegram = (await aheadOf(root, machine)) ?? aheadOfTelegram;
      }
      return wrongClocks(await presences.alive(now, presenceWithinMs), aheadOfTelegram, open);
    },
  };
}

/** How far we are ahead of a web server, by the date in its answer to anything; undefined when it gives none. */
async function aheadOf(root: string, machine: () => number): Promise<number | undefined> {
  const asked = machine();
  try {
    const answer = await fetch(root, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(5000) });
    const date = Date.parse(answer.headers.get("date") ?? "");
    // The header has whole seconds.
    return Number.isNaN(date) ? undefined : (asked + machine()) / 2 - (date + 500);
  } catch {
    return undefined;
  }
}
