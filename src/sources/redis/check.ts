import type { Readable, Writable } from "node:stream";
import { toAppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { converse } from "../../lib/process.ts";
import { keysRead, snapshotError } from "./snapshot.ts";

/** More than this redis-check-rdb does not say of a sound snapshot; of a damaged one the last lines matter. */
const reportBytes = 64 * 1024;

/** A check of a snapshot that is under way. */
export interface SnapshotCheck {
  /** Takes the snapshot. */
  readonly stdin: Writable;
  /** Resolves with the number of keys when the snapshot is sound to its end; else rejects with `source-failed`. */
  readonly keys: Promise<number>;
}

export function startCheck(command: Command, signal: AbortSignal): SnapshotCheck {
  const { stdin, stdout, done } = converse(command, { signal });
  const keys = verdict(stdout, done, signal);
  keys.catch(() => undefined);
  return { stdin, keys };
}

/**
 * The number of keys, from what redis-check-rdb prints on its standard output, once `done` says that all has ended
 * well. A failure of other programs before it is theirs.
 */
export async function verdict(stdout: Readable, done: Promise<unknown>, signal: AbortSignal): Promise<number> {
  let report = "";
  stdout.setEncoding("utf8");
  stdout.on("data", (text: string) => {
    report = (report + text).slice(-reportBytes);
  });
  const ended = new Promise<void>((resolve) => stdout.once("close", resolve));
  try {
    await Promise.all([done, ended]);
  } catch (error) {
    const cause = toAppError(error);
    if (cause.context["step"] !== "redis-check-rdb" || signal.aborted) throw cause;
    await ended;
    throw snapshotError(report, cause);
  }
  return keysRead(report);
}
