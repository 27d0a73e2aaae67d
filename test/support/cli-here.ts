import { vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { redact } from "../../src/lib/redaction.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import type { CliResult } from "./cli.ts";

/**
 * Runs a command in this process, with nobody at its terminal: what a process of its own would do, without the time that
 * its start takes. `env`: put over this process's own for that time.
 */
export async function runHere(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<CliResult> {
  const said = { stdout: "", stderr: "" };
  const signal = options.signal ?? new AbortController().signal;
  for (const [name, value] of Object.entries(options.env ?? {})) vi.stubEnv(name, value);
  try {
    const status = await run(["node", "vakhta", ...args], terminalInto(said, "en", signal));
    return { status, ...said };
  } finally {
    vi.unstubAllEnvs();
  }
}

function terminalInto(said: { stdout: string; stderr: string }, locale: Locale, signal: AbortSignal): Terminal {
  const messages = messagesOf(locale);
  const out = (text: string): void => {
    said.stdout += `${redact(text)}\n`;
  };
  const err = (text: string): void => {
    said.stderr += `${redact(text)}\n`;
  };
  return {
    messages,
    live: false,
    columns: 80,
    interactive: false,
    signal,
    out,
    err,
    say: (key, args) => out(messages.plain(key, args)),
    complain: (key, args) => err(messages.plain(key, args)),
    rewrite: () => undefined,
    ask: () => Promise.resolve(undefined),
    in: (other) => terminalInto(said, other, signal),
  };
}
