import type { Config } from "../app/config.ts";
import type { JobName, JobPayload } from "../queue/contracts.ts";
import type { EnqueueOptions, Producer } from "../queue/producer.ts";

type Places = Pick<Config, "backups" | "storages">;

/** The host a backup is bound to: its own, else that of its local storage; undefined: any worker. */
export function hostOfBackup({ backups, storages }: Places, name: string): string | undefined {
  const backup = backups.find((candidate) => candidate.name === name);
  if (!backup) return undefined;
  if (backup.host !== undefined) return backup.host;
  for (const each of backup.storages) {
    const storage = storages[each];
    if (storage && "host" in storage && storage.host !== undefined) return storage.host;
  }
  return undefined;
}

/** The host whose worker reaches the copies of a backup in a storage: that of the disk; undefined: any worker. */
export function hostOfCopies(config: Places, storageName: string, name: string): string | undefined {
  const storage = config.storages[storageName];
  if (storage?.kind !== "local") return undefined;
  return storage.host ?? hostOfBackup(config, name);
}

/**
 * Enqueues a job whose id stands for all work of its kind: nothing to do while it waits or is worked on; one that has
 * ended is forgotten and enqueued once more. True when it was enqueued.
 */
export async function enqueueAnew<N extends JobName>(
  producer: Producer,
  name: N,
  payload: JobPayload<N>,
  options: EnqueueOptions & { readonly id: string },
): Promise<boolean> {
  if (await producer.isPending(name, options.id, options.host)) return false;
  await producer.forget(name, options.id, options.host);
  await producer.enqueue(name, payload, options);
  return true;
}
