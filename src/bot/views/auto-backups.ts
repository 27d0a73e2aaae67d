import type { Config } from "../../app/config.ts";
import {
  type AutoBackupStep,
  autoBackupChanges,
  type CompleteAutoBackups,
  completeAutoBackups,
  losesAutoBackups,
  stepAutoBackups,
} from "../../core/inventory.ts";
import type { AutoBackups } from "../../core/managed.ts";
import { changeTexts, type ManagedOrders, type ManagedTarget } from "../../services/servers/managed-orders.ts";
import { oneLine } from "../foreign-text.ts";
import { autoLines } from "./servers-databases.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface AutoBackupsViewDeps {
  readonly config: Pick<Config, "timezone">;
  readonly managedOrders: Pick<ManagedOrders, "setAutoBackups">;
}

/** A form: the settings as they are, and as somebody wants them. */
export interface AutoBackupsState extends ManagedTarget {
  readonly from: AutoBackups;
  readonly to?: CompleteAutoBackups;
  /** It is over: asked for, or given up. */
  readonly ended?: "asked" | "given-up";
}

const lifeMs = 10 * 60_000;
const dayMs = 86_400_000;

/** When a provider makes backups of a managed database by itself: changed by buttons, then asked for. */
export function autoBackupsView({ config, managedOrders }: AutoBackupsViewDeps): ViewKind<AutoBackupsState> {
  return {
    kind: "auto-backups",
    role: "operator",
    lifeMs,
    isPersonal: true,
    command: "/servers",
    render: async (state, context) => render(state, context, config.timezone),
    press: async (state, what, { messages, now }): Promise<ViewPress<AutoBackupsState>> => {
      const { account, database, from } = state;
      if (what === "cancel") return { run: async () => ({ ...state, ended: "given-up" }) };
      const to = wanted(state, now);
      if (what === "ask") {
        if (autoBackupChanges(from, to).length === 0) return { toast: messages.plain("toast-auto-backups-same") };
        return {
          toast: messages.plain("toast-auto-backups-asked"),
          run: async ({ by, target }) => {
            await managedOrders.setAutoBackups({ account, database }, { by, place: target, from, to });
            return { ...state, to, ended: "asked" };
          },
        };
      }
      const step = steps[what];
      if (!step) return { toast: messages.plain("toast-outdated"), run: async () => state };
      return { run: async () => ({ ...state, to: stepAutoBackups(to, step, now) }) };
    },
  };
}

const steps: Readonly<Record<string, AutoBackupStep>> = {
  enabled: { field: "enabled" },
  fewer: { field: "copies", by: -1 },
  more: { field: "copies", by: 1 },
  "many-more": { field: "copies", by: 7 },
  day: { field: "interval", value: "day" },
  week: { field: "interval", value: "week" },
  month: { field: "interval", value: "month" },
  weekday: { field: "dayOfWeek" },
  earlier: { field: "startAt", by: -1 },
  later: { field: "startAt", by: 1 },
};

/** What the form stands at: at first the settings as they are, with what a provider wants of what is on. */
function wanted({ from, to }: AutoBackupsState, now: Date): CompleteAutoBackups {
  // The next midnight of the world's time, whatever the zone: it can be moved by hours.
  const start = new Date((Math.floor(now.getTime() / dayMs) + 1) * dayMs).toISOString();
  return to ?? completeAutoBackups(from, start);
}

function render(state: AutoBackupsState, { messages, now }: ViewContext, timezone: string): ViewShown {
  const { account, database, from, ended } = state;
  const title = messages.t("auto-backups-title", { name: oneLine(database.name, 64), account });
  if (ended) return { html: [title, messages.t(`auto-backups-${ended}`)].join("\n"), rows: [] };
  const to = wanted(state, now);
  const changes = changeTexts(from, to, timezone).map(({ key, args }) => messages.t(key, args));
  const blocks = [
    [title],
    [messages.t("auto-backups-now"), ...autoLines(from, messages, timezone)],
    [messages.t("auto-backups-wanted"), ...autoLines(to, messages, timezone)],
    [
      messages.t("auto-backups-changes"),
      ...(changes.length > 0 ? changes : [messages.t("auto-backups-none")]),
      ...(losesAutoBackups(from, to) ? [messages.t("auto-backups-fewer")] : []),
    ],
    [messages.t("managed-same-provider")],
  ];
  const label = (what: string, key: string): ViewButton => ({ what, label: messages.plain(key) });
  const chosen = (what: "day" | "week" | "month"): ViewButton => ({
    what,
    label: `${to.interval === what ? "● " : ""}${messages.plain(`button-auto-${what}`)}`,
  });
  const rows: ViewButton[][] = [
    [label("enabled", to.enabled ? "button-auto-off" : "button-auto-on")],
    ...(to.enabled
      ? [
          [
            label("fewer", "button-auto-fewer"),
            label("more", "button-auto-more"),
            label("many-more", "button-auto-many-more"),
          ],
          [chosen("day"), chosen("week"), chosen("month")],
          ...(to.interval === "week" ? [[label("weekday", "button-auto-weekday")]] : []),
          [label("earlier", "button-auto-earlier"), label("later", "button-auto-later")],
        ]
      : []),
    [
      { ...label("ask", "button-auto-ask"), style: losesAutoBackups(from, to) ? "danger" : "primary" },
      label("cancel", "button-cancel"),
    ],
  ];
  return { html: blocks.map((lines) => lines.join("\n")).join("\n\n"), rows };
}
