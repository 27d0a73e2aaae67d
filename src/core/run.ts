import type { Manifest } from "./manifest.ts";
import type { BackupPhase, OpenObject, RunProgress } from "./ports.ts";
import type { Proof } from "./proof.ts";
import type { Text } from "./text.ts";

/** Where a run is in its life. `degraded`: the backup is good, but a copy is missing and is being made up or was given up. */
export type RunStatus = "queued" | "running" | "succeeded" | "degraded" | "failed" | "cancelled";

/**
 * `before-restore`, `before-undo`: of what was live, right before it was replaced. `recalled`: its record was lost, and made
 * anew by its manifest.
 */
export type RunTrigger =
  | "chat"
  | "schedule"
  | "catch-up"
  | "retry"
  | "cli"
  | "before-restore"
  | "before-undo"
  | "recalled";

/** A person who ordered something. */
export interface Person {
  readonly id: number;
  readonly name: string;
}

/** An error as it is kept in Redis and shown on a card: redacted, no stack. */
export interface RunError {
  readonly code: string;
  /** English, for logs. */
  readonly message: string;
  /** For readers; absent where an error from outside has only its message. */
  readonly text?: Text;
  /** Phase or step in which it happened: "pg_dump", "upload to offsite". */
  readonly step: string;
  /** Last lines of the tool's standard error, redacted. */
  readonly stderr?: string;
  readonly exit?: string;
}

/** What became of the run's copy in one storage. */
export interface RunCopy {
  readonly storage: string;
  readonly location: string;
  readonly local: boolean;
  /**
   * `retrying`: an upload job makes it up; `missing`: given up or impossible; `aborted`: removed because the run did not
   * succeed; `gone`: it was stored and is not there any more.
   */
  readonly status: "pending" | "stored" | "retrying" | "missing" | "aborted" | "gone";
  /** When it was found to be gone, ISO 8601, and whether the retention has removed it. */
  readonly goneAt?: string;
  readonly pruned?: true;
  readonly error?: RunError;
  /** When the upload job tries again, ISO 8601. */
  readonly retryAt?: string;
  readonly tries?: number;
}

/** One run of one backup: the entity behind the backup card. Times are ISO 8601 in UTC. */
export interface BackupRun {
  readonly id: string;
  readonly name: string;
  readonly trigger: RunTrigger;
  readonly requestedBy?: Person;
  /** For `retry`: the run that failed; for `catch-up`: see `dueAt`. */
  readonly retryOf?: string;
  /** For `before-restore` and `before-undo`: the restore. */
  readonly restoration?: string;
  /** When the schedule wanted it: the newest of the times that it stands for. */
  readonly dueAt?: string;
  /** How many earlier times of the schedule it stands for, beside `dueAt`. */
  readonly missed?: number;
  readonly status: RunStatus;
  readonly phase: BackupPhase;
  readonly createdAt: string;
  /** When the latest attempt began. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /**
   * Folder below every storage's prefix; `startedAt` and the run's id fix it. Each attempt has its own: a worker that
   * was taken for dead and comes back can then do no harm to what its successor makes.
   */
  readonly folder?: string;
  /** Folders whose pieces could not be looked into or removed, because the storage was out of reach. */
  readonly leftIn?: readonly { readonly storage: string; readonly folder: string }[];
  /** How often a worker has taken it up; more than 1: an earlier one was interrupted. */
  readonly attempt: number;
  /** Phase in which the previous attempt was interrupted. */
  readonly interruptedIn?: BackupPhase;
  /** Fencing token of the worker that works on it. */
  readonly fence: number;
  readonly host?: string;
  readonly sourceTitle?: Text;
  readonly encrypted: boolean;
  readonly progress?: RunProgress & { readonly at: string };
  readonly open: readonly OpenObject[];
  readonly copies: readonly RunCopy[];
  readonly cancelRequestedBy?: Person;
  /** What was found and removed of an interrupted attempt. */
  readonly cleaned?: number;
  readonly error?: RunError;
  /** The run that was ordered in place of this one, and by whom: a run is retried once. */
  readonly retried?: { readonly run: string; readonly by: Person };
  readonly manifest?: Manifest;
  readonly manifestSha256?: string;
  /** How its copies were proven, the newest of each storage and depth. The storages know more. */
  readonly proofs?: readonly (Proof & { readonly storage: string })[];
  /** The other run that this one waits for. */
  readonly waitsFor?: string;
  /** It waits for its hours; ISO 8601. */
  readonly notBefore?: string;
  /** `pending`: programs for afterwards are owed, since those for before may have been started. */
  readonly hooks?: "pending" | "done";
  /** A program for afterwards failed. */
  readonly hookError?: RunError;
}

/** True when the programs for after the run have not been run yet. */
export function owesHook({ hooks }: Pick<BackupRun, "hooks">): boolean {
  return hooks === "pending";
}

/** True when nothing more happens to the run's dump: it is done, failed or cancelled. */
export function isFinal(status: RunStatus): boolean {
  return status === "succeeded" || status === "degraded" || status === "failed" || status === "cancelled";
}

/**
 * True when the run has ended and something of it still lies in a store that was out of reach then. An upload job that
 * is under way opens objects of its own and looks after them itself.
 */
export function hasLeftovers(run: BackupRun): boolean {
  const left = run.open.length > 0 || (run.leftIn ?? []).length > 0;
  return isFinal(run.status) && left && !run.copies.some((copy) => copy.status === "retrying");
}

/** True when a worker still has something to do for the run: make the backup, a missing copy, or remove leftovers. */
export function isUnsettled(run: BackupRun): boolean {
  return (
    !isFinal(run.status) || hasLeftovers(run) || owesHook(run) || run.copies.some((copy) => copy.status === "retrying")
  );
}

/** The folder of an object's key, with the slash at its end. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** Bytes of all parts as stored. */
export function storedBytes(manifest: Pick<Manifest, "parts">): number {
  return manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
}

/** Bytes of all parts before compression, or undefined when one of them is not known. */
export function rawBytes(manifest: Pick<Manifest, "parts">): number | undefined {
  let sum = 0;
  for (const part of manifest.parts) {
    if (part.rawBytes === undefined) return undefined;
    sum += part.rawBytes;
  }
  return sum;
}
