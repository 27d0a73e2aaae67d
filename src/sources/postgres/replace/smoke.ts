import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { AppError, toAppError } from "../../../core/errors.ts";
import { conversing } from "../conversing.ts";
import { tableList } from "../counts.ts";
import { askSite, type Site } from "../site.ts";

/** Milliseconds for each of its two questions. */
const withinMs = 15_000;
/** Milliseconds for which a place among the connections of others is waited for. */
const crowdedMs = 3000;
const crowdedPauseMs = 50;

/** How many tables a database has whose rows are in dumps, and the largest of them. */
export async function countTables(
  site: Site,
  database: string,
): Promise<{ readonly tables: number; readonly largest?: string }> {
  const rows = (await askSite(site, tableList, database, withinMs)).map(
    (line) => z.tuple([z.string(), z.int()]).parse(JSON.parse(line))[0],
  );
  const [largest] = rows;
  return { tables: rows.length, ...(largest === undefined ? {} : { largest }) };
}

/**
 * Does what an application does first: connects as the source's own user, under the name that it connects to, and reads.
 * Where the application was faster, and has taken all connections that there may be, it works. Rejects with
 * `source-failed` when it does not, or when there are fewer tables than `expected`.
 */
export async function smokeTest(site: Site, database: string, expected: number | undefined): Promise<void> {
  const until = performance.now() + crowdedMs;
  let reason: string;
  for (;;) {
    try {
      await using talk = conversing(site, withinMs);
      const { tables, largest } = await countTables(talk, database);
      if (largest !== undefined) await askSite(talk, `SELECT 1 FROM ONLY ${largest} LIMIT 1`, database);
      if (expected === undefined || tables >= expected) return;
      reason = `${tables} of ${expected} tables`;
    } catch (error) {
      site.signal.throwIfAborted();
      reason = toAppError(error).message;
      if (isCrowded(error)) {
        if (performance.now() > until) return;
        await setTimeout(crowdedPauseMs, undefined, { signal: site.signal });
        continue;
      }
    }
    break;
  }
  throw new AppError("source-failed", `${database} does not work after the swap (${reason})`, {
    context: { step: "smoke-test", database },
    text: { key: "error-replace-smoke", args: { database, reason } },
  });
}

/** The server would have let this user in, had there been a place: a database's, a role's, or its own. */
function isCrowded(error: unknown): boolean {
  const said = error instanceof AppError ? String(error.context.stderr ?? "") : "";
  return /too many connections for|too many clients already|remaining connection slots are reserved/.test(said);
}
