import type { Clock } from "../../core/ports.ts";
import type { Text } from "../../core/text.ts";

/** So many servers in a row without measurements are no longer their own fault. */
const enough = 3;
/** How long nobody asks after that, but for one at a time; milliseconds. */
const restMs = 60_000;

/**
 * Whether the API gives measurements at all. One server whose measurements fail is that server's affair; when they fail
 * for one after the other it is the API's, and asking for a thousand more would only take their time.
 */
export class StatisticsHealth {
  readonly #clock: Clock;
  readonly #failing = new Set<number>();
  #reason: Text | undefined;
  #askedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why nobody should ask now; undefined: ask. */
  fault(): Text | undefined {
    if (this.#failing.size < enough || this.#reason === undefined) return undefined;
    const now = this.#clock.now().getTime();
    // Also when the clock was set back.
    if (Math.abs(now - this.#askedAt) < restMs) return this.#reason;
    // This one finds out.
    this.#askedAt = now;
    return undefined;
  }

  succeeded(): void {
    this.#failing.clear();
    this.#reason = undefined;
  }

  /** Notes a failure of the API about a server. True: by now it is the API's own. */
  failed(server: number, reason: Text): boolean {
    this.#failing.add(server);
    this.#reason = reason;
    this.#askedAt = this.#clock.now().getTime();
    // Only that there were enough matters.
    if (this.#failing.size > enough) this.#failing.delete([...this.#failing][0] ?? server);
    return this.#failing.size >= enough;
  }
}
