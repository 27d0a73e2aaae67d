import type { ChatTarget } from "./card.ts";
import type { Proof } from "./proof.ts";
import type { Person, RunError } from "./run.ts";
import type { Text } from "./text.ts";
import { isOver as hasEnded, type Verification, type VerificationPhase } from "./verification.ts";

/**
 * Where a drill is in its life. `slow`: everything was recovered, but not within its limits; `failed`: something could
 * not be recovered, or nobody could tell.
 */
export type DrillStatus = "queued" | "running" | "passed" | "slow" | "failed" | "cancelled";

export type DrillTrigger = "schedule" | "chat" | "again";

/** What a recovery may cost: `rto`, the time until everything is there again; `rpo`, the age of what is then there. Milliseconds. */
export type DrillLimits = Readonly<Record<DrillLimit, number>>;

/** What holds where nothing is configured. */
export const defaultLimits: DrillLimits = { rto: 2 * 3_600_000, rpo: 26 * 3_600_000 };

export type DrillLimit = "rto" | "rpo";

/**
 * What became of one backup. `failed`: its copy does not hold; `undrilled`: it could not be recovered, for a reason that
 * says nothing against the copy; `left-out`: nothing of its kind can be test-restored, and nobody asked for it by name.
 */
export type DrillItemStatus = "waiting" | "running" | "passed" | "failed" | "undrilled" | "left-out" | "cancelled";

/** Why something could not be drilled; `finding`: a drill itself has found it, no verification. */
export type DrillReason = Pick<RunError, "message"> & {
  readonly text?: Text;
  readonly finding?: "no-backup" | "no-offsite" | "unseen" | "shallow";
};

/** The copy that is restored. */
export interface DrillCopy {
  /** Id of the run that made it, and where it lies below the storage's prefix. */
  readonly backup: string;
  readonly folder: string;
  /** When that run began: its data is from then, or a little younger. ISO 8601. */
  readonly dataAt: string;
  readonly storage: string;
  /** Stored bytes that a restore reads, those of earlier runs included. */
  readonly bytes: number;
}

/** One backup in a drill. Durations in milliseconds. */
export interface DrillItem {
  /** Name of the backup. */
  readonly name: string;
  readonly status: DrillItemStatus;
  readonly copy?: DrillCopy;
  /** Age of the copy's data when the drill began. */
  readonly rpoMs?: number;
  /** Id of the verification that restores it. */
  readonly verification?: string;
  /** How far that is. */
  readonly phase?: VerificationPhase;
  readonly progress?: { readonly bytes: number; readonly total: number };
  /** From the worker's beginning (before the manifest is read) until restored and compared. */
  readonly rtoMs?: number;
  /** The restore alone. */
  readonly restoreMs?: number;
  readonly compared?: Readonly<Record<string, number>>;
  readonly differences?: number;
  readonly reason?: DrillReason;
  /** Limits that were exceeded. */
  readonly over?: readonly DrillLimit[];
  /** What the recovery took in former drills, oldest first; and how old the data was. */
  readonly former?: readonly number[];
  readonly formerAges?: readonly number[];
}

/** A scheduled or ordered recovery of every backup from its newest copy elsewhere: the entity behind the drill's card. Times are ISO 8601. */
export interface Drill {
  readonly id: string;
  readonly status: DrillStatus;
  readonly trigger: DrillTrigger;
  readonly requestedBy?: Person;
  /** When the schedule wanted it. */
  readonly dueAt?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** How often a worker has begun it: 0 while it waits. */
  readonly attempt: number;
  readonly limits: DrillLimits;
  /** Empty until it begins. */
  readonly items: readonly DrillItem[];
  /** Where its card was asked for. */
  readonly target?: ChatTarget;
  readonly cancelRequestedBy?: Person;
  /** The drill that was ordered after this one by its button. */
  readonly again?: { readonly drill: string; readonly by: Person };
}

/** One backup's result, as it is remembered. Durations in milliseconds. */
export interface DrillRecord {
  readonly drill: string;
  readonly name: string;
  /** When the drill began. */
  readonly at: string;
  readonly status: "passed" | "failed" | "undrilled";
  readonly storage?: string;
  readonly dataAt?: string;
  readonly bytes?: number;
  readonly rtoMs?: number;
  readonly rpoMs?: number;
  readonly reason?: DrillReason;
}

/** How many results of a backup, and how many drills, are remembered: half a year of weeks. */
export const keepDrills = 26;

/** How many former results a trend shows. */
export const shownFormer = 5;

export function isOver({ status }: Pick<Drill, "status">): boolean {
  return status !== "queued" && status !== "running";
}

/** The backup that is being restored, or else the next one; undefined: all are done. */
export function currentItem({ items }: Pick<Drill, "items">): DrillItem | undefined {
  return items.find(({ status }) => status === "running") ?? items.find(({ status }) => status === "waiting");
}

/** The drill with one backup's entry changed, where that is still at work; the very same drill otherwise. */
export function withItem<D extends Pick<Drill, "items">>(drill: D, name: string, change: Partial<DrillItem>): D {
  const index = drill.items.findIndex((item) => item.name === name);
  const before = drill.items[index];
  if (!before || (before.status !== "waiting" && before.status !== "running")) return drill;
  return { ...drill, items: drill.items.with(index, { ...before, ...change }) };
}

