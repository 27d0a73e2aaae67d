/** A request as it came. */
export interface SeenRequest {
  /** Milliseconds since the machine's epoch, monotonic. */
  readonly at: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Undefined: the connection was closed, or nothing was answered yet. */
  status: number | undefined;
}

/** How many are remembered. */
const keep = 50_000;

/** The requests so far, and the limit that the API holds them to. */
export class Requests {
  readonly #limit: number | undefined;
  readonly #seen: SeenRequest[] = [];
  readonly #counts = new Map<string, number>();
  /** Times of the last second, by endpoint. */
  readonly #recent = new Map<string, number[]>();

  constructor(limit: number | undefined) {
    this.#limit = limit;
  }

  /** Notes one. `endpoint`: its method and route; `limited`: there were too many of that endpoint within a second. */
  note(method: string, path: string, endpoint: string): { seen: SeenRequest; limited: boolean } {
    const at = performance.timeOrigin + performance.now();
    const seen: SeenRequest = { at, method, path, status: undefined };
    this.#seen.push(seen);
    if (this.#seen.length > keep) this.#seen.splice(0, keep / 10);
    this.#counts.set(endpoint, (this.#counts.get(endpoint) ?? 0) + 1);
    if (this.#limit === undefined) return { seen, limited: false };
    const recent = (this.#recent.get(endpoint) ?? []).filter((time) => time > at - 1000);
    const limited = recent.length >= this.#limit;
    // What was refused does not count: the one after it may pass.
    if (!limited) recent.push(at);
    this.#recent.set(endpoint, recent);
    return { seen, limited };
  }

  /** The newest, oldest of them first. */
  list(): readonly SeenRequest[] {
    return this.#seen;
  }

  /** How many there were of each endpoint ("GET /api/v1/servers"). */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  forget(): void {
    this.#seen.length = 0;
    this.#counts.clear();
  }
}
