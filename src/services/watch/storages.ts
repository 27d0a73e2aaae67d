import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Presences } from "../../state/presence.ts";
import { type Unseen, unseenIn } from "../backup/unseen.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import { hostOfCopies } from "../places.ts";
import { workerHosts } from "../workers.ts";
import { type Finding, type Look, stamp, type WatchCheck } from "./types.ts";

/** A storage that could not be looked at for so long is told; milliseconds. */
const tellAfterMs = 3_600_000;

interface Deps {
  readonly config: Pick<Config, "backups" | "storages" | "timezone">;
  readonly clock: Clock;
  readonly catalogue: Pick<CachedCatalogue, "looks">;
  readonly presences: Presences;
}

/**
 * Whether every storage can be looked at: what is in one that cannot be nobody knows, and nobody could restore from it.
 * Where no worker is alive that could look, that is told by itself.
 */
export function storagesCheck(deps: Deps): WatchCheck {
  const { config } = deps;
  return {
    name: "storages",
    everyMs: 30_000,
    look: async (look) => {
      const alive = await workerHosts(deps);
      const found = new Map<string, Finding>();
      for (const { name, storages } of config.backups) {
        const looks = await deps.catalogue.looks(storages, name);
        for (const [index, storage] of storages.entries()) {
          const unseen = unseenIn(storage, looks[index], look.now);
          if (!unseen || unseen.why === "unreadable") continue;
          const finding = findingOf(unseen, hostOfCopies(config, storage, name), { look, alive, config });
          if (finding && !found.has(finding.fingerprint)) found.set(finding.fingerprint, finding);
        }
      }
      return [...found.values()];
    },
  };
}

/** One that was never looked at counts from when the watch woke up: Redis may just have been emptied. */
function sinceOf(since: string | undefined, { awakeSince }: Look): Date {
  return since === undefined ? awakeSince : new Date(since);
}

function findingOf(
  { storage, since: from, error }: Unseen,
  host: string | undefined,
  { look, alive, config }: { look: Look; alive: ReadonlySet<string>; config: Deps["config"] },
): Finding | undefined {
  const fingerprint = host === undefined ? `unseen:${storage}` : `unseen:${storage}@${host}`;
  // Told once: what the reason says may change with every attempt.
  const known = look.open.get(fingerprint);
  if (known) return known;
  const isServed = host === undefined ? alive.size > 0 : alive.has(host);
  const since = sinceOf(from, look);
  if (!isServed || look.now.getTime() - since.getTime() < tellAfterMs) return undefined;
  const at = stamp(since, config.timezone);
  return {
    fingerprint,
    severity: "warning",
    title: { key: "watch-unseen", args: { storage } },
    text: error
      ? { key: "watch-unseen-text", args: { storage, at, reason: error.message } }
      : { key: "watch-unseen-old-text", args: { storage, at } },
    labels: { storage, ...(host === undefined ? {} : { host }) },
    since,
  };
}
