import type { Config } from "../../app/config.ts";
import type { Anomaly } from "../../core/anomaly.ts";
import { deepest, depths, failure } from "../../core/proof.ts";
import { type BackupRun, isFinal } from "../../core/run.ts";
import { lastBegun, lastTimes } from "../../core/schedule.ts";
import type { WatchState } from "../../state/watch.ts";
import type { StorageCopies } from "../cached-catalogue.ts";
import { type CatalogueEntry, mergeCopies, type StoredProof } from "../catalogue.ts";
import { scheduleEntries } from "../schedules.ts";
import { type LastGood, type LastGoodDeps, lastGood } from "./last-good.ts";
import { anomalyIn, type SizesDeps, sizesLookBack } from "./sizes.ts";
import { seenAt, type Unseen, unseenIn } from "./unseen.ts";

/** How a configured backup stands, as everybody shows it: /status, /backups and the card of the day. */
export type HealthMark = "red" | "amber" | "green";

/** What can be said against a backup, worst first. The first five are red, the others amber. */
export const healthReasons = [
  "damaged",
  "failed",
  "never",
  "too-old",
  "out-of-reach",
  "unseen",
  "late",
  "copy-missing",
  "anomaly",
  "proof-old",
  "unproven",
] as const;
export type HealthReason = (typeof healthReasons)[number];

const redReasons: readonly HealthReason[] = ["damaged", "failed", "never", "too-old", "out-of-reach"];

/** A run gets this long to come to its end before its time counts as missed; milliseconds. */
const overdueMs = 2 * 3_600_000;

/** For so long a storage may be out of sight until what it held counts as out of reach; milliseconds. */
const outOfReachMs = 3_600_000;

/** What the judgement goes by. */
export interface HealthFacts {
  readonly now: Date;
  /** Since when the backup is configured, as far as anybody knows. */
  readonly knownSince: Date;
  /** Milliseconds. */
  readonly maxAge?: number | undefined;
  /** When the newest good one began. */
  readonly lastGoodAt?: Date | undefined;
  /** When the newest run that has come to an end was ordered, where that failed. */
  readonly failedAt?: Date | undefined;
  /**
   * A look at one of its copies has failed, and none at a newer one has held since; or something speaks against a copy of
   * the newest one.
   */
  readonly isDamaged: boolean;
  /** A storage of the backup does not hold the newest good one. */
  readonly isCopyMissing: boolean;
  /** Each of its storages was looked at, be it a while ago: what none of them holds is not there. */
  readonly isLookedAt: boolean;
  /** A storage of the backup cannot be looked at; and for long none can that held the newest good one. */
  readonly isUnseen: boolean;
  readonly isOutOfReach: boolean;
  readonly isSmall: boolean;
  /** A look at one of its backups has held. */
  readonly isProven: boolean;
  /** When the newest backup that was proven was looked at last, and since when there should have been such a look. */
  readonly provenAt?: Date | undefined;
  readonly proofWantedAt?: Date | undefined;
  /** The newest time of its schedule by which there should be a backup. */
  readonly wantedAt?: Date | undefined;
  /** A run has begun since then and goes on. */
  readonly isRunning: boolean;
}

/** Whether a good backup that began then (or, where there is none, a configuration known since then) is too old. */
export function isTooOld(from: Date, maxAge: number | undefined, now: Date): boolean {
  return maxAge !== undefined && now.getTime() - from.getTime() > maxAge;
}

/** The one judgement on a backup: what is said against it, worst first. */
export function judge(facts: HealthFacts): { readonly mark: HealthMark; readonly reasons: readonly HealthReason[] } {
  const { now, knownSince, maxAge, lastGoodAt, failedAt, provenAt, proofWantedAt, wantedAt, isRunning } = facts;
  const holds: Readonly<Record<HealthReason, boolean>> = {
    damaged: facts.isDamaged,
    failed: failedAt !== undefined && (lastGoodAt === undefined || lastGoodAt < failedAt),
    never: lastGoodAt === undefined && facts.isLookedAt,
    "too-old": isTooOld(lastGoodAt ?? knownSince, maxAge, now),
    "out-of-reach": lastGoodAt !== undefined && facts.isOutOfReach,
    unseen: facts.isUnseen,
    late: lastGoodAt !== undefined && wantedAt !== undefined && lastGoodAt < wantedAt && !isRunning,
    "copy-missing": lastGoodAt !== undefined && facts.isCopyMissing,
    anomaly: facts.isSmall,
    "proof-old":
      lastGoodAt !== undefined && provenAt !== undefined && proofWantedAt !== undefined && provenAt < proofWantedAt,
    unproven: lastGoodAt !== undefined && !facts.isProven,
  };
  const reasons = healthReasons.filter((reason) => holds[reason]);
  if (reasons.length === 0) return { mark: "green", reasons };
  return { mark: reasons.some((reason) => redReasons.includes(reason)) ? "red" : "amber", reasons };
}

/** A backup that was proven, and how deep. */
export interface ProvenBackup {
  readonly proof: StoredProof;
  readonly entry: CatalogueEntry;
}

