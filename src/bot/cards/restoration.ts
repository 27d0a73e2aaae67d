import type { Config } from "../../app/config.ts";
import type { Preflight, Restoration } from "../../core/restoration.ts";
import { canUndo, isBeyondCancel, keepsAside } from "../../core/restoration-life.ts";
import type { Person } from "../../core/run.ts";
import { formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import type { RestorationDecision } from "../../services/restorations/refusals.ts";
import type { Restorations } from "../../services/restorations/restorations.ts";
import { typedName } from "../../services/restorations/texts.ts";
import { oneLine } from "../foreign-text.ts";
import { obstacleLines, preflightBlocks, type RestoreSettings } from "./restoration-preflight.ts";
import { rolesAbout, rolesBlocks, rolesButtons, rolesHeading } from "./restoration-roles.ts";
import {
  aboutLines,
  doneBlocks,
  failedBlocks,
  formerLines,
  interruptionLines,
  liveNow,
  oweLines,
  reasonLines,
  runningBlocks,
  undoingBlocks,
  undoneBlocks,
} from "./restoration-text.ts";
import type { ActionContext, CardAction, CardButton, CardKind, RenderContext } from "./types.ts";

export interface RestorationCardDeps {
  readonly config: Pick<Config, "backups">;
  readonly restorations: Pick<
    Restorations,
    "request" | "confirm" | "cancel" | "lookAgain" | "undo" | "isServed" | "refusal"
  >;
}

/** What takes longer is watched, and as good as any guess what is larger; milliseconds, bytes. */
const longMs = 60_000;
const largeBytes = 100e6;

/** The card of a restore: what would happen, how far it is, what came of it, and the way back. */
export function restorationCard({ config, restorations }: RestorationCardDeps): CardKind<Restoration> {
  const settingsOf = ({ name }: Restoration): RestoreSettings | undefined =>
    config.backups.find((backup) => backup.name === name)?.restore;
  const decision = (
    what: RestorationDecision,
    toast: string | undefined,
    run: (restoration: Restoration, context: ActionContext) => Promise<unknown>,
  ): CardAction<Restoration> => ({
    role: "operator",
    toast: (restoration, messages, by: Person) => {
      const refused = restorations.refusal(restoration, what, by);
      if (refused) return messages.plain(refused.key, refused.args);
      return toast === undefined ? "" : messages.plain(toast);
    },
    run: async (restoration, context) => {
      // The toast has said so.
      if (!restorations.refusal(restoration, what, context.by)) await run(restoration, context);
    },
  });
  return {
    kind: "restoration",
    render: (restoration, context) => {
      const { messages } = context;
      const raise = raiseKey(restoration);
      return {
        html: [
          [restoration.place === "globals" ? rolesHeading(restoration, messages) : heading(restoration, messages)],
          restoration.place === "globals" ? rolesAbout(restoration, context) : aboutLines(restoration, context),
          ...body(restoration, settingsOf(restoration), restorations, context),
          footer(restoration, context),
        ]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        title: messages.plain("restore-card-old", { name: typedName(restoration), id: restoration.id }),
        buttons: buttons(restoration, context),
        ...(raise === undefined ? {} : { raise, silent: raise === "running" }),
      };
    },
    refusal: (restoration, action, messages) => {
      if (action === "undo" || action === "keep") return messages.plain(`restoration-refused-${action}`);
      const isBeyond = action === "cancel" && restoration.status === "running" && isBeyondCancel(restoration);
      return messages.plain(isBeyond ? "toast-restore-beyond" : "toast-restore-over");
    },
    actions: {
      confirm: decision("confirm", "toast-restore-confirmed", async ({ id }, { by, target }) => {
        await restorations.confirm(id, by, target);
      }),
      missing: decision("confirm", "toast-restore-confirmed", async ({ id }, { by, target }) => {
        await restorations.confirm(id, by, target, "missing");
      }),
      all: decision("confirm", "toast-restore-confirmed", async ({ id }, { by, target }) => {
        await restorations.confirm(id, by, target, "all");
      }),
      // Of the same backup: what stands in the way may be that roles are missing.
      roles: decision("look", "toast-restore-roles", async ({ id, name, backup, looks = 0 }, { by, target }) => {
        await restorations.request({ name, backup, place: "globals", by, target, source: `roles:${id}:${looks}` });
      }),
      cancel: decision("cancel", "toast-cancelling", async ({ id }, { by }) => {
        await restorations.cancel(id, by);
      }),
      again: decision("look", "toast-restore-looking", async ({ id }, { by }) => {
        await restorations.lookAgain(id, by);
      }),
      // What is live may be too broken to be backed up.
      without: decision("look", "toast-restore-looking", async ({ id }, { by }) => {
        await restorations.lookAgain(id, by, { before: "off" });
      }),
      method: decision("look", "toast-restore-looking", async ({ id, preflight }, { by }) => {
        await restorations.lookAgain(id, by, preflight?.alternative ? { method: preflight.alternative } : {});
      }),
      undo: decision("undo", "toast-restore-undo", async ({ id }, { by, target }) => {
        await restorations.undo(id, by, target);
      }),
      // Asks once more: there is no way back from it.
      keep: decision("keep", "toast-restore-keep", async ({ id }, { open }) => {
        await open({ kind: "restore-keep", state: { id } });
      }),
    },
  };
}

function heading(restoration: Restoration, messages: Messages): string {
  const { status, place } = restoration;
  const isBeside = status === "done" && place === "beside";
  return messages.t(`restore-card-title-${isBeside ? "done-beside" : status}`, { name: typedName(restoration) });
}

/** Blocks of lines, shown with a blank line between them. */
function body(
  restoration: Restoration,
  settings: RestoreSettings | undefined,
  restorations: Pick<Restorations, "isServed">,
  context: RenderContext,
): string[][] {
  const { messages } = context;
  const { preflight, error, approval, place, status } = restoration;
  if (place === "globals" && status !== "looking") return rolesBlocks(restoration, context);
  switch (status) {
    case "looking":
      return [lookingLines(restoration, restorations, context), interruptionLines(restoration, messages)];
    case "refused":
      if (preflight && preflight.obstacles.length > 0)
        return [
          obstacleLines(preflight, messages),
          [messages.t("restore-card-refused-do")],
          ...preflightBlocks(restoration, preflight, settings, context),
        ];
      return error ? [lookFailed(restoration, messages), [messages.t("restore-card-look-do")]] : [];
    case "ready":
      return preflight
        ? [...preflightBlocks(restoration, preflight, settings, context), [messages.t("restore-card-ready")]]
        : [];
    case "asked":
      return [
        [messages.t("restore-card-asked", { approval: approval ?? "?" })],
        ...(preflight ? preflightBlocks(restoration, preflight, settings, context) : []),
      ];
    case "running":
      return runningBlocks(restoration, settings, context);
    case "done":
      return doneBlocks(restoration, context);
    case "undoing":
      return undoingBlocks(restoration, context);
    case "undone":
      return undoneBlocks(restoration, context);
    case "failed":
      return failedBlocks(restoration, context);
    case "cancelled":
      return cancelledBlocks(restoration, messages);
    case "expired":
      return [[messages.t("restore-card-expired")], oweLines(restoration, messages)];
  }
}

function lookingLines(
  restoration: Restoration,
  restorations: Pick<Restorations, "isServed">,
  { messages, workers, now }: RenderContext,
): string[] {
  if (workers && !restorations.isServed(restoration, workers, now)) {
    const { host } = restoration;
    return [host === undefined ? messages.t("backup-no-worker") : messages.t("backup-no-worker-on", { host })];
  }
  return [messages.t("restore-card-looking")];
}

function lookFailed({ error }: Restoration, messages: Messages): string[] {
  if (!error) return [];
  const reason = oneLine(reasonText(error, messages), 600);
  return [messages.t("restore-card-look-failed", { reason }), ...reasonLines(error, messages).slice(1)];
}

function cancelledBlocks(restoration: Restoration, messages: Messages): string[][] {
  const { cancelRequestedBy, error } = restoration;
  return [
    [
      error
        ? messages.t("restore-card-failed", { reason: oneLine(reasonText(error, messages), 600) })
        : messages.t("restore-card-cancelled", { by: cancelRequestedBy?.name ?? "?" }),
      ...(liveNow(restoration) === "untouched" ? [messages.t("restore-card-live-untouched")] : []),
    ],
    formerLines(restoration, messages),
    oweLines(restoration, messages),
  ];
}

function footer(restoration: Restoration, { messages, timezone }: RenderContext): string[] {
  const { requestedBy, createdAt, id, backup, status, expiresAt } = restoration;
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  return [
    messages.t("restore-card-by", { by: requestedBy.name, created: time(createdAt) }),
    messages.t("restore-card-id", { id, run: backup }),
    ...(status === "ready" && expiresAt !== undefined
      ? [messages.t("restore-card-until", { at: time(expiresAt) })]
      : []),
  ];
}

/** Where people look when there is news: the approval's card and its questions have come in between. */
function raiseKey({ status, undo, preflight }: Restoration): string | undefined {
  switch (status) {
    // A short one is over before anybody has scrolled down.
    case "running":
      return isLong(preflight) ? status : undefined;
    case "failed":
    case "undone":
      return status;
    case "done":
      if (undo?.droppedAt !== undefined) return "dropped";
      if (undo?.status === "failed") return `undo-failed-${undo.asked ?? 0}`;
      return "done";
    default:
      return undefined;
  }
}

function isLong(preflight: Preflight | undefined): boolean {
  const { estimate, bytes = 0 } = preflight ?? {};
  return estimate ? estimate.totalMs >= longMs : bytes >= largeBytes;
}

function buttons(restoration: Restoration, { messages, now }: RenderContext): CardButton[][] {
  const { status, preflight, expiresAt, cancelRequestedBy, cleanUp } = restoration;
  const cancel: CardButton = { action: "cancel", label: messages.plain("button-cancel") };
  const again: CardButton = { action: "again", label: messages.plain("button-restore-again") };
  const alternative = preflight?.alternative;
  const method: CardButton[][] = alternative
    ? [
        [
          {
            action: "method",
            label: messages.plain("button-restore-method", { method: { key: `restore-method-${alternative}` } }),
          },
        ],
      ]
    : [];
  switch (status) {
    case "looking":
      return [[cancel]];
    case "ready": {
      if (expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime()) return [[again]];
      if (restoration.place === "globals") return [...rolesButtons(restoration, messages), [again, cancel]];
      const confirm: CardButton = { action: "confirm", label: messages.plain("button-confirm"), style: "danger" };
      return [[confirm, cancel], [again], ...method];
    }
    case "asked":
      return [[cancel]];
    case "running":
      if (cancelRequestedBy || isBeyondCancel(restoration)) return [];
      return [[{ ...cancel, style: "danger" }]];
    case "refused":
      return [[again], ...rolesRow(restoration, messages), ...method];
    case "failed":
      return cleanUp ? [] : [[again], ...withoutBackup(restoration, messages)];
    case "expired":
    case "cancelled":
      return cleanUp ? [] : [[again]];
    case "done":
      return undoButtons(restoration, messages);
    case "undone":
      return keepButtons(restoration, messages);
    case "undoing":
      return [];
  }
}

/** Roles that are missing may be in the backup. */
function rolesRow({ preflight }: Restoration, messages: Messages): CardButton[][] {
  if ((preflight?.missingRoles ?? []).length === 0) return [];
  return [[{ action: "roles", label: messages.plain("button-restore-roles") }]];
}

/** What is live could not be backed up: whoever takes the responsibility goes on without. */
function withoutBackup({ place, phase, before }: Restoration, messages: Messages): CardButton[][] {
  if (place !== "in-place" || phase !== "backup" || before === "off") return [];
  return [[{ action: "without", label: messages.plain("button-restore-without"), style: "danger" }]];
}

function undoButtons(restoration: Restoration, messages: Messages): CardButton[][] {
  if (restoration.undo?.dropBy) return [];
  const undo: CardButton[] = canUndo(restoration)
    ? [{ action: "undo", label: messages.plain("button-restore-undo"), style: "danger" }]
    : [];
  return [undo, ...keepButtons(restoration, messages)].filter((row) => row.length > 0);
}

/** Only where something is kept aside that takes room. */
function keepButtons(restoration: Restoration, messages: Messages): CardButton[][] {
  const { undo, preflight, status } = restoration;
  if (preflight?.wayBack !== "kept" || !keepsAside(restoration) || undo?.dropBy) return [];
  if (undo?.status === "asked" || undo?.status === "running") return [];
  const label = messages.plain(status === "undone" ? "button-restore-keep-undone" : "button-restore-keep");
  return [[{ action: "keep", label }]];
}
