import { currentItem, type Drill, type DrillItem, isOver } from "../../core/drill.ts";
import { formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { DrillOrders } from "../../services/drills/orders.ts";
import { drillItemLines } from "../drill-text.ts";
import { plainText } from "../html.ts";
import type { CardButton, CardDocument, CardKind, RenderContext } from "./types.ts";

export interface DrillCardDeps {
  readonly drillOrders: DrillOrders;
}

/** Of so many backups the card tells; more are counted, and named in a file. */
const mostItems = 12;

/** The card of a drill: whether everything came back, what each recovery took, and where that is going. */
export function drillCard({ drillOrders: orders }: DrillCardDeps): CardKind<Drill> {
  return {
    kind: "drill",
    render: (drill, context) => {
      const document = documentOf(drill, context);
      const raise = raiseKey(drill);
      const blocks = [[heading(drill, context.messages)], itemLines(drill, context), state(drill, context, orders)];
      return {
        html: [...blocks, footer(drill, context)]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        buttons: buttons(drill, context.messages),
        ...(document ? { document } : {}),
        ...(raise === undefined ? {} : { raise }),
      };
    },
    actions: {
      cancel: {
        role: "operator",
        toast: (_drill, messages) => messages.plain("toast-cancelling"),
        run: async ({ id }, { by }) => {
          await orders.cancel(id, by);
        },
      },
      again: {
        role: "operator",
        toast: (_drill, messages) => messages.plain("toast-drilling"),
        run: async ({ id }, { by, target }) => {
          await orders.again(id, by, target);
        },
      },
    },
  };
}

/** Bad news of a drill that nobody is waiting for rings. */
function raiseKey({ trigger, status }: Drill): string | undefined {
  return trigger === "schedule" && (status === "failed" || status === "slow") ? status : undefined;
}

function heading(drill: Drill, messages: Messages): string {
  const drilled = drill.items.filter(({ status }) => status !== "left-out");
  const count = (are: (item: DrillItem) => boolean): number => drilled.filter(are).length;
  const args = {
    total: drilled.length,
    done: count(({ status }) => !["waiting", "running", "cancelled"].includes(status)),
    bad: count(({ status }) => status === "failed" || status === "undrilled"),
    over: count(({ over }) => over !== undefined),
  };
  const key = isOver(drill) && drilled.length === 0 && drill.status === "failed" ? "empty" : drill.status;
  return messages.t(`drill-title-${key}`, args);
}

/** Worst first, once it has ended. */
const ranks: readonly DrillItem["status"][] = [
  "failed",
  "undrilled",
  "running",
  "waiting",
  "passed",
  "cancelled",
  "left-out",
];

function sorted({ items, ...drill }: Drill): readonly DrillItem[] {
  if (!isOver(drill) && items.length <= mostItems) return items;
  const rank = ({ status, over }: DrillItem): number => ranks.indexOf(status) - (status === "passed" && over ? 0.5 : 0);
  return items.toSorted((a, b) => rank(a) - rank(b));
}

function itemLines(drill: Drill, { messages }: RenderContext): string[] {
  const items = sorted(drill);
  const lines = items.slice(0, mostItems).flatMap((item) => drillItemLines(item, drill.limits, messages));
  const rest = items.slice(mostItems);
  if (rest.length === 0) return lines;
  const passed = rest.filter(({ status, over }) => status === "passed" && !over).length;
  return [...lines, messages.t("drill-more", { count: rest.length, passed })];
}

function state(drill: Drill, context: RenderContext, orders: DrillOrders): string[] {
  const { messages, now, workers } = context;
  const { locale } = messages;
  const { status, items, startedAt, createdAt, finishedAt, cancelRequestedBy } = drill;
  if (status === "cancelled") return [messages.t("drill-cancelled", { by: cancelRequestedBy?.name ?? "?" })];
  const begun = Date.parse(startedAt ?? createdAt);
  if (isOver(drill)) {
    const lines = [messages.t("drill-limits", limitArgs(drill, messages))];
    const times = items.flatMap(({ rtoMs }) => rtoMs ?? []);
    const sum = times.reduce((total, each) => total + each, 0);
    if (times.length > 1) lines.push(messages.t("drill-sum", { duration: formatDuration(sum, locale) }));
    const took = Date.parse(finishedAt ?? createdAt) - begun;
    return [...lines, messages.t("drill-took", { duration: formatDuration(took, locale) })];
  }
  const lines: string[] = [];
  if (workers && !orders.isServed(drill, workers, now)) lines.push(messages.t("backup-no-worker"));
  else if (status === "queued") lines.push(messages.t("verify-waiting"));
  if (status === "running" && currentItem(drill))
    lines.push(messages.t("verify-elapsed", { duration: formatDuration(now.getTime() - begun, locale) }));
  if (cancelRequestedBy) lines.push(messages.t("verify-cancelling", { by: cancelRequestedBy.name }));
  return lines;
}

function limitArgs({ limits }: Drill, { locale }: Messages) {
  return { rto: formatDuration(limits.rto, locale), rpo: formatDuration(limits.rpo, locale) };
}

function footer(drill: Drill, { messages, timezone }: RenderContext): string[] {
  const { trigger, dueAt, createdAt, requestedBy, again, id } = drill;
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  return [
    trigger === "schedule"
      ? messages.t("verify-by-schedule", { due: time(dueAt ?? createdAt) })
      : messages.t("verify-by-person", { by: requestedBy?.name ?? "?", created: time(createdAt) }),
    messages.t("drill-id", { drill: id }),
    ...(again ? [messages.t("drill-again-by", { by: again.by.name, drill: again.drill })] : []),
  ];
}

/** All of it, where the message tells only of a part. */
function documentOf(drill: Drill, { messages }: RenderContext): CardDocument | undefined {
  if (!isOver(drill) || drill.items.length <= mostItems) return undefined;
  const lines = sorted(drill).flatMap((item) => drillItemLines(item, drill.limits, messages));
  const text = [heading(drill, messages), "", ...lines].map((line) => plainText(line)).join("\n");
  return { name: `drill-${drill.id}.txt`, text: `${text}\n` };
}

function buttons(drill: Drill, messages: Messages): CardButton[][] {
  if (drill.again) return [];
  if (isOver(drill)) return [[{ action: "again", label: messages.plain("button-drill-again") }]];
  if (drill.cancelRequestedBy) return [];
  return [[{ action: "cancel", label: messages.plain("button-cancel"), style: "danger" }]];
}
