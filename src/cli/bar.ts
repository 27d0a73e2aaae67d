import { formatBytes, formatDuration, formatRate } from "../messages/format.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds between two rewritten lines. */
const intervalMs = 200;
const cells = 24;

/**
 * How far a reading is, on standard error: a bar that is rewritten on a terminal, one line per phase elsewhere, nothing
 * of it when `quiet`.
 */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #phase = "";
  #total = 0;
  #begun = 0;
  #shownAt = 0;

  constructor(terminal: Terminal, now: () => number = Date.now) {
    this.#terminal = terminal;
    this.#now = now;
  }

  /** `total`: bytes. */
  phase(phase: string, total: number): void {
    this.#phase = phase;
    this.#total = total;
    this.#begun = this.#now();
    this.#shownAt = 0;
    if (this.#terminal.live) this.#terminal.rewrite(phase);
    else this.#terminal.err(phase);
  }

  /** Bytes of this phase so far. */
  progress(bytes: number): void {
    const now = this.#now();
    if (!this.#terminal.live || now - this.#shownAt < intervalMs) return;
    this.#shownAt = now;
    this.#terminal.rewrite(
      barLine(this.#terminal, this.#phase, { bytes, total: this.#total, elapsedMs: now - this.#begun }),
    );
  }

  /** Removes the line, so that what follows begins on a clean one. */
  end(): void {
    if (this.#terminal.live) this.#terminal.rewrite("");
  }
}

/** "restoring [######------------------]  25 %, 1.2 GB of 4.8 GB, 95 MB/s, 38s left", cut to the terminal's width. */
export function barLine(
  { messages, columns }: Pick<Terminal, "messages" | "columns">,
  phase: string,
  { bytes, total, elapsedMs }: { readonly bytes: number; readonly total: number; readonly elapsedMs: number },
): string {
  const part = total === 0 ? 1 : Math.min(1, bytes / total);
  const full = Math.floor(part * cells);
  const perSecond = elapsedMs > 0 ? (1000 * bytes) / elapsedMs : 0;
  const line = messages.plain("cli-progress", {
    phase,
    bar: `${"#".repeat(full)}${"-".repeat(cells - full)}`,
    percent: String(Math.floor(part * 100)).padStart(3),
    read: formatBytes(Math.min(bytes, total), messages.locale),
    total: formatBytes(total, messages.locale),
    rate: formatRate(perSecond, messages.locale),
  });
  const left = perSecond > 0 && part < 1 ? (1000 * (total - bytes)) / perSecond : undefined;
  const whole =
    left === undefined
      ? line
      : `${line}, ${messages.plain("cli-progress-left", { duration: formatDuration(left, messages.locale) })}`;
  // A line that wraps could not be rewritten.
  return whole.slice(0, Math.max(0, columns - 1));
}
