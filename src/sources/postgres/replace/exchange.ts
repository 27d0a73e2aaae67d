import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { SwapReport } from "../../../core/replacement.ts";
import { quoteIdentifier, quoteLiteral } from "../names.ts";
import type { Hold } from "./ground.ts";
import type { Mark } from "./marks.ts";

/** Milliseconds in which the sessions of the live database have to end; else it is opened again. */
const endSessionsMs = 3000;

/** One database takes the name of another, which is kept aside. */
export interface Exchange {
  /** What is live until then. */
  readonly out: { readonly name: string; readonly oid: string; readonly becomes: string };
  /** What takes its name: it carries the mark until then. */
  readonly in: { readonly name: string; readonly oid: string; readonly mark: Mark };
  /** The mark of `in` while the live one is closed. */
  readonly during: Mark["state"];
  /** What is aside then: its mark, to which the transaction's number is added if it has none, and whether one can connect to it. */
  readonly aside: { readonly mark: Mark; readonly open: boolean };
  /** The comment of what is live then. */
  readonly comment: string | null;
}

const resultSchema = z.union([
  z.object({ failed: z.literal("changed") }),
  z.object({ failed: z.literal("left"), who: z.string() }),
  z.object({ failed: z.literal("error"), error: z.string() }),
  z.object({ refusedMs: z.number(), ended: z.int() }),
]);

/**
 * Closes the live database, ends all sessions of both, and renames both in one transaction. All of it is one call that
 * the server carries out by itself: whoever has asked may be killed, and the live one still does not stay closed. Rejects
 * with `conflict`, everything being as before, when they are not the databases that are meant, or when sessions do not end.
 */
export async function exchange(hold: Hold, what: Exchange): Promise<SwapReport> {
  const [line = ""] = await hold.query(
    `DO ${quoteLiteral(program(what))};\nSELECT current_setting('vakhta.result')`,
    endSessionsMs + 60_000,
  );
  const result = resultSchema.parse(JSON.parse(line));
  if (!("failed" in result)) return { refusedMs: result.refusedMs, sessionsEnded: result.ended };
  const database = what.out.name;
  if (result.failed === "changed") throw changed(database);
  if (result.failed === "left") {
    const { who } = result;
    const message = `sessions of ${database} do not end (${who}): nothing was replaced, and it is open again`;
    throw new AppError("conflict", message, {
      permanent: false,
      context: { step: "swap", database },
      text: { key: "error-replace-sessions", args: { database, who } },
    });
  }
  const reason = result.error;
  throw new AppError("source-failed", `${database} can not be renamed (${reason}): nothing was replaced`, {
    context: { step: "swap", database },
    text: { key: "error-replace-rename", args: { database, reason } },
  });
}

/** What is there is not what was approved or prepared. */
export function changed(database: string): AppError {
  const message = `database ${database} is not the one that was to be replaced any more: somebody has made it anew`;
  return new AppError("conflict", message, {
    context: { step: "preflight", database },
    text: { key: "error-replace-changed", args: { database } },
  });
}

function comment(name: string, text: string | null): string {
  return `COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${text === null ? "NULL" : quoteLiteral(text)}`;
}

/** The statement that marks a database. */
export function markStatement(name: string, mark: Mark): string {
  return comment(name, JSON.stringify(mark));
}

/**
 * A session that is just beginning holds a lock on its database before it is seen among the sessions, and releases it
 * after that: so whoever is in neither, asked in this order, can not come in any more. Background processes have no user;
 * the server ends them itself for a renaming.
 */
function program({ out, in: coming, during, aside, comment: own }: Exchange): string {
  const alter = (name: string, rest: string) => `ALTER DATABASE ${quoteIdentifier(name)} ${rest}`;
  const oids = `(${out.oid}, ${coming.oid})`;
  const isOid = (name: string, oid: string) =>
    `(SELECT oid FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(name)}) IS NOT DISTINCT FROM ${oid}::oid`;
  const mark = `(jsonb_build_object('xid', txid_current()::text) || ${quoteLiteral(JSON.stringify(aside.mark))}::jsonb)::text`;
  return `
DECLARE
  began timestamptz; session int; ended int[] := '{}'; busy bool; done bool := false; failure jsonb;
BEGIN
  IF NOT (${isOid(out.name, out.oid)} AND ${isOid(coming.name, coming.oid)}) THEN
    PERFORM set_config('vakhta.result', '{"failed": "changed"}', false);
    RETURN;
  END IF;
  ${alter(out.name, "ALLOW_CONNECTIONS false")};
  ${markStatement(coming.name, { ...coming.mark, state: during })};
  COMMIT;
  began := clock_timestamp();
  LOOP
    busy := EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'object'
      AND classid = 'pg_catalog.pg_database'::regclass AND objid IN ${oids} AND pid <> pg_backend_pid());
    PERFORM pg_stat_clear_snapshot();
    FOR session IN SELECT pid FROM pg_catalog.pg_stat_activity
      WHERE datid IN ${oids} AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    LOOP
      busy := true;
      BEGIN
        IF pg_terminate_backend(session) AND NOT session = ANY (ended) THEN ended := ended || session; END IF;
      EXCEPTION WHEN insufficient_privilege THEN NULL;
      END;
    END LOOP;
    IF NOT busy THEN
      BEGIN
        ${alter(out.name, `RENAME TO ${quoteIdentifier(out.becomes)}`)};
        ${alter(coming.name, `RENAME TO ${quoteIdentifier(out.name)}`)};
        ${alter(out.name, "ALLOW_CONNECTIONS true")};
        ${alter(out.becomes, `ALLOW_CONNECTIONS ${aside.open}`)};
        EXECUTE format(${quoteLiteral(`COMMENT ON DATABASE ${quoteIdentifier(out.becomes).replaceAll("%", "%%")} IS %L`)}, ${mark});
        ${comment(out.name, own)};
        done := true;
      EXCEPTION
        WHEN object_in_use THEN NULL;
        WHEN OTHERS THEN failure := jsonb_build_object('failed', 'error', 'error', SQLERRM);
      END;
      EXIT WHEN done OR failure IS NOT NULL;
    END IF;
    IF clock_timestamp() > began + interval '${endSessionsMs} ms' THEN
      SELECT jsonb_build_object('failed', 'left', 'who', coalesce(string_agg(DISTINCT usename, ', '), '?')) INTO failure
        FROM pg_catalog.pg_stat_activity WHERE datid IN ${oids} AND pid <> pg_backend_pid() AND usesysid IS NOT NULL;
      EXIT;
    END IF;
    PERFORM pg_sleep(0.005);
  END LOOP;
  IF done THEN
    COMMIT;
    PERFORM set_config('vakhta.result', jsonb_build_object('ended', cardinality(ended),
      'refusedMs', round((extract(epoch FROM clock_timestamp() - began) * 1000)::numeric, 1))::text, false);
  ELSE
    ${alter(out.name, "ALLOW_CONNECTIONS true")};
    ${markStatement(coming.name, coming.mark)};
    COMMIT;
    PERFORM set_config('vakhta.result', failure::text, false);
  END IF;
END`;
}
