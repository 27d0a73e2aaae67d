import { basename } from "node:path";
import type { Command } from "../../lib/child.ts";
import type { CommandConfig } from "./schema.ts";

/**
 * One of the configured programs, with the configured variables and those of the occasion. A container engine's client
 * may be among them, so it gets its variables too.
 */
export function programCommand(
  config: CommandConfig,
  name: "argv" | "check" | "restore" | "testRestore",
  env: Readonly<Record<string, string>> = {},
): Command {
  const argv = config[name] ?? [];
  return {
    argv,
    step: basename(argv[0] ?? ""),
    env: { ...config.env, ...env },
    via: true,
    ...(config.cwd === undefined ? {} : { cwd: config.cwd }),
  };
}
