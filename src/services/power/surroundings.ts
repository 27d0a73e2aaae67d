import type { Config, ServerConfig } from "../../app/config.ts";
import { type Incident, isOpen, silenceable } from "../../core/incident.ts";
import type { Clock } from "../../core/ports.ts";
import type { PowerLook, PowerWork } from "../../core/power.ts";
import type { ServerFacts } from "../../core/server.ts";
import { severityRank } from "../../core/signal.ts";
import { explains, hostOf } from "../../core/silence.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { Presences } from "../../state/presence.ts";
import type { RestorationStates } from "../../state/restorations.ts";
import type { Runs } from "../../state/runs.ts";
import type { Verifications } from "../../state/verifications.ts";
import { hostOfBackup } from "../places.ts";
import { presenceWithinMs } from "../status.ts";

export interface SurroundingsDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly presences: Pick<Presences, "alive">;
  readonly runs: Pick<Runs, "unsettled">;
  readonly verifications: Pick<Verifications, "unsettled">;
  readonly restorationStates: Pick<RestorationStates, "unsettled">;
  readonly incidents: Pick<Incidents, "each" | "openIds">;
}

type Facts = Pick<ServerFacts, "providerName" | "addresses">;

/** So many incidents are named on a card. */
const shownIncidents = 5;
/** Labels in which the configuration may say what a server's host is called. */
const hostLabels = ["host", "hostname", "node", "nodename"];

/** What a server is called by others: its name at its provider, its addresses, the host that its labels name. */
export function aliasesOf(server: Pick<ServerConfig, "name" | "labels" | "host">, facts: Facts | undefined): string[] {
  const labels = hostLabels.flatMap((label) => server.labels[label] ?? []);
  const all = [facts?.providerName, server.host, ...labels, ...(facts?.addresses ?? [])];
  return [...new Set(all.flatMap((name) => (name === undefined || name === "" ? [] : name)))];
}

/** Open incidents that are about a server, the worst first. Our own words about its power are not among them, unless asked for. */
export async function incidentsOf(
  { incidents }: Pick<SurroundingsDeps, "incidents">,
  server: string,
  aliases: readonly string[],
  withOwn = false,
): Promise<Incident[]> {
  const about = { server, aliases, since: new Date(0).toISOString() };
  const found: Incident[] = [];
  for await (const incident of incidents.each(await incidents.openIds())) {
    const isOwn = withOwn && incident.source === "power" && incident.labels["server"] === server;
    if (isOpen(incident) && (isOwn || explains(about, silenceable(incident)))) found.push(incident);
  }
  return found.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity));
}

/** What runs on a server and reads or writes there, as far as Vakhta knows. */
export async function surroundingsOf(
  deps: SurroundingsDeps,
  server: ServerConfig,
  facts: Facts | undefined,
): Promise<Pick<PowerLook, "work" | "processes" | "isOnlyWorker" | "backups" | "incidents" | "incidentCount">> {
  const { config, clock, presences } = deps;
  const aliases = aliasesOf(server, facts);
  const names = new Set([server.name, ...aliases].map((name) => name.toLowerCase()));
  const alive = await presences.alive(clock.now(), presenceWithinMs);
  const here = alive.filter(({ host }) => names.has(host.toLowerCase()));
  const workers = alive.filter(({ role }) => role === "worker");
  const backups = config.backups.filter((backup) => isOn(config, backup, names)).map(({ name }) => name);
  const incidents = await incidentsOf(deps, server.name, aliases, true);
  return {
    work: await workOn(deps, names, new Set(backups)),
    processes: [...new Set(here.map(({ role }) => role))].toSorted(),
    isOnlyWorker: workers.length > 0 && workers.every(({ host }) => names.has(host.toLowerCase())),
    backups,
    incidents: incidents.slice(0, shownIncidents).map(({ title, severity }) => ({ title, severity })),
    incidentCount: incidents.length,
  };
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|::1|)$/;

/** Whether a backup's worker or its data is on a host of these names. */
function isOn(config: Config, { name, source }: Config["backups"][number], names: ReadonlySet<string>): boolean {
  const worker = hostOfBackup(config, name)?.toLowerCase();
  if (worker !== undefined && names.has(worker)) return true;
  const host = hostOfSource(source);
  return host !== undefined && host !== "" && names.has(host);
}

/** The host that a source's URL names; "": this very machine, or one that it does not name; undefined: it has no URL. */
export function hostOfSource(source: object): string | undefined {
  const { url } = source as { readonly url?: unknown };
  if (typeof url !== "string") return undefined;
  // "postgres://user:p@ss@db-1:5432/shop": only the host is of interest, and only that is kept.
  const host = hostOf(url.replace(/^([a-z+]+:\/\/)(?:.*@)?/i, "$1"));
  return loopback.test(host) ? "" : host;
}

/** What is under way there. */
async function workOn(
  { runs, verifications, restorationStates }: SurroundingsDeps,
  names: ReadonlySet<string>,
  backups: ReadonlySet<string>,
): Promise<PowerWork[]> {
  const isHere = ({ name, host }: { readonly name: string; readonly host?: string | undefined }): boolean =>
    backups.has(name) || (host !== undefined && names.has(host.toLowerCase()));
  const work: PowerWork[] = [];
  for (const run of await runs.unsettled())
    if (isHere(run)) work.push({ kind: run.finishedAt === undefined ? "backup" : "upload", name: run.name });
  for (const one of await verifications.unsettled()) if (isHere(one)) work.push({ kind: "verify", name: one.name });
  for (const one of await restorationStates.unsettled())
    if (isHere(one) && (one.status === "running" || one.status === "undoing"))
      work.push({ kind: "restore", name: one.name });
  return work;
}