export interface BackupHealth {
  readonly name: string;
  readonly mark: HealthMark;
  /** Worst first. */
  readonly reasons: readonly HealthReason[];
  readonly lastGood?: LastGood;
  /** Storages of the backup that hold the last good one as far as is known, and those that were seen not to. */
  readonly stored: readonly string[];
  readonly missing: readonly string[];
  /** Storages of the backup that cannot be looked at, and why. */
  readonly unseen: readonly Unseen[];
  /** When the storage of the backup that was not looked at for longest was; undefined: one of them never was. */
  readonly seenAt?: Date;
  /** Of the newest backup that was proven, the deepest look that held. */
  readonly proven?: ProvenBackup;
  /** The newest look that failed, as long as nothing newer has held. */
  readonly damaged?: ProvenBackup;
  readonly anomaly?: Anomaly;
  /** The newest run, whatever became of it. */
  readonly latest?: BackupRun;
  /** The newest ones, newest first: of the storages, and runs on record. */
  readonly entries: readonly CatalogueEntry[];
  readonly runs: readonly BackupRun[];
}

export interface HealthDeps extends LastGoodDeps, SizesDeps {
  readonly config: Pick<Config, "backups" | "timezone">;
  readonly watchState: Pick<WatchState, "unchangedSince">;
}

type BackupConfig = Config["backups"][number];

/** How many of the newest backups of a name are looked at, and how many where none of these was proven. */
const lookBack = 16;
const longLookBack = 200;
/** Names that are read at the same time. */
const atOnce = 16;

const rank: Readonly<Record<HealthMark, number>> = { red: 0, amber: 1, green: 2 };

/** Worst first: by mark, then by what is said against them, then in the order of the configuration. */
export function worstFirst(a: BackupHealth, b: BackupHealth): number {
  const worst = ({ reasons: [first] }: BackupHealth): number => (first ? healthReasons.indexOf(first) : 0);
  return rank[a.mark] - rank[b.mark] || worst(a) - worst(b);
}

/** Every configured backup whose name contains `filter`, in the order of the configuration. */
export async function readHealth(deps: HealthDeps, filter = ""): Promise<BackupHealth[]> {
  const wanted = deps.config.backups.filter(({ name }) => name.includes(filter));
  const found: BackupHealth[] = [];
  const shared = { ...deps, catalogue: deps.catalogue.forOneAnswer() };
  for (let from = 0; from < wanted.length; from += atOnce)
    found.push(...(await Promise.all(wanted.slice(from, from + atOnce).map((backup) => healthOf(shared, backup)))));
  return found;
}

/** How one backup stands. */
export async function healthOf(all: HealthDeps, backup: BackupConfig): Promise<BackupHealth> {
  const deps = { ...all, catalogue: all.catalogue.forOneAnswer() };
  const { catalogue, runs, prunes, watchState, clock, config } = deps;
  const { name } = backup;
  const now = clock.now();
  const sizes = sizesLookBack(backup);
  const [looks, good, list, knownSince, measure, seen] = await Promise.all([
    // The first of all: most of what the others ask for is among these.
    catalogue.newestCopies(name, Math.max(lookBack, sizes)),
    lastGood(deps, name),
    runs.list(name, Math.max(lookBack, sizes)),
    watchState.unchangedSince(`backup-known:${name}`, "known", now),
    prunes.sizeMeasure(name),
    seenOf(deps, backup),
  ]);
  const { entries } = mergeCopies(looks);
  const anomaly = anomalyIn({ backup, runs: list, looks, measure, now });
  const places = good ? await placesOf(deps, backup, good, list, looks, seen.unseen) : { stored: [], missing: [] };
  let proven = provenIn(entries);
  if (!proven && entries.length >= lookBack)
    proven = provenIn((await catalogue.page(name, entries.length, longLookBack - entries.length)).entries);
  const damaged = damagedIn(entries);
  const [latest] = list;
  const ended = list.find(({ status }) => isFinal(status) && status !== "cancelled");
  const entry = scheduleEntries({ ...config, backups: [backup] })[0];
  const wantedAt = entry && lastBegun(entry, new Date(now.getTime() - overdueMs));
  const verdict = judge({
    now,
    knownSince,
    maxAge: backup.maxAge,
    lastGoodAt: good?.startedAt,
    failedAt: ended?.status === "failed" ? new Date(ended.createdAt) : undefined,
    isDamaged: damaged !== undefined || isFlawed(entries[0], looks),
    isCopyMissing: places.missing.length > 0,
    isLookedAt: toldAll(backup, seen),
    isUnseen: seen.unseen.length > 0,
    isOutOfReach: places.stored.length > 0 && places.stored.every((storage) => isOutOfReach(storage, seen.unseen, now)),
    isSmall: anomaly !== undefined,
    isProven: proven !== undefined,
    provenAt: proven && lookedAt(proven),
    proofWantedAt: proofWantedAt(backup, config.timezone, now),
    wantedAt,
    isRunning: latest?.status === "running" && wantedAt !== undefined && new Date(latest.createdAt) >= wantedAt,
  });
  return {
    name,
    ...verdict,
    ...places,
    ...seen,
    ...(good ? { lastGood: good } : {}),
    ...(proven ? { proven } : {}),
    ...(damaged ? { damaged } : {}),
    ...(anomaly ? { anomaly } : {}),
    ...(latest ? { latest } : {}),
    entries,
    runs: list,
  };
}

