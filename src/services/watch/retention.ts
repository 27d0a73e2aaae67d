import type { Config } from "../../app/config.ts";
import { identityOf } from "../../core/signal.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { RetentionState } from "../../state/prunes.ts";
import { findAnomaly, type SizesDeps } from "../backup/sizes.ts";
import type { Finding, WatchCheck } from "./types.ts";

interface Deps extends SizesDeps {
  readonly config: Pick<Config, "backups">;
  readonly incidents: Incidents;
}

/** Whether what should go could be removed, and whether everything in the storages can be read. */
export function retentionCheck({ config, prunes }: Pick<Deps, "config" | "prunes">): WatchCheck {
  return {
    name: "retention",
    everyMs: 15_000,
    look: async () => {
      const isKept = (storage: string, name: string): boolean =>
        config.backups.some((backup) => backup.name === name && backup.storages.includes(storage));
      const states = (await prunes.states()).filter(({ storage, name }) => isKept(storage, name));
      return states.flatMap(({ storage, name, state }) => findingsOf(storage, name, state));
    },
  };
}

function findingsOf(storage: string, name: string, { error, unreadable = 0 }: RetentionState): Finding[] {
  const labels = { backup: name, storage };
  const found: Finding[] = [];
  if (error) {
    const reason = error.message;
    found.push({
      fingerprint: `retention:${name}:${storage}`,
      severity: "warning",
      title: { key: "watch-retention", args: { name, storage } },
      text: { key: "watch-retention-text", args: { storage, reason } },
      labels,
    });
  }
  if (unreadable > 0) {
    found.push({
      fingerprint: `unreadable:${name}:${storage}`,
      severity: "warning",
      title: { key: "watch-unreadable", args: { name, storage } },
      text: { key: "watch-unreadable-text", args: { count: unreadable, countText: String(unreadable) } },
      labels,
    });
  }
  return found;
}

/**
 * Whether the newest backups are as large as those before them. Who closes such an incident says that the size is
 * right: it is the measure of those after it, and the retention goes on.
 */
export function sizesCheck(deps: Deps): WatchCheck {
  const { config, prunes, incidents } = deps;
  return {
    name: "sizes",
    everyMs: 30_000,
    look: async () => {
      const found: Finding[] = [];
      for (const backup of config.backups) {
        const anomaly = await findAnomaly(deps, backup);
        if (!anomaly) continue;
        const { name } = backup;
        const fingerprint = `size:${anomaly.id}`;
        const title = { key: "watch-anomaly", args: { name } };
        const identity = identityOf({
          source: "watch",
          fingerprint,
          status: "firing",
          severity: "warning",
          title,
          labels: {},
        });
        if ((await incidents.find(identity))?.incident.status === "closed") {
          await prunes.measureSizes(name, { bytes: anomaly.bytes, since: anomaly.startedAt });
          continue;
        }
        const run = anomaly.id.replace(/\/$/, "").split("-").at(-1) ?? anomaly.id;
        const args = { name, run, size: sizeWords(anomaly.bytes), usual: sizeWords(anomaly.medianBytes) };
        found.push({
          fingerprint,
          severity: "warning",
          title,
          text: { key: "watch-anomaly-text", args },
          labels: { backup: name },
          since: anomaly.startedAt,
        });
      }
      return found;
    },
  };
}

/** For readers of any language: "25.6 MB". */
function sizeWords(bytes: number): string {
  const steps = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${steps[step] ?? "B"}`;
}
