import type { Config } from "../../app/config.ts";
import { overdue } from "../../core/polls.ts";
import type { Presences } from "../../state/presence.ts";
import type { ServerStates } from "../../state/servers.ts";
import { isBound } from "../servers/polls.ts";
import { workerHosts } from "../workers.ts";
import type { WatchCheck } from "./types.ts";

interface Deps {
  readonly config: Pick<Config, "servers" | "stats">;
  readonly clock: { now(): Date };
  readonly serverStates: ServerStates;
  readonly presences: Presences;
}

/** So many names are told. */
const mostNames = 5;

/** Names of servers whose polls are overdue. `since`: since when somebody has been looking. */
export async function overdueServers(
  { config, serverStates }: Pick<Deps, "config" | "serverStates">,
  look: { readonly now: Date; readonly since: Date },
): Promise<string[]> {
  const { servers, stats } = config;
  if (servers.length === 0) return [];
  const states = await serverStates.readAll(servers.map(({ name }) => name));
  const known = await serverStates.known();
  const late = overdue(
    servers,
    (name) => states.get(name)?.lookedAt,
    (name) => known.get(name)?.since,
    stats.every,
    look,
  );
  return late.map(({ name }) => name);
}

/** Whether every server is looked at. One whose host has no worker is that one's fault, which is told by itself. */
export function pollsCheck(deps: Deps): WatchCheck {
  const { config, presences } = deps;
  return {
    name: "polls",
    everyMs: 30_000,
    look: async ({ now, awakeSince, open }) => {
      if (config.servers.length === 0) return [];
      const hosts = await workerHosts({ presences, clock: deps.clock });
      // Without any worker that is what is told, and what was found before is neither over nor news.
      if (hosts.size === 0) return [...open.values()];
      const absent = new Set(
        config.servers.flatMap((server) =>
          isBound(server) && server.host !== undefined && !hosts.has(server.host) ? [server.name] : [],
        ),
      );
      const late = (await overdueServers(deps, { now, since: awakeSince })).filter((name) => !absent.has(name));
      if (late.length === 0) return [];
      const names = late.slice(0, mostNames).join(", ");
      const args = { servers: late.length, names: late.length > mostNames ? `${names}, …` : names };
      const known = open.get("polls");
      // How many they are changes all the time; that it becomes far more is news.
      const before = Number(known?.title.args?.["servers"] ?? 0);
      if (known && late.length <= 2 * before && late.length * 2 >= before) return [known];
      return [
        {
          fingerprint: "polls",
          severity: "warning",
          title: { key: "watch-polls", args },
          text: { key: "watch-polls-text", args },
        },
      ];
    },
  };
}
