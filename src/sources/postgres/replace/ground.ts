import { createHash } from "node:crypto";
import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { ReplacementOrder } from "../../replacement.ts";
import { prepareVia } from "../../via.ts";
import { type Connection, parseConnection, readPassword, toolUrl } from "../connection.ts";
import { isMissingDatabase } from "../databases.ts";
import { restoreError } from "../errors.ts";
import { quoteLiteral } from "../names.ts";
import type { PostgresConfig } from "../schema.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "../session.ts";
import { askSite, openSite, type Site } from "../site.ts";
import { type Names, namesOf } from "./marks.ts";

/** Databases in which nobody works, from which others are renamed. */
const maintenance = ["postgres", "template1"];

const endWithinMs = 30_000;

export interface GroundOptions {
  readonly id: string;
  /** What is replaced. */
  readonly database: string;
  /** Of the backup: programs are as new as it is. Without it only statements are run. */
  readonly source?: Manifest["source"];
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** The name of all sessions of a replacement, so that those that a killed process has left are found. */
export function applicationOf(id: string): string {
  return `vakhta-replace-${id}`;
}

/** How the server of a source is reached, and which database its URL names. Rejects with `config` or `secret-missing`. */
export async function connectionOf(config: PostgresConfig, application: string): Promise<Connection> {
  const target = parseConnection(config.url);
  const { password = config.passwordFile && (await readPassword(config.passwordFile)) } = target;
  const via = config.via && prepareVia(config.via, password === undefined ? undefined : "PGPASSWORD");
  const url = (_name: string, database?: string) => toolUrl(target, application, database);
  return { options: { via, bin: config.bin, password }, database: target.database, url };
}

/** The server of a source, from a database that is not the one that is replaced. */
export async function openGround(config: PostgresConfig, options: GroundOptions): Promise<Site> {
  const { id, database, source = {}, signal, logger } = options;
  const connection = await connectionOf(config, applicationOf(id));
  let last: unknown;
  for (const from of maintenance) {
    if (from === database) continue;
    try {
      return await openSite(connection, { source }, { database: from, signal, logger });
    } catch (error) {
      if (!isMissingDatabase(error) && !isClosed(error)) throw error;
      last = error;
    }
  }
  const message = `there is no other database to work from while ${database} is replaced: postgres or template1`;
  throw new AppError("conflict", message, {
    context: { step: "preflight", database },
    text: { key: "error-replace-no-maintenance", args: { database } },
    cause: last,
  });
}

/** The server of an order's database, and what its databases are called. Where the URL names none it is libpq that knows which. */
export async function openLive(
  config: PostgresConfig,
  { id, only, logger }: ReplacementOrder,
  signal: AbortSignal,
  source?: Manifest["source"],
): Promise<{ readonly site: Site; readonly names: Names }> {
  let database = only;
  if (database === undefined) {
    const connection = await connectionOf(config, applicationOf(id));
    database = connection.database ?? (await openSite(connection, { source: {} }, { signal, logger })).server.database;
  }
  const options = { id, database, signal, logger, ...(source && { source }) };
  return { site: await openGround(config, options), names: namesOf(database, id) };
}

function isClosed(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== "source-refused") return false;
  return /permission denied for database|not currently accepting/.test(String(error.context.stderr ?? ""));
}

/** The right to replace one database: a session that holds it for as long as it lives. */
export interface Hold extends AsyncDisposable {
  readonly site: Site;
  /** In that session, `timeoutMs` at most (default 30,000). Rejects when the right is lost, as the session then is. */
  query(sql: string, timeoutMs?: number): Promise<string[]>;
}

/** For everybody who replaces this database, whichever worker it is. */
export function lockKey(database: string): string {
  return createHash("sha256").update(`vakhta replacement ${database}`).digest().readBigInt64BE().toString();
}

/**
 * What was committed is on the server's disk, whatever it, the role or the database has for its sessions: else it may be
 * gone again after a crash, when it was long said to be done. Standbys are waited for where that is wanted already.
 */
export const durable = `DO ${quoteLiteral(`BEGIN
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'local', false); END IF;
END`)}`;

/** Waits `waitMs` for the right to replace a database; rejects with `busy`. */
export async function takeHold(site: Site, database: string, waitMs: number): Promise<Hold> {
  // Not the caller's signal: what has to be undone after an abort is undone under this right.
  const stop = new AbortController();
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url())], "replace");
  const session = new PsqlSession(command, stop.signal);
  const query = async (sql: string, timeoutMs = 30_000): Promise<string[]> => {
    const late = new AppError("timeout", "the server has not answered in time", { permanent: false });
    const timer = setTimeout(() => stop.abort(late), timeoutMs);
    try {
      return await session.query(sql);
    } catch (error) {
      throw restoreError(error);
    } finally {
      clearTimeout(timer);
    }
  };
  const close = async (): Promise<void> => {
    await session.close();
  };
  try {
    await query(`SET client_min_messages = error; SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0;
${unhurried}; SET lock_timeout = ${waitMs}; ${durable};
SELECT set_config('idle_session_timeout', '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout'`);
    await query(`SELECT pg_advisory_lock(${lockKey(database)})`, waitMs + 30_000);
    await query("SET lock_timeout = '5s'");
  } catch (error) {
    await close();
    const said = error instanceof AppError ? String(error.context.stderr ?? "") : "";
    if (!/lock timeout/.test(said)) throw error;
    throw busy(database, error);
  }
  return { site, query, [Symbol.asyncDispose]: close };
}

function busy(database: string, cause: unknown): AppError {
  return new AppError("busy", `database ${database} is being replaced by somebody else`, {
    permanent: false,
    text: { key: "error-replace-busy", args: { database } },
    cause,
  });
}

/** Ends what a killed process has left at work on the server: also a CREATE DATABASE that would end only later. */
export async function endLeftovers(hold: Hold, id: string): Promise<void> {
  const { site } = hold;
  const ours = `application_name = ${quoteLiteral(applicationOf(id))} AND pid <> pg_backend_pid()`;
  const until = performance.now() + endWithinMs;
  for (;;) {
    const ended = await hold.query(`SELECT pg_stat_clear_snapshot()::text;
SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE ${ours};
SELECT pg_sleep(0.02)::text`);
    if (ended.filter((line) => line === "t" || line === "f").length === 0) return;
    site.signal.throwIfAborted();
    if (performance.now() > until) {
      throw new AppError("busy", "sessions of a killed replacement do not end", {
        permanent: false,
        text: { key: "error-replace-leftovers" },
      });
    }
  }
}

/** Rows as JSON, of a session in one of the databases: of its own, or of `conversing`. */
export async function askJson<T>(
  site: Site,
  database: string | undefined,
  sql: string,
  parse: (value: unknown) => T,
): Promise<T[]> {
  return (await askSite(site, sql, database)).map((line) => parse(JSON.parse(line)));
}
