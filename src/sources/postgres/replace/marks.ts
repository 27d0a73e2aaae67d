import { z } from "zod";
import { AppError } from "../../../core/errors.ts";

/** The longest name that PostgreSQL keeps; bytes. */
const longestName = 63;

/** What the databases of one replacement are called. */
export interface Names {
  readonly live: string;
  /** While it is made and until it is swapped in. */
  readonly made: string;
  /** The old one, after the swap. */
  readonly before: string;
  /** What was swapped in, after an undo. */
  readonly undone: string;
}

/** Throws `internal` for an id that is none. */
export function namesOf(live: string, id: string): Names {
  if (!/^[A-Za-z0-9]{1,32}$/.test(id))
    throw new AppError("internal", "the id of a replacement is letters and digits, 32 at most");
  return { live, made: `${live}_restore_${id}`, before: `${live}_before_${id}`, undone: `${live}_undone_${id}` };
}

/** False where the server would cut one of them. */
export function areShort(names: Names): boolean {
  return Object.values(names).every((name: string) => Buffer.byteLength(name) <= longestName);
}

const markSchema = z.object({
  vakhta: z.literal("replacement"),
  id: z.string(),
  /** `failed`: it was swapped in, did not work, and was taken out again. `-ing`: the live one is closed for a moment. */
  state: z.enum(["making", "prepared", "swapping", "failed", "before", "undoing", "undone"]),
  /** The oids of the database that was live when it began, and of the one that was made. */
  old: z.string(),
  made: z.string(),
  /** The comment that the old one has as the live one. */
  comment: z.string().nullable(),
  /** Tables of the one that was made. */
  tables: z.int().optional(),
  /** The transaction that swapped: what has newer ones was written since. */
  xid: z.string().optional(),
});

/** Stands in the comment of every database of a replacement that is not live: whose it is and what is to be done with it. */
export type Mark = z.output<typeof markSchema>;

/** The mark of this replacement; undefined for any other comment. */
export function markOf(comment: string | null, id: string): Mark | undefined {
  try {
    const mark = markSchema.parse(JSON.parse(comment ?? ""));
    return mark.id === id ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** True for the comment of a database that any restore is making, or has put aside: no database of anybody's. */
export function isMark(comment: string | null | undefined): boolean {
  try {
    return z.object({ vakhta: z.literal("replacement") }).safeParse(JSON.parse(comment ?? "")).success;
  } catch {
    return false;
  }
}
