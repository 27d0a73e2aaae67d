import type { Manifest } from "../../../core/manifest.ts";
import type { Lost, ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import type { BackupReader } from "../../types.ts";
import { Index } from "../indexes.ts";
import type { S3SourceConfig } from "../schema.ts";
import { Folders } from "./folders.ts";
import { busyText, rightsMissing, rulesOf, versioningOf } from "./ground.ts";
import type { Marks } from "./marks.ts";
import { stepsOf } from "./steps.ts";
import { identityOf, originOf, placeOf, type Target } from "./target.ts";

export interface LookOrder {
  readonly config: S3SourceConfig;
  readonly target: Target;
  readonly marks: Marks;
  readonly pick: string | undefined;
  readonly manifest: Manifest;
  readonly reader: BackupReader | undefined;
  readonly signal: AbortSignal;
}

const versionless = {
  never: "replace-obstacle-s3-never",
  suspended: "replace-obstacle-s3-suspended",
  unknown: "replace-obstacle-s3-unknown",
} as const;

/** What is there, what will be lost, and what stands in the way. Writes nothing. */
export async function lookAt(order: LookOrder): Promise<ReplacementLook> {
  const { config, target, marks, pick, manifest, reader, signal } = order;
  const { bucket } = target;
  const place = placeOf(config, target.prefix);
  const found = reader ? await compareWith(reader, target, signal) : await compareDates(manifest, target, signal);
  const obstacles: Text[] = [];
  const versioning = await versioningOf(bucket, signal);
  if (versioning !== "enabled") obstacles.push({ key: versionless[versioning], args: { bucket: bucket.name } });
  obstacles.push(...(await rightsMissing(bucket, config.prefix, { versions: true, signal })));
  const other = await marks.other(signal);
  if (other !== undefined) obstacles.push(busyText(other));
  const origin = originOf(manifest);
  if (origin.bucket !== config.bucket || origin.prefix !== config.prefix)
    obstacles.push({ key: "replace-obstacle-s3-other", args: { place, other: placeOf(origin, origin.prefix) } });
  if (found.objects === 0 && pick !== undefined) obstacles.push(nothingText(place));
  const remarks: Text[] = [{ key: "replace-remark-s3-one-by-one" }, { key: "replace-remark-s3-versions" }];
  if (found.lost.length > 0) remarks.push({ key: "replace-remark-s3-bare" });
  if (found.objects === undefined) remarks.push({ key: "replace-remark-s3-dates" });
  remarks.push(...(await rulesOf(bucket, signal)));
  const identity = identityOf(config);
  const { system = "" } = identity;
  const { server } = bucket.place;
  return {
    identity,
    database: place,
    sameSystem: (manifest.source["endpoint"] ?? "") === system,
    facts: { S3: server, ...(versioning !== "unknown" && { versioning }), objects: String(found.live) },
    liveBytes: found.liveBytes,
    neededBytes: found.neededBytes,
    sessions: [],
    missingExtensions: [],
    otherVersions: [],
    lost: found.lost,
    lostTotal: found.lostTotal,
    unit: "objects",
    method: "versions",
    wayBack: "versions",
    jobs: target.concurrency,
    remarks,
    obstacles,
  };
}

/** A part of the backup that it does not have. */
export function nothingText(place: string): Text {
  return { key: "replace-obstacle-s3-nothing", args: { place } };
}

interface Found {
  readonly live: number;
  readonly liveBytes: number;
  readonly neededBytes: number;
  /** Of the backup, where it was read. */
  readonly objects?: number;
  readonly lost: readonly Lost[];
  readonly lostTotal: number;
}

/** Object by object: what the backup does not have, or has otherwise. */
async function compareWith(reader: BackupReader, target: Target, signal: AbortSignal): Promise<Found> {
  await using index = await Index.load(reader, signal);
  const folders = new Folders(target.prefix);
  const found = { live: 0, liveBytes: 0, neededBytes: 0, objects: 0 };
  for await (const step of stepsOf(target, index.objects(signal), { signal })) {
    if (step.kind !== "remove") found.objects += 1;
    if (step.kind === "write") found.neededBytes += step.object.size;
    const size = step.kind === "same" ? step.object.size : step.version?.size;
    if (size === undefined) continue;
    found.live += 1;
    found.liveBytes += size;
    if (step.kind !== "same" && step.version) folders.add(step.version.key);
  }
  return { ...found, ...lostOf(folders, true) };
}

/** What was written since the backup began, where the backup cannot be read. */
async function compareDates(manifest: Manifest, target: Target, signal: AbortSignal): Promise<Found> {
  const { bucket, prefix } = target;
  const folders = new Folders(prefix);
  const begun = new Date(manifest.startedAt);
  const found = { live: 0, liveBytes: 0 };
  for await (const { key, size, modified } of bucket.list(prefix, signal)) {
    if (!target.isMeant(key)) continue;
    found.live += 1;
    found.liveBytes += size;
    if (modified >= begun) folders.add(key);
  }
  return { ...found, neededBytes: Number(manifest.source["bytes"] ?? 0), ...lostOf(folders, false) };
}

function lostOf(folders: Folders, exact: boolean): Pick<Found, "lost" | "lostTotal"> {
  const { named, total } = folders.result();
  return { lost: named.map(({ what, count }) => ({ what, live: count, exact })), lostTotal: total };
}
