import { ConfigError, configExitCode } from "../app/config.ts";
import { AppError, toAppError } from "../core/errors.ts";
import { reasonText } from "../messages/index.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** Tells an error in one line (a configuration's problems: one line each) and gives the exit status. */
export function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof ConfigError) {
    terminal.err(error.message);
    return configExitCode;
  }
  if (terminal.signal.aborted || (error instanceof AppError && error.code === "cancelled")) {
    terminal.complain("cli-interrupted");
    return exitCodes.interrupted;
  }
  const failure = toAppError(error);
  terminal.err(reasonText(failure, terminal.messages));
  const { code } = failure;
  return code === "config" || code === "secret-missing" ? configExitCode : exitCodes.failed;
}
