import { AppError } from "../core/errors.ts";
import { localProvider } from "./local/index.ts";
import { nodeExporterProvider } from "./node-exporter/index.ts";
import { timewebProvider } from "./timeweb/index.ts";
import type { Provider, ProviderDeps, ProviderKind } from "./types.ts";

/** Every kind of provider: a new one is a folder beside this file and one line here. */
const kinds: readonly ProviderKind[] = [timewebProvider, nodeExporterProvider, localProvider];

const byKind = new Map<string, ProviderKind>();
for (const kind of kinds) {
  if (byKind.has(kind.kind)) throw new AppError("internal", `two providers are called ${kind.kind}`);
  byKind.set(kind.kind, kind);
}

/** Names of all kinds, for the configuration and for the suite that walks over them. */
export const providerKinds: readonly string[] = [...byKind.keys()];

/** The kind with this name, if this version knows it. */
export function findProviderKind(kind: string): ProviderKind | undefined {
  return byKind.get(kind);
}

/** The kind with this name. @throws AppError `config` */
export function providerKindOf(kind: string): ProviderKind {
  const found = findProviderKind(kind);
  if (found === undefined) throw new AppError("config", `there is no provider of kind ${kind}`);
  return found;
}

/**
 * An opened provider. `account`: its name and what the kind's `accountSchema` made of its settings; undefined for kinds
 * without accounts. Connects to nothing yet.
 */
export function createProvider(
  kind: string,
  account: { readonly name: string; readonly config: unknown } | undefined,
  deps: ProviderDeps,
): Provider {
  return providerKindOf(kind).create(account, deps);
}
