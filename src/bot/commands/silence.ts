import { type Matcher, matchesAll } from "../../core/matchers.ts";
import { hasRole } from "../../core/roles.ts";
import { severities } from "../../core/signal.ts";
import { parseDuration } from "../../lib/units.ts";
import { type BadWord, looksLikeCondition, readConditions, saidOf } from "../conditions.ts";
import { staleAfterMs } from "../context.ts";
import { oneLine } from "../foreign-text.ts";
import type { SilenceProposal } from "../views/silence.ts";
import { openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

const shortestMs = 60_000;
const longestMs = 90 * 86_400_000;
const mostMatchers = 20;
const longestReason = 300;

/** What /silence was told. */
interface Order {
  readonly matchers: readonly Matcher[];
  readonly durationMs: number;
  readonly reason?: string;
}

/** /silence: the list; /silence <conditions> <duration> [reason]: begins one. */
export const silence: Command = {
  name: "silence",
  // The list is for everybody; beginning one is not.
  role: "viewer",
  late: "asks",
  run: async (ctx, argument, deps) => {
    const { texts, caller, waitedMs, message, place } = ctx;
    if (argument === "" || argument.toLowerCase() === "list")
      return await openView(deps, ctx, { kind: "silences", state: {} });
    if (!hasRole(caller.role, "operator")) {
      await ctx.reply(texts.t("refused-role", { role: texts.plain("role-operator") }), { parse_mode: "HTML" });
      return;
    }
    const order = parseSilence(argument);
    if ("problem" in order) {
      const text = `${texts.t(order.problem, saidOf(order))}\n${texts.t("silence-example")}`;
      await ctx.reply(text, { parse_mode: "HTML" });
      return;
    }
    const why = waitedMs > staleAfterMs ? "late" : matchesEverything(order.matchers) ? "everything" : undefined;
    if (why) {
      const proposal: SilenceProposal = { ...order, why, waitedMs };
      return await openView(deps, ctx, { kind: "silence", state: { proposal } });
    }
    // Of the message: should it come again after a kill, it begins nothing twice.
    const source = `message:${place.chatId}:${message?.message_id ?? ctx.update.update_id}`;
    const by = { id: caller.id, name: caller.name };
    const { id } = await deps.alerts.silence({ by, source, ...order });
    await openView(deps, ctx, { kind: "silences", state: { only: id } });
  },
};

/**
 * Reads `env=prod alertname=~"Disk.*" 2h deploying`: conditions first, duration and reason in any order. A word that may
 * have been meant otherwise is never taken for a reason: what is silenced has to be what was written.
 */
export function parseSilence(text: string): Order | BadWord {
  const matchers: Matcher[] = [];
  const reason: string[] = [];
  let durationMs: number | undefined;
  let isDuration = false;
  for (const word of splitWords(text)) {
    const duration = parseDuration(word.toLowerCase().replace(/,$/, ""));
    // "1h 30m" is one; any other has been meant for something.
    if (duration !== undefined && durationMs !== undefined && !isDuration)
      return { problem: "silence-two-durations", word };
    isDuration = duration !== undefined;
    if (duration !== undefined) {
      durationMs = (durationMs ?? 0) + duration;
      continue;
    }
    const said = inReason(word);
    if (said !== undefined) {
      reason.push(said);
      continue;
    }
    const read = readConditions(word);
    if ("problem" in read) return read;
    if (reason.length > 0) return { problem: "silence-late-condition", word };
    matchers.push(...read);
  }
  return orderOf(matchers, durationMs, oneLine(reason.join(" "), longestReason));
}

function orderOf(matchers: readonly Matcher[], durationMs: number | undefined, reason: string): Order | BadWord {
  if (matchers.length === 0) return { problem: "silence-no-matcher", word: "" };
  if (matchers.length > mostMatchers) return { problem: "silence-too-many", word: String(mostMatchers) };
  if (durationMs === undefined) return { problem: "silence-no-duration", word: "" };
  if (durationMs < shortestMs || durationMs > longestMs) return { problem: "silence-bad-duration", word: "" };
  return { matchers, durationMs, ...(reason === "" ? {} : { reason }) };
}

/** The word as a part of a reason; undefined when it can be meant as a condition. */
function inReason(word: string): string | undefined {
  if (oneQuote.test(word)) return word.slice(1, -1);
  return address.test(word) || !looksLikeCondition(word) ? word : undefined;
}

const oneQuote = /^"(?:[^"\\]|\\.)*"$/;
const address = /^https?:\/\//;

/** No alert has this value: a condition that holds for it asks at most whether the label is there. */
const nonsense = "\u{10FFFD}7f3a";

/** True when none of the conditions says which alerts are meant: by mistake it may be all of them. */
export function matchesEverything(matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => {
    const { label } = matcher;
    if (label === "severity") return severities.every((severity) => matchesAll([matcher], { severity }));
    return matchesAll([matcher], {}) || matchesAll([matcher], { [label]: nonsense });
  });
}
