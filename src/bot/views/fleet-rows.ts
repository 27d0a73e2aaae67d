import type { Config } from "../../app/config.ts";
import { type FleetRow, markOfStand, redFirst, standOf } from "../../core/fleet.ts";
import type { Incident } from "../../core/incident.ts";
import { isUnseen } from "../../core/incident.ts";
import type { ServerState } from "../../core/server-state.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { ServerStates } from "../../state/servers.ts";
import { serverOf } from "../incident-text.ts";

export interface FleetDeps {
  readonly config: Pick<Config, "servers" | "stats">;
  readonly serverStates: Pick<ServerStates, "readAll">;
  readonly incidents: Pick<Incidents, "openIds" | "each">;
}

type Server = FleetDeps["config"]["servers"][number];

/** Every one of these servers as it stands, red ones first. */
export async function fleetRows(servers: readonly Server[], deps: FleetDeps, now: Date): Promise<FleetRow[]> {
  const [states, incidents] = await Promise.all([
    deps.serverStates.readAll(servers.map(({ name }) => name)),
    openByServer(deps.incidents),
  ]);
  return servers.map((server) => rowOf(server, states.get(server.name), incidents, deps, now)).toSorted(redFirst);
}

function rowOf(
  { name, labels }: Server,
  state: ServerState | undefined,
  incidents: ReadonlyMap<string, readonly Incident[]>,
  { config }: FleetDeps,
  now: Date,
): FleetRow {
  const open = incidents.get(name) ?? [];
  const stand = standOf(state, config.stats.every, now);
  return { name, labels, stand, mark: markOfStand(stand, state, open), incidents: open.length };
}

/** Open incidents that nobody keeps quiet, by the server that they name. */
export async function openByServer(
  incidents: Pick<Incidents, "openIds" | "each">,
): Promise<ReadonlyMap<string, readonly Incident[]>> {
  return (await openOfServers(incidents)).loud;
}

/** The same, and beside them how many of each server are open that somebody keeps quiet. */
export async function openOfServers(incidents: Pick<Incidents, "openIds" | "each">): Promise<{
  readonly loud: ReadonlyMap<string, readonly Incident[]>;
  readonly quiet: ReadonlyMap<string, number>;
}> {
  const loud = new Map<string, Incident[]>();
  const quiet = new Map<string, number>();
  for await (const incident of incidents.each(await incidents.openIds())) {
    if (incident.status !== "firing" || isUnseen(incident)) continue;
    const server = serverOf(incident)?.value;
    if (server === undefined) continue;
    const known = loud.get(server);
    if (incident.silenced) quiet.set(server, (quiet.get(server) ?? 0) + 1);
    else if (known) known.push(incident);
    else loud.set(server, [incident]);
  }
  return { loud, quiet };
}
