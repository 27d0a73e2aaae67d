import type { ChatTarget } from "./card.ts";
import type { GlobalsApplied, GlobalsLook, GlobalsScope } from "./globals.ts";
import type { Depth, Proof } from "./proof.ts";
import type {
  Changes,
  Recovered,
  ReplacementJournal,
  ReplacementLook,
  ReplacementMethod,
  SwapReport,
  UndoReport,
} from "./replacement.ts";
import type { Person, RunError } from "./run.ts";
import type { Text } from "./text.ts";

/**
 * `in-place`: takes the place of what is live, undoable. `beside`: next to it, under another name, and what is live is not
 * touched. `globals`: only the roles of the server, shown as a difference, and given on request.
 */
export const restorationPlaces = ["in-place", "beside", "globals"] as const;
export type RestorationPlace = (typeof restorationPlaces)[number];

/**
 * `looking`: a worker looks at the target and the backup. `refused`: something stands in the way. `ready`: the pre-flight is
 * on the card, and who has asked confirms it or not. `asked`: approvals are awaited. `running`: it was begun. `done`: it is
 * live (or there, beside); what was live can come back until `undo.until`. `undoing`, `undone`: it came back.
 */
export type RestorationStatus =
  | "looking"
  | "refused"
  | "ready"
  | "asked"
  | "running"
  | "done"
  | "undoing"
  | "undone"
  | "failed"
  | "cancelled"
  | "expired";

/**
 * What is being done, in its order; shown on the card. `backup`: what is live is backed up and pinned. `services`: the
 * programs that the configuration names stop what uses it. `swap` is the first one that can not be cancelled.
 */
export const restorationPhases = [
  "waiting",
  "preflight",
  "check",
  "backup",
  "restore",
  "stop",
  "swap",
  "start",
  "record",
] as const;
export type RestorationPhase = (typeof restorationPhases)[number];

/** What a worker has found before anything is done. */
export interface Preflight extends ReplacementLook {
  readonly at: string;
  readonly host: string;
  /** Whose copy it is read from, and why not another: each in front of it, with what is wrong with it. */
  readonly storage: string;
  readonly location: string;
  readonly passedOver: readonly { readonly storage: string; readonly reason: Text }[];
  /** Stored bytes that are read, parts of earlier runs included. */
  readonly bytes: number;
  /** Unpacked; an estimate where the manifest does not say. */
  readonly unpackedBytes: number;
  /** The deepest proof of that copy that holds. */
  readonly proof?: { readonly depth: Depth; readonly at: string };
  /** How long it will take, of which so much for the backup that is made before; absent where nothing was ever measured. */
  readonly estimate?: {
    readonly totalMs: number;
    readonly backupMs?: number;
    /** Of how many measured runs of this backup; 0: those of others of its kind, by size. */
    readonly measured: number;
  };
}

/** Roles of a server against those of a backup, as a worker has found them. */
export interface RolesFound {
  readonly at: string;
  readonly host: string;
  readonly storage: string;
  readonly location: string;
  readonly passedOver: Preflight["passedOver"];
  readonly look: GlobalsLook;
  /** Of the difference: exactly that is agreed to. */
  readonly digest: string;
}

/** The way back of one that is done. */
export interface Undo {
  /** When what was live is dropped, or the backup that was made before is no longer pinned. */
  readonly until?: string;
  readonly droppedAt?: string;
  /** Who does not want to wait for that. */
  readonly dropBy?: Person;
  /** A worker is at it: it can not be wanted back any more. */
  readonly dropping?: true;
  /** Why it could not be dropped; it is tried again. */
  readonly dropError?: RunError;
  /** Somebody wants it back: what would be lost by that is looked at, then approvals are awaited. */
  readonly status?: "looking" | "asked" | "running" | "done" | "failed";
  readonly by?: Person;
  /** Where it was asked for. */
  readonly chat?: ChatTarget;
  /** How often it was asked for: each has an approval of its own. */
  readonly asked?: number;
  readonly changes?: Changes;
  readonly approval?: string;
  /** Run id of the backup that was made of what is taken back, where nothing of it is kept aside. */
  readonly former?: string;
  readonly report?: UndoReport;
  readonly error?: RunError;
  /** It was begun, and nobody goes on with it: the target is asked which of both is live. */
  readonly lost?: RunError;
}

/** One restore that was asked for in the chat: the entity behind its card. Times are ISO 8601 in UTC. */
export interface Restoration {
  /** Twelve hexadecimal digits; marks everything that is made for it on the target. */
  readonly id: string;
  /** Of the backup, in the configuration. */
  readonly name: string;
  /** Kind of its source. */
  readonly kind: string;
  /** Id of the run that made it, its folder below the storage's prefix, when it began. */
  readonly backup: string;
  readonly folder: string;
  readonly backupAt: string;
  /** Of the manifest as it was chosen. */
  readonly manifestSha256?: string;
  readonly place: RestorationPlace;
  /** Of several databases this one. */
  readonly only?: string;
  /** Only a part of it. */
  readonly pick?: string;
  /** Where `beside`: what it is called. */
  readonly to?: string;
  readonly method?: ReplacementMethod;
  /** What is live is not backed up before, since a person or the configuration wants it so. */
  readonly before?: "off";
  readonly requestedBy: Person;
  /** Where it was asked for: there it is approved. */
  readonly chat: ChatTarget;
  /** Whose worker does it; undefined: any. */
  readonly host?: string;
  readonly status: RestorationStatus;
  readonly phase: RestorationPhase;
  readonly createdAt: string;
  /** When the carrying out began, and when it had ended: RTO is in between. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** How often a worker has taken it up. */
  readonly attempt: number;
  /** How often somebody wanted it looked at once more. */
  readonly looks?: number;
  /** Fencing token of the worker that works on it. */
  readonly fence: number;
  /** In which phase a worker was lost, where one was, and what was found of it. */
  readonly interruptedIn?: RestorationPhase;
  readonly recovered?: Recovered;
  readonly preflight?: Preflight;
  /** Where `globals`, in place of a pre-flight. */
  readonly roles?: RolesFound;
  /** Which of them somebody wants applied. */
  readonly scope?: GlobalsScope;
  /** `left`: those of them that are still not as in the backup. */
  readonly applied?: GlobalsApplied & { readonly left: readonly string[] };
  /** When `ready` ends by itself. */
  readonly expiresAt?: string;
  readonly approval?: string;
  /** Run id of the backup that was made right before. */
  readonly former?: string;
  readonly progress?: {
    readonly bytes: number;
    readonly total: number;
    readonly done?: number;
    readonly of?: number;
    readonly what?: string;
    readonly at: string;
  };
  /** Who is at work on the backup of the name, and has to end before anything is stopped: a run, the retention. */
  readonly waitsFor?: string;
  readonly cancelRequestedBy?: Person;
  readonly journal?: ReplacementJournal;
  /** Programs that start what uses the target are owed, since those that stop it may have been run. */
  readonly programs?: "owed";
  /** One of them failed. */
  readonly programError?: RunError;
  /** What it has left on the target is to be removed yet; it is tried again until that works. */
  readonly cleanUp?: true;
  readonly result?: {
    /** From the first byte read until everything was there. */
    readonly restoreMs: number;
    readonly compared: Readonly<Record<string, number>>;
    readonly differences: NonNullable<Proof["differences"]>;
    readonly differencesTotal: number;
    readonly remarks?: readonly Text[];
    readonly swap?: SwapReport;
    /** From the beginning until it was live again, services included; milliseconds. */
    readonly rtoMs: number;
  };
  readonly undo?: Undo;
  readonly error?: RunError;
}
