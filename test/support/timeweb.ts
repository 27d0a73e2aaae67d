import { pino } from "pino";
import { onTestFinished } from "vitest";
import type { ServerReading } from "../../src/core/server.ts";
import { createProvider } from "../../src/providers/index.ts";
import { timewebAccountSchema } from "../../src/providers/timeweb/schema.ts";
import type { Look, Provider, ProviderDeps, RateLimit, ServerTarget } from "../../src/providers/types.ts";
import {
  startTimewebSandbox,
  type TimewebSandbox,
  type TimewebSandboxOptions,
} from "../../src/sandbox/timeweb/index.ts";
import { ManualClock } from "./state.ts";

/** Everything at once. */
export const noLimit: RateLimit = {
  take: async (signal) => signal.throwIfAborted(),
  penalize: () => Promise.resolve(),
};

/** Never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** A sandbox and a provider of its account, on one clock; closed when the test is over. */
export interface TimewebWorld {
  readonly sandbox: TimewebSandbox;
  readonly provider: Provider;
  readonly clock: ManualClock;
}

/** What a provider needs; its memory is the process's. */
export function providerDeps(clock: ProviderDeps["clock"], parts: Partial<ProviderDeps> = {}): ProviderDeps {
  const memory = new Map<string, string>();
  return {
    clock,
    logger: pino({ level: "silent" }),
    host: "here",
    every: 300_000,
    memory: {
      read: (name) => Promise.resolve(memory.get(name)),
      write: (name, text) => Promise.resolve(void memory.set(name, text)),
    },
    rateLimit: () => noLimit,
    ...parts,
  };
}

/** Starts a sandbox with servers 101 (web-1) and 102 (web-2), unless told otherwise. */
export async function startTimeweb(
  options: TimewebSandboxOptions = {},
  deps: Partial<ProviderDeps> = {},
): Promise<TimewebWorld> {
  const clock = new ManualClock();
  const sandbox = await startTimewebSandbox({
    clock,
    servers: [
      { id: 101, name: "web-1", ram: 4096 },
      { id: 102, name: "web-2", ram: 2048 },
    ],
    ...options,
  });
  const provider = openTimeweb(sandbox, clock, deps);
  onTestFinished(() => sandbox.close());
  return { sandbox, provider, clock };
}

/** A provider of a sandbox's account, as another process would have one. */
export function openTimeweb(
  sandbox: TimewebSandbox,
  clock: ProviderDeps["clock"],
  deps: Partial<ProviderDeps> = {},
  account: object = {},
): Provider {
  const config = timewebAccountSchema.parse({ token: sandbox.token, apiUrl: sandbox.url, ...account });
  const provider = createProvider("timeweb", { name: "timeweb", config }, providerDeps(clock, deps));
  onTestFinished(() => provider.close());
  return provider;
}

/** A server of the configuration, by its id: "s101". */
export const target = (id: number): ServerTarget => ({ name: `s${id}`, config: { id } });

/** The looks at these, by name. */
export async function looksAt(provider: Provider, ...ids: readonly number[]): Promise<Map<string, Look>> {
  const looks = new Map<string, Look>();
  for await (const look of provider.looks(ids.map(target), never)) looks.set(look.name, look);
  return looks;
}

/** The look at one. */
export async function lookAt(provider: Provider, id: number): Promise<Look> {
  const look = (await looksAt(provider, id)).get(`s${id}`);
  if (!look) throw new Error(`no look at ${id}`);
  return look;
}

/** The reading of one that can be read. */
export async function readingOf(provider: Provider, id: number): Promise<ServerReading> {
  const look = await lookAt(provider, id);
  if ("failure" in look) throw new Error(`${look.failure}: ${look.reason.key}`);
  return look.reading;
}
