import type { Config, ServerConfig } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import type { PowerAction } from "../../core/power.ts";
import { findProviderKind, providerKinds } from "../../providers/index.ts";
import type { ServerTarget } from "../../providers/types.ts";

type Servers = Pick<Config, "servers">;

/** The configured server of this name, however its case is written; undefined: none. */
export function findServer({ servers }: Servers, name: string): ServerConfig | undefined {
  const wanted = name.trim().toLowerCase();
  return servers.find((server) => server.name === name) ?? servers.find((one) => one.name.toLowerCase() === wanted);
}

/** What can be asked of its power; nothing, where its provider has no hand on it. */
export function powerActionsOf({ kind }: Pick<ServerConfig, "kind">): readonly PowerAction[] {
  return findProviderKind(kind)?.power ?? [];
}

/** Kinds of providers that have a hand on the power of their servers. */
export function kindsWithPower(): string[] {
  return providerKinds.filter((kind) => powerActionsOf({ kind }).length > 0);
}

/** Servers of which this can be asked, in the order of the configuration. */
export function serversFor({ servers }: Servers, actions: readonly PowerAction[]): ServerConfig[] {
  return servers.filter((server) => powerActionsOf(server).some((action) => actions.includes(action)));
}

/** As providers know it. */
export function targetOf({ name, config }: ServerConfig): ServerTarget {
  return { name, config };
}

/** The server, where its power can be asked for this. @throws AppError not-found, conflict */
export function requirePower(config: Servers, name: string, action: PowerAction): ServerConfig {
  const server = findServer(config, name);
  if (!server) {
    const text = { key: "error-power-no-server", args: { server: name } };
    throw new AppError("not-found", `no server is called ${name}`, { text });
  }
  if (powerActionsOf(server).includes(action)) return server;
  const text = { key: "error-power-none", args: { server: server.name, provider: server.provider } };
  throw new AppError("conflict", `provider ${server.provider} has no hand on the power of ${server.name}`, { text });
}
