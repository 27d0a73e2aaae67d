import type { Config } from "../../app/config.ts";
import type { Presence, Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { type Finding, type Look, lastSign, missing, needsWorker, stamp, type WatchCheck } from "./types.ts";

interface Deps {
  readonly config: Pick<Config, "backups" | "servers" | "storages" | "timezone">;
  readonly presences: Presences;
  readonly watchState: WatchState;
}

/** Hosts that the configuration names: a worker of theirs is needed. */
export function configuredHosts(config: Pick<Config, "backups" | "servers" | "storages">): ReadonlySet<string> {
  const storages = Object.values(config.storages).map((storage) => ("host" in storage ? storage.host : undefined));
  const hosts = [...config.backups.map(({ host }) => host), ...config.servers.map(({ host }) => host), ...storages];
  return new Set(hosts.filter((host) => host !== undefined));
}

/** Who is missed, given when each was seen last: "worker" for any, "worker@<host>" for that of a host. */
export function missingWorkers(
  hosts: ReadonlySet<string>,
  seen: ReadonlyMap<string, Date>,
  look: Look,
  timezone: string,
): Finding[] {
  const seenAt = (who: string): Date => seen.get(who) ?? new Date(0);
  const all = missing("worker", seenAt("worker"), look, (since) => ({
    severity: "critical",
    title: { key: "watch-no-worker" },
    text: { key: "watch-no-worker-text", args: { at: stamp(since, timezone) } },
  }));
  // Beside the whole nobody needs its parts; what was told before stays told.
  if (all) return [all, ...[...look.open.values()].filter(({ fingerprint }) => fingerprint !== all.fingerprint)];
  const found = [...hosts].map((host) =>
    missing(`worker@${host}`, seenAt(`worker@${host}`), look, (since) => ({
      severity: "warning",
      title: { key: "watch-no-host", args: { host } },
      text: { key: "watch-no-host-text", args: { host, at: stamp(since, timezone) } },
      labels: { host },
    })),
  );
  return found.filter((finding) => finding !== undefined);
}

/** Whether workers are alive: one at all, and one on each host that the configuration names. */
export function workersCheck({ config, presences, watchState }: Deps): WatchCheck {
  return {
    name: "workers",
    look: async (look) => {
      if (!needsWorker(config)) return [];
      const hosts = configuredHosts(config);
      const alive = (await presences.alive(look.now, presenceWithinMs)).filter(({ role }) => role === "worker");
      for (const who of new Set(alive.flatMap(namesOf))) {
        const sign = lastSign(alive.filter((one) => namesOf(one).includes(who)));
        if (sign) await watchState.see(who, sign);
      }
      const names = ["worker", ...[...hosts].map((host) => `worker@${host}`)];
      const seen = new Map(await Promise.all(names.map(async (who) => [who, await watchState.seen(who)] as const)));
      return missingWorkers(hosts, seen, look, config.timezone);
    },
  };
}

function namesOf({ host }: Presence): string[] {
  return ["worker", `worker@${host}`];
}
