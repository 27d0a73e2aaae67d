import type { Readable } from "node:stream";
import type { z } from "zod";
import type { GlobalsApplied, GlobalsLook } from "../core/globals.ts";
import type { Manifest, ManifestNote, ManifestPart, ManifestReference } from "../core/manifest.ts";
import type { Clock } from "../core/ports.ts";
import type { Text } from "../core/text.ts";
import type { Logger } from "../lib/logger.ts";
import type { Beside, BesideOrder, ReplacementOrder, Replacer } from "./replacement.ts";

export interface SourceDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a source says of itself before anything is read. */
export interface SourceInfo {
  /** For a person: "PostgreSQL 15.18, database shop". Never a password. */
  readonly title: Text;
  /** For the manifest: versions of tools and server, identity of the target. */
  readonly facts: Readonly<Record<string, string>>;
  /** Estimated bytes that will be read; for progress and part sizes. */
  readonly expectedRawBytes?: number;
  /** What restores have made or put aside there, by its name; told where somebody looks after the source. */
  readonly aside?: readonly string[];
}

/** What is known of a part after its last byte. */
export interface PartFacts {
  readonly rawBytes?: number;
  readonly database?: string;
  readonly tables?: Readonly<Record<string, number>>;
  /** As in the manifest: files, keys, objects. */
  readonly entries?: number;
}

/** A finished backup that is being read from one of its copies. */
export interface BackupReader {
  readonly manifest: Manifest;
  /**
   * A part, decrypted, as `SourcePart` gave it. The stream fails with `storage-mismatch` at its end when size or SHA-256
   * are not the manifest's, with `encryption` when it cannot be decrypted: nothing of it is to be trusted before its end.
   */
  open(part: ManifestPart): Promise<Readable>;
  /** The same for a part of an earlier run that this backup refers to. */
  openReference(reference: ManifestReference): Promise<Readable>;
}

/** What is known when all parts have been read. */
export interface SessionSummary {
  /** Parts of earlier runs that this backup needs. */
  readonly references: readonly ManifestReference[];
  /** What could not be backed up as it was; at most `mostNotes` of `notesTotal`. */
  readonly notes: readonly ManifestNote[];
  readonly notesTotal: number;
}

/** Why an incremental source reads everything. */
export const fullReasons = [
  /** There is no backup before. */
  "first",
  /** None is there whole in every storage of this run: what it would point at must be beside it. */
  "copies",
  /** It is encrypted, and its private key is not here. */
  "key",
  /** It is encrypted otherwise than this run will be. */
  "recipients",
  /** Its index can not be read. */
  "damaged",
  /** The last one that read everything is older than the configuration wants. */
  "age",
  /** It points at too many runs. */
  "runs",
  /** It is of another bucket. */
  "bucket",
  /** It lies in the future: a clock was wrong. */
  "clock",
] as const;
export type FullReason = (typeof fullReasons)[number];

export interface OpenOptions {
  /**
   * The newest sound backup of the same name and kind, for a source that builds upon it: all its copies, the one to be
   * read first in front. Absent or empty: everything is read.
   */
  readonly previous?: readonly BackupReader[];
  /** Why there is no `previous`, where that is known. */
  readonly full?: FullReason;
  /** What the last good backup has read, where that says how much this one will read. */
  readonly formerRawBytes?: number;
  /** What the backup is called and when this run began, for a source that has to name itself. */
  readonly run?: { readonly id: string; readonly folder: string };
}

/** Where a backup is to be restored to. */
export interface RestoreTarget {
  /** A connection URL or a path, as the kind wants it: an empty database, an empty or missing folder. */
  readonly to: string;
  /** Of a backup of several databases only this one, into the database that `to` names. */
  readonly only?: string;
  /** False: owners and privileges (and the roles for them) are not restored. Default true. */
  readonly owners?: boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Bytes of parts (decrypted, compressed) that were read so far. */
  progress?(bytes: number): void;
}

/** What a restore finds before anything is read or touched. */
export interface TargetLook {
  /** Servers and programs with their versions, by what they are called: `pg_restore: "15.18"`. */
  readonly facts: Readonly<Record<string, string>>;
  /** Folder of this machine in which most of the restored data will lie; absent where that is not this machine's disk. */
  readonly folder?: string;
}

