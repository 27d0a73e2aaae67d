import type { Config, ServerConfig } from "../../app/config.ts";
import { isHard, type PowerAction } from "../../core/power.ts";
import { formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { PowerOrders } from "../../services/power/orders.ts";
import { findServer, powerActionsOf, serversFor } from "../../services/power/servers.ts";
import { dialogLifeMs } from "../dialog.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface PowerViewDeps {
  readonly config: Pick<Config, "servers">;
  readonly powerOrders: Pick<PowerOrders, "request">;
}

/** What each command can lead to, the gentlest first. */
export const powerCommands = {
  reboot: ["reboot", "hard-reboot"],
  shutdown: ["shutdown", "hard-shutdown"],
  startserver: ["start"],
} as const satisfies Readonly<Record<string, readonly PowerAction[]>>;
export type PowerCommand = keyof typeof powerCommands;

/** Which server, and how: the question before the card. */
export interface PowerChoice {
  readonly command: PowerCommand;
  readonly server?: string;
  /** Nothing else is offered: what comes next to a server that is not back. */
  readonly only?: PowerAction;
  readonly page?: number;
  /** So late the command was; milliseconds. */
  readonly waitedMs?: number;
  readonly done?: "asked" | "cancelled";
}

const pageSize = 8;

const labels: Readonly<Record<PowerAction, string>> = {
  reboot: "button-power-soft",
  "hard-reboot": "button-power-hard",
  shutdown: "button-power-off",
  "hard-shutdown": "button-power-hard-off",
  start: "button-power-start",
};

/** The question behind /reboot, /shutdown and /startserver. Its one effect is one order, which changes nothing by itself. */
export function powerView(deps: PowerViewDeps): ViewKind<PowerChoice> {
  return {
    kind: "power",
    role: "operator",
    isPersonal: true,
    lifeMs: dialogLifeMs,
    command: "/reboot",
    render: async (state, context) => await Promise.resolve(render(state, context, deps)),
    press: async (state, what, context) => await Promise.resolve(press(state, what, context, deps)),
  };
}

function render(state: PowerChoice, { messages }: ViewContext, { config }: PowerViewDeps): ViewShown {
  const { command, done, waitedMs } = state;
  if (done === "cancelled") return { html: messages.t("dialog-cancelled", { command: `/${command}` }), rows: [] };
  if (done === "asked") return { html: messages.t("power-choose-done"), rows: [] };
  const cancel: ViewButton = { what: "cancel", label: messages.plain("button-cancel") };
  const late =
    waitedMs === undefined
      ? []
      : [messages.t("power-choose-late", { waited: formatDuration(waitedMs, messages.locale) })];
  const server = state.server === undefined ? undefined : findServer(config, state.server);
  if (server) {
    const offered = offeredOf(server, state);
    const buttons = offered.map(
      (action): ViewButton => ({
        what: `do-${digestOf(server.name)}-${action}`,
        label: messages.plain(state.only === "hard-reboot" ? "button-power-hard-reboot" : labels[action]),
        ...(isHard(action) ? { style: "danger" } : { style: "primary" }),
      }),
    );
    if (state.only !== undefined) return onlyOne(server.name, state.only, messages, [buttons, [cancel]]);
    const question = messages.t(`power-choose-${command}`, { server: server.name });
    const hint = offered.length > 1 ? [messages.t("power-choose-soft-hint")] : [];
    return { html: [...late, question, ...hint].join("\n"), rows: [buttons, [cancel]] };
  }
  const all = serversFor(config, powerCommands[command]);
  const { page, pages, from } = pageOf(state.page, all.length, pageSize);
  const rows = all
    .slice(from, from + pageSize)
    .map(({ name }): ViewButton[] => [{ what: `server-${digestOf(name)}`, label: name }]);
  return {
    html: [...late, messages.t(`power-choose-server-${command}`)].join("\n"),
    rows: [...rows, [...pageRow(page, pages, messages), cancel]],
  };
}

/** The question about a single action, by its full name. */
function onlyOne(server: string, action: PowerAction, messages: Messages, rows: ViewShown["rows"]): ViewShown {
  const question = messages.t("power-choose-only", { what: { key: `power-what-${action}`, args: { server } } });
  const hint = isHard(action) ? [messages.t("power-hard-warning")] : [];
  return { html: [question, ...hint].join("\n"), rows };
}

function offeredOf(server: ServerConfig, { command, only }: PowerChoice): PowerAction[] {
  const can = powerActionsOf(server);
  return powerCommands[command].filter((action) => can.includes(action) && (only === undefined || action === only));
}

function press(
  state: PowerChoice,
  what: string,
  { id, messages }: ViewContext,
  { config, powerOrders }: PowerViewDeps,
): ViewPress<PowerChoice> {
  if (state.done !== undefined) return { toast: messages.plain("toast-dialog-done") };
  if (what === "cancel") return { run: async () => await Promise.resolve({ ...state, done: "cancelled" }) };
  // What decides is in the button, as it was seen when it was pressed.
  const [, verb = "", digest = "", action = ""] = /^(page|server|do)-([^-]+)(?:-(.+))?$/.exec(what) ?? [];
  if (verb === "page") return { run: async () => await Promise.resolve({ ...state, page: Number(digest) || 0 }) };
  const server = config.servers.find(({ name }) => digestOf(name) === digest);
  if (!server) return { toast: messages.plain("toast-outdated") };
  if (verb === "server") return { run: async () => await Promise.resolve({ ...state, server: server.name }) };
  const wanted = offeredOf(server, state).find((one) => one === action);
  if (!wanted) return { toast: messages.plain("toast-outdated") };
  return {
    toast: messages.plain("toast-power-looking"),
    run: async ({ by, target }) => {
      await powerOrders.request({ server: server.name, action: wanted, by, target, source: `view:${id}` });
      return { ...state, server: server.name, done: "asked" };
    },
  };
}
