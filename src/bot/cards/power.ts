import type { Config } from "../../app/config.ts";
import { endsOn, isHard, type PowerAction, type PowerOrder } from "../../core/power.ts";
import { formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import type { PowerOrders } from "../../services/power/orders.ts";
import type { PowerDecision } from "../../services/power/refusals.ts";
import { oneLine, unlinked } from "../foreign-text.ts";
import { severityMarks, titleLimits, titleOf } from "../incident-text.ts";
import { followBlocks, whyLines } from "./power-following.ts";
import type { ActionContext, CardAction, CardButton, CardKind, RenderContext } from "./types.ts";

export interface PowerCardDeps {
  readonly config: Pick<Config, "timezone">;
  readonly powerOrders: Pick<
    PowerOrders,
    "confirm" | "cancel" | "lookAgain" | "next" | "refusal" | "isServed" | "actionsOf"
  >;
}

/** The card of an order about a server's power: how the server stands, what is asked, and how it comes back. */
export function powerCard({ powerOrders }: PowerCardDeps): CardKind<PowerOrder> {
  const decision = (
    what: PowerDecision,
    toast: string,
    run: (order: PowerOrder, context: ActionContext) => Promise<unknown>,
  ): CardAction<PowerOrder> => ({
    role: "operator",
    toast: (order, messages, by) => {
      const refused = powerOrders.refusal(order, what, by);
      return refused ? messages.plain(refused.key, refused.args) : messages.plain(toast);
    },
    run: async (order, context) => {
      // The toast has said so.
      if (!powerOrders.refusal(order, what, context.by)) await run(order, context);
    },
  });
  const next = (action: PowerAction): CardAction<PowerOrder> =>
    decision("next", "toast-power-next", async ({ id }, { by, target }) => {
      await powerOrders.next(id, action, by, target);
    });
  return {
    kind: "power",
    render: (order, context) => {
      const { messages } = context;
      const raise = raiseKey(order);
      return {
        html: [[heading(order, messages)], ...body(order, context, powerOrders), footer(order, context)]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        title: messages.plain(`power-what-${order.action}`, { server: order.server }),
        buttons: buttons(order, context, powerOrders),
        ...(raise === undefined ? {} : { raise }),
      };
    },
    refusal: (_order, action, messages) => {
      if (action === "confirm") return messages.plain("power-refused-confirm");
      if (action === "cancel") return messages.plain("power-refused-cancel");
      return messages.plain(action === "look" ? "power-refused-look" : "power-refused-next");
    },
    actions: {
      confirm: decision("confirm", "toast-power-confirmed", async ({ id }, { by, target }) => {
        await powerOrders.confirm(id, by, target);
      }),
      cancel: decision("cancel", "toast-cancelling", async ({ id }, { by }) => {
        await powerOrders.cancel(id, by);
      }),
      look: decision("look", "toast-power-looking", async ({ id }, { by }) => {
        await powerOrders.lookAgain(id, by);
      }),
      hard: next("hard-reboot"),
      start: next("start"),
      "hard-off": next("hard-shutdown"),
    },
  };
}

/** What people have to know of who look elsewhere meanwhile: it goes wrong, or it is over. */
function raiseKey({ status, trigger, late }: PowerOrder): string | undefined {
  switch (status) {
    case "ready":
      // Nobody has asked for it, so nobody looks.
      return trigger === "recovery" ? status : undefined;
    case "following":
      return late ? "back" : undefined;
    case "late":
    case "done":
    case "failed":
    case "unclear":
    case "unknown":
      return status;
    default:
      return undefined;
  }
}

function heading(order: PowerOrder, messages: Messages): string {
  const { status, action, server, stages } = order;
  const hasAlerts = status === "done" && endsOn(action) && stages.green === undefined;
  const what = { key: `power-what-${action}`, args: { server } };
  return messages.t(`power-title-${hasAlerts ? "done-alerts" : status}`, { what });
}

/** Blocks of lines, shown with a blank line between them. */
function body(order: PowerOrder, context: RenderContext, orders: PowerCardDeps["powerOrders"]): string[][] {
  const { messages, workers, now } = context;
  const { status, action, error, approval } = order;
  const reason = error ? [messages.t("power-error", { reason: oneLine(reasonText(error, messages), 600) })] : [];
  switch (status) {
    case "looking":
      return [
        whyLines(order, messages),
        workers && !orders.isServed(order, workers, now) ? [messages.t("backup-no-worker")] : [],
      ];
    case "refused":
      return [reason, stateLines(order, messages)];
    case "ready":
      return [
        whyLines(order, messages),
        ...lookBlocks(order, context),
        [
          ...(isHard(action) ? [messages.t("power-hard-warning")] : []),
          messages.t(isHard(action) ? "power-confirm-hint-hard" : "power-confirm-hint"),
        ],
      ];
    case "asked":
      return [
        whyLines(order, messages),
        [messages.t("power-asked", { approval: approval ?? "?" })],
        ...lookBlocks(order, context),
      ];
    case "ordering":
      return [whyLines(order, messages), [messages.t("power-ordering")]];
    case "failed":
    case "cancelled":
    case "expired":
      return [reason, [messages.t("power-untouched")]];
    default:
      return followBlocks(order, context);
  }
}

const foreign = (text: string, limit: number): string => unlinked(oneLine(text, limit));

function stateLines({ look, server }: PowerOrder, messages: Messages): string[] {
  if (!look) return [];
  const { status, statusWord, addresses, providerName } = look;
  const args = {
    status: { key: `server-status-${status}` },
    word: statusWord === undefined || statusWord === status ? "none" : foreign(statusWord, 40),
    addresses: addresses.length === 0 ? "none" : addresses.slice(0, 3).join(", "),
  };
  const isOther = providerName !== undefined && providerName !== "" && providerName !== server;
  return [
    messages.t("power-state", args),
    ...(isOther ? [messages.t("power-provider-name", { name: foreign(providerName, 80) })] : []),
  ];
}

/** Who is connected to databases there. */
function clientLines({ look }: PowerOrder, messages: Messages): string[] {
  return (look?.clients ?? []).flatMap(({ backup, total, groups = [], error }) => {
    if (total === undefined) {
      const reason = error ? oneLine(reasonText(error, messages), 200) : "?";
      return [messages.t("power-clients-unknown", { backup, reason })];
    }
    const rest = total - groups.reduce((sum, { count }) => sum + count, 0);
    const lines = groups.map(({ user, application, database, count }) => {
      const names = { user: foreign(user, 40), database: foreign(database, 40), application: foreign(application, 40) };
      return `• ${messages.t(application === "" ? "power-client-unnamed" : "power-client", { ...names, count })}`;
    });
    const more = rest > 0 ? [`• ${messages.t("power-clients-more", { count: rest })}`] : [];
    return [messages.t("power-clients", { backup, count: total }), ...lines, ...more];
  });
}

/** How the server stands and what is on it, and what of that is not known. */
function lookBlocks(order: PowerOrder, { messages, timezone }: RenderContext): string[][] {
  const { look, server } = order;
  if (!look) return [];
  const { lastReboot, work, backups, processes, isOnlyWorker, incidents, incidentCount, logId } = look;
  const at = lastReboot ? formatTime(new Date(lastReboot.at), messages.locale, timezone) : "";
  const last = !lastReboot
    ? messages.t("power-last-unknown")
    : lastReboot.by === ""
      ? messages.t("power-last", { at })
      : messages.t("power-last-by", { at, by: foreign(lastReboot.by, 60) });
  const shown = work.slice(0, 8).map(({ kind, name }) => `• ${messages.t(`power-work-${kind}`, { name })}`);
  const roles = processes.join(", ");
  return [
    [...stateLines(order, messages), last],
    [
      ...(work.length > 0
        ? [messages.t("power-work"), ...shown, ...(work.length > shown.length ? ["…"] : [])]
        : [messages.t("power-work-none")]),
      ...(backups.length > 0 ? [messages.t("power-backups", { names: backups.slice(0, 10).join(", ") })] : []),
      ...(processes.length > 0 ? [messages.t("power-processes", { roles })] : []),
      ...(isOnlyWorker ? [messages.t("power-only-worker", { server })] : []),
      ...clientLines(order, messages),
      messages.t("power-unknown"),
      ...(logId === undefined ? [messages.t("power-no-log")] : []),
    ],
    incidentCount === 0
      ? [messages.t("power-incidents-none")]
      : [
          messages.t("power-incidents", { count: incidentCount }),
          ...incidents.map((incident) =>
            messages.t("power-incident", {
              mark: severityMarks[incident.severity],
              title: titleOf(incident, messages, titleLimits.list),
            }),
          ),
        ],
  ];
}

function footer({ requestedBy, createdAt, id, status, expiresAt }: PowerOrder, context: RenderContext): string[] {
  const { messages, timezone } = context;
  const at = formatTime(new Date(createdAt), messages.locale, timezone);
  const until = expiresAt === undefined ? "" : formatTime(new Date(expiresAt), messages.locale, timezone);
  return [
    requestedBy ? messages.t("power-by", { by: requestedBy.name, at }) : messages.t("power-by-itself", { at }),
    messages.t("power-id", { id }),
    ...(status === "ready" && until !== "" ? [messages.t("power-until", { at: until })] : []),
  ];
}

function buttons(order: PowerOrder, context: RenderContext, orders: PowerCardDeps["powerOrders"]): CardButton[][] {
  const { messages, now } = context;
  const { status, expiresAt, action, late, next } = order;
  const cancel: CardButton = { action: "cancel", label: messages.plain("button-cancel") };
  const look: CardButton = { action: "look", label: messages.plain("button-power-look") };
  switch (status) {
    case "looking":
    case "asked":
      return [[cancel]];
    case "ready": {
      if (expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime()) return [[look]];
      const confirm: CardButton = {
        action: "confirm",
        label: messages.plain("button-confirm"),
        ...(action === "start" ? { style: "primary" } : { style: "danger" }),
      };
      return [[confirm, cancel], [look]];
    }
    case "refused":
    case "failed":
    case "expired":
    case "cancelled":
      return [[look]];
    case "late":
    case "lost":
    case "unknown": {
      if (next !== undefined) return [];
      const can = orders.actionsOf(order.server);
      const isOff = late?.cause === "off" || order.seen?.status === "off";
      const offered: [string, PowerAction, string][] = endsOn(action)
        ? isOff
          ? [["start", "start", "button-power-start"]]
          : [["hard", "hard-reboot", "button-power-hard-reboot"]]
        : [["hard-off", "hard-shutdown", "button-power-hard-off"]];
      const row = offered
        .filter(([, wanted]) => can.includes(wanted))
        .map(
          ([button, wanted, label]): CardButton => ({
            action: button,
            label: messages.plain(label),
            ...(isHard(wanted) ? { style: "danger" } : { style: "primary" }),
          }),
        );
      return row.length > 0 ? [row] : [];
    }
    default:
      return [];
  }
}
