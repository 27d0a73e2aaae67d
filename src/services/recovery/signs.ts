import type { Config, ServerConfig } from "../../app/config.ts";
import type { Incident } from "../../core/incident.ts";
import type { Sign } from "../../core/recovery.ts";
import type { ServerState } from "../../core/server-state.ts";
import { hostOf } from "../../core/silence.ts";
import { stamp } from "../stamp.ts";

/** What is known of the servers at a moment. */
export interface Known {
  readonly config: Pick<Config, "servers" | "timezone" | "stats">;
  readonly states: ReadonlyMap<string, ServerState>;
  readonly now: Date;
}

/** Where nothing answers, or nothing was measured: what else can go wrong says nothing of the server itself. */
const silences: ReadonlySet<string> = new Set(["unreachable", "no-data"]);
/** One failed look is a mishap. */
const looksInARow = 2;
/** A look that is older than so many intervals says nothing of now. */
const freshIntervals = 2.5;
/** Whose incidents are no sign: they tell the same as the looks, or of our own doing. */
const ownSources: ReadonlySet<string> = new Set(["watch", "power", "servers"]);

/** Whether what was found of a server is of now. */
function isFresh({ lookedAt }: ServerState, { config, now }: Known): boolean {
  return Math.abs(now.getTime() - lookedAt.getTime()) <= freshIntervals * config.stats.every;
}

/** That looks at it find nothing where something should be; undefined: they do, or it is not their affair to say. */
export function silenceSign(server: ServerConfig, of: "silence" | "exporter", known: Known): Sign | undefined {
  const state = known.states.get(server.name);
  const { failure } = state ?? {};
  if (!state || !failure || failure.ofApi || failure.count < looksInARow || !isFresh(state, known)) return undefined;
  if (!silences.has(failure.kind)) return undefined;
  const since = stamp(failure.since, known.config.timezone);
  return {
    class: of,
    isSilence: true,
    since: failure.since,
    text: { key: `recovery-sign-${of}`, args: { server: server.name, since, reason: failure.reason } },
  };
}

/** Entries of the configuration that are measured on a machine itself, by the host in their address. */
export function exportersByHost({ servers }: Pick<Config, "servers">): ReadonlyMap<string, readonly ServerConfig[]> {
  const exporters = servers.flatMap((server) => {
    const { url } = Object(server.config) as { readonly url?: unknown };
    return typeof url === "string" ? [{ host: hostOf(url), server }] : [];
  });
  const groups = Map.groupBy(exporters, ({ host }) => host);
  return new Map([...groups].map(([host, all]) => [host, all.map(({ server }) => server)]));
}

/** That something is reported of it: missing heartbeats, failing checks, rules and alerts of others. */
export function incidentSigns(incidents: readonly Incident[], { config }: Known): Sign[] {
  return incidents.flatMap((incident): Sign[] => {
    const { source, severity, title, firedAt, flapping } = incident;
    const isHeartbeat = source === "heartbeat";
    if (ownSources.has(source) || flapping || (severity !== "critical" && !isHeartbeat)) return [];
    const at = new Date(firedAt);
    const since = stamp(at, config.timezone);
    const args = { title, since };
    return [{ class: source, isSilence: isHeartbeat, since: at, text: { key: "recovery-sign-incident", args } }];
  });
}
