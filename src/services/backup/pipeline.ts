import { createHash } from "node:crypto";
import { AppError, toAppError } from "../../core/errors.ts";
import {
  encodeManifest,
  type Manifest,
  type ManifestPart,
  manifestFile,
  manifestVersion,
} from "../../core/manifest.ts";
import type { Clock, RunObserver } from "../../core/ports.ts";
import { gathered, releasing } from "../../lib/buffers.ts";
import { encrypt, encryptedSuffix } from "../../lib/crypto.ts";
import type { OpenOptions, Source, SourcePart, SourceSession } from "../../sources/types.ts";
import type { Storage } from "../../storages/types.ts";
import { ProgressMeter } from "./progress.ts";
import { Target, withStep } from "./target.ts";

/** What goes to the storages at once: each piece is a write of a file, and a thread has to be woken for it. */
const pieceBytes = 256 * 1024;

/** One backup to be made. */
export interface BackupOrder {
  readonly runId: string;
  readonly name: string;
  readonly startedAt: Date;
  /** `runFolder(name, startedAt, runId)`. */
  readonly folder: string;
  readonly source: Source;
  readonly storages: readonly Storage[];
  /** What an incremental source builds upon, or why it is given nothing. */
  readonly previous?: Pick<OpenOptions, "previous" | "full">;
  /** The newest backup of this name: its parts tell how much room these will take. */
  readonly predecessor?: Manifest;
  /** age public keys; empty: not encrypted. */
  readonly recipients: readonly string[];
  readonly observer: RunObserver;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly host: string;
  /** Version of this program. */
  readonly version: string;
}

/** What became of the copy in one storage. */
export interface PipelineCopy {
  readonly storage: string;
  readonly status: "stored" | "failed";
  /** Why it failed; its context has `step`. */
  readonly error?: AppError;
}

export interface PipelineResult {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** Hex. */
  readonly manifestSha256: string;
  /** One entry per storage of the order, at least one of them stored. */
  readonly copies: readonly PipelineCopy[];
}

/**
 * Makes one backup: reads each part of the source once, and on the way hashes it, encrypts it and writes it to all
 * storages at the pace of the slowest. A storage that fails drops out. Only when every process of every part has
 * exited with 0 are the objects committed, read back, and the manifest written last.
 *
 * Rejects with an `AppError` whose context has `step` when the source or all storages fail, when the signal is
 * aborted or the observer throws: with the first of these causes, after everything written has been removed.
 */
export async function runBackup(order: BackupOrder): Promise<PipelineResult> {
  const stop = new AbortController();
  const signal = AbortSignal.any([order.signal, stop.signal]);
  const fail = (error: unknown): void => stop.abort(error);
  const targets = order.storages.map(
    (storage) => new Target(storage, { observer: order.observer, signal, onRunFailure: fail }),
  );
  try {
    await order.observer.phase("preflight");
    signal.throwIfAborted();
    const formerRawBytes = order.predecessor?.parts.find(({ role }) => role === "artifact")?.rawBytes;
    const opening = order.source.open(signal, {
      run: { id: order.runId, folder: order.folder },
      ...(formerRawBytes === undefined ? {} : { formerRawBytes }),
      ...order.previous,
    });
    await using session = await opening.catch((error: unknown) => {
      throw withStep(error, "preflight");
    });
    try {
      return await transferAndCommit(order, session, targets, signal, fail);
    } catch (error) {
      // Noted before the session is disposed of: what that ends fails too, and must not pass for the cause.
      fail(error);
      throw error;
    }
  } catch (error) {
    const cause = withStep(signal.aborted ? toAppError(signal.reason) : error, "backup");
    fail(cause);
    for (const target of targets) target.drop(cause);
    throw cause;
  } finally {
    await Promise.all(targets.map((target) => target.settled()));
  }
}

async function transferAndCommit(
  order: BackupOrder,
  session: SourceSession,
  targets: readonly Target[],
  signal: AbortSignal,
  fail: (error: unknown) => void,
): Promise<PipelineResult> {
  await order.observer.title(session.info.title);
  const parts = await transfer(order, session, targets, signal, fail);
  await order.observer.phase("finish");
  signal.throwIfAborted();
  await Promise.all(targets.map((target) => target.commit(parts, `${order.folder}${manifestFile}`)));
  requireOne(targets, signal);
  return await finish(order, session, targets, parts, signal);
}

