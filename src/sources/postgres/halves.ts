import type { ManifestPart } from "../../core/manifest.ts";
import { type Entry, type Listed, needsRows } from "./contents.ts";
import { quoteIdentifier, sameSpelling } from "./names.ts";

/** One half of what an archive has of data, in its order. */
export interface Half {
  readonly lines: readonly Listed[];
  /** How much of all bytes it is, above 0 and below 1. */
  readonly share: number;
}

/** A half of less than this is not worth it that everything before it is unpacked twice. */
const leastShare = 1 / 8;

/**
 * Two halves of an archive's rows of about the same size, for two connections. The first one has nothing but rows of tables
 * that stand before those of the second; what else there is of data (large objects may have one entry that makes them and
 * another one that fills them) comes by the second in its order. `tableBytes`: by the manifest. Undefined where that does not
 * say it, where nearly all is one table, and where rows may have to come in their order.
 */
export function halvesOf(
  data: readonly Listed[],
  entries: readonly Entry[],
  tableBytes: ManifestPart["tableBytes"],
): readonly [Half, Half] | undefined {
  const tables = new Map(entries.filter(({ type }) => type === "TABLE").map((table) => [table.oid, table]));
  // Tables of an extension may refer to each other already.
  const isForeign = (line: Listed): boolean => isRows(line) && !tables.has(Number(oidOf(line)));
  if (tableBytes === undefined || needsRows(entries) || data.some(isForeign)) return undefined;
  const sizes = new Map(Object.entries(tableBytes).map(([name, bytes]) => [sameSpelling(name), bytes]));
  const sizeOf = (line: Listed): number => {
    const table = tables.get(Number(oidOf(line)));
    return (table && sizes.get(`${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`)) ?? 0;
  };
  const all = data.reduce((sum, line) => sum + sizeOf(line), 0);
  let before = 0;
  let best = { cut: 0, share: 0 };
  for (const [index, line] of data.entries()) {
    before += sizeOf(line);
    const share = before / all;
    if (Math.abs(share - 0.5) < Math.abs(best.share - 0.5)) best = { cut: index + 1, share };
  }
  const { cut, share } = best;
  if (!(share >= leastShare && share <= 1 - leastShare)) return undefined;
  const isFirst = (line: Listed, index: number): boolean => index < cut && isRows(line);
  return [
    { lines: data.filter(isFirst), share },
    { lines: data.filter((line, index) => !isFirst(line, index)), share: 1 - share },
  ];
}

/** The oid of the table whose rows these are; undefined for other data. */
function oidOf({ line }: Listed): string | undefined {
  return /^\d+; 0 (\d+) TABLE DATA /.exec(line)?.[1];
}

function isRows(line: Listed): boolean {
  return oidOf(line) !== undefined;
}

/** Told of bytes that were read. */
export type Progress = (bytes: number) => void;

/** The progress of one who may begin again, which counts up to so many bytes. */
export function progressUpTo(bytes: number, progress: Progress = () => undefined): Progress {
  let told = 0;
  return (more) => {
    const rest = Math.min(more, bytes - told);
    told += rest;
    if (rest > 0) progress(rest);
  };
}

/**
 * The progress of two who read the same bytes, one the first half and one all of them for the second, as that of one who
 * reads them once. `end`: the first half is there.
 */
export function progressOfHalves(
  bytes: number,
  [{ share }]: readonly [Half, Half],
  progress: Progress = () => undefined,
): { readonly first: Progress; readonly second: Progress; readonly end: () => void } {
  const middle = Math.round(bytes * share);
  let [first, second, told] = [0, 0, 0];
  const tell = (): void => {
    // Who was let in only later has read some of it twice.
    const done = Math.min(first, middle) + Math.min(Math.max(0, second - middle), bytes - middle);
    if (done > told) progress(done - told);
    told = Math.max(told, done);
  };
  const adding =
    (add: Progress): Progress =>
    (more) => {
      add(more);
      tell();
    };
  return {
    first: adding((more) => {
      first += more;
    }),
    second: adding((more) => {
      second += more;
    }),
    end: () => {
      first = middle;
      tell();
    },
  };
}
