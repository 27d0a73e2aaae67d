import type { Config, ServerConfig } from "../../app/config.ts";
import { dueSlices, inSlice, slicesOf } from "../../core/polls.ts";
import type { Clock } from "../../core/ports.ts";
import { findProviderKind } from "../../providers/index.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Presences } from "../../state/presence.ts";
import type { ServerStates } from "../../state/servers.ts";
import { workerHosts } from "../workers.ts";

export interface PollsDeps {
  readonly config: Pick<Config, "servers" | "stats">;
  readonly clock: Clock;
  readonly producer: Pick<Producer, "enqueue">;
  readonly presences: Presences;
  readonly serverStates: ServerStates;
}

/** So many new servers are looked at at once, before their own turn comes. */
const mostNew = 20;

/**
 * Begins the polls whose turn it is, and those of a few new servers: who has just configured one wants to see it. Each
 * batch has an id that follows from its turn, and how far it got is recorded afterwards: a tick that runs twice, or on two
 * workers, or is killed in between, looks at nobody twice.
 */
export async function beginPolls(deps: PollsDeps): Promise<{ readonly batches: number }> {
  const { config, clock, serverStates } = deps;
  const { every } = config.stats;
  if (config.servers.length === 0) return { batches: 0 };
  const now = clock.now();
  const { clock: reached, slices } = dueSlices(await serverStates.clock(), every, now);
  const known = await serverStates.known();
  const fresh = new Set(config.servers.filter(({ name }) => !known.has(name)).slice(0, mostNew));
  let batches = 0;
  const begin = async (servers: readonly ServerConfig[], turn: string, slice: number): Promise<void> => {
    for (const { provider, host, servers: its } of await batchesOf(deps, servers)) {
      const place = `${provider}@${host ?? ""}`.replaceAll(":", "_");
      const names = its.map(({ name }) => name);
      await deps.producer.enqueue(
        "poll",
        { provider, servers: names, turn: `${place} ${turn}`, at: now.getTime() },
        { id: `poll-${place}-${turn}-${reached.epoch}-${slice}`, host },
      );
      batches += 1;
    }
  };
  for (const slice of slices) {
    const due = inSlice(config.servers, slice, every).filter((server) => !fresh.has(server));
    await begin(due, String(slice % slicesOf(every)), slice);
  }
  await begin([...fresh], "new", reached.slice);
  if (slices.length > 0) await serverStates.setClock(reached);
  return { batches };
}

/** Looks at one server before its turn; `why` makes it unique. One that is bound to its host is left to its turn. */
export async function pollSoon(
  { producer, clock }: Pick<PollsDeps, "producer" | "clock">,
  server: ServerConfig,
  why: string,
): Promise<void> {
  if (isBound(server)) return;
  const { name, provider } = server;
  const batch = { provider, servers: [name], turn: why, at: clock.now().getTime() };
  await producer.enqueue("poll", batch, { id: `poll-${why}` });
}

interface Batch {
  readonly provider: string;
  readonly host: string | undefined;
  readonly servers: readonly ServerConfig[];
}

/** Servers by who looks at them. Nothing is put into the queue of a host without a worker: it would only pile up there. */
async function batchesOf(deps: PollsDeps, servers: readonly ServerConfig[]): Promise<Batch[]> {
  const bound = servers.filter(isBound);
  const hosts = bound.length > 0 ? await hostsOf(deps, bound) : new Map<string, string>();
  const placed = servers.filter((server) => !isBound(server) || hosts.has(server.name));
  const groups = Map.groupBy(placed, ({ name, provider }) => JSON.stringify([provider, hosts.get(name) ?? null]));
  return [...groups].map(([key, its]) => {
    const [provider, host] = JSON.parse(key) as [string, string | null];
    return { provider, host: host ?? undefined, servers: its };
  });
}

/** Whether it has to be looked at from its own host. */
export function isBound({ kind }: Pick<ServerConfig, "kind">): boolean {
  return findProviderKind(kind)?.onHost ?? false;
}

/** Whose worker looks at each; one without a host is the only worker's, or whose it was before there were several. */
async function hostsOf(deps: PollsDeps, servers: readonly ServerConfig[]): Promise<Map<string, string>> {
  const alive = await workerHosts(deps);
  const [any] = [...alive].toSorted();
  const result = new Map<string, string>();
  for (const { name, host } of servers) {
    const known = host ?? (await deps.serverStates.read(name))?.host;
    const chosen = known !== undefined && (host !== undefined || alive.has(known)) ? known : any;
    if (chosen !== undefined && alive.has(chosen)) result.set(name, chosen);
  }
  return result;
}
