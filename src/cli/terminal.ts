import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { redact } from "../lib/redaction.ts";
import { type Locale, type MessageArgs, type Messages, messagesOf } from "../messages/index.ts";

/**
 * Exit statuses of every command. `differs`: restored, and what is there now is not what the manifest says. A wrong
 * configuration is 78, see `configExitCode`; an interrupt 130.
 */
export const exitCodes = { ok: 0, failed: 1, usage: 2, differs: 3, interrupted: 130 } as const;

/** What a command may write to: results to standard output, everything about them to standard error. */
export interface Terminal {
  readonly messages: Messages;
  /** True when standard error is a terminal: only then lines may be rewritten. */
  readonly live: boolean;
  /** Characters in a line of it. */
  readonly columns: number;
  /** True when a person can be asked: both what they type and what they read is a terminal. */
  readonly interactive: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  /** A sentence by its key. */
  say(key: string, args?: MessageArgs): void;
  complain(key: string, args?: MessageArgs): void;
  /** Replaces the line that it wrote last on a live terminal; an empty text removes it. */
  rewrite(text: string): void;
  /** One line that a person types; undefined when the input ends. Rejects when it is interrupted. */
  ask(question: string): Promise<string | undefined>;
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
    // A terminal that does not know its size says 0.
    columns: process.stderr.columns || 80,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    signal,
    out,
    err,
    say: (key, args) => out(messages.plain(key, args)),
    complain: (key, args) => err(messages.plain(key, args)),
    rewrite: (text) => void process.stderr.write(`\r\u001B[2K${redact(text)}`),
    ask: (question) => ask(question, signal),
    in: (other) => processTerminal(other, signal),
  };
}

async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  // The terminal's own line editing: Ctrl-C stays a signal.
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = once(reader, "close").then(() => undefined);
  try {
    return await Promise.race([reader.question(question, { signal }), ended]);
  } finally {
    reader.close();
  }
}
