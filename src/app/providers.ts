import { AppError } from "../core/errors.ts";
import { createProvider, providerKindOf } from "../providers/index.ts";
import type { Provider, ProviderDeps } from "../providers/types.ts";
import type { Config } from "./config.ts";

/** The providers of the configuration, each opened when it is needed first, and shared. For workers. */
export interface Providers {
  /** By what `servers[].provider` says: an account, or a kind that needs none. @throws AppError `config` */
  readonly provider: (name: string) => Provider;
  close(): Promise<void>;
}

export function openProviders({ providers }: Pick<Config, "providers">, deps: ProviderDeps): Providers {
  const opened = new Map<string, Provider>();
  return {
    provider: (name) => {
      const known = opened.get(name);
      if (known) return known;
      const account = Object.hasOwn(providers, name) ? providers[name] : undefined;
      if (!account && providerKindOf(name).accountSchema)
        throw new AppError("config", `no provider is called ${name}`, {
          text: { key: "error-provider-unknown", args: { name } },
        });
      const fresh = account
        ? createProvider(account.kind, { name, config: account.config }, deps)
        : createProvider(name, undefined, deps);
      opened.set(name, fresh);
      return fresh;
    },
    close: async () => {
      await Promise.all([...opened.values()].map(async (provider) => await provider.close()));
    },
  };
}
