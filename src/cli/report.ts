import { ConfigError, configExitCode } from "../app/config.ts";
import { AppError, toAppError } from "../core/errors.ts";
import { type MessageArgs, reasonText } from "../messages/index.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** A command that was called in a way that makes no sense: a sentence by its key, and exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly key: string;
  readonly args: MessageArgs;

  constructor(key: string, args: MessageArgs = {}) {
    super(key);
    this.key = key;
    this.args = args;
  }
}

/**
 * Tells an error in one line (a configuration's problems: one line each) and gives the exit status. `json`: standard
 * output gets a document too, so that a script finds one whatever happens.
 */
export function reportError(error: unknown, terminal: Terminal, options: { readonly json?: boolean } = {}): number {
  const { status, code, message } = describeError(error, terminal);
  terminal.err(message);
  if (options.json) terminal.out(JSON.stringify({ error: { code, message } }, undefined, 2));
  return status;
}

/** What an error's line does not hold: the step and the tool's last words. */
export function explain(error: unknown, terminal: Terminal): void {
  if (!(error instanceof AppError)) return;
  const { step, stderr } = error.context;
  if (typeof step === "string") terminal.complain("cli-backup-failed-in", { step });
  if (typeof stderr === "string" && stderr !== "") terminal.err(stderr);
}

/** Exit status, code, and the one line. */
export function describeError(
  error: unknown,
  terminal: Terminal,
): { readonly status: number; readonly code: string; readonly message: string } {
  const { messages } = terminal;
  if (error instanceof ConfigError) return { status: configExitCode, code: "config", message: error.message };
  if (error instanceof UsageError)
    return { status: exitCodes.usage, code: "usage", message: messages.plain(error.key, error.args) };
  if (terminal.signal.aborted || (error instanceof AppError && error.code === "cancelled"))
    return { status: exitCodes.interrupted, code: "cancelled", message: messages.plain("cli-interrupted") };
  const failure = toAppError(error);
  const { code } = failure;
  const status = code === "config" || code === "secret-missing" ? configExitCode : exitCodes.failed;
  return { status, code, message: reasonText(failure, messages) };
}
