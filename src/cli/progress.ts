import type { BackupPhase, RunObserver, RunProgress } from "../core/ports.ts";
import type { Text } from "../core/text.ts";
import { formatBytes, formatDuration, formatRate } from "../messages/format.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds between two rewritten lines. */
const intervalMs = 200;

/** Shows a run on standard error: one line that is rewritten on a terminal, one line per phase elsewhere. */
export class ProgressLine implements RunObserver {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #write: (text: string) => void;
  readonly #startedAt: number;
  #shownAt = 0;
  #phase: BackupPhase = "waiting";

  constructor(terminal: Terminal, now: () => number, write: (text: string) => void) {
    this.#terminal = terminal;
    this.#now = now;
    this.#write = write;
    this.#startedAt = now();
  }

  phase(phase: BackupPhase): Promise<void> {
    this.#phase = phase;
    if (this.#terminal.live) this.#rewrite(this.#phaseName());
    else this.#terminal.err(this.#phaseName());
    return Promise.resolve();
  }

  title({ key, args = {} }: Text): Promise<void> {
    if (this.#terminal.live) this.#rewrite("");
    this.#terminal.complain(key, args);
    return Promise.resolve();
  }

  progress({ bytes, rawBytes, expectedRawBytes }: RunProgress): void {
    const now = this.#now();
    if (!this.#terminal.live || now - this.#shownAt < intervalMs) return;
    this.#shownAt = now;
    const { locale } = this.#terminal.messages;
    const elapsed = now - this.#startedAt;
    const percent =
      rawBytes !== undefined && expectedRawBytes ? Math.min(99, (100 * rawBytes) / expectedRawBytes) : undefined;
    const facts = [
      formatBytes(bytes, locale),
      elapsed > 0 ? formatRate((1000 * bytes) / elapsed, locale) : "",
      formatDuration(elapsed, locale),
      percent === undefined ? "" : `${Math.floor(percent)} %`,
    ];
    this.#rewrite(`${this.#phaseName()}: ${facts.filter((fact) => fact !== "").join(", ")}`);
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  closed(): Promise<void> {
    return Promise.resolve();
  }

  left(storage: string): Promise<void> {
    this.end();
    this.#terminal.complain("cli-backup-left", { storage });
    return Promise.resolve();
  }

  /** Removes the line, so that what follows begins on a clean one. */
  end(): void {
    if (this.#terminal.live) this.#rewrite("");
  }

  #phaseName(): string {
    return this.#terminal.messages.plain(`cli-phase-${this.#phase}`);
  }

  #rewrite(text: string): void {
    this.#write(`\r\u001B[2K${text}`);
  }
}
