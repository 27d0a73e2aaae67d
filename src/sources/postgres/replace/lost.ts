import { z } from "zod";
import type { ManifestPart } from "../../../core/manifest.ts";
import type { Lost } from "../../../core/replacement.ts";
import { tableList } from "../counts.ts";
import { sameSpelling } from "../names.ts";
import { warnOf } from "../restore.ts";
import type { Site } from "../site.ts";
import { askJson } from "./ground.ts";

const namedTables = 20;
/** Tables of so many pages (8 KiB) are counted, so many of them at most; of others the server's estimate is taken. */
const smallPages = 2000;
const mostCounted = 200;
/** A table that somebody holds is not waited for: nothing that is told here is worth that. Milliseconds. */
const lockWithinMs = 2000;

const tableSchema = z.object({ name: z.string(), pages: z.int(), estimate: z.number(), readable: z.boolean() });

/** What is live and not in the backup: rows in greater number than the backup has. Rows that were altered are not seen. */
export async function estimateLost(
  site: Site,
  live: string,
  part: Pick<ManifestPart, "tables"> | undefined,
): Promise<{ readonly lost: readonly Lost[]; readonly lostTotal: number }> {
  // The collector's number is the newer one, and 0 after a crash; that of the last ANALYZE is -1 before the first.
  const estimates = `SELECT json_build_object('name', format('%I.%I', n.nspname, c.relname), 'pages', c.relpages,
  'estimate', greatest(c.reltuples::float8, pg_stat_get_live_tuples(c.oid), 0),
  'readable', has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid IN (SELECT (line ->> 1)::oid FROM (${tableList}) AS list (line))`;
  const found = await askJson(site, live, estimates, (value) => tableSchema.parse(value));
  const small = found
    .filter(({ pages, readable, estimate }) => readable && pages <= smallPages && estimate < smallPages * 500)
    .sort((a, b) => a.pages - b.pages)
    .slice(0, mostCounted);
  const exact = new Map<string, number>();
  if (small.length > 0) {
    const queries = small.map(({ name }, index) => `SELECT json_build_array(${index}, count(*)) FROM ONLY ${name}`);
    const pair = z.tuple([z.int(), z.int()]);
    const counting = `SET lock_timeout = '${lockWithinMs}ms';\n${queries.join(";\n")};
RESET lock_timeout`;
    const counted = await askJson(site, live, counting, (value) => pair.parse(value)).catch((error: unknown) => {
      site.signal.throwIfAborted();
      warnOf(site.logger, `rows of ${live} could not be counted, their numbers are estimates`)(error);
      return [];
    });
    for (const [index, count] of counted) exact.set(small[index]?.name ?? "", count);
  }
  const backup = new Map(Object.entries(part?.tables ?? {}).map(([name, rows]) => [sameSpelling(name), rows]));
  const lost = found
    .map(({ name, estimate }): Lost => {
      const rows = backup.get(sameSpelling(name));
      const live = exact.get(name) ?? Math.round(estimate);
      return { what: name, live, exact: exact.has(name), ...(rows === undefined ? {} : { backup: rows }) };
    })
    .filter(({ live, backup: rows = 0 }) => live > rows)
    .sort((a, b) => b.live - (b.backup ?? 0) - (a.live - (a.backup ?? 0)));
  return { lost: lost.slice(0, namedTables), lostTotal: lost.length };
}
