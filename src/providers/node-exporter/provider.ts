import { createHash } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { lookAt, readingOf } from "../host-reading.ts";
import { looksOf, Slots } from "../looks.ts";
import type { Look, Provider, ProviderDeps, ServerTarget } from "../types.ts";
import { concurrency, type NodeExporterServer } from "./schema.ts";
import { scrape } from "./scrape.ts";

/** Servers that tell of themselves over HTTP. */
export class NodeExporters implements Provider {
  readonly #deps: ProviderDeps;
  readonly #slots = new Slots(concurrency);
  readonly #closing = new AbortController();

  constructor(deps: ProviderDeps) {
    this.#deps = deps;
  }

  looks(servers: readonly ServerTarget[], signal: AbortSignal): AsyncIterable<Look> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return looksOf(servers as readonly ServerTarget<NodeExporterServer>[], either, (server, stop) =>
      this.#slots.use(stop, () => this.#look(server, stop)),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("interrupted", "the provider was closed", { permanent: false }));
  }

  #look({ name, config }: ServerTarget<NodeExporterServer>, signal: AbortSignal): Promise<Look> {
    return lookAt(name, signal, this.#deps, async () => {
      const sample = await scrape(config, this.#deps.clock, signal);
      return readingOf(name, placeOf(config.url), sample, this.#deps, signal);
    });
  }
}

/** An address by what it is remembered: it may hold a key. */
function placeOf(url: string): string {
  return createHash("sha256").update(url).digest("base64url").slice(0, 16);
}
