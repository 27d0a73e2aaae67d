import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import { quoteLiteral } from "../names.ts";
import type { Hold } from "./ground.ts";
import { type Mark, markOf, type Names } from "./marks.ts";

const foundSchema = z.object({
  name: z.string(),
  oid: z.string(),
  open: z.boolean(),
  comment: z.string().nullable(),
});

type Found = z.output<typeof foundSchema>;

/** A database of this replacement that is not live. */
export interface Aside extends Found {
  readonly mark: Mark;
}

/** What the server has of a replacement at this moment. */
export interface Seen {
  readonly live: Found;
  readonly made?: Aside;
  readonly before?: Aside;
  readonly undone?: Aside;
  /** Has the name of the one that is made, and no mark: made a moment ago, or somebody else's. */
  readonly unmarked?: Found;
}

/** Reads it. Rejects with `not-found` where nothing is live, and with `conflict` for names that somebody else has taken. */
export async function see(hold: Pick<Hold, "query">, names: Names, id: string): Promise<Seen> {
  const { live, made, before, undone } = names;
  const list = [live, made, before, undone].map(quoteLiteral).join(", ");
  const rows = await hold.query(`SELECT json_build_object('name', datname, 'oid', oid::text, 'open', datallowconn,
  'comment', shobj_description(oid, 'pg_database')) FROM pg_catalog.pg_database WHERE datname IN (${list})`);
  const found = new Map(rows.map((row) => foundSchema.parse(JSON.parse(row))).map((each) => [each.name, each]));
  const current = found.get(live);
  if (current === undefined) throw noDatabase(live);
  const ours = (name: string): Aside | undefined => {
    const there = found.get(name);
    const mark = there && markOf(there.comment, id);
    return there && mark && { ...there, mark };
  };
  for (const name of [before, undone]) if (found.has(name) && ours(name) === undefined) throw taken(name);
  const [a, b, c] = [ours(made), ours(before), ours(undone)];
  const unmarked = a === undefined ? found.get(made) : undefined;
  return {
    live: current,
    ...(a && { made: a }),
    ...(b && { before: b }),
    ...(c && { undone: c }),
    ...(unmarked && { unmarked }),
  };
}

/** What was to be replaced is not there. */
export function noDatabase(database: string): AppError {
  return new AppError("not-found", `there is no database ${database}`, {
    text: { key: "error-replace-none", args: { database } },
  });
}

/** A name that this replacement needs is somebody else's. */
export function taken(database: string): AppError {
  return new AppError("conflict", `there is a database ${database} that is not of this restore: it is left alone`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-taken", args: { database } },
  });
}