/** What was found in a restored backup that is not as the manifest says. */
export interface Difference {
  /** Table, path or key, or what was counted. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** How many differences are named. */
export const mostDifferences = 20;

/** How a restore ended. Nothing is compared where the manifest has nothing to compare with. */
export interface RestoreReport {
  /** Milliseconds from the first byte read until everything was there: the measured recovery time. */
  readonly restoreMs: number;
  /** What was compared and how much of it: `rows: 224, tables: 1`, `entries: 100000`, `keys: 5`. */
  readonly compared: Readonly<Record<string, number>>;
  /** Empty: all is as the manifest says. */
  readonly differences: readonly Difference[];
  readonly differencesTotal: number;
  /** What was done otherwise than in the original, and is no difference: for whoever reads the result. */
  readonly remarks?: readonly Text[];
}

/** Where a test-restore may work: nothing outside of it is touched, and everything in it is removed afterwards. */
export interface Scratch {
  /** An empty folder of its own on this machine. */
  readonly folder: string;
  /** A server for test-restores, where one is configured; else the kind starts a private one in `folder`. */
  readonly server?: string;
  /** Marks what is made on a shared server, `vakhta_verify_<id>`: letters and digits. */
  readonly id: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** One stream of a backup, already compressed. */
export interface SourcePart {
  readonly role: string;
  /** File name without an encryption suffix, for example `artifact.dump.zst`. */
  readonly file: string;
  /** Its chunks belong to the reader, who gives their memory back after use: the source keeps none of them. */
  readonly stream: Readable;
  /** Raw bytes read from the target so far, where that can be told; cheap, called about once a second. */
  rawBytes?(): number | undefined;
  /**
   * Resolves after the stream's end when **every** process exited with 0 and the counts are known. Rejects with an
   * `AppError` whose context has `step`, `exit` and `stderr` (last lines, redacted). The stream ends normally even
   * when a process failed: only this decides.
   */
  readonly done: Promise<PartFacts>;
}

/** A source opened for one run. Disposing ends its processes and connections. */
export interface SourceSession extends AsyncDisposable {
  readonly info: SourceInfo;
  /** The parts in order. Each is read to its end and its `done` awaited before the next is asked for. */
  parts(): AsyncIterable<SourcePart>;
  /** After the last part; default: no references, no notes. */
  summary?(): SessionSummary;
}

/** Who is connected to a server at a moment. */
export interface SourceClients {
  readonly total: number;
  /** The largest first; not all of them where there are many. `application`: "" when it does not say its name. */
  readonly groups: readonly {
    readonly user: string;
    readonly application: string;
    readonly database: string;
    readonly count: number;
  }[];
}

export interface Source {
  /** As in the configuration. */
  readonly kind: string;
  readonly counts: "exact" | "off";
  /** Connects, compares versions, finds the tools. Fails with an `AppError` that says what to install or mend. */
  inspect(signal: AbortSignal): Promise<SourceInfo>;
  open(signal: AbortSignal, options?: OpenOptions): Promise<SourceSession>;
  /** Who is connected there, this question left out. Absent: the kind cannot tell. Fails as `inspect` does. */
  clients?(signal: AbortSignal, timeoutMs: number): Promise<SourceClients>;
}

/** A kind of source: what a folder below `sources/` exports. */
export interface SourceKind<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  /** Its part of the configuration, with `kind` as a literal. */
  readonly schema: S;
  create(config: z.output<S>, deps: SourceDeps): Source;
  /** Loads what its backups need, for whoever will make some: else the first one of them does. */
  load?(): Promise<unknown>;
  /** True when its backups build upon earlier ones: `open` is then given the newest that can be read. */
  readonly incremental?: boolean;
  /**
   * Reads a part whole with the kind's own tools, without restoring it anywhere. `stream` is the part as `SourcePart`
   * gave it, decrypted. Rejects with an `AppError` when it is not readable to its end.
   *
   * `config`, here and below: the source as it is configured now, where it still is. Programs that a person has named
   * are taken from there only, never from a manifest: whoever can write to a storage must not choose what is run.
   */
  checkReadable(part: ManifestPart, stream: Readable, signal: AbortSignal, config?: z.output<S>): Promise<void>;
  /**
   * Restores into what is empty or missing; refuses (`conflict`) anything else. Compares with the manifest afterwards.
   * Absent: such a backup is only given back as files.
   */
  restore?(reader: BackupReader, target: RestoreTarget, config?: z.output<S>): Promise<RestoreReport>;
  /**
   * Looks at the target of a restore and at the programs for it, and touches nothing. Rejects as `restore` would before
   * it begins: with `conflict` for what is not empty. Absent: the target is a folder.
   */
  lookAtTarget?(manifest: Manifest, target: RestoreTarget, config?: z.output<S>): Promise<TargetLook>;
  /** Restores into a scratch place, compares, and removes everything again, also when it fails. */
  testRestore?(reader: BackupReader, scratch: Scratch, config?: z.output<S>): Promise<RestoreReport>;
  /** Whether `testRestore` has all that it needs from the configuration. Default: yes. */
  canTestRestore?(config: z.output<S> | undefined): boolean;
  /** Bytes that a test-restore takes on this machine's disk, as far as anybody can tell. Default: those of the parts, unpacked. */
  scratchBytes?(manifest: Manifest): number;
  /** Replaces what is live, beside it first. Absent: such a source is only restored into what is empty. */
  replacer?(config: z.output<S>, order: ReplacementOrder): Replacer;
  /** Restores next to what is live. Absent: not possible for this kind. */
  beside?(config: z.output<S>, order: BesideOrder): Beside;
  /** What a restore next to what is live is called unless a person says otherwise. `stamp`: "20260301-0300". */
  besideName?(
    config: z.output<S>,
    options: { readonly only?: string; readonly pick?: string; readonly stamp: string },
  ): string;
  /** The roles of a server against those of a backup: shown, and given only on request. */
  readonly globals?: {
    look(
      config: z.output<S>,
      reader: BackupReader,
      options: { readonly signal: AbortSignal; readonly logger: Logger },
    ): Promise<GlobalsLook>;
    apply(
      config: z.output<S>,
      reader: BackupReader,
      options: {
        readonly roles: readonly string[];
        /** Digest of the difference that people have agreed to; anything else there, and nothing is done. */
        readonly agreed?: string;
        readonly signal: AbortSignal;
        readonly logger: Logger;
      },
    ): Promise<GlobalsApplied>;
  };
  /**
   * Removes from a scratch server what test-restores of killed workers have left there: everything that carries one of
   * these ids. Resolves with how much it was.
   */
  cleanUpScratch?(server: string, ids: readonly string[], signal: AbortSignal): Promise<number>;
}
