import type { Matcher } from "../../core/matchers.ts";
import { type Severity, severityOf } from "../../core/signal.ts";
import { parseDuration } from "../../lib/units.ts";
import { type BadWord, looksLikeCondition, readConditions, saidOf } from "../conditions.ts";
import { type AlertsState, type Handled, handledWays } from "../views/alerts.ts";
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
      await ctx.reply(ctx.texts.t(filter.problem, saidOf(filter)), { parse_mode: "HTML" });
      return;
    }
    await openView(deps, ctx, { kind: "alerts", state: filter });
  },
};

/** Reads `critical,warning env=prod silenced`, `history 7d`, in any order. */
export function parseFilter(text: string): AlertsState | BadWord {
  const matchers: Matcher[] = [];
  const named: Named = { severities: [], handled: [], windows: [], history: [] };
  for (const word of splitWords(text)) {
    const read = looksLikeCondition(word) ? readConditions(word) : readNames(word, named);
    if ("problem" in read) return read;
    matchers.push(...read);
  }
  const { severities, handled, windows, history } = named;
  const [window, second] = windows;
  const stray = second ?? (history.length === 0 ? window : undefined);
  if (stray) return { problem: "alerts-bad-filter", word: stray.word };
  if (matchers.length > mostMatchers) return { problem: "silence-too-many", word: String(mostMatchers) };
  return {
    ...(severities.length > 0 ? { severities } : {}),
    ...(handled.length > 0 ? { handled } : {}),
    ...(matchers.length > 0 ? { matchers } : {}),
    ...(history.length > 0 ? { endedWithin: Math.min(window?.ms ?? defaultWindowMs, longestWindowMs) } : {}),
  };
}

/** What is named in a filter without a condition. */
interface Named {
  readonly severities: Severity[];
  readonly handled: Handled[];
  readonly windows: { readonly ms: number; readonly word: string }[];
  readonly history: string[];
}

/** Adds what a word names, several with commas between them, to `named`. */
function readNames(word: string, named: Named): readonly never[] | BadWord {
  for (const name of word.toLowerCase().split(",").filter(Boolean)) {
    const severity = severityOf(name);
    const how = handledWays.find((candidate) => candidate === name);
    const ms = parseDuration(name) ?? 0;
    if (severity) named.severities.push(severity);
    else if (how) named.handled.push(how);
    else if (name === "history") named.history.push(name);
    else if (ms > 0) named.windows.push({ ms, word });
    else return { problem: "alerts-bad-filter", word };
  }
  return [];
}
