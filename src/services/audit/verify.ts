import type { AuditRecord, DatedHead } from "../../core/audit.ts";
import { type AuditFlaw, type AuditSum, ChainCheck, type KnownHead } from "../../core/audit-check.ts";
import { type AppError, toAppError } from "../../core/errors.ts";
import type { Storage } from "../../storages/types.ts";
import { headDates, isTooLarge, readHead } from "./head-files.ts";

/** What came of looking at a log. */
export interface AuditVerdict {
  readonly flaws: readonly AuditFlaw[];
  readonly sum: AuditSum;
  /** Storages that could not be looked at: what they would have told is not known. */
  readonly unseen: readonly { readonly storage: string; readonly error: AppError }[];
}

/** The heads that lie in storages, and what is wrong with them themselves. */
export interface StoredHeads {
  readonly heads: readonly (DatedHead & { readonly where: string })[];
  readonly flaws: readonly AuditFlaw[];
  readonly unseen: AuditVerdict["unseen"];
}

/** A head that was taken within this time may be on its way into a storage; milliseconds. */
const underWayMs = 24 * 3_600_000;

/**
 * Reads the heads in storages. One that others know (`known`: those that Redis remembers) and that is missing between the
 * first one of a storage and today is said, and so is a storage that has none at all.
 */
export async function readStoredHeads(
  storages: readonly Storage[],
  known: readonly DatedHead[],
  now: Date,
  signal: AbortSignal,
): Promise<StoredHeads> {
  const heads: StoredHeads["heads"][number][] = [];
  const flaws: AuditFlaw[] = [];
  const unseen: AuditVerdict["unseen"][number][] = [];
  const seen: { readonly storage: string; readonly dates: ReadonlySet<string> }[] = [];
  for (const storage of storages) {
    try {
      const dates = await headDates(storage, signal);
      for (const [date, bytes] of dates) {
        const head = isTooLarge(bytes) ? undefined : await readHead(storage, date, signal);
        if (head) heads.push({ ...head, where: storage.name });
        else flaws.push({ what: "head-unreadable", date, where: storage.name });
      }
      seen.push({ storage: storage.name, dates: new Set(dates.keys()) });
    } catch (error) {
      signal.throwIfAborted();
      unseen.push({ storage: storage.name, error: toAppError(error) });
    }
  }
  const all = new Map([...known, ...heads].map((head) => [head.date, head]));
  const settled = [...all.values()].filter(({ at }) => now.getTime() - Date.parse(at) > underWayMs);
  for (const { storage, dates } of seen) {
    const first = [...dates].toSorted()[0] ?? "";
    const missing = settled.map(({ date }) => date).filter((date) => date >= first && !dates.has(date));
    const [date] = missing.toSorted();
    if (date !== undefined) flaws.push({ what: "head-missing", date, where: storage, count: missing.length });
  }
  return { heads, flaws, unseen };
}

/** Looks at the entries in their order, up to the first flaw. Memory: the heads. `undefined`: a line that is no entry. */
export async function verifyChain(
  records: AsyncIterable<AuditRecord | undefined>,
  heads: readonly KnownHead[],
  options: { readonly isPart: boolean; readonly onEntries?: (count: number) => void },
): Promise<{ readonly flaw?: AuditFlaw; readonly sum: AuditSum }> {
  const check = new ChainCheck(heads, options.isPart);
  let last = 0;
  let count = 0;
  for await (const record of records) {
    const flaw: AuditFlaw | undefined = record ? check.next(record) : { what: "unreadable", seq: last + 1 };
    if (flaw) return { flaw, sum: check.sum() };
    last = record?.seq ?? last;
    count += 1;
    if (count % 10_000 === 0) options.onEntries?.(count);
  }
  const flaw = check.end();
  return { sum: check.sum(), ...(flaw ? { flaw } : {}) };
}
