import type { Config } from "../../app/config.ts";
import { isAhead } from "../../core/ahead.ts";
import type { Manifest } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import { type Kept, planRetention } from "../../core/retention.ts";
import type { BackupRun, RunCopy } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Runs } from "../../state/runs.ts";
import { describeStorage } from "../../storages/index.ts";
import type { CachedCatalogue, StorageCopies } from "../cached-catalogue.ts";
import { policyFor } from "./retention.ts";

type BackupConfig = Config["backups"][number];

/** How many of the newest backups of a name are looked through for copies that nobody remembers to make. */
const lookBack = 10;
/** What was finished so short a time before a look may have been on its way to the storage then; milliseconds. */
const settleMs = 600_000;

/**
 * Folders that a storage would keep, were there a copy of every known backup. `made`: a backup that is known from
 * elsewhere, sound.
 */
export function keptIfWhole(
  looks: readonly StorageCopies[],
  { backup, storage, timezone, now }: { backup: BackupConfig; storage: string; timezone: string; now: Date },
  made?: { readonly folder: string; readonly manifest: Manifest },
): ReadonlySet<string> {
  const all = new Map<string, Kept>(made ? [[made.folder, keptOf(made.folder, made.manifest)]] : []);
  for (const { copies, flaws } of looks)
    for (const [folder, copy] of copies) {
      const known = all.get(folder);
      const pinned = copy.pin !== undefined || known?.pinned === true;
      // Of a sound copy, where there is one: another one's manifest may not be the one that was written.
      const isKnown = known?.sound === true && flaws.has(folder);
      const facts = isKnown ? known : { ...keptOf(folder, copy.manifest), sound: !flaws.has(folder) };
      all.set(folder, { ...facts, pinned });
    }
  const plan = planRetention([...all.values()], policyFor(backup, storage), { timezone, now });
  return new Set(plan.keep.map(({ id }) => id));
}

function keptOf(folder: string, { startedAt, references }: Manifest): Kept {
  const needs = [...new Set(references.map((reference) => reference.folder))];
  return { id: folder, startedAt: new Date(startedAt), pinned: false, sound: true, needs };
}

export interface MissingCopiesDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runs: Pick<Runs, "read" | "create" | "knownSince">;
  readonly catalogue: Pick<CachedCatalogue, "looks" | "newestCopies">;
}

/**
 * Copies that are missing in a storage are made later because their run says so. Where its record is gone (Redis has lost
 * its data, or never knew of it) the storages themselves tell which of the newest backups lack a copy; what the retention
 * would keep there gets a record again, by which the clock orders the upload. Nothing is done before every storage of the
 * backup was looked into with success, nor of what is so old that its record may have been dropped among many newer ones:
 * its copy may be missing because somebody wanted so. Returns the ids of the runs.
 */
export async function recallMissing(deps: MissingCopiesDeps, backup: BackupConfig): Promise<string[]> {
  const { config, clock, logger, runs, catalogue } = deps;
  const now = clock.now();
  const seenAt = await lookedAt(deps, backup);
  if (seenAt === undefined) return [];
  const looks = await catalogue.newestCopies(backup.name, lookBack);
  const knownSince = await runs.knownSince(backup.name);
  const recalled: string[] = [];
  for (const [folder, { manifest, manifestSha256 }] of newestOf(looks, now)) {
    if (knownSince !== undefined && Date.parse(manifest.startedAt) <= knownSince.getTime()) continue;
    if (Date.parse(manifest.finishedAt) > seenAt - settleMs || (await runs.read(manifest.id))) continue;
    const isSound = ({ copies, flaws }: StorageCopies): boolean => copies.has(folder) && !flaws.has(folder);
    const from = looks.filter(isSound).map(({ storage }) => storage);
    const to = backup.storages.filter((storage) => {
      const place = { backup, storage, timezone: config.timezone, now };
      const isThere = looks.some((look) => look.storage === storage && look.copies.has(folder));
      return !isThere && keptIfWhole(looks, place).has(folder);
    });
    if (from.length === 0 || to.length === 0) continue;
    const copies = [
      ...from.map((storage) => copyOf(config, storage, "stored")),
      ...to.map((storage) => copyOf(config, storage, "retrying")),
    ];
    const run = runOf(manifest, { folder, manifestSha256, copies });
    // Among the others by its own time: it is no new one.
    if (!(await runs.create(run, new Date(manifest.startedAt)))) continue;
    logger.info({ backup: backup.name, run: run.id, storages: to }, "a missing copy that nobody remembered is made up");
    recalled.push(run.id);
  }
  return recalled;
}

/** When the one of its storages was looked into that was longest ago; undefined: one of them is not known whole. */
async function lookedAt(
  { catalogue }: MissingCopiesDeps,
  { name, storages }: BackupConfig,
): Promise<number | undefined> {
  const looks = await catalogue.looks(storages, name);
  const times = looks.map((look) =>
    !look || look.error || look.due || (look.unreadable ?? 0) > 0 ? Number.NaN : Date.parse(look.at),
  );
  const oldest = Math.min(...times);
  return Number.isFinite(oldest) ? oldest : undefined;
}

/** The newest ones of all storages, oldest first: what others need comes before them. A sound copy, where there is one. */
function newestOf(looks: readonly StorageCopies[], now: Date): [folder: string, copy: CachedCopy][] {
  const all = new Map<string, CachedCopy>();
  for (const { copies, flaws } of looks)
    for (const [folder, copy] of copies) if (!all.has(folder) || !flaws.has(folder)) all.set(folder, copy);
  return [...all]
    .filter(([, { manifest }]) => !isAhead(new Date(manifest.startedAt), now))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .slice(-lookBack);
}

function copyOf({ storages }: Config, storage: string, status: RunCopy["status"]): RunCopy {
  const settings = storages[storage];
  const location = settings ? describeStorage(settings) : storage;
  return { storage, location, local: settings?.kind === "local", status };
}

/** A run as its manifest tells of it. */
function runOf(
  manifest: Manifest,
  known: { readonly folder: string; readonly manifestSha256: string; readonly copies: readonly RunCopy[] },
): BackupRun {
  const { id, name, startedAt, finishedAt, host, encryption } = manifest;
  return {
    id,
    name,
    trigger: "recalled",
    status: "degraded",
    phase: "manifest",
    createdAt: startedAt,
    startedAt,
    finishedAt,
    attempt: 1,
    fence: 0,
    host,
    encrypted: encryption !== undefined,
    open: [],
    manifest,
    ...known,
  };
}
