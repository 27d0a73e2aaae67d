import { AppError } from "../core/errors.ts";
import { loadedOnce, onDemand } from "../lib/on-demand.ts";
import type { Look, Power, Provider, ServerTarget } from "./types.ts";

/** What a provider has, told before its code is loaded. */
interface Parts {
  readonly facts?: true;
  readonly inventory?: true;
  readonly power?: Pick<Power, "actions" | "consoleUrl">;
}

/** A provider whose code is loaded when it is first asked for something: every process knows every kind. */
export function lazyProvider(load: () => Promise<Provider>, { facts, inventory, power }: Parts): Provider {
  const once = loadedOnce(load);
  let loaded: Promise<Provider> | undefined;
  let isClosed = false;
  const get = async (): Promise<Provider> => {
    if (isClosed) throw new AppError("interrupted", "the provider was closed", { permanent: false });
    loaded = once();
    return await loaded;
  };
  const part = async <K extends "power" | "inventory">(name: K): Promise<NonNullable<Provider[K]>> => {
    const found = (await get())[name];
    if (!found) throw new AppError("internal", `a provider says that it has ${name}, and has none`);
    return found;
  };
  async function* looks(servers: readonly ServerTarget[], signal: AbortSignal): AsyncGenerator<Look, void> {
    signal.throwIfAborted();
    yield* (await get()).looks(servers, signal);
  }
  return {
    looks,
    ...(facts && { facts: async (...how) => (await (await get()).facts?.(...how)) ?? new Map() }),
    ...(inventory && { inventory: onDemand(async () => await part("inventory")) }),
    ...(power && {
      power: {
        ...power,
        order: async (...how) => await (await part("power")).order(...how),
        facts: async (...how) => await (await part("power")).facts(...how),
        actionLog: async (...how) => await (await part("power")).actionLog(...how),
      },
    }),
    close: async () => {
      isClosed = true;
      await (await loaded?.catch(() => undefined))?.close();
    },
  };
}
