import type { Fault } from "./api.ts";
import type { SandboxClock } from "./clock.ts";

/** A fault in force, as the list shows it. */
export interface ActiveFault extends Fault {
  readonly id: string;
  /** How many calls it has hit. */
  readonly hits: number;
}

/** What goes wrong on purpose, decided call by call. */
export class Faults {
  readonly #clock: SandboxClock;
  readonly #faults = new Map<string, { fault: Fault; since: number; hits: number }>();
  #lastId = 0;

  constructor(clock: SandboxClock) {
    this.#clock = clock;
  }

  add(fault: Fault): string {
    this.#lastId += 1;
    const id = `f${this.#lastId}`;
    this.#faults.set(id, { fault, since: this.#clock.now(), hits: 0 });
    return id;
  }

  /** Returns whether there was one. */
  remove(id: string): boolean {
    return this.#faults.delete(id);
  }

  clear(): void {
    this.#faults.clear();
  }

  list(): ActiveFault[] {
    return [...this.#faults]
      .filter(([, entry]) => !this.#over(entry))
      .map(([id, { fault, hits }]) => ({ ...fault, id, hits }));
  }

  /** The first fault that applies to this call, counted as a hit; undefined when all is well. */
  take(method: string, chatId: number | undefined): Fault | undefined {
    const now = this.#clock.now();
    for (const entry of this.#faults.values()) {
      const { fault, since } = entry;
      if (this.#over(entry) || now < since + (fault.afterMs ?? 0)) continue;
      if (fault.methods && !fault.methods.some((name) => name.toLowerCase() === method.toLowerCase())) continue;
      if (fault.chatId !== undefined && fault.chatId !== chatId) continue;
      entry.hits += 1;
      return fault;
    }
    return undefined;
  }

  #over(entry: { fault: Fault; since: number; hits: number }): boolean {
    const { fault, since, hits } = entry;
    if (fault.times !== undefined && hits >= fault.times) return true;
    return fault.forMs !== undefined && this.#clock.now() >= since + (fault.afterMs ?? 0) + fault.forMs;
  }
}
