import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { finished, PassThrough, type Readable, Transform, type Writable } from "node:stream";
import { AppError, toAppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import type { Command } from "../../lib/child.ts";
import { converse, type Pipeline, startPipeline } from "../../lib/process.ts";
import type { BackupReader } from "../types.ts";
import { unzstdCommand } from "../zstd.ts";
import { restoreError } from "./errors.ts";

/** Characters of SQL that are read into memory: a schema or a cluster's roles, never rows. */
const mostText = 256 * 1024 * 1024;

/** An artifact of a backup and how it is read. */
export interface Archive {
  readonly reader: BackupReader;
  readonly part: ManifestPart;
  readonly signal: AbortSignal;
}

/**
 * What `command` makes of the beginning of an archive: it may end before the data. `keep`: a file that what it has read is
 * written to, and what more of it was on its way.
 */
export async function readBeginning(
  archive: Archive,
  command: Command,
  { encoding = "utf8", keep }: { readonly encoding?: "utf8" | "latin1"; readonly keep?: string } = {},
): Promise<string> {
  if (keep === undefined) {
    return await readText(archive, [unzstdCommand, command], encoding, async ({ done }) => {
      await done.catch((error: unknown) => {
        if (!isCutOff(error)) throw error;
      });
    });
  }
  const { reader, part, signal } = archive;
  const { stream: input, failure } = gate(await reader.open(part), new PassThrough());
  let unkept: AppError | undefined;
  try {
    await using file = await open(keep, "w", 0o600);
    const reading = converse(command, { signal });
    const { stdin } = reading;
    const unpacking = startIn(stdin, { input, signal });
    stdin.once("close", () => unpacking.stdout.destroy());
    // Into the file first: not even the last that is read may be missing there.
    const feeding = feed(unpacking.stdout, stdin, (chunk) => file.writeFile(chunk)).catch((error: unknown) => {
      // What nobody reads any more need not be there.
      if (stdin.destroyed) return;
      unkept = toAppError(onDisk(error, dirname(keep)));
      stdin.destroy();
      input.destroy();
    });
    const ended = Promise.allSettled([unpacking.done, reading.done, feeding]);
    try {
      const text = await collect(reading.stdout, part, encoding);
      const [unpacked, read] = await ended;
      if (unkept !== undefined) throw unkept;
      if (unpacked.status === "rejected" && !isCutOff(unpacked.reason)) throw unpacked.reason;
      if (read.status === "rejected") throw read.reason;
      return text;
    } finally {
      reading.stdout.destroy();
      await ended;
    }
  } catch (error) {
    throw restoreError(failure() ?? unkept ?? error);
  } finally {
    input.destroy();
  }
}

/** Starts the unpacking for a program that waits for it, which ends when that can not be started. */
function startIn(stdin: Writable, options: { readonly input: Readable; readonly signal: AbortSignal }): Pipeline {
  try {
    return startPipeline([unzstdCommand], options);
  } catch (error) {
    stdin.destroy();
    throw error;
  }
}

/** zstd's end when nobody reads on. */
function isCutOff(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  const { step, exit = "", stderr = "" } = error.context;
  return step === "zstd" && /SIGPIPE|broken pipe|connection reset/i.test(`${exit} ${stderr}`);
}

/** Gives a program its input until it takes no more of it; `see` is shown each piece before. */
async function feed(from: Readable, stdin: Writable, see: (chunk: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    await see(chunk);
    await give(stdin, chunk);
  }
  stdin.end();
}

/** Resolves when there is room for more, or nobody takes any more. */
async function give(stdin: Writable, chunk: Buffer): Promise<void> {
  if (stdin.destroyed || stdin.write(chunk)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ["drain", "close"]) stdin.once(event, resolve);
  await promise;
  for (const event of ["drain", "close"]) stdin.off(event, resolve);
}

/** What writing to this machine's disk has failed with. */
export function onDisk(error: unknown, folder: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("storage-full", `the disk of ${folder} became full while the backup was unpacked there`, {
    permanent: false,
    context: { step: "unpack" },
    text: { key: "error-replace-unpack-full", args: { folder } },
    cause: error,
  });
}

/** A part that is text, whole: it was compared with the manifest to its end. */
export function readPlain(archive: Archive): Promise<string> {
  return readText(archive, [unzstdCommand], "utf8", async ({ done, fed }) => {
    await done;
    // Other bytes may be as well packed.
    await fed;
  });
}

async function readText(
  { reader, part, signal }: Archive,
  commands: readonly Command[],
  encoding: "utf8" | "latin1",
  end: (reading: Pipeline) => Promise<void>,
): Promise<string> {
  const { stream: input, failure } = gate(await reader.open(part), new PassThrough());
  try {
    const reading = startPipeline(commands, { input, signal });
    const text = await collect(reading.stdout, part, encoding);
    await end(reading);
    return text;
  } catch (error) {
    throw restoreError(failure() ?? error);
  } finally {
    input.destroy();
  }
}

async function collect(output: Readable, { file }: ManifestPart, encoding: "utf8" | "latin1"): Promise<string> {
  output.setEncoding(encoding);
  let text = "";
  for await (const piece of output as AsyncIterable<string>) {
    text += piece;
    if (text.length > mostText) throw new AppError("source-failed", `${file} has more SQL than can be read`);
  }
  return text;
}

/**
 * Restores an archive as a stream: unpacked by zstd, read by `command` (pg_restore). The last chunk is given out only
 * after the whole part was found to be the manifest's, so that a damaged one never comes to its end. `isPart`: the program
 * may do with the beginning, of which nothing is known then.
 */
export async function streamArchive(
  archive: Archive,
  command: Command,
  {
    progress,
    isPart = false,
  }: { readonly progress?: ((bytes: number) => void) | undefined; readonly isPart?: boolean | undefined } = {},
): Promise<void> {
  const { stream: input, failure } = await openGated(archive, progress);
  try {
    const restoring = startPipeline([unzstdCommand, command], { input, signal: archive.signal });
    restoring.stdout.resume();
    await restoring.done.catch((error: unknown) => {
      if (!(isPart && isCutOff(error))) throw error;
    });
  } catch (error) {
    throw restoreError(failure() ?? error);
  } finally {
    input.destroy();
  }
}

/**
 * As `streamArchive`, for a program that may end before the archive does: that is read to its end nevertheless, since only
 * then is known that it is the manifest's. `use` is given what the program writes.
 */
export async function streamDrained(
  archive: Archive,
  command: Command,
  { progress, use }: { progress?: (bytes: number) => void; use: (output: Readable) => Promise<void> },
): Promise<void> {
  const { signal } = archive;
  const { stream: input, failure } = await openGated(archive, progress);
  let refused: unknown;
  try {
    const restoring = converse(command, { signal });
    const unpacking = startIn(restoring.stdin, { input, signal });
    const using = use(restoring.stdout);
    // Whatever becomes of it, it is awaited below.
    using.catch((error: unknown) => {
      refused ??= error;
      restoring.stdin.destroy();
      input.destroy();
    });
    for await (const chunk of unpacking.stdout as AsyncIterable<Buffer>) await give(restoring.stdin, chunk);
    restoring.stdin.end();
    // Whoever is last in the row fails first, and the others of it.
    await Promise.all([using, restoring.done, unpacking.done]);
  } catch (error) {
    throw restoreError(refused ?? failure() ?? error);
  } finally {
    input.destroy();
  }
}

/** A part as it is stored, whose last chunk comes only when the whole was the manifest's; `failure`: why it ends early. */
export async function openGated(
  { reader, part }: Archive,
  progress?: (bytes: number) => void,
): Promise<{ readonly stream: Readable; readonly failure: () => Error | undefined }> {
  return gate(await reader.open(part), holdBack(progress));
}

/**
 * Leads a stream through another one. The tools that read only see their input end early: `failure` is why it did. When
 * they have ended first, the stream is closed without an error: what is left of it is of no interest.
 */
export function gate(
  source: Readable,
  through: Transform,
): { readonly stream: Readable; readonly failure: () => Error | undefined } {
  finished(source, { writable: false }, (error) => {
    if (error) through.destroy(error);
  });
  through.on("error", () => undefined);
  through.once("close", () => source.destroy());
  return { stream: source.pipe(through), failure: () => source.errored ?? undefined };
}

function holdBack(progress: ((bytes: number) => void) | undefined): Transform {
  let held: Uint8Array | undefined;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      const before = held;
      held = chunk;
      progress?.(chunk.length);
      callback(null, before);
    },
    flush(callback) {
      callback(null, held);
    },
  });
}
