/** Interfaces that outer layers implement, so that rules and use cases depend on no process, clock or network. */

import type { Text } from "./text.ts";

/** The only source of "now": tests move it. */
export interface Clock {
  now(): Date;
}

/** Phases of a backup run in their order; they are shown on the card. */
export const backupPhases = ["waiting", "preflight", "dump", "finish", "manifest"] as const;
export type BackupPhase = (typeof backupPhases)[number];

/** How far a run is. Bytes are counted since the start of the run. */
export interface RunProgress {
  /** Bytes that left the pipeline (compressed, encrypted). */
  readonly bytes: number;
  /** Bytes that the source has produced so far, where that can be told. */
  readonly rawBytes?: number;
  /** Expected raw bytes, where that can be told (a database's size is an estimate). */
  readonly expectedRawBytes?: number;
  /** What is being read: "artifact", "globals". */
  readonly part?: string;
}

/** An object that is being written and that would be left behind if the process died now. */
export interface OpenObject {
  readonly storage: string;
  readonly key: string;
  /** What the storage needs to abort it: a multipart upload id, a temporary path. */
  readonly handle: string;
}

/**
 * What a pipeline tells while it works. `opened` is awaited before the first byte is sent: after a kill the next
 * attempt aborts what was recorded. Each of them may throw (lease lost, run cancelled): the pipeline then aborts.
 */
export interface RunObserver {
  phase(phase: BackupPhase): Promise<void>;
  /** What is backed up, as the source describes itself; told once it has answered. */
  title(title: Text): Promise<void>;
  progress(progress: RunProgress): void;
  opened(object: OpenObject): Promise<void>;
  closed(object: OpenObject): Promise<void>;
  /** What was written into this storage is given up and could not be removed: it is to be removed later. */
  left(storage: string): Promise<void>;
}

/** Exclusive right to work on a target, renewed while it is held. */
export interface Lease extends AsyncDisposable {
  readonly name: string;
  /** Grows with every acquisition of this name: writes that carry an older token are refused. */
  readonly token: number;
  /** Aborted when the lease was lost (not when it was released). */
  readonly signal: AbortSignal;
  /**
   * Whether it is still held at this very moment, by the clock: a process that was frozen has not had the time to
   * abort the signal yet. False aborts it.
   */
  isHeld(): boolean;
  release(): Promise<void>;
}
