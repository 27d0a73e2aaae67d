import type { Readable } from "node:stream";
import type { z } from "zod";
import type { ManifestPart } from "../core/manifest.ts";
import type { Clock } from "../core/ports.ts";
import type { Text } from "../core/text.ts";
import type { Logger } from "../lib/logger.ts";

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
}

/** What is known of a part after its last byte. */
export interface PartFacts {
  readonly rawBytes?: number;
  readonly database?: string;
  readonly tables?: Readonly<Record<string, number>>;
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
}

export interface Source {
  /** As in the configuration. */
  readonly kind: string;
  readonly counts: "exact" | "off";
  /** Connects, compares versions, finds the tools. Fails with an `AppError` that says what to install or mend. */
  inspect(signal: AbortSignal): Promise<SourceInfo>;
  open(signal: AbortSignal): Promise<SourceSession>;
}

/** A kind of source: what a folder below `sources/` exports. */
export interface SourceKind<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  /** Its part of the configuration, with `kind` as a literal. */
  readonly schema: S;
  create(config: z.output<S>, deps: SourceDeps): Source;
  /**
   * Reads a part whole with the kind's own tools, without restoring it anywhere. `stream` is the part as `SourcePart`
   * gave it, decrypted. Rejects with an `AppError` when it is not readable to its end.
   */
  checkReadable(part: ManifestPart, stream: Readable, signal: AbortSignal): Promise<void>;
}