/** When it was looked at last and found to be good. */
function lookedAt({ entry }: ProvenBackup): Date {
  return new Date(Math.max(...entry.proofs.filter(({ ok }) => ok).map(({ at }) => Date.parse(at))));
}

/** The time of the schedule of verifications before the newest one: of two that have come, one at least should have looked. */
function proofWantedAt(backup: BackupConfig, timezone: string, now: Date): Date | undefined {
  const { schedule: pattern } = backup.verify;
  if (pattern === undefined) return undefined;
  const settled = new Date(now.getTime() - overdueMs);
  return lastTimes({ pattern, timezone: backup.timezone ?? timezone }, 2, settled)[1];
}

/** Whether something speaks against one of its copies. */
function isFlawed(entry: CatalogueEntry | undefined, looks: readonly StorageCopies[]): boolean {
  return entry !== undefined && looks.some(({ copies, flaws }) => copies.has(entry.folder) && flaws.has(entry.folder));
}

/** When the storages of a backup were looked at, and which of them cannot be. */
async function seenOf(
  { catalogue, clock }: Pick<HealthDeps, "catalogue" | "clock">,
  { name, storages }: Pick<BackupConfig, "name" | "storages">,
): Promise<{ unseen: Unseen[]; seenAt?: Date }> {
  const looks = await catalogue.looks(storages, name);
  const unseen = storages.flatMap((storage, index) => unseenIn(storage, looks[index], clock.now()) ?? []);
  const times = looks.map(seenAt).filter((at) => at !== undefined);
  if (times.length === 0 || times.length < storages.length) return { unseen };
  return { unseen, seenAt: new Date(Math.min(...times.map(Number))) };
}

/** Whether its storages have told of everything that they hold, be it a while ago: else nobody knows that there is none. */
export async function isLookedAt(
  deps: Pick<HealthDeps, "catalogue" | "clock">,
  backup: Pick<BackupConfig, "name" | "storages">,
): Promise<boolean> {
  return toldAll(backup, await seenOf(deps, backup));
}

function toldAll(
  { storages }: Pick<BackupConfig, "storages">,
  { unseen, seenAt: at }: Awaited<ReturnType<typeof seenOf>>,
): boolean {
  return storages.length === 0 || (at !== undefined && unseen.every(({ why }) => why !== "unreadable"));
}

/** Whether what a storage held could not be seen for long. */
function isOutOfReach(storage: string, unseen: readonly Unseen[], now: Date): boolean {
  const { since } = unseen.find((one) => one.storage === storage) ?? {};
  return since !== undefined && now.getTime() - Date.parse(since) > outOfReachMs;
}

/** Where the last good one is: by the storages, and by its run where they have not told yet. Of one that cannot be looked at nobody knows that it is missing there. */
async function placesOf(
  { catalogue }: Pick<HealthDeps, "catalogue">,
  { storages }: BackupConfig,
  { folder, id }: LastGood,
  runs: readonly BackupRun[],
  looks: readonly StorageCopies[],
  unseen: readonly Unseen[],
): Promise<{ stored: string[]; missing: string[] }> {
  const run = runs.find((candidate) => candidate.id === id && candidate.folder === folder);
  const stored: string[] = [];
  const missing: string[] = [];
  for (const storage of storages) {
    const look = looks.find((one) => one.storage === storage);
    const isThere = look?.copies.has(folder) ? !look.flaws.has(folder) : await catalogue.mayHold(storage, run);
    if (isThere) stored.push(storage);
    else if (look?.flaws.has(folder) || !unseen.some((one) => one.storage === storage)) missing.push(storage);
  }
  return { stored, missing };
}

/** Of the newest backup that was proven, the deepest look. */
function provenIn(entries: readonly CatalogueEntry[]): ProvenBackup | undefined {
  for (const entry of entries) {
    const sound = entry.copies.flatMap((storage) => {
      const own = entry.proofs.filter((proof) => proof.storage === storage);
      return failure(own) ? [] : own;
    });
    const proof = deepest(sound);
    if (proof) return { entry, proof };
  }
  return undefined;
}

/** The newest copy that a look has spoken against, unless a newer one of the same storage was proven as deep since. */
function damagedIn(entries: readonly CatalogueEntry[]): ProvenBackup | undefined {
  for (const [index, entry] of entries.entries()) {
    for (const storage of entry.copies) {
      const bad = failure(entry.proofs.filter((proof) => proof.storage === storage));
      if (!bad) continue;
      const isMadeGood = entries
        .slice(0, index)
        .flatMap(({ proofs }) => proofs)
        .some(
          (good) =>
            good.ok &&
            good.storage === storage &&
            good.at > bad.at &&
            depths.indexOf(good.depth) >= depths.indexOf(bad.depth),
        );
      if (!isMadeGood) return { entry, proof: bad };
    }
  }
  return undefined;
}
