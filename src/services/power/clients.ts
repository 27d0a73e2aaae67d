import type { BackupConfig, Config, ServerConfig } from "../../app/config.ts";
import { toAppError } from "../../core/errors.ts";
import type { PowerClients } from "../../core/power.ts";
import type { ServerFacts } from "../../core/server.ts";
import type { Source } from "../../sources/types.ts";
import { hostOfBackup } from "../places.ts";
import { aliasesOf, hostOfSource } from "./surroundings.ts";

export interface ClientsDeps {
  readonly config: Config;
  /** Of this worker. */
  readonly host: string;
  readonly source: (settings: BackupConfig["source"]) => Source;
}

/** So many database servers are asked at once. */
const mostAsked = 3;
/** So many groups are kept of each. */
const mostGroups = 6;
/** For one of them; milliseconds. A server that does not answer must not hold up its own reboot. */
const askMs = 8000;

/** Who is connected to the database servers on a server: by the sources of the backups that are made of them. */
export async function clientsOn(
  deps: ClientsDeps,
  server: ServerConfig,
  facts: Pick<ServerFacts, "providerName" | "addresses">,
  signal: AbortSignal,
): Promise<PowerClients[]> {
  const names = new Set([server.name, ...aliasesOf(server, facts)].map((name) => name.toLowerCase()));
  const asked = new Set<string>();
  const chosen = deps.config.backups.flatMap((backup) => {
    if (backup.source.kind !== "postgres" || !isReachable(deps, backup, names)) return [];
    // Several databases of one server: it is asked once.
    const where = placeOf(backup.source.url);
    if (asked.has(where)) return [];
    asked.add(where);
    return [backup];
  });
  return await Promise.all(chosen.slice(0, mostAsked).map(async (backup) => await clientsOf(deps, backup, signal)));
}

/** Its data is there, and what "localhost" means in its URL is that machine also from here. */
function isReachable({ config, host }: ClientsDeps, backup: BackupConfig, names: ReadonlySet<string>): boolean {
  const there = hostOfSource(backup.source);
  if (there !== "") return there !== undefined && names.has(there);
  const worker = hostOfBackup(config, backup.name) ?? host;
  return worker === host && names.has(host.toLowerCase());
}

/** "db-1:5432", without who connects to what. */
function placeOf(url: string): string {
  return url
    .replace(/^[a-z+]+:\/\/(?:.*@)?/i, "")
    .replace(/[/?].*$/s, "")
    .toLowerCase();
}

async function clientsOf(
  { source }: ClientsDeps,
  { name, source: settings }: BackupConfig,
  signal: AbortSignal,
): Promise<PowerClients> {
  try {
    const told = await source(settings).clients?.(signal, askMs);
    return told ? { backup: name, total: told.total, groups: told.groups.slice(0, mostGroups) } : { backup: name };
  } catch (cause) {
    signal.throwIfAborted();
    const { code, message, text } = toAppError(cause, "source-unreachable");
    return { backup: name, error: { code, message, ...(text ? { text } : {}) } };
  }
}
