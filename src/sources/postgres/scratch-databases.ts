import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import { connect } from "./connection.ts";
import { dropDatabases } from "./database.ts";
import { scratchPrefix } from "./databases.ts";
import { askServer } from "./inspect.ts";
import { quoteIdentifier, quoteLiteral } from "./names.ts";
import { warnOf } from "./restore.ts";
import { ask } from "./session.ts";
import { application, type Site } from "./site.ts";
import { anyPsql } from "./tools.ts";

/** The database's comment: who works in it and since when. Whoever finds one without a comment writes down when. */
const markSchema = z.object({
  vakhta: z.literal("test-restore"),
  at: z.iso.datetime(),
  process: z.string().optional(),
});

/** A database of a process of which nothing is known is a leftover after this time; milliseconds. */
const strangeAfterMs = 2 * 86_400_000;

const foundSchema = z.object({ name: z.string(), mark: z.string().nullable(), sessions: z.number() });
type Found = z.output<typeof foundSchema>;

const question = `
SELECT json_build_object('name', datname, 'mark', shobj_description(oid, 'pg_database'), 'sessions',
  (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datname = d.datname))
FROM pg_catalog.pg_database d WHERE starts_with(datname, '${scratchPrefix}') ORDER BY datname`;

/** Name of a test-restore's database. `index`: of several. */
export function scratchName(id: string, index: number | undefined): string {
  if (!/^[A-Za-z0-9]{1,40}$/.test(id)) throw new AppError("internal", "the id of a test-restore is letters and digits");
  return `${scratchPrefix}${id}${index === undefined ? "" : `_${index}`}`;
}

/** Says whose a scratch database is, so that it is found when this process is killed. */
export async function markScratch(site: Site, database: string): Promise<void> {
  await mark(site, database, { process: processIdentity() });
}

/**
 * Drops the scratch databases of processes that have ended, or of which nothing was heard for two days. What can not be
 * dropped or marked is somebody else's, and is told in the log.
 */
export async function sweepScratchDatabases(site: Site, now = new Date()): Promise<void> {
  const { signal, logger } = site;
  for (const line of await ask(site.psql, site.url(), question, signal)) {
    const found = foundSchema.parse(JSON.parse(line));
    try {
      const known = markOf(found);
      if (!known) await mark(site, found.name, {}, now);
      else if (isLeftover(known, found, now)) {
        await dropDatabases(site, [found.name], signal);
        logger.warn({ database: found.name, since: known.at }, "what a killed test-restore has left was dropped");
      }
    } catch (error) {
      signal.throwIfAborted();
      warnOf(logger, `${found.name} could not be dropped`)(error);
    }
  }
}

type Mark = z.output<typeof markSchema>;

function markOf({ mark: text }: Found): Mark | undefined {
  try {
    return markSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

function isLeftover({ process: owner, at }: Mark, { sessions }: Found, now: Date): boolean {
  if (owner !== undefined && hasEnded(owner)) return true;
  if (owner === processIdentity() && owner !== "-") return false;
  return sessions === 0 && now.getTime() - Date.parse(at) > strangeAfterMs;
}

async function mark(site: Site, database: string, more: Pick<Mark, "process">, at = new Date()): Promise<void> {
  const text = JSON.stringify({ vakhta: "test-restore", at: at.toISOString(), ...more } satisfies Mark);
  const sql = `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(text)}`;
  await ask(site.psql, site.url(), sql, site.signal);
}

/**
 * Drops the databases that test-restores with these ids have left on a scratch server; resolves with their number.
 * Rejects as the server does.
 */
export async function cleanUpScratch(server: string, ids: readonly string[], signal: AbortSignal): Promise<number> {
  const connection = connect(server);
  const psql = anyPsql(connection.options);
  const url = (database?: string) => connection.url(application, database);
  const names = (await ask(psql, url(), question, signal)).map((line) => foundSchema.parse(JSON.parse(line)).name);
  const own = ids.map((id) => scratchName(id, undefined));
  const leftovers = names.filter((name) => own.some((each) => name === each || name.startsWith(`${each}_`)));
  if (leftovers.length === 0) return 0;
  return await dropDatabases({ psql, url, server: await askServer(psql, url(), signal) }, leftovers, signal);
}
