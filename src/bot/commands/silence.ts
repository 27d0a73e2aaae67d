import { type Matcher, matchesAll, parseMatcher } from "../../core/matchers.ts";
import { hasRole } from "../../core/roles.ts";
import { severities } from "../../core/signal.ts";
import { parseDuration } from "../../lib/units.ts";
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

/** What /silence was told; `problem`: a message that says in one line what is wrong. */
type Order =
  | { readonly matchers: readonly Matcher[]; readonly durationMs: number; readonly reason?: string }
  | { readonly problem: string; readonly word: string };

/** /silence: the list; /silence <conditions> <duration> [reason]: begins one. */
export const silence: Command = {
  name: "silence",
  // The list is for everybody; beginning one is not.
  role: "viewer",
  late: "asks",
  run: async (ctx, argument, deps) => {
    const { texts, caller, waitedMs, message, place } = ctx;
    if (argument === "") return await openView(deps, ctx, { kind: "silences", state: {} });
    if (!hasRole(caller.role, "operator")) {
      await ctx.reply(texts.t("refused-role", { role: texts.plain("role-operator") }), { parse_mode: "HTML" });
      return;
    }
    const order = parseSilence(argument);
    if ("problem" in order) {
      const text = `${texts.t(order.problem, { word: oneLine(order.word, 60) })}\n${texts.t("silence-example")}`;
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

/** Reads `env=prod alertname=~"Disk.*" 2h deploying`: conditions first, duration and reason in any order. */
export function parseSilence(text: string): Order {
  const matchers: Matcher[] = [];
  const reason: string[] = [];
  let durationMs: number | undefined;
  for (const word of splitWords(text)) {
    const duration = parseDuration(word.toLowerCase());
    if (duration !== undefined && durationMs === undefined) {
      durationMs = duration;
      continue;
    }
    const matcher = reason.length === 0 ? parseMatcher(word) : "form";
    if (matcher === "pattern") return { problem: "alerts-bad-pattern", word };
    if (matcher !== "form") matchers.push(matcher);
    else reason.push(word);
  }
  if (matchers.length === 0) return { problem: "silence-no-matcher", word: reason[0] ?? "" };
  if (matchers.length > mostMatchers) return { problem: "silence-too-many", word: String(mostMatchers) };
  if (durationMs === undefined) return { problem: "silence-no-duration", word: "" };
  if (durationMs < shortestMs || durationMs > longestMs) return { problem: "silence-bad-duration", word: "" };
  const because = oneLine(reason.join(" "), longestReason);
  return { matchers, durationMs, ...(because === "" ? {} : { reason: because }) };
}

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
