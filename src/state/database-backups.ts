import { type DatabaseBackup, isOver } from "../core/database-backup.ts";
import type { Cards } from "./cards.ts";
import { Ledger } from "./ledger.ts";
import type { Keys, Redis } from "./redis.ts";

/** Ordered backups of managed databases. */
export class DatabaseBackups extends Ledger<DatabaseBackup> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "database-backup",
      noun: "database backup",
      index: "database-backups",
      unsettled: "database-backups-open",
      scope: () => [],
      keep: 200,
      isUnsettled: (order) => !isOver(order),
      unknown: (id) => ({ key: "error-card-unknown", args: { id } }),
    });
  }
}
