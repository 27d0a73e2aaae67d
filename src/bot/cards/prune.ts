import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import { isAnswered, type PruneQuestion } from "../../core/prune.ts";
import { explanationLines } from "../../messages/explanation.ts";
import { formatBytes, formatCount, formatTime } from "../../messages/format.ts";
import type { PruneQuestions } from "../../services/backup/prune-questions.ts";
import { explainRetention, policyFor } from "../../services/backup/retention.ts";
import type { CachedCatalogue } from "../../services/cached-catalogue.ts";
import { oneLine } from "../foreign-text.ts";
import type { ActionContext, CardKind, RenderContext } from "./types.ts";

export interface PruneCardDeps {
  readonly config: Pick<Config, "timezone" | "backups">;
  readonly clock: Clock;
  readonly catalogue: CachedCatalogue;
  readonly pruneQuestions: PruneQuestions;
}

/** The card that asks before very much is removed, and tells what became of it. */
export function pruneCard(deps: PruneCardDeps): CardKind<PruneQuestion> {
  const answer = (status: "confirmed" | "cancelled") => ({
    role: "admin" as const,
    toast: (_question: PruneQuestion, messages: RenderContext["messages"]) =>
      messages.plain(status === "confirmed" ? "toast-prune-confirmed" : "toast-prune-cancelled"),
    run: async ({ id }: PruneQuestion, { by }: ActionContext) => {
      await deps.pruneQuestions.answer(id, status, by);
    },
  });
  return {
    kind: "prune",
    render: (question, context) => ({
      html: [[heading(question, context)], body(question, context)].map((block) => block.join("\n")).join("\n\n"),
      buttons: [
        ...(question.status === "asked"
          ? [
              [
                { action: "confirm", label: context.messages.plain("button-confirm"), style: "danger" as const },
                { action: "cancel", label: context.messages.plain("button-cancel") },
              ],
            ]
          : []),
        ...(question.status === "void" || question.status === "done"
          ? []
          : [[{ action: "details", label: context.messages.plain("button-details") }]]),
      ],
    }),
    refusal: (question, action, messages) => {
      if (action === "details" || !isAnswered(question)) return undefined;
      if (!question.answered) return messages.plain("toast-prune-void");
      return messages.plain("toast-prune-answered", { by: question.answered.by.name });
    },
    actions: {
      confirm: answer("confirmed"),
      cancel: answer("cancelled"),
      details: {
        role: "viewer",
        toast: (_question, messages) => messages.plain("toast-details"),
        run: async (question, context) => await sayDetails(question, context, deps),
      },
    },
  };
}

function heading({ status, name, folders }: PruneQuestion, { messages }: RenderContext): string {
  return messages.t(`prune-title-${status}`, {
    name: oneLine(name, 64),
    count: formatCount(folders.length, messages.locale),
  });
}

function body(question: PruneQuestion, { messages, timezone }: RenderContext): string[] {
  const { status, storage, location, policy, folders, total, answered } = question;
  const { locale } = messages;
  const time = (iso: string): string => formatTime(new Date(iso), locale, timezone);
  const count = folders.length;
  const countText = formatCount(count, locale);
  const what = [
    messages.t("prune-place", { storage, location }),
    messages.t("prune-span", { count, countText, oldest: time(question.oldest), newest: time(question.newest) }),
    messages.t("prune-size", {
      size: formatBytes(question.bytes, locale),
      all: formatBytes(question.totalBytes, locale),
    }),
  ];
  const by = answered && { by: answered.by.name, at: time(answered.at) };
  switch (status) {
    case "asked":
      return [
        messages.t("prune-why", { storage, policy, count: countText, total: formatCount(total, locale) }),
        "",
        ...what,
        "",
        messages.t("prune-stays"),
      ];
    case "confirmed":
      return [...what, ...(by ? [messages.t("prune-confirmed-by", by)] : [])];
    case "done": {
      const removed = question.removed ?? count;
      return [
        messages.t("prune-removed", { count: removed, countText: formatCount(removed, locale) }),
        ...what.slice(0, 1),
        ...(by ? [messages.t("prune-confirmed-by", by)] : []),
      ];
    }
    case "cancelled":
      return [...what, ...(by ? [messages.t("prune-cancelled-by", by)] : [])];
    case "void":
      return [...what.slice(0, 1), messages.t("prune-void")];
  }
}

/** Every decision with its reasons, by what is known of the storage. */
async function sayDetails(
  question: PruneQuestion,
  { messages, reply }: ActionContext,
  { catalogue, config, clock }: PruneCardDeps,
): Promise<void> {
  const { name, storage, policy } = question;
  const backup = config.backups.find((candidate) => candidate.name === name);
  const seen = (await catalogue.copies(name)).find((one) => one.storage === storage);
  const { copies = new Map(), flaws = new Map() } = seen ?? {};
  const look = await catalogue.look(storage, name);
  const { timezone } = config;
  const options = { policy: backup ? policyFor(backup, storage) : ("all" as const), timezone, now: clock.now(), flaws };
  const about = { name, storage, policy, timezone, readAt: look && new Date(look.at) };
  const lines = explanationLines(explainRetention(copies, options).backups, about, messages);
  await reply({
    html: messages.t("prune-place", { storage, location: question.location }),
    document: { name: `retention-${name}-${storage}.txt`, text: `${lines.join("\n")}\n` },
  });
}
