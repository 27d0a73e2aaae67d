import type { Manifest } from "../../core/manifest.ts";
import type { Preflight, Restoration } from "../../core/restoration.ts";
import { estimateRestore } from "../restore/estimate.ts";
import type { RestoreDeps } from "./deps.ts";

/** So many newest backups tell how long the next one takes. */
const newestRuns = 10;

/** How long a restore will take as far as anything was ever measured, the backup before it included. */
export async function estimateOf(
  { config, verifications, runs, host }: Pick<RestoreDeps, "config" | "verifications" | "runs" | "host">,
  { name, kind, only }: Restoration,
  manifest: Manifest,
  options: { readonly storage: string; readonly withBackup: boolean },
): Promise<Preflight["estimate"]> {
  const times = await verifications.restores(name);
  const alike = config.backups.filter((backup) => backup.name !== name && backup.source.kind === kind);
  const others = (await Promise.all(alike.map((backup) => verifications.restores(backup.name)))).flat();
  const route = { storage: options.storage, host, ...(only === undefined ? {} : { only }) };
  const restore = estimateRestore(times, manifest, others, route);
  if (!restore) return undefined;
  const backupMs = options.withBackup ? await backupTime(runs, name) : undefined;
  return {
    totalMs: restore.totalMs + (backupMs ?? 0),
    ...(backupMs === undefined ? {} : { backupMs }),
    measured: restore.measured,
  };
}

/** The median of the newest ones, milliseconds. */
async function backupTime(runs: RestoreDeps["runs"], name: string): Promise<number | undefined> {
  const took = (await runs.list(name, newestRuns))
    .flatMap(({ status, startedAt, finishedAt }) =>
      (status === "succeeded" || status === "degraded") && startedAt !== undefined && finishedAt !== undefined
        ? [Date.parse(finishedAt) - Date.parse(startedAt)]
        : [],
    )
    .toSorted((a, b) => a - b);
  return took[Math.floor(took.length / 2)];
}
