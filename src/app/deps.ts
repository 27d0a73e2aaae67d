import { AppError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { Producer } from "../queue/producer.ts";
import { BackupOrders } from "../services/backup/orders.ts";
import { BackupRunner } from "../services/backup/runner.ts";
import { BackupUploads } from "../services/backup/uploads.ts";
import { createSource } from "../sources/index.ts";
import { Cards } from "../state/cards.ts";
import { Dialogs } from "../state/dialogs.ts";
import { Languages } from "../state/languages.ts";
import { Leases } from "../state/leases.ts";
import { Presences } from "../state/presence.ts";
import { connectRedis, Keys, type Redis } from "../state/redis.ts";
import { Runs } from "../state/runs.ts";
import { ScheduleState } from "../state/schedule.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";
import type { Config } from "./config.ts";
import { version } from "./version.ts";

/** Everything that use cases work with; made once per process. */
export interface Deps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** This worker's host name, as `host:` in the configuration means it. */
  readonly host: string;
  readonly redis: Redis;
  readonly producer: Producer;
  readonly cards: Cards;
  readonly runs: Runs;
  readonly leases: Leases;
  readonly schedule: ScheduleState;
  readonly presences: Presences;
  readonly dialogs: Dialogs;
  readonly languages: Languages;
  readonly orders: BackupOrders;
  readonly runner: BackupRunner;
  readonly uploads: BackupUploads;
  /** Opens a configured storage; opened once and shared. */
  storage(name: string): Promise<Storage>;
}

/** Builds everything from the configuration. `close` ends connections in the reverse order. */
export function createDeps(options: { config: Config; logger: Logger; clock: Clock; role: string }): {
  deps: Deps;
  close: () => Promise<void>;
} {
  const { config, logger, clock } = options;
  const redis = connectRedis(config.redis.url, logger, `vakhta-${options.role}`);
  const keys = new Keys(config.redis.prefix);
  const producer = new Producer(redis, config.redis.prefix);
  const cards = new Cards(redis, keys);
  const runs = new Runs(redis, keys, cards);
  const leases = new Leases(redis, keys, logger);
  const orders = new BackupOrders({ config, clock, logger, cards, runs, producer });
  const { host } = config.worker;
  const storages = new Map<string, Promise<Storage>>();
  const storage = (name: string): Promise<Storage> => {
    const settings = config.storages[name];
    if (!settings) return Promise.reject(new AppError("config", `no storage is called ${name}`));
    let opened = storages.get(name);
    if (!opened) {
      opened = Promise.resolve(createStorage(name, settings, { logger, host }));
      storages.set(name, opened);
    }
    return opened;
  };
  const runnerDeps = {
    config,
    clock,
    logger,
    host,
    version,
    runs,
    leases,
    producer,
    storage,
    source: (settings: Config["backups"][number]["source"]) => createSource(settings, { clock, logger }),
  };
  const deps: Deps = {
    config,
    clock,
    logger,
    version,
    host,
    redis,
    producer,
    cards,
    runs,
    leases,
    schedule: new ScheduleState(redis, keys),
    presences: new Presences(redis, keys),
    dialogs: new Dialogs(redis, keys),
    languages: new Languages(redis, keys),
    orders,
    runner: new BackupRunner(runnerDeps),
    uploads: new BackupUploads(runnerDeps),
    storage,
  };
  const close = async (): Promise<void> => {
    for (const opened of storages.values()) await (await opened).close();
    await producer.close();
    redis.disconnect();
  };
  return { deps, close };
}
