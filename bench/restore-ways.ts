import type { RestoreProcess } from "./restore-process.ts";
import type { BackupName, RestoreWorld } from "./restore-world.ts";

/** One measured restore. Milliseconds. */
export interface RestoreSample {
  readonly ms: number;
  /** Of processor time, of all servers and programs. */
  readonly cpuMs: number;
  /** Of ours: until the beginning of the filling, of the comparison, and until all was compared; the swap. */
  readonly parts?: { readonly begin: number; readonly fill: number; readonly compare: number; readonly swap: number };
  /** By the server's account, and by that of a client that connects a hundred times a second. */
  readonly refusedMs?: number;
  readonly seenMs?: number;
}

/** A way to restore: `run` does it once and removes what it has made outside of the measured time. */
export interface Way {
  readonly id: string;
  readonly title: string;
  /** `bare`: tables are there. `same`: statistics and counts too. `ours`: compared and swapped. */
  readonly outcome: "bare" | "same" | "ours";
  readonly run: () => Promise<RestoreSample>;
}

const create = '"$BIN/createdb" -T template0 restored';
const analyze = '"$BIN/vacuumdb" -q --analyze-only -j2 restored';
const count = `echo "SELECT format('SELECT count(*) FROM %s', oid::regclass) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace \\gexec" | "$BIN/psql" -qAtX -d restored`;

/** Every way in the order of the table. `watch`: has a client connect all the time. */
export function restoreWays(world: RestoreWorld, process: RestoreProcess, watch: WatchedBy): Way[] {
  const streamed = (more = "") =>
    `curl -sSf "$DUMP" | zstd -dcq | "$BIN/pg_restore" --exit-on-error ${more} -d restored`;
  const bare = (id: string, title: string, outcome: "bare" | "same", ...lines: readonly string[]): Way => ({
    id,
    title,
    outcome,
    run: () => runBare(world, [create, ...lines]),
  });
  const ours = (id: BackupName, title: string, watchedBy?: WatchedBy): Way => ({
    id: watchedBy === undefined ? id : "watched",
    title,
    outcome: "ours",
    run: () => runOurs(world, process, id, watchedBy),
  });
  return [
    bare("streamed", "(a) curl | zstd -dc | pg_restore", "bare", streamed()),
    bare("single", "(a) with --single-transaction", "bare", streamed("--single-transaction")),
    bare(
      "jobs",
      "(b) curl | zstd -dc > file, pg_restore -j2",
      "bare",
      'curl -sSf "$DUMP" | zstd -dcq > "$FILE"',
      '"$BIN/pg_restore" --exit-on-error -j2 -d restored "$FILE"',
    ),
    bare(
      "script",
      "(c) curl | gunzip | psql",
      "bare",
      'curl -sSf "$SCRIPT" | gunzip | "$BIN/psql" -qX -v ON_ERROR_STOP=1 -o /dev/null -d restored',
    ),
    bare("same", "(a) in one transaction, ANALYZE, counts", "same", streamed("--single-transaction"), analyze, count),
    ours("offsite", "Vakhta, from S3"),
    ours("encrypted", "Vakhta, from S3, encrypted"),
    ours("local", "Vakhta, from the local copy"),
    ours("local", "the same, swapped under 100 connections a second", watch),
  ];
}

/** What was restored before is vacuumed and on the disk: neither is done in somebody else's time. */
async function settle(world: RestoreWorld): Promise<void> {
  await world.postgres.psql("bench", "VACUUM (FREEZE)");
  await world.postgres.psql("postgres", "CHECKPOINT");
  await world.shell("sync");
}

async function runBare(world: RestoreWorld, lines: readonly string[]): Promise<RestoreSample> {
  const { urls, postgres } = world;
  await settle(world);
  const cpuBefore = world.processorMs();
  const begun = performance.now();
  await world.shell(lines.join("\n"), { DUMP: urls.dump, SCRIPT: urls.script, FILE: `${world.folder}/restored.dump` });
  const ms = performance.now() - begun;
  // Its processor time is known only of a session that the server has said goodbye to.
  await postgres.psql("postgres", "SELECT pg_sleep(0.1)");
  const cpuMs = world.processorMs() - cpuBefore;
  await world.shell('rm -f "$FILE"; "$BIN/dropdb" restored', { FILE: `${world.folder}/restored.dump` });
  return { ms, cpuMs };
}

/** Runs something while a client connects all the time, and tells how long that was refused; milliseconds. */
export type WatchedBy = <T>(action: () => Promise<T>) => Promise<{ readonly result: T; readonly seenMs: number }>;

let orders = 0;

async function runOurs(
  world: RestoreWorld,
  process: RestoreProcess,
  name: BackupName,
  watch: WatchedBy | undefined,
): Promise<RestoreSample> {
  const { backups, database } = world;
  await settle(world);
  orders += 1;
  const cpuMs = (): number => world.processorMs() + process.processorMs();
  const cpuBefore = cpuMs();
  const backup = backups[name];
  const prepared = await process.order({ step: "prepare", id: `b${orders}`, url: database.url, backup });
  if (prepared.report?.differencesTotal !== 0) throw new Error(JSON.stringify(prepared.report));
  const swapping = () => process.order({ step: "swap" });
  const { result: swap, seenMs } =
    watch === undefined ? { result: await swapping(), seenMs: undefined } : await watch(swapping);
  const cpuAfter = cpuMs();
  await process.order({ step: "discard" });
  const { fill = 0, compare = 0 } = prepared.steps ?? {};
  return {
    ms: prepared.ms + swap.ms,
    cpuMs: cpuAfter - cpuBefore,
    parts: { begin: fill, fill: compare - fill, compare: prepared.ms - compare, swap: swap.ms },
    refusedMs: swap.refusedMs ?? Number.NaN,
    ...(seenMs === undefined ? {} : { seenMs }),
  };
}
