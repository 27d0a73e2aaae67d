import { AppError } from "../../core/errors.ts";
import { neededBytes } from "../../core/manifest.ts";
import { deepest } from "../../core/proof.ts";
import type { ReplacementLook } from "../../core/replacement.ts";
import type { Preflight, Restoration } from "../../core/restoration.ts";
import type { Text } from "../../core/text.ts";
import { redactText } from "../../lib/redaction.ts";
import { unpackedBytes } from "../backup/scratch.ts";
import type { FoundCopy } from "../restore/choose.ts";
import { openSound } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";
import { engineOf, lookWith } from "./engine.ts";
import { estimateOf } from "./estimates.ts";

/** Stored bytes that are compared before anybody is asked; more are compared before the restore begins. */
export const checkedBytes = 256 * 1024 ** 2;

/** What was found, and of which manifest. */
export interface Found {
  readonly preflight: Preflight;
  readonly manifestSha256: string;
}

/**
 * Everything that has to be known before somebody agrees: which copy, whether it can be read and is what was written, what
 * is there now and what of it would be lost. Changes nothing. Rejects where that can not be told at all.
 */
export async function lookAtRestore(deps: RestoreDeps, restoration: Restoration, signal: AbortSignal): Promise<Found> {
  const engine = engineOf(deps, restoration);
  const check = ({ manifest }: FoundCopy): boolean => neededBytes(manifest) <= checkedBytes;
  const { copy, reader, passedOver } = await openSound(deps, restoration, { check, signal });
  const { manifest, manifestSha256, storage, proofs } = copy;
  const look = await lookWith(engine, manifest, { reader, signal });
  const other = await otherOf(deps, restoration, look);
  const withBackup = backsUpBefore(restoration, look);
  const estimate = await estimateOf(deps, restoration, manifest, { storage: storage.name, withBackup });
  const proof = deepest(proofs);
  const own = manifest.parts.filter(({ database }) => restoration.only === undefined || database === restoration.only);
  const preflight: Preflight = {
    ...look,
    obstacles: [...look.obstacles, ...(other ? [other] : [])].map(redactText),
    remarks: [...look.remarks, ...remarksOf(deps, restoration, look)].map(redactText),
    at: deps.clock.now().toISOString(),
    host: deps.host,
    storage: storage.name,
    location: storage.location,
    passedOver: passedOver.map((one) => ({ ...one, reason: redactText(one.reason) })),
    bytes: neededBytes({ ...manifest, parts: own }),
    unpackedBytes: unpackedBytes({ ...manifest, parts: own }),
    ...(proof ? { proof: { depth: proof.depth, at: proof.at } } : {}),
    ...(estimate ? { estimate } : {}),
  };
  return { preflight, manifestSha256 };
}

/** Whether what is live is backed up before it is replaced. */
export function backsUpBefore(
  { place, before }: Pick<Restoration, "place" | "before">,
  { noFormer }: Pick<ReplacementLook, "noFormer">,
): boolean {
  return place === "in-place" && before !== "off" && noFormer === undefined;
}

/** Another restore of the same target that is under way. */
async function otherOf(
  { restorationStates }: RestoreDeps,
  { id, kind }: Restoration,
  { identity }: ReplacementLook,
): Promise<Text | undefined> {
  const other = (await restorationStates.unsettled()).find(
    (each) =>
      each.id !== id &&
      each.kind === kind &&
      ["asked", "running", "undoing"].includes(each.status) &&
      each.preflight?.identity.system === identity.system &&
      each.preflight?.identity.database === identity.database,
  );
  return other && { key: "restoration-obstacle-other", args: { id: other.id, by: other.requestedBy.name } };
}

function remarksOf({ config }: RestoreDeps, restoration: Restoration, look: ReplacementLook): Text[] {
  const { place, name } = restoration;
  if (place !== "in-place") return [];
  const { stop = [], start = [] } = config.backups.find((backup) => backup.name === name)?.restore ?? {};
  const programs = (all: readonly (readonly string[])[]): string => all.map((argv) => argv.join(" ")).join("; ");
  const remarks: Text[] = [];
  if (look.noFormer) remarks.push(look.noFormer);
  if (stop.length > 0) remarks.push({ key: "restoration-remark-stop", args: { programs: programs(stop) } });
  if (start.length > 0) remarks.push({ key: "restoration-remark-start", args: { programs: programs(start) } });
  return remarks;
}

/** Why nothing is looked at any more. */
export function lookGivenUp(attempts: number): AppError {
  const text = { key: "error-verify-given-up", args: { attempts } };
  return new AppError("interrupted", `the worker has ended ${attempts} times in the middle of it`, { text });
}
