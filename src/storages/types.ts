import type { Readable } from "node:stream";
import type { z } from "zod";
import type { OpenObject } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";

export interface StorageDeps {
  readonly logger: Logger;
  /** Host name of this worker; local copies belong to it. */
  readonly host: string;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** When it was last changed, milliseconds since 1970, where the store tells. */
  readonly modified?: number;
  /** Storage class as the store names it, where it has any: "STANDARD_IA", "GLACIER". */
  readonly storageClass?: string;
}

/** What must be true of an object after it was written. */
export interface ExpectedObject {
  readonly bytes: number;
  /** Hex SHA-256 of all bytes. */
  readonly sha256: string;
}

export interface CreateOptions {
  /** Expected size, which helps to choose part sizes; a wrong one does no harm. */
  readonly expectedBytes?: number;
  /**
   * What it takes as far as anybody can tell: the size of what is copied, or that of its predecessor. Where there is
   * no room for it, `create` rejects with `storage-full` before anything is written.
   */
  readonly neededBytes?: number;
  readonly signal: AbortSignal;
  /**
   * Awaited as soon as something exists that a killed process would leave behind, before the first byte goes into
   * it: the handle is recorded, so that the next attempt can remove it. Not called for an object that is sent whole
   * at its commit. May throw: the write then fails.
   */
  opened?(object: OpenObject): Promise<void>;
}

/** An object while it is written. Nothing is visible under its key before `commit`. */
export interface ObjectWriter {
  readonly key: string;
  /**
   * Resolves when more can be taken (backpressure) and this chunk is used up: its memory is overwritten then. Rejects with
   * an `AppError`, when nothing of the chunk is read any more either; then only `abort` is allowed.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes follow: what is left may be sent or synced ahead of the commit. Does not wait for it. */
  end?(): void;
  /**
   * Makes it visible (fsync and rename, or completing the multipart upload), then reads back its size (and checksum
   * where the store has one). Rejects with `storage-mismatch` when they differ; the object is removed then.
   */
  commit(expected: ExpectedObject): Promise<void>;
  /** Removes every trace. Does not throw for what is already gone. */
  abort(): Promise<void>;
}

/** A place for backups. Keys are relative to the storage's own path or prefix and use `/`. */
export interface Storage {
  readonly name: string;
  readonly kind: string;
  /** For a person: `local@db-1:/var/backups/vakhta`, `s3://bucket/prefix`. */
  readonly location: string;
  /** True when it lives on this host's disk. */
  readonly local: boolean;
  /** Begins an object. An abort of the signal makes `write` and `commit` fail; `abort` still has to be called. */
  create(key: string, options: CreateOptions): Promise<ObjectWriter>;
  /** Writes a small object whole (a manifest) and reads it back. Replaces an existing one. */
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined>;
  /** Streams an object. Rejects with `not-found`. */
  read(key: string, signal?: AbortSignal): Promise<Readable>;
  /** Objects below a prefix in key order, in constant memory. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject>;
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * Removes what killed attempts left below a prefix: temporary files, open multipart uploads (those in `recorded`
   * and those the store lists). Returns how many were removed.
   */
  cleanUp(prefix: string, recorded: readonly OpenObject[], signal?: AbortSignal): Promise<number>;
  /**
   * Removes temporary files and open uploads below a prefix that were begun before `before`, for keys that `isOurs`
   * recognises: what runs that nobody remembers have left. Returns how many were removed.
   */
  removeStale(prefix: string, before: Date, isOurs: (key: string) => boolean, signal?: AbortSignal): Promise<number>;
  /**
   * A URL that gives the object to whoever has it, for so many seconds (604,800 at most, and no longer than temporary
   * keys are valid). Rejects with `not-found`, and with `storage-refused` for an archived object. Absent: the store has
   * no such thing.
   */
  presign?(key: string, seconds: number): Promise<string>;
  /**
   * The storage class that an object is to have when it is only kept for these tiers of the retention ("monthly"), or
   * undefined when it is to stay as it is.
   */
  classFor?(tiers: readonly string[]): string | undefined;
  /**
   * Moves an object into another storage class. Resolves when it is there; rejects with `storage-refused` when it lies
   * in an archive, which lets nothing go before it is restored. Only for parts: manifests, proofs and pins are read
   * all the time.
   */
  setClass?(key: string, storageClass: string, signal?: AbortSignal): Promise<void>;
  /** Milliseconds for which the store refuses to delete what was written, where it does (object lock). */
  readonly lockedMs?: number;
  /** Writes, reads back and deletes a small test object; for `doctor` and `init`. */
  probe(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A kind of storage: what a folder below `storages/` exports. */
export interface StorageKind<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly schema: S;
  /**
   * Where it is, from its settings alone: the chat says it without opening anything. A host is only named where the
   * settings name it: whoever asks need not run on the worker's.
   */
  describe(config: z.output<S>): string;
  create(name: string, config: z.output<S>, deps: StorageDeps): Storage;
}
