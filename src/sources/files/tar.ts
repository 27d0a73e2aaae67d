import type { Command } from "../../lib/child.ts";
import { prepareVia } from "../via.ts";
import type { TreeConfig } from "./schema.ts";

const install = "apt-get install tar";

/** Names are written in bytes that are ASCII, a line each, whatever is in them: \n and \ooo. */
const quoting = "--quoting-style=escape";

/** 64 KiB at once through the pipes: with tar's own 10 KiB the programs wake each other six times as often. */
const records = "--blocking-factor=128";

/** What of a file's further attributes this tar can store. */
export type Attributes = readonly ("--xattrs" | "--acls")[];

/** A program where the files are: here, or in the container or pod that `via` names. Its messages are English. */
export function placed(via: readonly string[] | undefined, argv: readonly string[], step = argv[0] ?? ""): Command {
  if (via === undefined) return { argv, step, env: { LC_ALL: "C" }, ...(argv[0] === "tar" && { install }) };
  return { argv: [...prepareVia(via, undefined), "env", "-u", "TAR_OPTIONS", "LC_ALL=C", ...argv], step, via: true };
}

/**
 * Writes an archive of the paths on its input (`memberName`, each ended by a zero byte) to its output, and a line for
 * each of its members to standard error, among the messages.
 *
 * POSIX format, for names in any bytes and of any length, sizes and sub-second times. Times of the last access and change
 * of the inode are left out: they are of no use in another place. Nor is tar's process id a part of names.
 */
export function createCommand(config: TreeConfig, attributes: Attributes): Command {
  const argv = [
    "tar",
    "--create",
    "--file=-",
    records,
    "--format=posix",
    "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f",
    "--sparse",
    ...attributes,
    "--verbose",
    quoting,
    // What was asked for is no news.
    "--warning=no-xdev",
    ...(config.oneFileSystem ? ["--one-file-system"] : []),
    ...(config.followSymlinks ? ["--dereference"] : []),
    ...excludeOptions(config.exclude),
    "--directory=/",
    "--no-unquote",
    "--null",
    "--files-from=-",
  ];
  return placed(config.via, argv);
}

/** A pattern that begins with a slash is held against whole names, any other one against what follows any slash. */
function excludeOptions(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) =>
    pattern.startsWith("/")
      ? ["--anchored", `--exclude=.${pattern.replace(/(?<=.)\/$/, "")}`]
      : ["--no-anchored", `--exclude=${pattern}`],
  );
}

/** A path as the archive names it: no name can be taken for an option or for a message, or lead out of a folder. */
export function memberName(path: string): string {
  return `.${path}`;
}

/** Reads an archive to its end and writes a line for each of its members to its output. */
export const listCommand: Command = placed(undefined, ["tar", "--list", "--file=-", records, "--totals", quoting]);

/**
 * Extracts an archive into a folder, and writes a line for each of its members to its output. Without `--absolute-names`
 * tar takes the slash from the front of names, refuses those with `..`, and makes symbolic links that lead elsewhere at
 * the very end, so that nothing can be written through them.
 */
export function extractCommand(folder: string, owners: boolean, members?: readonly string[]): Command {
  return placed(undefined, [
    "tar",
    "--extract",
    "--file=-",
    records,
    `--directory=${folder}`,
    "--preserve-permissions",
    owners ? "--same-owner" : "--no-same-owner",
    "--xattrs",
    // Of other people's namespaces only root may write.
    ...(isRoot() ? ["--xattrs-include=*"] : []),
    "--acls",
    "--delay-directory-restore",
    "--warning=no-timestamp",
    "--verbose",
    "--totals",
    quoting,
    ...only(members),
  ]);
}

/** Names as they are, no patterns: a folder stands for everything below it. */
function only(members: readonly string[] | undefined): string[] {
  return members === undefined ? [] : ["--no-wildcards", "--no-unquote", "--", ...members.map(memberName)];
}

/** Compares an archive with the folder into which it was extracted; writes a line for each difference to its output. */
export function compareCommand(folder: string, members?: readonly string[]): Command {
  return placed(undefined, [
    "tar",
    "--compare",
    "--file=-",
    records,
    `--directory=${folder}`,
    quoting,
    ...only(members),
  ]);
}

/** Whether this process may give files to anybody. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
