import type { Restoration } from "../../core/restoration.ts";
import { keepsAside } from "../../core/restoration-life.ts";
import type { Restorations } from "../../services/restorations/restorations.ts";
import { dialogLifeMs } from "../dialog.ts";
import type { ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface RestoreKeepViewDeps {
  readonly restorations: Pick<Restorations, "read" | "refusal" | "keepNow">;
}

/** Whether what a restore has kept aside is to be dropped now. */
export interface RestoreKeepState {
  readonly id: string;
  readonly done?: "dropped" | "cancelled";
}

/** The question before what is kept aside goes for good: there is no way back from it. */
export function restoreKeepView({ restorations }: RestoreKeepViewDeps): ViewKind<RestoreKeepState> {
  return {
    kind: "restore-keep",
    role: "operator",
    isPersonal: true,
    lifeMs: dialogLifeMs,
    command: "/restore",
    render: async ({ id, done }, { messages }) => {
      if (done === "cancelled") return { html: messages.t("dialog-cancelled", { command: "/restore" }), rows: [] };
      if (done === "dropped") return { html: messages.t("restore-keep-done"), rows: [] };
      const restoration = await restorations.read(id);
      if (!restoration || !keepsAside(restoration)) return { html: messages.t("restore-keep-gone"), rows: [] };
      return question(restoration, messages);
    },
    press: async (state, what, context) => await press(state, what, context, restorations),
  };
}

function question({ id, name, former, preflight, status }: Restoration, messages: ViewContext["messages"]): ViewShown {
  const args = { target: preflight?.database ?? name, id };
  return {
    html:
      status === "undone"
        ? messages.t("restore-keep-ask-undone", args)
        : former === undefined
          ? messages.t("restore-keep-ask-bare", args)
          : messages.t("restore-keep-ask", { ...args, run: former }),
    rows: [
      [
        { what: "yes", label: messages.plain("button-restore-keep-yes"), style: "danger" },
        { what: "cancel", label: messages.plain("button-cancel") },
      ],
    ],
  };
}

async function press(
  state: RestoreKeepState,
  what: string,
  { messages }: ViewContext,
  restorations: RestoreKeepViewDeps["restorations"],
): Promise<ViewPress<RestoreKeepState>> {
  if (state.done !== undefined) return { toast: messages.plain("toast-dialog-done") };
  if (what === "cancel") return { run: async () => ({ ...state, done: "cancelled" }) };
  const restoration = await restorations.read(state.id);
  if (what !== "yes" || !restoration) return { toast: messages.plain("toast-outdated") };
  return {
    toast: async (by) => {
      const refused = restorations.refusal(restoration, "keep", by);
      return refused ? messages.plain(refused.key, refused.args) : messages.plain("restore-keep-done");
    },
    run: async ({ by }) => {
      if (restorations.refusal(restoration, "keep", by)) return undefined;
      await restorations.keepNow(state.id, by);
      return { ...state, done: "dropped" };
    },
  };
}
