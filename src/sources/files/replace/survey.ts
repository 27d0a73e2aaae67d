import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { startPipeline } from "../../../lib/process.ts";
import { placed } from "../tar.ts";

/** One thing below a path, folders included. */
export interface Entry {
  /** One letter, as `find` says it: f, d, l, s, p, b, c. */
  readonly type: string;
  readonly bytes: number;
  /** When it was made or altered last, its attributes included; seconds since 1970. Nobody can set it. */
  readonly changed: number;
  /** When its content was made or altered last, as anybody may have set it; seconds since 1970. */
  readonly modified: number;
  /** Below the path; "" for the path itself. In latin1: any bytes. */
  readonly name: string;
}

const entry = /^(\S) (\d+) ([\d.]+) ([-\d.]+) ([\s\S]*)$/;

/**
 * Walks over everything at a path, within its file system. Resolves with whether everything could be looked at: what
 * vanishes on the way or is closed is left out.
 */
export async function walk(path: string, signal: AbortSignal, take: (entry: Entry) => void): Promise<boolean> {
  let complete = true;
  const command = {
    ...placed(undefined, ["find", path, "-xdev", "-printf", "%y %s %C@ %T@ %P\\0"]),
    onLine: (line: string) => {
      if (!line.endsWith("No such file or directory")) complete = false;
      return true;
    },
    accepts: (status: number) => status === 1,
  };
  const { stdout, done } = startPipeline([command], { signal });
  const read = parse(stdout, take);
  await Promise.all([done, read]);
  return complete;
}

async function parse(stdout: Readable, take: (entry: Entry) => void): Promise<void> {
  let rest = "";
  stdout.on("data", (chunk: Buffer) => {
    const texts = (rest + chunk.toString("latin1")).split("\0");
    rest = texts.pop() ?? "";
    for (const text of texts) {
      const [, type = "", bytes, changed, modified, name = ""] = entry.exec(text) ?? [];
      take({ type, bytes: Number(bytes), changed: Number(changed), modified: Number(modified), name });
    }
  });
  await finished(stdout, { writable: false });
}

/** A name in latin1 as a person reads it. */
export function readable(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** The folder of a name right below the path, or the path itself. */
export function topOf(path: string, name: string): string {
  const end = name.indexOf("/");
  return end < 0 ? path : `${path}/${readable(name.slice(0, end))}`;
}
