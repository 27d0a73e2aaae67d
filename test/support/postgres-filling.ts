import { expect, vi } from "vitest";
import { connect } from "../../src/sources/postgres/connection.ts";
import type { Filled } from "../../src/sources/postgres/counts.ts";
import { prepare, restoreInto } from "../../src/sources/postgres/restore-database.ts";
import { openSite, type Site } from "../../src/sources/postgres/site.ts";
import { quiet, temporaryFolder } from "./backup.ts";
import type { PostgresServer } from "./postgres.ts";
import type { MadeBackup } from "./postgres-restore.ts";

const manner = { owners: true, scratch: false } as const;

export const openSiteFor = (
  { manifest }: Pick<MadeBackup, "manifest">,
  url: string,
  signal = new AbortController().signal,
): Promise<Site> => openSite(connect(url), manifest, { signal, logger: quiet });

export function partOf({ manifest }: Pick<MadeBackup, "manifest">): MadeBackup["manifest"]["parts"][number] {
  const [part] = manifest.parts;
  if (!part) throw new Error("a backup without a part");
  return part;
}

export interface FillOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (bytes: number) => void;
  /** Told of the folder that the beginning is kept in before it is filled. */
  readonly folder?: (path: string) => void;
}

/** Fills a database of its own as a restore beside does; `url`: of the server. */
export async function fillBeside(
  backup: Pick<MadeBackup, "manifest" | "reader">,
  database: string,
  url: string,
  { signal = new AbortController().signal, progress, folder }: FillOptions = {},
): Promise<Filled> {
  const site = await openSiteFor(backup, url, signal);
  using own = temporaryFolder();
  const prepared = await prepare(site, { reader: backup.reader, part: partOf(backup), signal }, manner, own.path);
  folder?.(own.path);
  return await restoreInto(site, database, prepared, manner, { analyze: false, progress });
}

export interface Gate {
  open(): Promise<void>;
}

/** Nobody gets the advisory lock 7 in this database until it is opened. */
export async function shutGate(server: PostgresServer, database: string): Promise<Gate> {
  const shut = "SET application_name = 'gate'; SELECT pg_advisory_lock(7); SELECT pg_sleep(600)";
  const session = server.psql(database, shut).catch(() => undefined);
  const held = `SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE locktype = 'advisory' AND objid = 7 AND granted AND datname = current_database()`;
  await vi.waitFor(async () => expect(await server.psql(database, held)).toBe("1"), 30_000);
  return {
    open: async () => {
      const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gate'";
      await server.psql("postgres", end);
      await session;
    },
  };
}
