import { readdirSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { findTool, outputBuffer } from "../../lib/environment.ts";
import { run } from "../../lib/process.ts";

/** Half of what a pipe holds: pg_dump fills one half while zstd takes the other; bytes. */
const dumpBuffer = 32 * 1024;

const packageFolder = "/usr/lib/postgresql";

export type Program = "psql" | "pg_dump" | "pg_dumpall" | "pg_restore";

/** Where the PostgreSQL client programs are, and how to call them. */
export interface Tools {
  /** The command for a client program: with the `via` prefix, or with its path on this machine. */
  command(program: Program, args: readonly string[], step?: string): Command;
  /** Version of pg_dump, "15.18". */
  readonly version: string;
}

export interface ToolOptions {
  readonly via?: readonly string[] | undefined;
  readonly bin?: string | undefined;
  readonly password?: string | undefined;
  /** Folder with a folder per major version; default /usr/lib/postgresql. */
  readonly packages?: string;
}

interface Folder {
  readonly major: number;
  readonly path: string;
}

/** Installed server packages, oldest first. */
export function serverFolders(packages: string = packageFolder): readonly Folder[] {
  return installed(packages, "initdb");
}

/** Installed packages with this program, oldest first. */
function installed(packages: string, program: Program | "initdb" = "pg_dump"): Folder[] {
  let names: string[] = [];
  try {
    names = readdirSync(packages);
  } catch {
    // No such packages on this machine.
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ major: Number(name), path: join(packages, name, "bin") }))
    .filter(({ path }) => findTool(join(path, program)) !== undefined)
    .sort((a, b) => a.major - b.major);
}

/** A psql for the first question to a server whose version is not known yet: the newest, since old ones know less. */
export function anyPsql(options: ToolOptions): (args: readonly string[]) => Command {
  const folder = options.bin ?? installed(options.packages ?? packageFolder).at(-1)?.path;
  return (args) => commandIn(options, folder, "psql", args, "psql");
}

/**
 * Client programs that can dump a server of this major version: exactly that major, else the next newer, else those
 * in PATH. Fails with `tool-missing` or `tool-too-old`, saying what to install: an older pg_dump refuses to work.
 */
export async function chooseTools(options: ToolOptions, serverMajor: number, signal: AbortSignal): Promise<Tools> {
  const folders = options.bin === undefined && !options.via ? installed(options.packages ?? packageFolder) : [];
  const folder = options.bin ?? folders.find(({ major }) => major >= serverMajor)?.path;
  const install = installClient(serverMajor);
  const newest = folders.at(-1)?.major;
  if (folder === undefined && !options.via && findTool("pg_dump") === undefined) {
    if (newest === undefined) {
      throw new AppError("tool-missing", `there is no pg_dump on this machine: ${install}`, {
        context: { step: "pg_dump" },
        text: { key: "error-tool-missing", args: { tool: "pg_dump", remedy: install } },
      });
    }
    throw tooOld(serverMajor, String(newest), undefined);
  }
  const { stdout } = await run(commandIn(options, folder, "pg_dump", ["--version"], "pg_dump"), { signal });
  const version = /\(PostgreSQL\) (\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? "";
  const major = Number.parseInt(version, 10);
  if (!(major >= serverMajor)) {
    throw tooOld(serverMajor, String(Math.max(major, newest ?? 0)), options.via);
  }
  return {
    version,
    command: (program, args, step) => commandIn(options, folder, program, args, step ?? program),
  };
}

/** pg_restore for reading an archive on this machine: the newest, since an older one refuses newer archives. */
export function restoreCommand(args: readonly string[]): Command {
  return commandIn({}, installed(packageFolder).at(-1)?.path, "pg_restore", args, "pg_restore");
}

function tooOld(server: number, client: string, via: readonly string[] | undefined): AppError {
  const context = { step: "pg_dump", server, client };
  if (via) {
    const args = { server: String(server), client, via: via.join(" ") };
    const message = `server is ${server}, newest client inside "${args.via}" is ${client}: use an image with version ${server}`;
    return new AppError("tool-too-old", message, { context, text: { key: "error-tool-too-old-inside", args } });
  }
  const args = { server: String(server), client, remedy: installClient(server) };
  const message = `server is ${server}, newest client here is ${client}: ${args.remedy}`;
  return new AppError("tool-too-old", message, { context, text: { key: "error-tool-too-old", args } });
}

const installClient = (major: number) => `apt-get install postgresql-client-${major}`;

function commandIn(
  options: ToolOptions,
  folder: string | undefined,
  program: string,
  args: readonly string[],
  step: string,
): Command {
  const secret = options.password === undefined ? {} : { PGPASSWORD: options.password };
  if (options.via) return { argv: [...options.via, program, ...args], step, via: true, env: secret };
  const file = folder === undefined ? program : join(folder, program);
  const env = { ...secret, ...(program === "pg_dump" ? outputBuffer(dumpBuffer) : {}) };
  return { argv: [file, ...args], step, install: "apt-get install postgresql-client", env };
}
