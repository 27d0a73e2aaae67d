import { statSync } from "node:fs";
import { basename } from "node:path";
import { AppError } from "../../core/errors.ts";
import { findTool } from "../../lib/environment.ts";
import { registerSecret } from "../../lib/redaction.ts";
import type { Source, SourceInfo, SourceKind, SourceSession } from "../types.ts";
import { programCommand } from "./programs.ts";
import { checkReadable, lookAtTarget, restore, testRestore } from "./restore.ts";
import { type CommandConfig, commandSchema, secretsOf } from "./schema.ts";
import { CommandSession } from "./session.ts";

/** The standard output of any program. */
class CommandSource implements Source {
  readonly kind = "command";
  readonly counts = "off";
  readonly #config: CommandConfig;

  constructor(config: CommandConfig) {
    this.#config = config;
    for (const secret of secretsOf(config.env)) registerSecret(secret);
  }

  /** What can be known without running it: that the programs and the folder are there. */
  async inspect(signal: AbortSignal): Promise<SourceInfo> {
    signal.throwIfAborted();
    const { argv, cwd, file, compress } = this.#config;
    const program = argv[0] ?? "";
    if (findTool(program) === undefined) {
      throw new AppError(
        "tool-missing",
        `${program} is not installed on this machine: install it or add its folder to PATH`,
        {
          context: { step: basename(program), tool: program },
          text: { key: "error-tool-missing-path", args: { tool: program } },
        },
      );
    }
    if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
      throw new AppError("config", `the folder ${cwd} does not exist`, {
        context: { step: basename(program) },
        text: { key: "error-command-folder", args: { path: cwd } },
      });
    }
    const name = basename(program);
    return {
      title: { key: "source-title-command", args: { program: name, file } },
      facts: { program: name, compress },
    };
  }

  async open(signal: AbortSignal): Promise<SourceSession> {
    const info = await this.inspect(signal);
    return new CommandSession({ config: this.#config, info, command: programCommand(this.#config, "argv") }, signal);
  }
}

export const commandSource: SourceKind<typeof commandSchema> = {
  kind: "command",
  schema: commandSchema,
  create: (config) => new CommandSource(config),
  checkReadable,
  restore,
  lookAtTarget,
  testRestore,
  canTestRestore: (config) => config?.testRestore !== undefined,
};
