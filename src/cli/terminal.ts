import { redact } from "../lib/redaction.ts";
import { type Locale, type MessageArgs, type Messages, messagesOf } from "../messages/index.ts";

/** Exit statuses of every command. A wrong configuration is 78, see `configExitCode`; an interrupt 130. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What a command may write to: results to standard output, everything about them to standard error. */
export interface Terminal {
  readonly messages: Messages;
  /** True when standard error is a terminal: only then lines may be rewritten. */
  readonly live: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  /** A sentence by its key. */
  say(key: string, args?: MessageArgs): void;
  complain(key: string, args?: MessageArgs): void;
  /** The same terminal in another language. */
  in(locale: Locale): Terminal;
}

/**
 * The language of the terminal. The platform takes it from LC_ALL, LC_MESSAGES or LANG; asking it keeps the
 * configuration's module, and all that it imports, out of `vakhta --help`.
 */
export function terminalLocale(): Locale {
  return new Intl.DateTimeFormat().resolvedOptions().locale.startsWith("ru") ? "ru" : "en";
}

/** The process's own terminal. Registered secrets never get through it. */
export function processTerminal(locale: Locale, signal: AbortSignal): Terminal {
  const messages = messagesOf(locale);
  const out = (text: string) => void process.stdout.write(`${redact(text)}\n`);
  const err = (text: string) => void process.stderr.write(`${redact(text)}\n`);
  return {
    messages,
    live: process.stderr.isTTY === true,
    signal,
    out,
    err,
    say: (key, args) => out(messages.plain(key, args)),
    complain: (key, args) => err(messages.plain(key, args)),
    in: (other) => processTerminal(other, signal),
  };
}
