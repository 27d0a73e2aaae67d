import { AppError } from "../../core/errors.ts";
import type { Manifest } from "../../core/manifest.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Connection } from "./connection.ts";
import { restoreError } from "./errors.ts";
import { askServer, type Server } from "./inspect.ts";
import { ask, type PsqlCommand } from "./session.ts";
import { anyPsql, chooseTools, type Tools } from "./tools.ts";

/** A server that is restored to, and the programs for it. */
export interface Site {
  readonly server: Server;
  readonly tools: Tools;
  readonly psql: PsqlCommand;
  /** Without the password; of the database that was connected to, or of another one. */
  url(database?: string): string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Asks where several questions share a connection; else each has one, and a program, of its own. See `conversing`. */
  readonly ask?: (sql: string, database?: string) => Promise<string[]>;
}

/**
 * Rows of an answer, a line each, of the database that was connected to or of another one. `timeoutMs`: of a question with
 * a connection of its own. Fails as `ask` does.
 */
export async function askSite(site: Site, sql: string, database?: string, timeoutMs?: number): Promise<string[]> {
  return await (site.ask?.(sql, database) ?? ask(site.psql, site.url(database), sql, site.signal, timeoutMs));
}

export const application = "vakhta-restore";

/**
 * Connects to `database` (default: the URL's own) and finds programs that are as new as the server and the archive.
 * Rejects with `conflict` when the server is older than the one that was backed up, else as `askServer` and `chooseTools`.
 */
export async function openSite(
  connection: Connection,
  manifest: Pick<Manifest, "source">,
  options: { readonly database?: string; readonly signal: AbortSignal; readonly logger: Logger },
): Promise<Site> {
  const { database, signal, logger } = options;
  const url = (name = database) => connection.url(application, name);
  const server = await askServer(anyPsql(connection.options), url(), signal).catch((error: unknown) => {
    throw restoreError(error);
  });
  const backedUp = majorOf(manifest.source.server);
  if (server.major < backedUp) {
    const message = `the server is PostgreSQL ${server.major}, the backup is of ${backedUp}: restore into ${backedUp} or newer`;
    throw new AppError("conflict", message, {
      context: { step: "preflight" },
      text: { key: "error-restore-older", args: { server: String(server.major), backup: String(backedUp) } },
    });
  }
  const major = Math.max(server.major, majorOf(manifest.source.pg_dump));
  const tools = await chooseTools(connection.options, major, signal);
  return { server, tools, psql: (args) => tools.command("psql", args), url, signal, logger };
}

/** True when definitions are written down by the same pg_dump about the same kind of server. */
export function isSameVersion({ server, tools }: Site, { source }: Manifest): boolean {
  return server.major === majorOf(source.server) && majorOf(tools.version) === majorOf(source.pg_dump);
}

/** 0 for what is no version. */
export function majorOf(version: string | undefined): number {
  return Number.parseInt(version ?? "", 10) || 0;
}
