import { type Matcher, parseMatcher } from "../../core/matchers.ts";
import { type Severity, severities } from "../../core/signal.ts";
import { parseDuration } from "../../lib/units.ts";
import { oneLine } from "../foreign-text.ts";
import type { AlertsState } from "../views/alerts.ts";
import { openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

const defaultWindowMs = 24 * 3_600_000;
const longestWindowMs = 366 * 86_400_000;
/** As many conditions as a filter may have. */
const mostMatchers = 10;

/** /alerts [filter]: what is open, or with "history" what has ended. */
export const alerts: Command = {
  name: "alerts",
  role: "viewer",
  late: "run",
  run: async (ctx, argument, deps) => {
    const filter = parseFilter(argument);
    if ("problem" in filter) {
      const word = oneLine(filter.problem, 60);
      const isPattern = parseMatcher(filter.problem) === "pattern";
      await ctx.reply(ctx.texts.t(isPattern ? "alerts-bad-pattern" : "alerts-bad-filter", { word }), {
        parse_mode: "HTML",
      });
      return;
    }
    await openView(deps, ctx, { kind: "alerts", state: filter });
  },
};

/** Reads `critical env=prod`, `history 7d`; `problem`: the word that is neither a severity nor a condition. */
export function parseFilter(text: string): AlertsState | { readonly problem: string } {
  const wanted: Severity[] = [];
  const matchers: Matcher[] = [];
  let endedWithin: number | undefined;
  for (const word of splitWords(text)) {
    const plain = word.toLowerCase();
    const severity = severities.find((candidate) => candidate === plain);
    const duration = parseDuration(plain);
    if (severity) wanted.push(severity);
    else if (plain === "history") endedWithin ??= defaultWindowMs;
    else if (duration !== undefined && duration > 0 && endedWithin !== undefined)
      endedWithin = Math.min(duration, longestWindowMs);
    else {
      const matcher = parseMatcher(word);
      if (typeof matcher === "string" || matchers.length === mostMatchers) return { problem: word };
      matchers.push(matcher);
    }
  }
  return {
    ...(wanted.length > 0 ? { severities: wanted } : {}),
    ...(matchers.length > 0 ? { matchers } : {}),
    ...(endedWithin === undefined ? {} : { endedWithin }),
  };
}
