import type { Config } from "../../app/config.ts";
import type { RestorationPlace } from "../../core/restoration.ts";
import type { Text } from "../../core/text.ts";
import { findKind } from "../../sources/index.ts";
import type { VerifiableBackup, VerificationOrders } from "../backup/verifications.ts";
import { wallTime } from "../stamp.ts";

/** What can be done with the backups of a name. */
export interface RestoreChoices {
  /** Where to; empty: only downloads and the command line, and `reason` says why. */
  readonly places: readonly RestorationPlace[];
  /** What a part of it is called that can be restored alone; undefined: only all of it. */
  readonly picks?: "schema" | "path" | "prefix";
  /** Where a part can go to. */
  readonly pickPlaces: readonly RestorationPlace[];
  /** It has roles that the server's can be compared with. */
  readonly globals?: true;
  /** Databases in the backup, where it is of several: one of them has to be chosen. */
  readonly databases?: readonly string[];
  /** Why a place, or all of them, is not offered. */
  readonly reason?: Text;
}

interface Parts {
  readonly picks: NonNullable<RestoreChoices["picks"]>;
  readonly places: readonly RestorationPlace[];
}

const pathParts: Parts = { picks: "path", places: ["in-place", "beside"] };

/** What each kind can restore a part of. */
const picks: Readonly<Record<string, Parts>> = {
  postgres: { picks: "schema", places: ["beside"] },
  files: pathParts,
  config: pathParts,
  s3: { picks: "prefix", places: ["in-place", "beside"] },
};

/** What can be done with this backup, or with the newest one of the name. */
export async function restoreChoices(
  { config, verificationOrders }: { readonly config: Config; readonly verificationOrders: VerificationOrders },
  name: string,
  backup?: string,
): Promise<RestoreChoices> {
  const settings = config.backups.find((candidate) => candidate.name === name);
  if (!settings)
    return { places: [], pickPlaces: [], reason: { key: "restoration-reason-unconfigured", args: { name } } };
  const kind = findKind(settings.source.kind);
  const places: RestorationPlace[] = [
    ...(kind?.replacer ? (["in-place"] as const) : []),
    ...(kind?.beside ? (["beside"] as const) : []),
  ];
  const { kind: source } = settings.source;
  if (places.length === 0)
    return { places, pickPlaces: [], reason: { key: "restoration-reason-kind", args: { kind: source } } };
  const chosen =
    backup === undefined
      ? (await verificationOrders.backups(name, 1))[0]
      : await verificationOrders.backup(name, backup);
  if (chosen && chosen.manifest.kind !== source) {
    const args = { kind: source, was: chosen.manifest.kind };
    return { places: [], pickPlaces: [], reason: { key: "restoration-reason-other-kind", args } };
  }
  const part = picks[source];
  const pickPlaces = places.filter((place) => part?.places.includes(place));
  const databases = chosen && databasesOf(chosen);
  return {
    places,
    pickPlaces,
    ...(part && pickPlaces.length > 0 ? { picks: part.picks } : {}),
    ...(kind?.globals && chosen?.manifest.parts.some(({ role }) => role === "globals") ? { globals: true } : {}),
    ...(databases && databases.length > 0 ? { databases } : {}),
    ...(places.length === 1 ? { reason: { key: `restoration-reason-only-${places[0]}`, args: { kind: source } } } : {}),
  };
}

/** Of a backup of several databases their names. */
export function databasesOf({ manifest }: Pick<VerifiableBackup, "manifest">): string[] {
  if (manifest.kind !== "postgres") return [];
  const names = manifest.parts.flatMap(({ role, database }) =>
    role === "artifact" && database !== undefined ? [database] : [],
  );
  return names.length > 1 || manifest.source["databases"] !== undefined ? names : [];
}

/** What a restore beside is called unless a person says otherwise. */
export function besideName(
  { config, clock }: { readonly config: Config; readonly clock: { now(): Date } },
  name: string,
  parts: { readonly only?: string; readonly pick?: string } = {},
): string | undefined {
  const settings = config.backups.find((candidate) => candidate.name === name);
  const kind = settings && findKind(settings.source.kind);
  // "2026-03-01 03:00" as part of a name.
  const now = wallTime(clock.now(), config.timezone).replaceAll(/[-:]/g, "").replace(" ", "-");
  return settings && kind?.besideName?.(settings.source, { ...parts, stamp: now });
}
