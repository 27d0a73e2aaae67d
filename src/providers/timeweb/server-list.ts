import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { TimewebClient } from "../../lib/clients/timeweb.ts";
import { oneServerSchema, serversSchema, type TimewebServer } from "../../lib/clients/timeweb-schema.ts";

/** How long what was listed is good enough; milliseconds. */
const freshMs = 60_000;
/** The same of a server that is not simply on: it may have been on its way, and be on long since; milliseconds. */
const freshAwayMs = 5000;
const pageSize = 100;
/** More pages are no list any more. */
const mostPages = 200;

/** The account's servers as they were at one time. */
export interface Listing {
  readonly servers: ReadonlyMap<number, TimewebServer>;
  /** By our clock. */
  readonly at: Date;
  /** By how much the API's clock is ahead of ours; milliseconds, to the second. */
  readonly aheadMs: number;
}

/** The account's servers: one list for all who ask at the same time, and for a minute. */
export class ServerList {
  readonly #client: TimewebClient;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #known: Listing | undefined;
  #loading: Promise<Listing> | undefined;

  constructor(client: TimewebClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Rejects as the client does: then nothing is known of any server. */
  async read(signal: AbortSignal): Promise<Listing> {
    if (this.#known && this.#isFresh(this.#known, freshMs)) return this.#known;
    return await unlessAborted(this.#load(), signal);
  }

  /**
   * A server of a list. Asked for by itself when it is not among them: pages shift while they are read, and only the
   * API's own word means that it is gone; and when it was not on: of a reboot that was listed half-way it would be told
   * for a minute that the server is off. Undefined: it is gone.
   */
  async find(listing: Listing, id: number, signal: AbortSignal): Promise<TimewebServer | undefined> {
    const listed = listing.servers.get(id);
    if (listed && (listed.status === "on" || this.#isFresh(listing, freshAwayMs))) return listed;
    return await this.ask(id, signal);
  }

  /** A server as it is now; undefined when the API says that it is gone. */
  async ask(id: number, signal: AbortSignal): Promise<TimewebServer | undefined> {
    try {
      return await this.one(id, signal);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** A server as it is now. Rejects with `not-found` when the API says so. */
  async one(id: number, signal: AbortSignal, urgent = false): Promise<TimewebServer> {
    const { data } = await this.#client.get(`/api/v1/servers/${id}`, oneServerSchema, signal, { urgent });
    return data.server;
  }

  /** What is known is no longer true: something was ordered. */
  forget(): void {
    this.#known = undefined;
    this.#loading = undefined;
  }

  close(): void {
    this.#closing.abort(new AppError("interrupted", "the provider was closed", { permanent: false }));
  }

  #isFresh({ at }: Listing, ms: number): boolean {
    // Also when the clock was set back.
    return Math.abs(this.#clock.now().getTime() - at.getTime()) < ms;
  }

  #load(): Promise<Listing> {
    if (this.#loading) return this.#loading;
    // It belongs to all who wait for it, so it ends with none of them.
    const loading = this.#pages(this.#closing.signal);
    this.#loading = loading;
    loading
      .then((listing) => {
        if (this.#loading === loading) this.#known = listing;
      })
      .catch(() => undefined)
      .finally(() => {
        if (this.#loading === loading) this.#loading = undefined;
      });
    return loading;
  }

  async #pages(signal: AbortSignal): Promise<Listing> {
    const servers = new Map<number, TimewebServer>();
    let aheadMs = 0;
    for (let page = 0; page < mostPages; page++) {
      const query = { limit: pageSize, offset: page * pageSize };
      const { data, date } = await this.#client.get("/api/v1/servers", serversSchema, signal, { query });
      for (const server of data.servers) servers.set(server.id, server);
      if (date) aheadMs = date.getTime() - Math.floor(this.#clock.now().getTime() / 1000) * 1000;
      const total = data.meta?.total;
      if (
        data.servers.length === 0 ||
        (total === undefined ? data.servers.length < pageSize : (page + 1) * pageSize >= total)
      )
        break;
    }
    return { servers, at: this.#clock.now(), aheadMs };
  }
}

/** The result, or the signal's reason if that comes first. */
async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([result, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
