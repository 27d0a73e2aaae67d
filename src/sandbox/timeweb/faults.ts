/**
 * What goes wrong on purpose. `path` limits it to requests whose path matches (a regular expression; default all),
 * `method` too, `times` ends it after so many requests, otherwise it lasts until it is taken away.
 * - `status`: answers this status; `body`: the API's `json` (default), an edge's `html` page, or `empty`;
 * - `garbage`: 200 with what is no JSON; `form`: 200 with JSON of another form; `endless`: a body without end;
 * - `slow`: answers after `delayMs`; `silent`: takes the request and never answers;
 * - `reset`: closes the connection at once; `lost-answer`: carries the request out and then closes the connection.
 */
export interface Fault {
  readonly kind: "status" | "garbage" | "form" | "endless" | "slow" | "silent" | "reset" | "lost-answer";
  readonly path?: string;
  readonly method?: string;
  readonly times?: number;
  readonly status?: number;
  readonly body?: "json" | "html" | "empty";
  readonly delayMs?: number;
}

export interface ActiveFault extends Fault {
  readonly id: string;
  /** How many requests it has met. */
  readonly hits: number;
}

const kinds = new Set<unknown>(["status", "garbage", "form", "endless", "slow", "silent", "reset", "lost-answer"]);

/** Those in force; of several that fit a request, the newest is used. */
export class Faults {
  readonly #faults = new Map<string, { readonly fault: Fault; readonly path: RegExp | undefined; hits: number }>();
  #lastId = 0;

  /** Returns its id. Throws on a kind or pattern that does not exist. */
  add(fault: Fault): string {
    if (!kinds.has(fault.kind)) throw new Error(`kind must be one of ${[...kinds].join(", ")}`);
    this.#lastId += 1;
    const id = `f${this.#lastId}`;
    const path = fault.path === undefined ? undefined : new RegExp(fault.path);
    this.#faults.set(id, { fault, path, hits: 0 });
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
    return [...this.#faults].map(([id, { fault, hits }]) => ({ ...fault, id, hits }));
  }

  /** What meets this request, counted as a hit; undefined when all is well. */
  take(method: string, path: string): Fault | undefined {
    for (const entry of [...this.#faults.values()].reverse()) {
      const { fault, path: pattern, hits } = entry;
      if (fault.times !== undefined && hits >= fault.times) continue;
      if (pattern && !pattern.test(path)) continue;
      if (fault.method !== undefined && fault.method.toUpperCase() !== method) continue;
      entry.hits += 1;
      return fault;
    }
    return undefined;
  }
}
