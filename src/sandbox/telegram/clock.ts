/** How the sandbox counts time. `manual` stands still until it is moved; otherwise time runs and can also be moved. */
export interface ClockOptions {
  readonly manual?: boolean;
  /** Where the clock starts; default: the machine's time. */
  readonly start?: Date;
}

/** The sandbox's clock, in milliseconds since the epoch. It never goes back by itself. */
export class SandboxClock {
  readonly #manual: boolean;
  #offsetMs: number;

  constructor(options: ClockOptions = {}) {
    this.#manual = options.manual ?? false;
    const start = options.start?.getTime() ?? Date.now();
    this.#offsetMs = this.#manual ? start : start - Date.now();
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#manual ? this.#offsetMs : Date.now() + this.#offsetMs;
  }

  /** Unix seconds, as Telegram's `date` fields. */
  unix(): number {
    return Math.floor(this.now() / 1000);
  }

  iso(): string {
    return new Date(this.now()).toISOString();
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  set(date: Date): void {
    this.#offsetMs += date.getTime() - this.now();
  }
}
