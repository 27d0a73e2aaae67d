import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "../core/errors.ts";

/**
 * A pipe of the operating system, for the standard streams of programs. What Node calls a pipe is a pair of sockets:
 * bytes that go from program to program through it cost a fifth more processor time.
 */
export interface OsPipe {
  /** File descriptor of the end to read from. It blocks, unless the pipe was made for `readPaced`. */
  readonly read: number;
  /** File descriptor of the end to write to; it blocks. */
  readonly write: number;
  /** Closes this process's copy of an end, if it is still open. */
  close(end: "read" | "write"): void;
  /**
   * Whether its reader, which has ended, has left something in it, which is taken out. To be asked once; false for a pipe
   * that is not watched. Zeros are nothing: programs that unpack an archive may leave the padding behind it.
   */
  isLeft(): boolean;
}

/** Bytes of padding that are looked through: an archive's is a block of 10 KiB, usually. */
const mostPadding = 256 * 1024;

/**
 * Makes a pipe. It has a name in the folder for temporary files only for as long as it takes to open it: Node cannot
 * make one without.
 *
 * @param own this process itself will read it, by `readPaced`.
 * @param watched `isLeft` will be asked, whatever happens: until then whoever writes is not told that nobody reads.
 * @throws AppError `tool-failed` when there is no room for its name.
 */
export function openPipe({ own = false, watched = false } = {}): OsPipe {
  let folder: string | undefined;
  const open = new Map<string, number>();
  try {
    folder = mkdtempSync(join(tmpdir(), "vakhta-pipe-"));
    const path = join(folder, "pipe");
    execFileSync("mkfifo", ["-m", "600", path], { stdio: ["ignore", "ignore", "pipe"] });
    // Opened for both, it waits for nobody; with it open, neither do the ends.
    open.set("both", openSync(path, constants.O_RDWR));
    open.set("read", openSync(path, constants.O_RDONLY | (own ? constants.O_NONBLOCK : 0)));
    open.set("write", openSync(path, constants.O_WRONLY));
    if (watched) open.set("watch", openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    for (const descriptor of open.values()) closeSync(descriptor);
    open.clear();
    throw noPipe(error);
  } finally {
    const both = open.get("both");
    if (both !== undefined) closeSync(both);
    if (folder !== undefined) remove(folder);
  }
  const close = (end: string): void => {
    const descriptor = open.get(end);
    open.delete(end);
    if (descriptor !== undefined) closeSync(descriptor);
  };
  const isLeft = (): boolean => {
    const watch = open.get("watch");
    if (watch === undefined) return false;
    try {
      return holdsMore(watch);
    } finally {
      close("watch");
    }
  };
  return { read: open.get("read") as number, write: open.get("write") as number, close, isLeft };
}

/** What cannot be removed, without a descriptor that is left, is not worth failing for. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It is empty, but for a name.
  }
}

function noPipe(cause: unknown): AppError {
  const folder = tmpdir();
  return new AppError("tool-failed", `no pipe could be made in ${folder}: ${String(cause)}`, {
    permanent: false,
    context: { step: "mkfifo" },
    text: { key: "error-no-pipe", args: { folder } },
    cause,
  });
}

function holdsMore(descriptor: number): boolean {
  const space = Buffer.alloc(pipeBytes);
  for (let seen = 0; seen < mostPadding; ) {
    const bytes = readNow(descriptor, space);
    if (bytes <= 0) return false;
    if (space.subarray(0, bytes).some((byte) => byte !== 0)) return true;
    seen += bytes;
  }
  return true;
}

/** What a pipe of Linux holds, and therefore as much as one read can give. */
const pipeBytes = 64 * 1024;

/** Milliseconds between two looks at a pipe that is being written to, and at one that has been still for long. */
const pause = { least: 4, most: 20 };

/**
 * Reads a pipe in large pieces, by looking at it again and again instead of being woken: a program that writes a hundred
 * thousand lines one by one would wake this process as often, and that costs more than all the rest of the work with them.
 *
 * @param pipe made for it (`own`); its reading end is closed at the stream's end.
 * @param isOver whether what is in it is all that is wanted, although others may still hold it open.
 */
export function readPaced(pipe: OsPipe, isOver: () => boolean = () => false): Readable {
  const space = Buffer.allocUnsafeSlow(pipeBytes);
  let next: (() => void) | undefined;
  let wait: number = pause.least;
  let wanted = false;
  const stream = new Readable({
    highWaterMark: pipeBytes,
    read: () => {
      wanted = true;
      look();
    },
    destroy: (error, done) => {
      next?.();
      pipe.close("read");
      done(error);
    },
  });
  return stream;

  function look(): void {
    if (!wanted || next !== undefined) return;
    const bytes = filled();
    if (bytes === undefined) return;
    if (bytes < 0 && isOver()) {
      stream.push(null);
      return;
    }
    wait = bytes < 0 ? Math.min(wait * 2, pause.most) : pause.least;
    // What has filled the pipe may be waiting to go on; but never without everything else in between.
    next = bytes >= pipeBytes / 2 ? soon(0) : soon(wait);
    if (bytes < 0) return;
    wanted = false;
    stream.push(bytes === 0 ? null : Buffer.from(space.subarray(0, bytes)));
  }

  /** Has the next look after so many milliseconds. Gives what calls it off. */
  function soon(ms: number): () => void {
    const again = (): void => {
      next = undefined;
      look();
    };
    if (ms === 0) {
      const immediate = setImmediate(again);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(again, ms);
    return () => clearTimeout(timer);
  }

  /** Bytes read into `space`; 0 at the end, -1 while there are none, undefined when it cannot be read. */
  function filled(): number | undefined {
    try {
      return readNow(pipe.read, space);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }
}

/** Bytes read; 0 at the end, -1 while there are none. */
function readNow(descriptor: number, space: Uint8Array): number {
  try {
    return readSync(descriptor, space);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return -1;
    throw error;
  }
}
