import type { ConversationFlavor } from "@grammyjs/conversations";
import type { Context } from "grammy";
import type { BotConfig } from "../app/config.ts";
import type { ChatTarget } from "../core/card.ts";
import type { Clock } from "../core/ports.ts";
import type { Role } from "../core/roles.ts";
import type { Person } from "../core/run.ts";
import type { Logger } from "../lib/logger.ts";
import type { Locale, Messages } from "../messages/index.ts";
import type { Alerts } from "../services/alerts/alerts.ts";
import type { Approvals } from "../services/approvals/approvals.ts";
import type { LinkOrders } from "../services/backup/links.ts";
import type { BackupOrders } from "../services/backup/orders.ts";
import type { VerificationOrders } from "../services/backup/verifications.ts";
import type { CachedCatalogue } from "../services/cached-catalogue.ts";
import type { DrillOrders } from "../services/drills/orders.ts";
import type { Restorations } from "../services/restorations/restorations.ts";
import type { InventoryOrders } from "../services/servers/inventory.ts";
import type { StatusReport } from "../services/status.ts";
import type { ApprovalStates } from "../state/approvals.ts";
import type { Audit } from "../state/audit.ts";
import type { Cards } from "../state/cards.ts";
import type { ChartThemes } from "../state/chart-themes.ts";
import type { Dialog, Dialogs } from "../state/dialogs.ts";
import type { Incidents } from "../state/incidents.ts";
import type { Languages } from "../state/languages.ts";
import type { Leases } from "../state/leases.ts";
import type { Runs } from "../state/runs.ts";
import type { Silences } from "../state/silences.ts";
import type { Strangers } from "../state/strangers.ts";
import type { SeenUpdates } from "../state/updates.ts";
import type { Views } from "../state/views.ts";
import type { CardKind } from "./cards/types.ts";
import type { ViewKind } from "./views/types.ts";

/** What the chat's handlers need; a part of the whole `Deps`. */
export interface BotDeps {
  readonly config: BotConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly runs: Runs;
  readonly catalogue: CachedCatalogue;
  readonly dialogs: Dialogs;
  readonly languages: Languages;
  readonly views: Views;
  readonly chartThemes: ChartThemes;
  readonly leases: Leases;
  readonly updates: Pick<SeenUpdates, "isDone" | "done">;
  readonly orders: BackupOrders;
  readonly verificationOrders: VerificationOrders;
  readonly linkOrders: LinkOrders;
  readonly restorations: Restorations;
  readonly drillOrders: DrillOrders;
  readonly approvals: Approvals;
  readonly inventoryOrders: Pick<InventoryOrders, "refresh">;
  readonly approvalStates: ApprovalStates;
  readonly audit: Audit;
  readonly strangers: Strangers;
  readonly alerts: Alerts;
  readonly incidents: Incidents;
  readonly silences: Silences;
  readonly kinds: ReadonlyMap<string, CardKind<unknown>>;
  readonly viewKinds: ReadonlyMap<string, ViewKind<object>>;
  readonly metrics: BotMetrics;
  messages(locale: Locale): Messages;
  /** Where a configured storage is, for a person. */
  storageLocation(name: string): string;
  status(): Promise<StatusReport>;
  /** Hosts on which a worker is alive. */
  workers(): Promise<ReadonlySet<string>>;
}

export interface BotMetrics {
  update(kind: string): void;
  stranger(): void;
  delivered(what: "send" | "edit" | "skip" | "failure"): void;
}

/** A listed user who is speaking, with the language for replies. */
export interface Caller extends Person {
  readonly role: Role;
  readonly locale: Locale;
}

/** A press on a dialog's button that was answered, or came too late for that. */
export interface DialogPress {
  /** The dialog's. */
  readonly id: string;
  readonly tooLate: boolean;
}

/** A dialog to begin: its name, and its arguments beside who speaks and where. Plain data. */
export interface DialogOrder {
  readonly dialog: string;
  readonly args: object;
}

interface CallerFlavor {
  /** Set by the access middleware: past it every update is from a listed person in an allowed chat. */
  caller: Caller;
  /** Texts in the caller's language. */
  texts: Messages;
  /** The chat and topic that is spoken in. */
  place: ChatTarget;
  /** Milliseconds that the message had waited when it reached us. */
  waitedMs: number;
  /** A press on a button that is no card's, being answered; undefined when no dialog is to take it. */
  dialogPress?: Promise<DialogPress | undefined>;
  /** A dialog that is to be asked anew unless its conversation takes the press: it came too late, or the thread is lost. */
  askAgain?: { readonly dialog: Dialog; readonly again: "press" | "lost" };
  /** A dialog that a press, answered already, is to begin. */
  begin?: DialogOrder;
}

export type BotContext = ConversationFlavor<Context & CallerFlavor>;

/** Inside conversations: a plain context; the caller travels in the conversation's arguments. */
export type DialogContext = Context;

/** An order older than this is shown and asked again instead of carried out; milliseconds. */
export const staleAfterMs = 120_000;
