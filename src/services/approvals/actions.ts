import { z } from "zod";
import type { Approval, Identity } from "../../core/approval.ts";
import type { ApprovalPolicyName } from "../../core/approval-policy.ts";
import { globalsScopes } from "../../core/globals.ts";
import { mostCopies } from "../../core/inventory.ts";
import { powerActions } from "../../core/power.ts";
import { restorationPlaces } from "../../core/restoration.ts";
import type { Text } from "../../core/text.ts";

/** What a dangerous action is, for those who ask for it and for those who carry it out. */
export interface ActionContract {
  /** Which part of `approvals:` says who has to agree. */
  readonly policy: ApprovalPolicyName;
  /** Of its arguments: plain JSON, never a secret. Checked on both sides of Redis. */
  readonly args: z.ZodType;
  /**
   * What becomes of one whose worker is lost in the middle: its handler is called again and goes on from what it finds
   * (`resume`), or people are told that nobody knows what was done (`report`).
   */
  readonly interrupted: "resume" | "report";
}

export type ActionContracts = Readonly<Record<string, ActionContract>>;

/** What a handler is told beside its arguments. */
export interface ActionContext {
  /** The same for every attempt: what is done once is recorded under its id. */
  readonly approval: Approval;
  /** 1 for the first; more: an earlier one was lost somewhere, and the target's own state says where. */
  readonly attempt: number;
  /** Grows with every worker that takes it over. */
  readonly fence: number;
  /** Aborted when the worker shuts down or the right to work was lost: stop, clean up, throw. */
  readonly signal: AbortSignal;
  /** Says on the card how far it is. */
  note(text: Text): Promise<void>;
}

/** Carries out one kind of dangerous action. */
export interface ActionHandler<C extends ActionContract> {
  /**
   * The target as it is at this moment, by the same facts that were approved; anything else than these, and nothing is
   * done. Changes nothing. @throws AppError, permanent when the target is gone.
   */
  identify(args: z.output<C["args"]>, signal: AbortSignal): Promise<Identity>;
  /** Does it. What it resolves with is said on the card. @throws what is said there instead. */
  execute(args: z.output<C["args"]>, context: ActionContext): Promise<Text | undefined>;
}

/** One handler per contract: a missing one, or one too many, does not compile. */
export type ActionHandlers<C extends ActionContracts> = { readonly [N in keyof C]: ActionHandler<C[N]> };

const restoreArgs = z.strictObject({
  /** Its id. */
  restoration: z.string(),
  name: z.string(),
  /** Run id of the backup. */
  backup: z.string(),
  place: z.enum(restorationPlaces),
  only: z.string().exactOptional(),
  pick: z.string().exactOptional(),
  to: z.string().exactOptional(),
  method: z.enum(["beside", "single-transaction", "replica", "versions"]).exactOptional(),
  before: z.literal("off").exactOptional(),
});

/** A chat, and its topic. */
const placeArg = z.strictObject({ chatId: z.int(), threadId: z.int().exactOptional() });

/** All of them, as a provider wants them. */
const autoBackupsArg = z.strictObject({
  enabled: z.boolean(),
  copies: z.int().min(1).max(mostCopies),
  interval: z.enum(["day", "week", "month"]),
  dayOfWeek: z.int().min(1).max(7),
  startAt: z.string(),
});

/** Of a server's power. `order`: its id. */
const power = {
  policy: "reboot",
  args: z.strictObject({ order: z.string(), server: z.string(), action: z.enum(powerActions) }),
  interrupted: "resume",
} as const satisfies ActionContract;

/** Every dangerous action there is. */
export const actions = {
  /** Puts a backup in the place of what is live, or beside it. */
  restore: { policy: "restore", args: restoreArgs, interrupted: "resume" },
  /** Brings back what was live before a restore. */
  "restore-undo": {
    policy: "restore",
    args: z.strictObject({ restoration: z.string(), name: z.string() }),
    interrupted: "resume",
  },
  /** Gives the roles of a server what a backup has of them. */
  "restore-globals": {
    policy: "restore",
    args: z.strictObject({
      restoration: z.string(),
      name: z.string(),
      backup: z.string(),
      scope: z.enum(globalsScopes),
    }),
    interrupted: "resume",
  },
  /** Has a provider make a backup of a managed database. `database`: its id; `place`: where the card is to be. */
  "database-backup": {
    policy: "databaseBackup",
    args: z.strictObject({ account: z.string(), database: z.string(), place: placeArg.exactOptional() }),
    interrupted: "resume",
  },
  /** Changes when a provider makes backups of a managed database by itself. */
  "auto-backups": {
    policy: "autoBackups",
    args: z.strictObject({ account: z.string(), database: z.string(), wanted: autoBackupsArg }),
    interrupted: "resume",
  },
  reboot: power,
  "hard-reboot": power,
  shutdown: power,
  "hard-shutdown": power,
  start: power,
} as const satisfies ActionContracts;
