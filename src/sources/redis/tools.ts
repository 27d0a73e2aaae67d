import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { findTool } from "../../lib/environment.ts";
import { run } from "../../lib/process.ts";
import type { RedisConfig } from "./schema.ts";
import type { RedisAddress } from "./url.ts";

/** The variable that redis-cli takes a password from. */
export const passwordVariable = "REDISCLI_AUTH";

const packages = { cli: "redis-tools", "check-rdb": "redis-tools", server: "redis-server" } as const;
type Program = keyof typeof packages;

/** A program of Redis, or of Valkey where only that is installed. */
function program(name: Program, bin?: string): string {
  if (bin !== undefined) return join(bin, `redis-${name}`);
  const ours = `redis-${name}`;
  return findTool(ours) === undefined && findTool(`valkey-${name}`) !== undefined ? `valkey-${name}` : ours;
}

const install = (name: Program) => `apt-get install ${packages[name]}`;

/** How to reach one server with redis-cli. */
export interface CliOptions {
  readonly tls?: RedisConfig["tls"];
  readonly via?: readonly string[] | undefined;
  readonly bin?: string | undefined;
  readonly cwd?: string;
}

/** redis-cli for one server: makes commands of its further arguments. Without any it reads commands from its input. */
export type Cli = (args: readonly string[]) => Command;

export function cliFor(address: RedisAddress, options: CliOptions = {}): Cli {
  const { tls, via, bin, cwd } = options;
  const place =
    address.socket === undefined ? ["-h", address.host, "-p", String(address.port)] : ["-s", address.socket];
  const user = address.user === undefined ? [] : ["--user", address.user];
  const fixed = [...place, ...user, ...(address.tls ? tlsArguments(tls) : [])];
  const env = address.password === undefined ? {} : { env: { [passwordVariable]: address.password } };
  return (args) => {
    const common = { step: "redis-cli", ...env, ...(cwd === undefined ? {} : { cwd }) };
    if (via) return { argv: [...via, "redis-cli", ...fixed, ...args], via: true, ...common };
    return { argv: [program("cli", bin), ...fixed, ...args], install: install("cli"), ...common };
  };
}

function tlsArguments(tls: RedisConfig["tls"]): string[] {
  const named = { "--cacert": tls?.ca, "--cert": tls?.cert, "--key": tls?.key, "--sni": tls?.serverName };
  const given = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return ["--tls", ...given, ...(tls?.insecure ? ["--insecure"] : [])];
}

/**
 * Reads a snapshot from its input to the end, every value included. It opens a file by its name, and can not open the
 * socket that standard input is: so there is a pipe of the operating system between, and one without a name: what has one
 * can only be opened while somebody writes to it. Fails with `tool-missing`.
 */
export function checkCommand(bin?: string): Command {
  const name = program("check-rdb", bin);
  if (findTool(name) === undefined) {
    const remedy = install("check-rdb");
    throw new AppError("tool-missing", `${name} is not installed on this machine: ${remedy}`, {
      context: { step: "redis-check-rdb", tool: name },
      text: { key: "error-tool-missing", args: { tool: name, remedy } },
    });
  }
  // The status of a pipeline is that of its last program; a reader before it that fails makes the snapshot a cut one.
  return { argv: ["sh", "-c", 'cat | "$0" /dev/stdin', name], step: "redis-check-rdb" };
}

/** Version of the server that is started for restores. Fails with `tool-missing`. */
export async function serverVersion(signal: AbortSignal): Promise<string> {
  const command = { argv: [program("server"), "--version"], step: "redis-server", install: install("server") };
  const { stdout } = await run(command, { signal });
  return /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "";
}

/** A private server that takes its settings from its input, since a password may be among them. */
export function serverCommand(cwd: string): Command {
  return { argv: [program("server"), "-"], step: "redis-server", install: install("server"), cwd };
}

/** Versions of the programs: of redis-cli where it will run, of redis-check-rdb here. Fails with `tool-missing`. */
export async function toolVersions(
  options: Pick<CliOptions, "via" | "bin">,
  signal: AbortSignal,
): Promise<{ readonly cli: string; readonly check: string }> {
  const ask = async (command: Command) => /\d+\.\d+\.\d+/.exec((await run(command, { signal })).stdout)?.[0] ?? "";
  const cliVersion: Command = options.via
    ? { argv: [...options.via, "redis-cli", "--version"], step: "redis-cli", via: true }
    : { argv: [program("cli", options.bin), "--version"], step: "redis-cli", install: install("cli") };
  const checkVersion = {
    argv: [program("check-rdb", options.bin), "--version"],
    step: "redis-check-rdb",
    install: install("check-rdb"),
  };
  const [cli, check] = await Promise.all([ask(cliVersion), ask(checkVersion)]);
  return { cli, check };
}
