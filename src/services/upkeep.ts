import { createHash } from "node:crypto";
import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import { due, type ScheduleEntry } from "../core/schedule.ts";
import type { Producer } from "../queue/producer.ts";
import type { ScheduleState } from "../state/schedule.ts";
import { type MissingCopiesDeps, recallMissing } from "./backup/missing-copies.ts";
import type { PruneQuestions } from "./backup/prune-questions.ts";
import { type CatalogueDueDeps, refreshCatalogue } from "./catalogue-keeper.ts";
import { enqueueAnew, hostOfCopies } from "./places.ts";

export interface UpkeepDeps extends CatalogueDueDeps, MissingCopiesDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly producer: Producer;
  /** Of what is done once a day. */
  readonly upkeepSchedule: ScheduleState;
  readonly pruneQuestions: PruneQuestions;
}

/**
 * What the storages need by the clock, beside the backups themselves: the catalogue read anew, missing copies that
 * nobody remembers, the retention once a day, unfinished pieces of nobody removed once a day, agreed removals whose job
 * is gone.
 */
export async function upkeep(deps: UpkeepDeps): Promise<void> {
  const { config, clock, producer, upkeepSchedule, pruneQuestions } = deps;
  await refreshCatalogue(deps);
  const now = clock.now();
  const entries = [...dailyEntries(config), ...copiesEntries(config)];
  const plan = due(
    entries.map(({ entry }) => entry),
    await upkeepSchedule.read(),
    now,
  );
  const dueNow = new Set(plan.due.map(({ key }) => key));
  for (const { entry, storage, name } of entries) {
    if (!dueNow.has(entry.key)) continue;
    const backup = config.backups.find((candidate) => candidate.name === name);
    if (storage === undefined) await (backup && recallMissing(deps, backup));
    else if (name === undefined) await enqueueStale(producer, config, storage);
    else await enqueuePrune(producer, config, storage, name);
  }
  for (const [key, at] of plan.handled) await upkeepSchedule.write(key, at);
  await upkeepSchedule.retain(new Set(entries.map(({ entry }) => entry.key)), now);
  await pruneQuestions.requeue();
}

/** The retention of a name in a storage; nothing to do while its job waits. */
export async function enqueuePrune(
  producer: Producer,
  config: Config,
  storage: string,
  name: string,
): Promise<boolean> {
  const options = { id: `prune.${name}.${storage}`, host: hostOfCopies(config, storage, name) };
  return await enqueueAnew(producer, "prune", { storage, name }, options);
}

async function enqueueStale(producer: Producer, config: Config, storage: string): Promise<void> {
  const writers = config.backups.filter(({ storages }) => storages.includes(storage));
  const hosts = new Set(writers.map(({ name }) => hostOfCopies(config, storage, name)));
  for (const host of hosts)
    await enqueueAnew(producer, "prune", { storage }, { id: `stale.${storage}.${host ?? ""}`, host });
}

interface UpkeepEntry {
  readonly entry: ScheduleEntry;
  /** Undefined: all of the name's. */
  readonly storage?: string;
  readonly name?: string;
}

/** Missing copies are looked for every ten minutes, not of all names at once. */
function copiesEntries({ backups, timezone }: Config): UpkeepEntry[] {
  return backups.map(({ name }) => {
    const key = `copies:${name}`;
    return { entry: { key, pattern: `${minuteOf(key) % 10}-59/10 * * * *`, timezone, catchUp: true }, name };
  });
}

function minuteOf(key: string): number {
  return createHash("sha256").update(key).digest().readUInt16BE(0) % 60;
}

/** Once a day each, spread over an hour of the morning. */
function dailyEntries({ backups, storages, timezone }: Config): UpkeepEntry[] {
  const entryOf = (key: string): ScheduleEntry => ({
    key,
    pattern: `${minuteOf(key)} 4 * * *`,
    timezone,
    catchUp: true,
  });
  const prunes = backups.flatMap(({ name, storages: own }) =>
    own.map((storage) => ({ entry: entryOf(`prune:${name}:${storage}`), storage, name })),
  );
  const stale = Object.keys(storages).map((storage) => ({ entry: entryOf(`stale:${storage}`), storage }));
  return [...prunes, ...stale];
}
