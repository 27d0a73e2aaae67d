import type { Matcher } from "../../core/matchers.ts";
import { nearest } from "../../core/nearest.ts";
import { parseDuration } from "../../lib/units.ts";
import { type BadWord, looksLikeCondition, readConditions, saidOf } from "../conditions.ts";
import type { BotContext, BotDeps } from "../context.ts";
import { oneLine } from "../foreign-text.ts";
import { chartState } from "../views/chart.ts";
import { type StatsState, wanted } from "../views/stats.ts";
import { openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

/** A picture of less has hardly a value in it; milliseconds. */
const shortestRangeMs = 10 * 60_000;
const longestRangeMs = 1100 * 86_400_000;
/** As many conditions as a filter may have. */
const mostMatchers = 10;
/** Servers that are named where one of them is to be chosen. */
const mostNamed = 5;

/** /stats [part of a name] [label=value]: the fleet; /stats server [time]: a picture of one. */
export const stats: Command = {
  name: "stats",
  role: "viewer",
  late: "run",
  run: async (ctx, argument, deps) => {
    const read = parseStats(argument);
    if ("problem" in read) return await say(ctx, read.problem, saidOf(read));
    const { names, matchers, ranges } = read;
    const { servers } = deps.config;
    if (servers.length === 0) return await say(ctx, "stats-none-configured");
    const [text, range] = [names.join(" "), ranges[0]];
    const exact = servers.find(({ name }) => name.toLowerCase() === text);
    if (exact && matchers.length === 0) return await openChart(deps, ctx, exact.name, range);
    // A server, and a word that was meant to be a time.
    const last = names.at(-1) ?? "";
    const before = names.slice(0, -1).join(" ");
    const isBadTime = !exact && range === undefined && servers.some(({ name }) => name.toLowerCase() === before);
    if (isBadTime) return await say(ctx, "stats-bad-range", { word: oneLine(last, 60) });
    const state: StatsState = {
      ...(text === "" ? {} : { part: text }),
      ...(matchers.length === 0 ? {} : { matchers }),
    };
    const found = wanted(state, deps);
    const [only] = found;
    if (!only && text !== "") return await sayUnknown(ctx, deps, text);
    if (range === undefined) return await openView(deps, ctx, { kind: "stats", state });
    if (found.length === 1 && only) return await openChart(deps, ctx, only.name, range);
    const some = found.slice(0, mostNamed).map(({ name }) => name);
    const fit = some.length === 0 ? "none" : found.length > some.length ? "more" : "some";
    await say(ctx, "stats-which", { names: some.join(", "), fit });
  },
};

/** The words of /stats: names, conditions on labels, and how far back. */
export function parseStats(
  argument: string,
):
  | { readonly names: readonly string[]; readonly matchers: readonly Matcher[]; readonly ranges: readonly number[] }
  | BadWord {
  const names: string[] = [];
  const matchers: Matcher[] = [];
  const ranges: number[] = [];
  for (const word of splitWords(argument)) {
    const ms = parseDuration(word.toLowerCase());
    if (looksLikeCondition(word)) {
      const read = readConditions(word);
      if ("problem" in read) return read;
      matchers.push(...read);
    } else if (ms === undefined) names.push(word.toLowerCase());
    else if (ms < shortestRangeMs || ms > longestRangeMs || ranges.length > 0)
      return { problem: "stats-bad-range", word };
    else ranges.push(ms);
  }
  if (matchers.length > mostMatchers) return { problem: "silence-too-many", word: String(mostMatchers) };
  return { names, matchers, ranges };
}

async function openChart(deps: BotDeps, ctx: BotContext, server: string, range: number | undefined): Promise<void> {
  await openView(deps, ctx, { kind: "chart", state: await chartState(deps, ctx.caller.id, server, range) });
}

async function sayUnknown(ctx: BotContext, { config }: BotDeps, text: string): Promise<void> {
  const near = nearest(
    text,
    config.servers.map(({ name }) => name),
  );
  const word = oneLine(text, 60);
  await (near === undefined ? say(ctx, "stats-unknown", { word }) : say(ctx, "stats-unknown-near", { word, near }));
}

async function say(ctx: BotContext, key: string, args: Record<string, string> = {}): Promise<void> {
  await ctx.reply(ctx.texts.t(key, args), { parse_mode: "HTML" });
}
