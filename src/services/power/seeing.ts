import type { Config, ServerConfig } from "../../app/config.ts";
import { hostOf } from "../../core/silence.ts";
import type { Look, Provider } from "../../providers/types.ts";
import { targetOf } from "./servers.ts";

/** True for measurements of one that is on. */
export function isReadingOn(look: Look): boolean {
  return "reading" in look && (look.reading.status === undefined || look.reading.status === "on");
}

/** Other entries of the configuration that are measured on the very same machine: `url: http://<its address>:9100`. */
export function companionsOf({ servers }: Config, server: ServerConfig, aliases: readonly string[]): ServerConfig[] {
  const names = new Set([server.name, ...aliases].map((name) => name.toLowerCase()));
  return servers.filter((other) => {
    const { url } = Object(other.config) as { readonly url?: unknown };
    return other.name !== server.name && typeof url === "string" && names.has(hostOf(url));
  });
}

/** One look at one server; undefined when there was no time for it. */
export async function lookThrough(
  provider: Provider,
  server: ServerConfig,
  signal: AbortSignal,
): Promise<Look | undefined> {
  try {
    for await (const look of provider.looks([targetOf(server)], signal)) return look;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

/** Whether a server, or what is measured on the same machine, answers at this moment. */
export async function answersNow(
  { config, provider }: { readonly config: Config; readonly provider: (name: string) => Provider },
  server: ServerConfig,
  aliases: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const all = [server, ...companionsOf(config, server, aliases)];
  const looks = await Promise.all(all.map(async (one) => await lookThrough(provider(one.provider), one, signal)));
  return looks.some((look) => look !== undefined && isReadingOn(look));
}
