import { afterAll, beforeAll, expect, it } from "vitest";
import type { RestoreTime } from "../../src/core/verification.ts";
import { estimateRestore, restoreTime } from "../../src/services/restore/estimate.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";
import { identityOf, Memory, replacerOf } from "../support/replace.ts";

/** The real time is at most so many times the estimate, and the estimate so many times the real one: on a busy machine. */
const within = 2.5;
const route = { storage: "local", host: "here" };

let server: PostgresServer;
const folder = temporaryFolder();

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/** A backup of a database that has so many rows with text, numbers and two indexes. */
async function backupWith(name: string, rows: number): Promise<MadeBackup> {
  await server.createDatabase(
    name,
    `CREATE TABLE t AS SELECT n AS id, n % 1000 AS part, md5(n::text) || md5((n / 3)::text) AS body FROM generate_series(1, ${rows}) n;
     ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX ON t (part)`,
  );
  return await backUp({ kind: "postgres", url: server.url(name) }, folder.path, { runId: name });
}

/** Restores beside, compares and swaps, as it is done for a person. */
async function measure(name: string, { reader, manifest }: MadeBackup, id: string): Promise<RestoreTime> {
  const replacer = replacerOf(server.url(name), { id });
  const context = new Memory().context(await identityOf(server, name));
  const begun = performance.now();
  const { restoreMs, differencesTotal } = await replacer.prepare(reader, context);
  await replacer.swap(context);
  const totalMs = Math.round(performance.now() - begun);
  expect(differencesTotal).toBe(0);
  await replacer.discard(context);
  return restoreTime(manifest, { at: new Date().toISOString(), restoreMs, totalMs, ...route });
}

it("tells from restores of smaller backups how long a larger one takes", { retry: 2 }, async ({ task }) => {
  const attempt = `${task.result?.retryCount ?? 0}`;
  const times: RestoreTime[] = [];
  for (const [name, rows] of [
    ["small", 30_000],
    ["middle", 150_000],
  ] as const) {
    const made = await backupWith(`${name}${attempt}`, rows);
    for (const id of ["r1", "r2"]) times.push(await measure(`${name}${attempt}`, made, id));
  }
  const large = await backupWith(`large${attempt}`, 450_000);
  const estimate = estimateRestore(times, large.manifest, [], route);
  const { totalMs = 0 } = await measure(`large${attempt}`, large, "r1");
  expect(estimate?.measured).toBe(4);
  const ratio = totalMs / (estimate?.totalMs ?? 0);
  expect(ratio).toBeLessThan(within);
  expect(ratio).toBeGreaterThan(1 / within);
});
