import type { Text } from "./text.ts";

/**
 * How it is replaced. `beside`: made beside it, compared, exchanged by name. `single-transaction`: emptied and filled in
 * one transaction, where nothing can be made beside it. `replica`: taken over from a server that holds it already.
 * `versions`: written over one by one, where the store keeps what was there.
 */
export type ReplacementMethod = "beside" | "single-transaction" | "replica" | "versions";

/**
 * How it is taken back. `kept`: what was live is kept aside until `discard`. `former`: from the backup that was made right
 * before. `versions`: the store has kept what was there.
 */
export type WayBack = "kept" | "former" | "versions";

/** Which target it is: what a person has agreed to, and what is compared before anything is done. */
export interface ReplacementIdentity {
  /** Of the server; undefined where it does not tell everybody. */
  readonly system?: string;
  /** Of the database on it. */
  readonly database: string;
}

/** What is counted when it is told what will be lost. */
export type LostUnit = "rows" | "keys" | "files" | "objects";

/** What will be lost, as far as it can be told: of one table, database, folder or prefix. */
export interface Lost {
  readonly what: string;
  /** Undefined: the backup does not have it, or not its number, or `live` is what was made or altered since the backup. */
  readonly backup?: number;
  readonly live: number;
  /** `live` was counted, not estimated. */
  readonly exact: boolean;
}

/** Who is connected. */
export interface ReplacementSessions {
  /** "" where the server does not know users. */
  readonly user: string;
  readonly application: string;
  readonly count: number;
  /** False: the user of the source may not end them. */
  readonly endable: boolean;
}

/** What was found before anything was done. */
export interface ReplacementLook {
  readonly identity: ReplacementIdentity;
  /** What is replaced, by its name: a database, a path, `bucket/prefix`. */
  readonly database: string;
  /** The backup is of this very server: else it was set up anew, or is another one. Undefined: that is not known. */
  readonly sameSystem?: boolean;
  /** Servers and programs with their versions. */
  readonly facts: Readonly<Record<string, string>>;
  readonly liveBytes: number;
  /** What the restored one will take, an estimate, beside the live one. */
  readonly neededBytes: number;
  /** On the server's disk; undefined where that is not this machine's, or can not be told to be. */
  readonly freeBytes?: number;
  readonly sessions: readonly ReplacementSessions[];
  /** Roles that the backup needs and the server lacks; undefined where the backup was not read for them. */
  readonly missingRoles?: readonly string[];
  /** The same of extensions. */
  readonly missingExtensions: readonly string[];
  /** Extensions of another version than in the backup: "pg_trgm 1.5 -> 1.6". */
  readonly otherVersions: readonly string[];
  /** What is more than in the backup, that which loses most first, and how many there are. */
  readonly lost: readonly Lost[];
  readonly lostTotal: number;
  readonly unit: LostUnit;
  readonly method: ReplacementMethod;
  /** Another way that can be chosen, where the kind's own is refused. */
  readonly alternative?: ReplacementMethod;
  readonly wayBack: WayBack;
  /**
   * Why what is live can not be backed up before it is replaced: a path of it was deleted, say. What there still is of it is
   * kept aside, so that the replacement may go on without; only with `wayBack: "kept"`.
   */
  readonly noFormer?: Text;
  /** How many connections restore at a time. */
  readonly jobs: number;
  /** What a person should know and what does not refuse it. */
  readonly remarks: readonly Text[];
  /** Each one refuses it. */
  readonly obstacles: readonly Text[];
}

/** What was meant, for whoever goes on after a kill. Plain data. */
export interface ReplacementJournal {
  readonly step: ReplacementStep;
  readonly facts: Readonly<Record<string, string>>;
}

/** What is about to be done, or, with -ed, was done. */
export type ReplacementStep =
  | "make"
  | "fill"
  | "compare"
  | "prepared"
  | "swap"
  | "swapped"
  | "undo"
  | "undone"
  | "discard";

/** What was written in one table (database, folder, prefix) since the swap. */
export interface Written {
  readonly what: string;
  /** Inserted or updated. */
  readonly written: number;
  /** Of those that were swapped in: deleted or updated. Undefined where their number is not known. */
  readonly gone?: number;
}

/** What was written since the swap, and is not in what an undo brings back. */
export interface Changes {
  /** Where there are changes, those with most first. */
  readonly changed: readonly Written[];
  readonly changedTotal: number;
  readonly unit: LostUnit;
  /** In all of them. */
  readonly written: number;
  readonly gone: number;
}

/** How the one took the place of the other. */
export interface SwapReport {
  /** Milliseconds during which connections were refused. */
  readonly refusedMs: number;
  readonly sessionsEnded: number;
  /** What was restored and compared only now took so many milliseconds; undefined where `prepare` has done it. */
  readonly restoreMs?: number;
  /** What was compared then, and found to be the same. */
  readonly compared?: Readonly<Record<string, number>>;
  /** It is live, and yet something is to be done by a person. */
  readonly remarks?: readonly Text[];
}

/** How the former came back. */
export interface UndoReport extends SwapReport {
  /** What is aside now; undefined where it could not be counted. */
  readonly changes?: Changes;
}

/** Where a replacement stands after a kill. `rolled-back`: what was half made is gone, or the old one is back. */
export type Recovered = "nothing" | "rolled-back" | "prepared" | "swapped" | "undone";
