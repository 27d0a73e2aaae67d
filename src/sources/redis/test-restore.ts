import type { BackupReader, Difference, RestoreReport, Scratch } from "../types.ts";
import { keyspace, totalKeys } from "./info.ts";
import { load } from "./load.ts";

/**
 * Loads the snapshot into a private Redis and counts: all keys of all databases, those that have expired since then
 * included, against the number that redis-check-rdb has read when the backup was made.
 */
export async function testRestore(reader: BackupReader, { folder, signal }: Scratch): Promise<RestoreReport> {
  const begin = performance.now();
  const { server, entries } = await load(reader, { folder, signal });
  await using _running = server;
  const restoreMs = Math.round(performance.now() - begin);
  const info = await server.info();
  return { restoreMs, ...compareKeys(entries, totalKeys(info), keyspace(info).size) };
}

/** The comparison of a report. Without `entries` there is nothing to compare with. */
export function compareKeys(
  entries: number | undefined,
  keys: number,
  databases: number,
): Pick<RestoreReport, "compared" | "differences" | "differencesTotal"> {
  if (entries === undefined) return { compared: {}, differences: [], differencesTotal: 0 };
  const differences: Difference[] =
    entries === keys ? [] : [{ what: "keys", expected: String(entries), found: String(keys) }];
  return { compared: { keys: entries, databases }, differences, differencesTotal: differences.length };
}
