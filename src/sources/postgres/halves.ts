import type { ManifestPart } from "../../core/manifest.ts";
import type { Entry, Listed } from "./contents.ts";
import { quoteIdentifier, sameSpelling } from "./names.ts";

/** One half of what an archive has of rows, in its order. */
export interface Half {
  readonly lines: readonly Listed[];
  /** How much of all bytes it is, above 0 and below 1. */
  readonly share: number;
}

/** A half of less than this is not worth it that everything before it is unpacked twice. */
const leastShare = 1 / 8;

/**
 * Two halves of an archive's rows of about the same size, for two connections: the first one stands before the second.
 * `tableBytes`: by the manifest. Undefined where that does not say it, where nearly all is one table, and where rows may
 * have to come in their order.
 */
export function halvesOf(
  data: readonly Listed[],
  entries: readonly Entry[],
  tableBytes: ManifestPart["tableBytes"],
): readonly [Half, Half] | undefined {
  if (tableBytes === undefined || needsRows(entries)) return undefined;
  const sizes = new Map(Object.entries(tableBytes).map(([name, bytes]) => [sameSpelling(name), bytes]));
  const tables = new Map(entries.filter(({ type }) => type === "TABLE").map((table) => [table.oid, table]));
  const sizeOf = ({ line }: Listed): number => {
    const [, oid] = /^\d+; 0 (\d+) TABLE DATA /.exec(line) ?? [];
    const table = oid === undefined ? undefined : tables.get(Number(oid));
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
  return [
    { lines: data.slice(0, cut), share },
    { lines: data.slice(cut), share: 1 - share },
  ];
}

/** What looks at each row while it comes. */
const looking = new Set(["TABLE", "DOMAIN", "DEFAULT"]);
const looked = new Set(["FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR"]);

/** Whether a check or a generated column calls what the backup itself defines, which may look into tables that came before. */
function needsRows(entries: readonly Entry[]): boolean {
  const own = new Set(entries.filter(({ type }) => looked.has(type)).map(({ id }) => id));
  return entries.some(({ type, dependencies }) => looking.has(type) && dependencies.some((id) => own.has(id)));
}

/** Told of bytes that were read. */
export type Progress = (bytes: number) => void;

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
    const done = Math.min(first, middle) + Math.max(0, second - middle);
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
