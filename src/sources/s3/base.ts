import { isAhead } from "../../core/ahead.ts";
import { toAppError } from "../../core/errors.ts";
import { type Manifest, type ManifestReference, manifestFolder } from "../../core/manifest.ts";
import type { Logger } from "../../lib/logger.ts";
import type { BackupReader, FullReason } from "../types.ts";
import { Index } from "./indexes.ts";
import type { S3SourceConfig } from "./schema.ts";

/** With more, a backup would depend upon too much: everything is read again. */
const mostRuns = 100;

/** The backup that another builds upon. */
export interface Base {
  readonly manifest: Manifest;
  readonly index: Index;
  /** When everything was read for the last time. */
  readonly fullAt: Date;
  /** The archives that its index points at, by the run that made them; its own among them. */
  readonly archives: ReadonlyMap<string, ManifestReference>;
}

/** What tells one bucket from another: what is in an index of one says nothing of another. */
export function placeFacts({ bucket, prefix, endpoint, region }: S3SourceConfig): Record<string, string> {
  return { bucket, prefix, endpoint: endpoint ?? `AWS ${region}` };
}

/** Opens the backup to build upon from the first of its copies that is sound, or tells why everything has to be read. */
export async function openBase(
  copies: readonly BackupReader[],
  options: {
    readonly config: S3SourceConfig;
    readonly now: Date;
    readonly signal: AbortSignal;
    readonly logger: Logger;
  },
): Promise<Base | FullReason> {
  const { config, now, signal, logger } = options;
  const [first] = copies;
  if (first === undefined) return "first";
  const { manifest } = first;
  const { source } = manifest;
  if (Object.entries(placeFacts(config)).some(([name, value]) => source[name] !== value)) return "bucket";
  const fullAt = new Date(source["fullAt"] ?? Number.NaN);
  if (Number.isNaN(fullAt.getTime()) || isAhead(fullAt, now)) return "clock";
  if (now.getTime() - fullAt.getTime() > config.fullEvery) return "age";
  const archives = archivesOf(manifest);
  if (archives.size > mostRuns) return "runs";
  let reason: FullReason = "damaged";
  for (const copy of copies) {
    try {
      return { manifest, index: await Index.load(copy, signal), fullAt, archives };
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = toAppError(error);
      logger.warn({ backup: manifest.name, run: manifest.id, code, error: message }, "an index can not be read");
      if (code === "encryption") reason = "key";
    }
  }
  return reason;
}

function archivesOf(manifest: Manifest): ReadonlyMap<string, ManifestReference> {
  const archives = new Map(manifest.references.map((reference) => [reference.run, reference]));
  const own = manifest.parts.find(({ role }) => role === "artifact");
  if (own) {
    const { file, bytes, sha256 } = own;
    archives.set(manifest.id, { run: manifest.id, folder: manifestFolder(manifest), file, bytes, sha256 });
  }
  return archives;
}
