import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../lib/process.ts";
import { type Entry, type Listed, parseList } from "./contents.ts";
import { restoreError } from "./errors.ts";
import type { Site } from "./site.ts";

/** Milliseconds for a program that nobody waits for longer: the longest that a timer takes is 24 days. */
const programTimeoutMs = 20 * 86_400_000;

/** The beginning of an archive on this machine, up to its data: enough for restoring everything without rows. */
export interface Beginning {
  /** For files that only this user can read. */
  readonly folder: string;
  readonly path: string;
  readonly entries: readonly Entry[];
}

/** What pg_restore makes of an archive, in this order. */
export interface Lists {
  readonly all: readonly Listed[];
  /** The rows. */
  readonly data: readonly Listed[];
  /** What comes after the rows. */
  readonly post: ReadonlySet<number>;
}

export async function readLists(site: Site, { path }: Beginning): Promise<Lists> {
  const list = async (...sections: readonly string[]) => {
    const command = site.tools.command("pg_restore", ["--list", ...sections, path]);
    return parseList((await run(command, { signal: site.signal, maxOutput: 256 * 1024 * 1024 })).stdout);
  };
  const [all, data, post] = await Promise.all([list(), list("--section=data"), list("--section=post-data")]);
  return { all, data, post: new Set(post.map(({ id }) => id)) };
}

/** Writes a list into a file of this name. Resolves with what pg_restore is told of it. */
export async function writeList(
  { folder }: Beginning,
  name: string,
  lines: readonly Pick<Listed, "line">[],
): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, lines.map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
  return `--use-list=${path}`;
}

/** Restores what `args` say, which is nothing with rows. */
export async function restoreBeginning(site: Site, { path }: Beginning, args: readonly string[]): Promise<void> {
  const command = site.tools.command("pg_restore", [...args, path]);
  await run(command, { signal: site.signal, timeoutMs: programTimeoutMs }).catch((error: unknown) => {
    throw restoreError(error);
  });
}