/** Age of a copy's data at a time; a clock that was ahead makes it no younger than that time itself. Milliseconds. */
export function ageOf({ dataAt }: Pick<DrillCopy, "dataAt">, at: Date): number {
  return Math.max(0, at.getTime() - Date.parse(dataAt));
}

/** The results of former drills as an item shows them. `results`: newest first. */
export function formerOf(
  results: readonly Pick<DrillRecord, "rtoMs" | "rpoMs">[],
): Pick<DrillItem, "former" | "formerAges"> {
  const newest = (values: readonly number[]): readonly number[] => values.slice(0, shownFormer).toReversed();
  const former = newest(results.flatMap(({ rtoMs }) => rtoMs ?? []));
  const formerAges = newest(results.flatMap(({ rpoMs }) => rpoMs ?? []));
  return { ...(former.length > 0 ? { former } : {}), ...(formerAges.length > 0 ? { formerAges } : {}) };
}

/** What the end of a verification says of the backup that was drilled by it. */
export function resultOf(
  item: DrillItem,
  verification: Pick<Verification, "status" | "proof" | "error" | "tookMs"> | undefined,
  { limits, cancelled }: { limits: DrillLimits; cancelled?: boolean },
): DrillItem {
  const { phase: _, progress: __, ...base } = item;
  const undrilled = (reason: DrillReason): DrillItem => withLimits({ ...base, status: "undrilled", reason }, limits);
  if (!verification)
    return undrilled({ message: "its verification is not known any more", text: { key: "drill-reason-lost" } });
  if (!hasEnded(verification)) return item;
  const { proof, error, status, tookMs } = verification;
  if (status === "cancelled")
    return cancelled
      ? { ...base, status: "cancelled" }
      : undrilled({ message: "its verification was cancelled", text: { key: "drill-reason-cancelled" } });
  if (!proof) return undrilled(error ? plain(error) : { message: "it could not be restored" });
  if (!proof.ok) return withLimits({ ...base, status: "failed", ...measured(proof, tookMs), ...faults(proof) }, limits);
  if (proof.depth !== "restored") {
    const { because } = proof;
    return undrilled({ message: "not deep enough", finding: "shallow", ...(because ? { text: because } : {}) });
  }
  return withLimits({ ...base, status: "passed", ...measured(proof, tookMs) }, limits);
}

function measured(proof: Proof, tookMs: number | undefined): Partial<DrillItem> {
  const { restoreMs, compared } = proof;
  return {
    // A time until something was found that does not hold is no recovery time.
    ...(proof.ok ? { rtoMs: tookMs ?? proof.elapsedMs } : {}),
    ...(restoreMs === undefined ? {} : { restoreMs }),
    ...(compared === undefined ? {} : { compared }),
  };
}

function faults({ error, differencesTotal = 0 }: Proof): Partial<DrillItem> {
  if (error) return { reason: plain(error) };
  return { differences: differencesTotal };
}

function plain({ message, text }: { readonly message: string; readonly text?: Text | undefined }): DrillReason {
  return { message, ...(text ? { text } : {}) };
}

/** With the limits that it exceeds, by what is known of it. */
export function withLimits(item: DrillItem, limits: DrillLimits): DrillItem {
  const { over: _, ...rest } = item;
  const over = overOf(item, limits);
  return over.length > 0 ? { ...rest, over } : rest;
}

/** Limits that these times exceed. */
export function overOf({ rtoMs, rpoMs }: Pick<DrillItem, "rtoMs" | "rpoMs">, { rto, rpo }: DrillLimits): DrillLimit[] {
  return [
    ...(rtoMs !== undefined && rtoMs > rto ? (["rto"] as const) : []),
    ...(rpoMs !== undefined && rpoMs > rpo ? (["rpo"] as const) : []),
  ];
}

/** How a drill ends, when all of its backups have. A drill of nothing has proven nothing. */
export function endOf({ items, cancelRequestedBy }: Pick<Drill, "items" | "cancelRequestedBy">): DrillStatus {
  if (cancelRequestedBy && items.some(({ status }) => status === "cancelled")) return "cancelled";
  const drilled = items.filter(({ status }) => status !== "left-out");
  if (drilled.length === 0 || drilled.some(({ status }) => status !== "passed")) return "failed";
  return drilled.some(({ over }) => over !== undefined) ? "slow" : "passed";
}

/** What is remembered of an item that has ended; undefined of one that says nothing. */
export function recordOf(
  drill: Pick<Drill, "id" | "createdAt" | "startedAt">,
  item: DrillItem,
): DrillRecord | undefined {
  const { name, status, copy, rtoMs, rpoMs, reason } = item;
  if (status !== "passed" && status !== "failed" && status !== "undrilled") return undefined;
  return {
    drill: drill.id,
    name,
    at: drill.startedAt ?? drill.createdAt,
    status,
    ...(copy ? { storage: copy.storage, dataAt: copy.dataAt, bytes: copy.bytes } : {}),
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    ...(reason ? { reason } : {}),
  };
}

export type Trend = "up" | "down" | "level";

/** Less than this much more or less, as a part and in milliseconds, is the machine's mood. */
const levelPart = 0.2;
const levelMs = 1000;

/** Where a value goes, against the median of those before it; undefined: there are none. */
export function trendOf(value: number, former: readonly number[]): Trend | undefined {
  if (former.length === 0) return undefined;
  const sorted = former.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  const usual = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
  if (Math.abs(value - usual) <= Math.max(levelMs, levelPart * usual)) return "level";
  return value > usual ? "up" : "down";
}
