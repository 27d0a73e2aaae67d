import type { Clock } from "../../core/ports.ts";

/** So many servers in a row without measurements are no longer their own fault. */
const enough = 3;
/** How long nobody asks after that, but for one at a time; milliseconds. */
const restMs = 60_000;

/**
 * Whether the API gives measurements at all. One server whose measurements fail is that server's affair; when they fail
 * for one after the other, or the account itself is refused, it is the API's, and asking for a thousand more would only
 * take their time. A server whose measurements fail time after time says nothing new of the API: some of them side by
 * side must not keep others from being asked. `F`: what is said meanwhile.
 */
export class StatisticsHealth<F> {
  readonly #clock: Clock;
  readonly #failing = new Set<number>();
  /** Whose measurements failed when they were asked for last. */
  readonly #sick = new Set<number>();
  #fault: F | undefined;
  #askedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is wrong, where nobody should ask now; undefined: ask. */
  fault(): F | undefined {
    const now = this.#clock.now().getTime();
    // Also when the clock was set back.
    if (this.#fault === undefined || Math.abs(now - this.#askedAt) < restMs) return this.#fault;
    // This one finds out.
    this.#askedAt = now;
    return undefined;
  }

  succeeded(server: number): void {
    this.#sick.delete(server);
    this.#failing.clear();
    this.#fault = undefined;
  }

  /** What was asked for one server would meet all of them. */
  broke(fault: F): void {
    this.#fault = fault;
    this.#askedAt = this.#clock.now().getTime();
  }

  /** Notes a failure of the API about a server. True: by now it is the API's own. */
  failed(server: number, fault: F): boolean {
    if (!this.#sick.has(server)) this.#failing.add(server);
    this.#sick.add(server);
    // Who was sent to find out has found it as it was.
    const isOwn = this.#fault !== undefined || this.#failing.size >= enough;
    if (isOwn) this.broke(fault);
    return isOwn;
  }
}
