import type { Matcher } from "../../core/matchers.ts";
import { nearest } from "../../core/nearest.ts";
import { looksLikeCondition, readConditions, saidOf } from "../conditions.ts";
import { oneLine } from "../foreign-text.ts";
import { askFor } from "../views/servers.ts";
import type { ServersState } from "../views/servers-state.ts";
import { openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

/** As many conditions as a filter may have. */
const mostMatchers = 10;
const longestFilter = 63;

/** /servers [name, account or filter]: what is known of servers, and of the accounts that they belong to. */
export const servers: Command = {
  name: "servers",
  role: "viewer",
  late: "run",
  run: async (ctx, argument, deps) => {
    const { config } = deps;
    const matchers: Matcher[] = [];
    const words: string[] = [];
    for (const word of splitWords(argument)) {
      if (!looksLikeCondition(word)) {
        words.push(word);
        continue;
      }
      const read = readConditions(word);
      if ("problem" in read)
        return void (await ctx.reply(ctx.texts.t(read.problem, saidOf(read)), { parse_mode: "HTML" }));
      matchers.push(...read);
    }
    const said = words.join(" ").toLowerCase().slice(0, longestFilter);
    const server = config.servers.find(({ name }) => name.toLowerCase() === said)?.name;
    const account = Object.keys(config.providers).find((name) => name.toLowerCase() === said);
    const isKnown = said === "" || config.servers.some(({ name }) => name.toLowerCase().includes(said));
    const near =
      isKnown || server || account
        ? undefined
        : nearest(
            said,
            config.servers.map(({ name }) => name),
          );
    if (near !== undefined) {
      const text = ctx.texts.t("servers-near", { said: oneLine(said, 60), near });
      return void (await ctx.reply(text, { parse_mode: "HTML" }));
    }
    const filter: ServersState = {
      ...(said === "" ? {} : { filter: said }),
      ...(matchers.length > 0 ? { matchers: matchers.slice(0, mostMatchers) } : {}),
    };
    const state: ServersState = server === undefined ? (account === undefined ? filter : { account }) : { server };
    await askFor(state, deps);
    await openView(deps, ctx, { kind: "servers", state });
  },
};
