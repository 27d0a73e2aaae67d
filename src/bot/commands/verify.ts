import type { VerifyState } from "../views/verify.ts";
import { openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

const longestWord = 64;

/** /verify [name] [backup id]: asks what is left open; nothing is started before a depth is chosen. */
export const verify: Command = {
  name: "verify",
  role: "operator",
  late: "asks",
  run: async (ctx, argument, deps) => {
    const { texts } = ctx;
    const { backups } = deps.config;
    const say = async (text: string): Promise<void> => void (await ctx.reply(text, { parse_mode: "HTML" }));
    if (backups.length === 0) return await say(texts.t("verify-none-configured"));
    const [asked, id] = splitWords(argument);
    const name = asked ?? (backups.length === 1 ? backups[0]?.name : undefined);
    if (name !== undefined && !backups.some((backup) => backup.name === name)) {
      const names = backups.map((backup) => backup.name).join(", ");
      return await say(texts.t("verify-no-such", { name: name.slice(0, longestWord), names }));
    }
    if (name !== undefined && id !== undefined && !(await deps.verificationOrders.backup(name, id)))
      return await say(texts.t("verify-no-such-id", { name, backup: id.slice(0, longestWord) }));
    const state: VerifyState = { ...(name === undefined ? {} : { name }), ...(id === undefined ? {} : { backup: id }) };
    await openView(deps, ctx, { kind: "verify", state });
  },
};
