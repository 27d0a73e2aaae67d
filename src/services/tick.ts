import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import { hasLeftovers, isFinal, owesHook } from "../core/run.ts";
import { type Due, due } from "../core/schedule.ts";
import type { Logger } from "../lib/logger.ts";
import type { Producer } from "../queue/producer.ts";
import type { Dialogs } from "../state/dialogs.ts";
import type { Presences } from "../state/presence.ts";
import type { Runs } from "../state/runs.ts";
import type { ScheduleState } from "../state/schedule.ts";
import type { Alerts } from "./alerts/alerts.ts";
import type { BackupOrders } from "./backup/orders.ts";
import { enqueueUpload, uploadHost, uploadJobId } from "./backup/uploads.ts";
import { backupOf, scheduleEntries } from "./schedules.ts";
import { stamp } from "./stamp.ts";
import { workerHosts } from "./workers.ts";

/** Milliseconds between two looks at the clock. */
export const tickEveryMs = 15_000;

export interface TickDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly schedule: ScheduleState;
  readonly orders: BackupOrders;
  readonly alerts: Pick<Alerts, "receive">;
  readonly runs: Runs;
  readonly dialogs: Dialogs;
  readonly producer: Producer;
  readonly presences: Presences;
  /** What the storages need beside the backups. */
  readonly upkeep?: { step(): Promise<void> };
  /** What the workers look after. */
  readonly watch?: { step(): Promise<void> };
}

/**
 * One look at the clock: starts what is due, and puts back into the queue what should be there. Every order has an id
 * that follows from its due time, so a tick that runs twice, or on two workers, starts nothing twice.
 */
export async function tick(deps: TickDeps): Promise<{ started: string[]; requeued: string[] }> {
  const now = deps.clock.now();
  const entries = scheduleEntries(deps.config);
  const known = await deps.schedule.read();
  const plan = due(entries, known, now);
  const started: string[] = [];
  for (const item of plan.due) {
    const name = backupOf(item.key);
    if (await deps.orders.schedule(name, item)) started.push(name);
    if (item.late && !item.waited)
      deps.logger.warn({ backup: name, dueAt: item.at, missed: item.missed }, "a missed run is made up");
  }
  for (const item of plan.dropped) await drop(deps, item);
  // Recorded after the orders: a kill in between repeats them, which their ids make harmless.
  for (const [key, at] of plan.handled) await deps.schedule.write(key, at);
  await deps.schedule.retain(new Set(entries.map(({ key }) => key)), now);
  const requeued = await requeueLost(deps);
  for (const backup of deps.config.backups) await deps.runs.prune(backup.name);
  await deps.dialogs.prune(now);
  try {
    await deps.upkeep?.step();
  } finally {
    await deps.watch?.step();
  }
  return { started, requeued };
}

/** What is not started is told: of hours that were missed also in the chat, since everything worked as it should. */
async function drop({ alerts, config, logger }: TickDeps, { key, at, missed, why }: Due): Promise<void> {
  const name = backupOf(key);
  if (why !== "window") {
    logger.warn({ backup: name, dueAt: at, missed }, "a missed run is not made up, as catchUp says");
    return;
  }
  logger.warn({ backup: name, dueAt: at, missed }, "a run is left out: its hours are over");
  await alerts.receive([
    {
      source: "watch",
      fingerprint: `dropped:${key}:${at.toISOString()}`,
      status: "info",
      severity: "warning",
      title: { key: "schedule-dropped", args: { name, at: stamp(at, config.timezone) } },
      text: { key: "schedule-dropped-text" },
      labels: { check: "schedules", backup: name },
      startsAt: at.toISOString(),
    },
  ]);
}

/** Work whose job is gone (killed between the record and the queue, or a queue that was emptied) is enqueued again. */
async function requeueLost(deps: TickDeps): Promise<string[]> {
  const { config, runs, orders, producer } = deps;
  const requeued: string[] = [];
  let alive: ReadonlySet<string> | undefined;
  const ensure = async (name: "backup" | "upload", id: string, host: string | undefined, add: () => Promise<void>) => {
    if (await producer.isPending(name, id, host)) return;
    await producer.forget(name, id, host);
    await add();
    requeued.push(id);
  };
  for (const run of await runs.unsettled()) {
    if (!isFinal(run.status) || hasLeftovers(run) || owesHook(run))
      await ensure("backup", `backup-${run.id}`, orders.hostOf(run.name), () => orders.enqueue(run));
    if (!isFinal(run.status)) continue;
    for (const { storage } of run.copies.filter((copy) => copy.status === "retrying")) {
      alive ??= await workerHosts(deps);
      const id = uploadJobId(run, storage);
      const host = uploadHost(config, run, storage, alive);
      // One that any worker may take is in good hands, wherever a disk may be back.
      if (host !== undefined && (await producer.isPending("upload", id))) continue;
      await ensure("upload", id, host, async () => {
        if (run.host !== host) await producer.forget("upload", id, run.host);
        await enqueueUpload(producer, run, storage, { host });
      });
    }
  }
  return requeued;
}
