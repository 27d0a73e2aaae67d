import type { Depth, Proof } from "./proof.ts";
import type { Person, RunError } from "./run.ts";

/**
 * Where a verification is in its life. `failed`: with a proof, the copy did not hold; without one, nobody could tell
 * (`error` says why), and nothing is said against the backup.
 */
export type VerificationStatus = "queued" | "running" | "passed" | "failed" | "cancelled";

/** `copy`: another copy could not be made from it; `drill`: it is part of one, whose card tells of it. */
export type VerificationTrigger = "chat" | "schedule" | "again" | "copy" | "drill";

/** What is being done, in its order; shown on the card. */
export const verificationPhases = ["waiting", "preflight", "stored", "readable", "restored", "record"] as const;
export type VerificationPhase = (typeof verificationPhases)[number];

/** One look at one copy of a backup: the entity behind the verification cards. Times are ISO 8601 in UTC. */
export interface Verification {
  readonly id: string;
  /** Name of the backup. */
  readonly name: string;
  /** Id of the run that made it, and where it lies below the storage's prefix. */
  readonly backup: string;
  readonly folder: string;
  /** When that run began. */
  readonly backupAt: string;
  /** Of the manifest, where it was known when this was ordered: another one there is a failure. */
  readonly manifestSha256?: string;
  /** Whose copy. */
  readonly storage: string;
  readonly location: string;
  readonly encrypted: boolean;
  /** How deep it is to go. */
  readonly depth: Depth;
  readonly trigger: VerificationTrigger;
  readonly requestedBy?: Person;
  /** When the schedule wanted it. */
  readonly dueAt?: string;
  readonly status: VerificationStatus;
  readonly phase: VerificationPhase;
  readonly createdAt: string;
  /** When the latest attempt began. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** How often a worker has taken it up. */
  readonly attempt: number;
  readonly interruptedIn?: VerificationPhase;
  /** Fencing token of the worker that works on it. */
  readonly fence: number;
  readonly host?: string;
  /** Stored bytes that were read, of those there are; a test-restore may read some of them twice. */
  readonly progress?: { readonly bytes: number; readonly total: number; readonly at: string };
  /**
   * A test-restore of a backup of this kind has begun that may have left something on a scratch server (host and port);
   * removed with it.
   */
  readonly scratch?: { readonly server: string; readonly kind: string };
  readonly cancelRequestedBy?: Person;
  /** Another verification of the same copy, which this one waits for. */
  readonly waitsFor?: string;
  readonly proof?: Proof;
  /**
   * Milliseconds of the attempt that has come through, by a clock that nobody can set: from the worker's beginning, before
   * the manifest was read, until everything was looked at and the scratch place was removed.
   */
  readonly tookMs?: number;
  /** Why it could not be carried out. */
  readonly error?: RunError;
  /** Why the proof could not be written beside the backup. */
  readonly unrecorded?: RunError;
  /** The verification that was ordered after this one by its button. */
  readonly again?: { readonly verification: string; readonly by: Person };
}

/** True when nothing more is looked at. */
export function isOver({ status }: Pick<Verification, "status">): boolean {
  return status === "passed" || status === "failed" || status === "cancelled";
}

/** True when a worker still has something to do for it: the look itself, or what a killed one has left. */
export function needsVerifier(verification: Verification): boolean {
  return !isOver(verification) || verification.scratch !== undefined;
}

/** A copy that a look has spoken against, or at which nobody could look. */
export interface Suspicion {
  readonly name: string;
  readonly backup: string;
  readonly folder: string;
  readonly backupAt: string;
  readonly storage: string;
  readonly location: string;
  readonly depth: Depth;
  /** When it was found. */
  readonly at: string;
  readonly verification?: string;
  /** False: it could not be looked at, which says nothing against it. */
  readonly proven: boolean;
  readonly error: Pick<RunError, "code" | "message" | "text"> & { readonly object?: string };
}

/** Why a copy did not hold, by a proof that says so. */
export function reasonOf({ error, differencesTotal = 0 }: Proof): Suspicion["error"] {
  if (error) return error;
  const text = { key: "verify-reason-differences", args: { count: differencesTotal } };
  return { code: "source-failed", message: `${differencesTotal} differences`, text };
}

/** How long a restore took that was measured: what the next one of this backup will take, as far as anybody can tell. */
export interface RestoreTime {
  readonly at: string;
  /** From the first byte read until everything was there. */
  readonly restoreMs: number;
  /** Until it was compared, too, and whatever else belongs to it; undefined of old ones. */
  readonly totalMs?: number;
  /** Of what was restored as stored, parts of earlier runs included. */
  readonly bytes: number;
  readonly rawBytes?: number;
  readonly storage: string;
  readonly host: string;
}

/** The newest look at a name's copies in a storage, for the metrics. */
export interface LastLook {
  readonly name: string;
  readonly storage: string;
  readonly depth: Depth;
  readonly ok: boolean;
  readonly at: string;
  readonly elapsedMs: number;
}
