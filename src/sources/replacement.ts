import type { Manifest } from "../core/manifest.ts";
import type {
  Changes,
  LostUnit,
  Recovered,
  ReplacementIdentity,
  ReplacementJournal,
  ReplacementLook,
  ReplacementMethod,
  SwapReport,
  UndoReport,
} from "../core/replacement.ts";
import type { Logger } from "../lib/logger.ts";
import type { BackupReader, RestoreReport } from "./types.ts";

/** One replacement, from its first look to the end of what it has left aside. */
export interface ReplacementOrder {
  /** Letters and digits, 32 at most: marks everything that is made for it. */
  readonly id: string;
  /** Of a backup of several databases this one. */
  readonly only?: string;
  /**
   * Only this part of it, as the kind names it: a schema or `schema.table`, a path as in the configuration or below one of
   * it, the beginning of a key. Undefined: all.
   */
  readonly pick?: string;
  /** Which way a person has chosen, of those that the look has offered. Default: the kind's own. */
  readonly method?: ReplacementMethod;
  /** Resolves with the `run_id` of the Redis that this program itself works with: that one is not replaced from within. */
  ownRunId?(): Promise<string | undefined>;
  readonly logger: Logger;
}

/** What a step is given: what was approved, what was recorded, where to record. */
export interface ReplacementContext {
  /** As it was recorded last. */
  readonly journal: ReplacementJournal | undefined;
  /** What was approved: anything else on the server, and nothing is done. */
  readonly identity: ReplacementIdentity;
  readonly signal: AbortSignal;
  /** Has to have written it down for good when it resolves: what it names is done after that. */
  record(journal: ReplacementJournal): Promise<void>;
  /**
   * The backup that is restored: for `swap` and `recover` where the method is `versions`, which writes while it swaps.
   * `recover` without it goes back where it would go on with it.
   */
  readonly reader?: BackupReader;
  /** The backup that was made right before: for `undo` where the way back is `former`. */
  readonly former?: BackupReader;
  /** Bytes of parts (decrypted, compressed) that were read so far. */
  progress?(bytes: number): void;
  /** What is done of a number of steps: tables, files, keys. `what`: a unit, "tables". */
  step?(done: number, total: number, what: "tables" | LostUnit): void;
}

/**
 * Replaces what is live by a backup: made beside it, compared, swapped, undoable. One object per approved order; every
 * method can be called of a fresh one after a kill. All but `look` and `changes` reject with `busy` while another
 * replacement of the same target is at work.
 */
export interface Replacer {
  /**
   * Changes nothing. Everything that a person has to know before they agree, and every reason to refuse. With a `reader`
   * the beginning of the backup is read too, for the roles and extensions that it needs; so a wrong key is found here.
   */
  look(
    manifest: Manifest,
    options: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook>;
  /**
   * Makes the new one beside the live one and compares it with the manifest. What a killed one has left is made anew; what
   * was prepared already is compared again. Where there are differences, `swap` refuses. Takes back what it has made when
   * it fails.
   */
  prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport>;
  /** Puts it in the place of the live one. When it does not work there, the old one is put back, and that is thrown. */
  swap(context: ReplacementContext): Promise<SwapReport>;
  /** What was written since the swap. `manifest`: so that rows that are gone are known too. */
  changes(signal: AbortSignal, manifest?: Manifest): Promise<Changes>;
  /** Brings the old one back in the same way; what it replaces is kept aside until `discard`. */
  undo(context: ReplacementContext, manifest?: Manifest): Promise<UndoReport>;
  /** Drops what is not live of this replacement: the half-made one, the old one, the one that was taken back. */
  discard(context: ReplacementContext): Promise<void>;
  /**
   * After a kill: what the target shows is the truth, the journal only says what was meant. Finishes or rolls back, and
   * says which.
   */
  recover(context: ReplacementContext): Promise<Recovered>;
}

/** A restore next to what is live, which is not touched: a database, a folder, a prefix that was not there before. */
export interface BesideOrder extends ReplacementOrder {
  /** What it is to be called, as the kind names it: a database on the same server, an absolute path, a prefix of the bucket. */
  readonly to: string;
}

/** Makes it. One object per order; every method can be called of a fresh one after a kill. */
export interface Beside {
  /** As `Replacer.look`: `identity.database` and `database` are where it will be; nothing is lost by it. */
  look(
    manifest: Manifest,
    options: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook>;
  /**
   * Makes it and compares it with the manifest. Refuses (`conflict`) what is there already and is not of this order. What a
   * killed one has left is made anew. Takes back what it has made when it fails; where there are differences it stays.
   */
  make(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport>;
  /** Takes back what a killed or failed one has left; nothing else. */
  discard(context: ReplacementContext): Promise<void>;
}
