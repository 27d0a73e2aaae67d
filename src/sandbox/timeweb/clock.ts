/** Where the time comes from: a test brings its own clock and moves it. */
export interface ClockSource {
  now(): Date;
}

/** The sandbox's clock: another one, which it can run ahead of or behind. */
export class SandboxClock {
  readonly #source: ClockSource;
  #offsetMs = 0;

  constructor(source: ClockSource = { now: () => new Date() }) {
    this.#source = source;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#source.now().getTime() + this.#offsetMs;
  }

  iso(ms: number = this.now()): string {
    return new Date(ms).toISOString();
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  set(date: Date): void {
    this.#offsetMs += date.getTime() - this.now();
  }
}
