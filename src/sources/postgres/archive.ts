import { pipeline, type Readable, Transform } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { type Command, startPipeline } from "../../lib/process.ts";
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

/** What `command` makes of the beginning of an archive: it may end before the data. */
export function readBeginning(archive: Archive, command: Command): Promise<string> {
  return readText(archive, [unzstdCommand, command], (error) => {
    const { step, exit = "", stderr = "" } = error.context;
    return step === "zstd" && /SIGPIPE|broken pipe/i.test(`${exit} ${stderr}`);
  });
}

/** A part that is text, whole: its end was compared with the manifest. */
export function readPlain(archive: Archive): Promise<string> {
  return readText(archive, [unzstdCommand], () => false);
}

async function readText(
  { reader, part, signal }: Archive,
  commands: readonly Command[],
  isHarmless: (error: AppError) => boolean,
): Promise<string> {
  const input = await reader.open(part);
  const failure = failureOf(input);
  try {
    const reading = startPipeline(commands, { input, signal });
    reading.stdout.setEncoding("utf8");
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
  { reader, part, signal }: Archive,
  command: Command,
  progress?: (bytes: number) => void,
): Promise<void> {
  const input = await reader.open(part);
  const failure = failureOf(input);
  const held = holdBack(progress);
  pipeline(input, held, () => undefined);
  try {
    const restoring = startPipeline([unzstdCommand, command], { input: held, signal });
    restoring.stdout.resume();
    await restoring.done;
  } catch (error) {
    throw restoreError(failure() ?? error);
  } finally {
    held.destroy();
    input.destroy();
  }
  const damaged = failure();
  if (damaged !== undefined) throw damaged;
}

/** The error of a stream, once it has one: the tools that read it only see it end early. */
function failureOf(stream: Readable): () => Error | undefined {
  let failure: Error | undefined;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // When the reader has ended, what is left of the stream is closed: not the cause of anything.
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE" && error.code !== "EPIPE") failure ??= error;
  });
  return () => failure;
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
