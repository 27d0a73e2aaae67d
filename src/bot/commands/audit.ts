import { type AuditState, type AuditWord, auditDocument } from "../views/audit.ts";
import { actionContext, openView } from "../views/views.ts";
import { splitWords } from "../words.ts";
import type { Command } from "./types.ts";

/** More conditions than anybody has. */
const mostWords = 5;
const longestWord = 64;

/** What /audit was told. */
type Asked = { readonly state: AuditState } | { readonly from?: number; readonly to?: number } | "usage";

/** /audit [words | #number | export [from-to]]: the audit log, newest first, one of its entries, or a document of it. */
export const audit: Command = {
  name: "audit",
  role: "admin",
  late: "run",
  run: async (ctx, argument, deps) => {
    const { texts } = ctx;
    const asked = parseAudit(argument);
    if (asked === "usage") {
      await ctx.reply(texts.t("audit-usage"), { parse_mode: "HTML" });
      return;
    }
    if ("state" in asked) return await openView(deps, ctx, { kind: "audit", state: asked.state });
    await actionContext(deps, ctx).reply(await auditDocument(deps, asked, { messages: texts }));
  },
};

/** Reads `by:alice target:shop`, `#57`, `export 100-200`. */
export function parseAudit(text: string): Asked {
  const [first = "", second, ...more] = splitWords(text);
  if (first.toLowerCase() === "export") {
    if (second === undefined) return {};
    const [, from, to] = /^#?(\d{1,15})(?:-#?(\d{1,15})?)?$/.exec(second) ?? [];
    if (from === undefined || more.length > 0) return "usage";
    const end = second.includes("-") ? to : from;
    return { from: Math.max(1, Number(from)), ...(end === undefined ? {} : { to: Number(end) }) };
  }
  const [, seq] = /^#(\d{1,15})$/.exec(text.trim()) ?? [];
  if (seq !== undefined) return { state: { entry: Number(seq) } };
  const all = splitWords(text);
  if (all.length > mostWords) return "usage";
  const words = all.map(wordOf);
  return { state: words.length > 0 ? { words } : {} };
}

function wordOf(text: string): AuditWord {
  const [, of, rest = ""] = /^(by|kind|target):(.+)$/is.exec(text) ?? [];
  const word = (of === undefined ? text : rest).replaceAll('"', "").replace(/^@/, "");
  const value = word.toLowerCase().slice(0, longestWord);
  const field = of?.toLowerCase();
  return field === "by" || field === "kind" || field === "target" ? { of: field, value } : { value };
}
