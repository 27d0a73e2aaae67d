import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { AppError } from "../../core/errors.ts";
import type { ServerFacts } from "../../core/server.ts";
import { LookError, lookAt, readingOf } from "../host-reading.ts";
import { looksOf } from "../looks.ts";
import type { Look, Provider, ProviderDeps, ServerTarget } from "../types.ts";
import { readHost } from "./host.ts";
import type { LocalServer } from "./schema.ts";

/** The worker's own host. `proc`: where the kernel tells of itself. */
export class LocalHost implements Provider {
  readonly #deps: ProviderDeps;
  readonly #proc: string;
  readonly #closing = new AbortController();

  constructor(deps: ProviderDeps, proc = "/proc") {
    this.#deps = deps;
    this.#proc = proc;
  }

  looks(servers: readonly ServerTarget[], signal: AbortSignal): AsyncIterable<Look> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return looksOf(servers as readonly ServerTarget<LocalServer>[], either, (server, stop) => this.#look(server, stop));
  }

  async facts(servers: readonly ServerTarget[], signal: AbortSignal): Promise<ReadonlyMap<string, ServerFacts>> {
    const here = (servers as readonly ServerTarget<LocalServer>[]).filter(({ config }) => this.#isHere(config));
    if (here.length === 0) return new Map();
    const { counters, memory } = await readHost(this.#proc, this.#deps.clock, signal);
    const facts: ServerFacts = {
      providerName: this.#deps.host,
      os: await systemName(),
      cores: counters.cpu?.cores,
      memory: memory.total,
      disks: [],
      addresses: ownAddresses(),
    };
    return new Map(here.map(({ name }) => [name, facts]));
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("interrupted", "the provider was closed", { permanent: false }));
  }

  #isHere({ host }: LocalServer): boolean {
    return host === undefined || host === this.#deps.host;
  }

  #look({ name, config }: ServerTarget<LocalServer>, signal: AbortSignal): Promise<Look> {
    return lookAt(name, signal, this.#deps, async () => {
      if (!this.#isHere(config)) {
        const args = { here: this.#deps.host, host: config.host ?? "" };
        throw new LookError("unreachable", { key: "look-local-elsewhere", args });
      }
      const sample = await readHost(this.#proc, this.#deps.clock, signal);
      return readingOf(name, this.#deps.host, sample, this.#deps, signal);
    });
  }
}

/** "Debian GNU/Linux 12 (bookworm)"; undefined where the system does not say. */
async function systemName(): Promise<string | undefined> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1];
}

/** Those that others can reach, public ones first. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !/^(?:fe80|169\.254)/i.test(address));
  const isPrivate = (address: string): boolean =>
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(address);
  const addresses = [...new Set(outside.map(({ address }) => address))];
  return addresses.sort((a, b) => Number(isPrivate(a)) - Number(isPrivate(b)));
}
