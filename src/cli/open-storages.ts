import type { Config } from "../app/config.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";

/**
 * Opens the named storages, each when it can be reached from this host: a local one of another host is not.
 * @throws AppError `config` for a name that is not configured.
 */
export function openStorages(config: Config, names: readonly string[], logger: Logger): Storage[] {
  const { host } = config.worker;
  return names.flatMap((name) => {
    const storage = config.storages[name];
    if (!storage) {
      throw new AppError("config", `no storage is called ${name}`, {
        text: { key: "error-storage-unknown", args: { name } },
      });
    }
    if (storage.kind === "local" && storage.host !== undefined && storage.host !== host) return [];
    return [createStorage(name, storage, { logger, host })];
  });
}

/** Closes all, whatever becomes of one of them. */
export async function closeStorages(storages: readonly Storage[]): Promise<void> {
  await Promise.allSettled(storages.map((storage) => storage.close()));
}
