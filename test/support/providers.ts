import { pino } from "pino";
import type { Look, ProviderDeps, ServerTarget } from "../../src/providers/types.ts";

/** What providers are given in tests; what they remember is kept in `memories`, what they log in `lines`. */
export function providerDeps(overrides: Partial<ProviderDeps> = {}) {
  const memories = new Map<string, string>();
  const lines: string[] = [];
  const deps: ProviderDeps = {
    clock: { now: () => new Date() },
    logger: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }),
    host: "here",
    every: 300_000,
    memory: {
      read: async (name) => memories.get(name),
      write: async (name, memory) => void memories.set(name, memory),
    },
    rateLimit: () => ({ take: async (signal) => signal.throwIfAborted(), penalize: async () => undefined }),
    ...overrides,
  };
  return { deps, memories, lines };
}

/** All looks, in the order in which they came. */
export async function allLooks(looks: AsyncIterable<Look>): Promise<Look[]> {
  const all: Look[] = [];
  for await (const look of looks) all.push(look);
  return all;
}

/** A server as its kind's schema reads it. */
export function target(
  kind: { readonly serverSchema: { parse(entry: unknown): unknown } },
  name: string,
  entry: object,
) {
  return { name, config: kind.serverSchema.parse(entry) } satisfies ServerTarget;
}
