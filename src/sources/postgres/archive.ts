import { once } from "node:events";
import { PassThrough, type Readable, Transform } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { type Command, converse, startPipeline } from "../../lib/process.ts";
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
export function readBeginning(
  archive: Archive,
  command: Command,
  { encoding = "utf8", keep }: { readonly encoding?: "utf8" | "latin1"; readonly keep?: string } = {},
): Promise<string> {
  const isHarmless = ({ context: { step, exit = "", stderr = "" } }: AppError): boolean =>
    (step === "zstd" || step === "tee") && /SIGPIPE|broken pipe|connection reset/i.test(`${exit} ${stderr}`);
  const copying = keep === undefined ? [] : [{ argv: ["tee", keep], install: "apt-get install coreutils" }];
  return readText(archive, [unzstdCommand, ...copying, command], isHarmless, encoding);
}

/** A part that is text, whole: its end was compared with the manifest. */
export function readPlain(archive: Archive): Promise<string> {
  return readText(archive, [unzstdCommand], () => false);
}

async function readText(
  { reader, part, signal }: Archive,
  commands: readonly Command[],
  isHarmless: (error: AppError) => boolean,
  encoding: "utf8" | "latin1" = "utf8",
): Promise<string> {
  const { stream: input, failure } = gate(await reader.open(part), new PassThrough());
  try {
    const reading = startPipeline(commands, { input, signal });
    reading.stdout.setEncoding(encoding);
    let text = "";
    for await (const piece of reading.stdout as AsyncIterable<string>) {
      text += piece;
      if (text.length > mostText) throw new AppError("source-failed", `${part.file} has more SQL than can be read`);
    }
    await reading.done.catch((error: unknown) => {
      if (!(error instanceof AppError && isHarmless(error))) throw error;
    });
    return text;
  } catch (error) {
    throw restoreError(failure() ?? error);
  } finally {
    input.destroy();
  }
}

/**
 * Restores an archive as a stream: unpacked by zstd, read by `command` (pg_restore). The last chunk is given out only
 * after the whole part was found to be the manifest's, so that a damaged one never comes to its end.
 */
export async function streamArchive(
  archive: Archive,
  command: Command,
  progress?: (bytes: number) => void,
): Promise<void> {
  const { stream: input, failure } = await openGated(archive, progress);
  try {
    const restoring = startPipeline([unzstdCommand, command], { input, signal: archive.signal });
    restoring.stdout.resume();
    await restoring.done;
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
    const unpacking = startPipeline([unzstdCommand], { input, signal });
    const restoring = converse(command, { signal });
    const using = use(restoring.stdout);
    // Whatever becomes of it, it is awaited below.
    using.catch((error: unknown) => {
      refused ??= error;
      restoring.stdin.destroy();
      input.destroy();
    });
    let open = true;
    restoring.stdin.once("close", () => {
      open = false;
    });
    for await (const chunk of unpacking.stdout as AsyncIterable<Buffer>) {
      if (!open || restoring.stdin.write(chunk)) continue;
      const waiting = new AbortController();
      const either = ["drain", "close"].map((event) => once(restoring.stdin, event, { signal: waiting.signal }));
      await Promise.race(either);
      waiting.abort();
      await Promise.allSettled(either);
    }
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
function gate(
  source: Readable,
  through: Transform,
): { readonly stream: Readable; readonly failure: () => Error | undefined } {
  let failure: Error | undefined;
  source.once("error", (error) => {
    failure = error;
    through.destroy(error);
  });
  through.on("error", () => undefined);
  through.once("close", () => source.destroy());
  return { stream: source.pipe(through), failure: () => failure };
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