/** Reads all parts into all targets. Afterwards everything is written and nothing is visible yet. */
async function transfer(
  order: BackupOrder,
  session: SourceSession,
  targets: readonly Target[],
  signal: AbortSignal,
  fail: (error: unknown) => void,
): Promise<ManifestPart[]> {
  await order.observer.phase("dump");
  const parts: ManifestPart[] = [];
  using meter = new ProgressMeter(order.observer, session.info.expectedRawBytes, fail);
  for await (const part of session.parts()) {
    // Ends the reading also when a failed process has left its end of the pipe to another one.
    part.done.catch(fail);
    const stopReading = (): void => void part.stream.destroy();
    signal.addEventListener("abort", stopReading, { once: true });
    meter.begin(part);
    try {
      parts.push(await transferPart(order, session, part, targets, signal, meter));
    } finally {
      signal.removeEventListener("abort", stopReading);
      meter.end(parts.at(-1)?.rawBytes);
    }
  }
  if (parts.length === 0)
    throw new AppError("source-failed", "the source had nothing to back up", {
      context: { step: "dump" },
      text: { key: "error-source-empty" },
    });
  meter.report();
  return parts;
}

async function transferPart(
  order: BackupOrder,
  session: SourceSession,
  part: SourcePart,
  targets: readonly Target[],
  signal: AbortSignal,
  meter: ProgressMeter,
): Promise<ManifestPart> {
  const encrypted = order.recipients.length > 0;
  const file = encrypted ? `${part.file}${encryptedSuffix}` : part.file;
  // Of the raw bytes, as if nothing could be compressed: what is too large an expectation does no harm.
  const expectedBytes = part.role === "artifact" ? session.info.expectedRawBytes : undefined;
  // What builds upon its predecessor takes less than that, nobody knows how much.
  const isWhole = (order.previous?.previous ?? []).length === 0;
  const former = isWhole
    ? order.predecessor?.parts.find(({ file: stored }) => isSamePart(stored, part.file))
    : undefined;
  const neededBytes = former?.bytes;
  await Promise.all(targets.map((target) => target.begin(`${order.folder}${file}`, expectedBytes, neededBytes)));
  requireOne(targets, signal);
  const hash = createHash("sha256");
  let bytes = 0;
  const stored = encrypted ? encrypt(releasing(part.stream), order.recipients) : part.stream;
  for await (const chunk of gathered(stored, pieceBytes)) {
    hash.update(chunk);
    bytes += chunk.length;
    await Promise.all(targets.map((target) => target.write(chunk)));
    requireOne(targets, signal);
    meter.add(chunk.length);
  }
  for (const target of targets) target.end();
  const facts = await part.done.catch((error: unknown) => {
    throw withStep(error, part.role);
  });
  return { role: part.role, file, bytes, sha256: hash.digest("hex"), ...facts };
}

/** Whether a part as stored is the same as one of a source, encrypted or not. */
function isSamePart(stored: string, file: string): boolean {
  return stored === file || stored === `${file}${encryptedSuffix}`;
}

/** Writes the manifest to every storage that holds all parts. */
async function finish(
  order: BackupOrder,
  session: SourceSession,
  targets: readonly Target[],
  parts: readonly ManifestPart[],
  signal: AbortSignal,
): Promise<PipelineResult> {
  await order.observer.phase("manifest");
  signal.throwIfAborted();
  const { references, notes, notesTotal } = session.summary?.() ?? { references: [], notes: [], notesTotal: 0 };
  const manifest: Manifest = {
    version: manifestVersion,
    id: order.runId,
    name: order.name,
    kind: order.source.kind,
    startedAt: order.startedAt.toISOString(),
    finishedAt: order.clock.now().toISOString(),
    vakhta: order.version,
    host: order.host,
    source: { ...session.info.facts },
    parts: [...parts],
    references: [...references],
    ...(notesTotal === 0 ? {} : { notes: [...notes], notesTotal }),
    compression: parts.every((part) => part.file.includes(".zst")) ? "zstd" : "none",
    ...(order.recipients.length === 0
      ? {}
      : { encryption: { format: "age" as const, recipients: [...order.recipients] } }),
    counts: order.source.counts,
  };
  const manifestBytes = encodeManifest(manifest);
  // From here on the backup exists somewhere: an abort only ends the copies that have no manifest yet.
  await Promise.all(targets.map((target) => target.writeManifest(manifestBytes)));
  if (targets.every((target) => target.error !== undefined)) requireOne(targets, signal);
  const copies = targets.map(({ storage, error }): PipelineCopy => {
    return error === undefined
      ? { storage: storage.name, status: "stored" }
      : { storage: storage.name, status: "failed", error };
  });
  return { manifest, manifestBytes, manifestSha256: createHash("sha256").update(manifestBytes).digest("hex"), copies };
}

/** Fails when the run was aborted, or when every copy has dropped out. */
function requireOne(targets: readonly Target[], signal: AbortSignal): void {
  signal.throwIfAborted();
  const errors = targets.flatMap((target) => target.error ?? []);
  if (errors.length < targets.length) return;
  throw errors[0] ?? new AppError("config", "a backup needs a storage", { context: { step: "preflight" } });
}
