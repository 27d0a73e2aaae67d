/** Listens to one `pg_restore --verbose`. */
export interface Listener {
  /** Whether it has begun to restore. */
  readonly hasBegun: boolean;
  /** Hears a line of it. Whether it is one to be shown when the program fails. */
  hear(line: string): boolean;
  /** Hears that it has ended. `whole`: all of its rows are there. */
  end(whole: boolean): void;
}

/** The tables whose rows are there, as one or several pg_restores tell it: given in batches, as many as have come meanwhile. */
export class Arrivals {
  /** Resolves when each pg_restore is connected, or has ended. */
  readonly begun: Promise<void>;
  readonly #begin: () => void;
  readonly #starting = new Set<Listener>();
  readonly #open = new Set<Listener>();
  #waiting: string[] = [];
  #wake = Promise.withResolvers<void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
  }

  /** Whether all of them have ended. */
  get isOver(): boolean {
    return this.#open.size === 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    for (;;) {
      await this.#wake.promise;
      const names = this.#waiting.splice(0);
      if (this.isOver && names.length === 0) return;
      if (!this.isOver) this.#wake = Promise.withResolvers<void>();
      yield names;
    }
  }

  /** Begins to listen to one more of them, before the first of all is started. */
  listen(): Listener {
    let current: string | undefined;
    let hasBegun = false;
    const next = (table?: string): void => {
      const before = current;
      current = table;
      if (before === undefined) return;
      this.#waiting.push(before);
      this.#wake.resolve();
    };
    const self: Listener = {
      get hasBegun() {
        return hasBegun;
      },
      hear: (line) => {
        const [, what, about = ""] = /^pg_restore: (connecting|processing|executing|creating) (.*)$/.exec(line) ?? [];
        if (what === undefined) return true;
        if (what === "connecting") return false;
        hasBegun = true;
        this.#started(self);
        next(/^data for table "(.+)"$/.exec(about)?.[1]);
        return false;
      },
      end: (whole) => {
        this.#started(self);
        this.#open.delete(self);
        // Of the last one of all nobody waits for the rows any longer: it is left to the end.
        if (whole && !this.isOver) next();
        this.#wake.resolve();
      },
    };
    this.#starting.add(self);
    this.#open.add(self);
    return self;
  }

  #started(listener: Listener): void {
    this.#starting.delete(listener);
    if (this.#starting.size === 0) this.#begin();
  }
}
