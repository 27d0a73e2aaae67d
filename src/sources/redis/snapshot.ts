import { AppError } from "../../core/errors.ts";
import { meaningOf } from "./errors.ts";

/** redis-cli writes the mark that ends a diskless transfer behind the snapshot, where it can not cut it off again. */
export const markBytes = 40;

/**
 * How many of the bytes that redis-cli wrote are no part of the snapshot. Its exit status alone does not tell that
 * everything is there, so its own report is held against what has arrived. Throws `source-failed` when they differ.
 */
export function bytesBehind(report: string, received: number): number {
  // It goes on without a user when its password is refused, and may succeed as the default user.
  const refused = /AUTH failed/.test(report) ? meaningOf(report) : undefined;
  if (refused !== undefined) throw refused;
  const [, announced] = /writing (\d+) bytes to/.exec(report) ?? [];
  const [, counted] = /finished with success after (\d+) bytes/.exec(report) ?? [];
  const size = announced ?? counted;
  const behind = received - Number(size);
  // A later redis-cli may do without the mark.
  const mayHaveMark = announced === undefined && behind === markBytes;
  if (size !== undefined && /finished with success/.test(report) && (behind === 0 || mayHaveMark)) return behind;
  throw new AppError("source-failed", `redis-cli reports ${size ?? "no"} bytes, and ${received} have arrived`, {
    permanent: false,
    context: { step: "redis-cli", exit: "exit status 0", stderr: report },
    text: { key: "error-redis-incomplete" },
  });
}

/** What redis-check-rdb has found in a sound snapshot. Throws `source-failed` when it does not say so. */
export function keysRead(report: string): number {
  const keys = /^\[info\] (\d+) keys read/m.exec(report)?.[1];
  if (keys !== undefined && /RDB looks OK/.test(report)) return Number(keys);
  throw snapshotError(report);
}

/** Why redis-check-rdb refuses a snapshot: it says that on its standard output. */
export function snapshotError(report: string, cause?: AppError): AppError {
  const lines = report.split("\n").filter((line) => line.trim() !== "");
  const after = lines.findIndex((line) => line.includes("RDB ERROR DETECTED"));
  const reason = (lines[after + 1] ?? "no report").replace(/^\[offset \d+\] /, "").slice(0, 200);
  const tooNew = /RDB format version/.test(reason);
  return new AppError("source-failed", `redis-check-rdb refuses the snapshot: ${reason}`, {
    permanent: tooNew,
    context: { step: "redis-check-rdb", ...cause?.context, stderr: lines.slice(-10).join("\n") },
    text: { key: tooNew ? "error-redis-snapshot-newer" : "error-redis-snapshot" },
    ...(cause === undefined ? {} : { cause }),
  });
}
