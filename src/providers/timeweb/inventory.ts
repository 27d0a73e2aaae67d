import { AppError } from "../../core/errors.ts";
import type {
  AutoBackups,
  Domain,
  Finances,
  ManagedBucket,
  ManagedDatabase,
  ProviderBackup,
} from "../../core/managed.ts";
import type { TimewebClient } from "../../lib/clients/timeweb.ts";
import {
  autoBackupsSchema,
  backupsSchema,
  bucketsSchema,
  databasesSchema,
  domainsSchema,
  financesSchema,
  newBackupSchema,
  type TimewebBackup,
  type TimewebBucket,
  type TimewebDatabase,
} from "../../lib/clients/timeweb-schema.ts";
import type { Inventory, ServerTarget } from "../types.ts";
import { kilobyte, megabyte } from "./facts.ts";
import type { TimewebServerConfig } from "./schema.ts";

const pageSize = 100;
/** More pages are no list any more. */
const mostPages = 50;

interface Page<T> {
  readonly entries: readonly T[];
  readonly total: number | undefined;
}

/** All entries of a list that comes in pages. */
async function allOf<T>(read: (query: { limit: number; offset: number }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 0; page < mostPages; page++) {
    const { entries, total } = await read({ limit: pageSize, offset: page * pageSize });
    all.push(...entries);
    const next = (page + 1) * pageSize;
    if (entries.length === 0 || next >= (total ?? (entries.length < pageSize ? 0 : Number.POSITIVE_INFINITY))) break;
  }
  return all;
}

/** Databases, buckets and money of an account. */
export class TimewebInventory implements Inventory {
  readonly #client: TimewebClient;
  readonly #account: string;

  constructor(client: TimewebClient, account: string) {
    this.#client = client;
    this.#account = account;
  }

  async finances(signal: AbortSignal): Promise<Finances | undefined> {
    const { data } = await this.#client.get("/api/v1/account/finances", financesSchema, signal);
    const { balance, currency, hourly_cost, hours_left } = data.finances;
    if (balance === undefined) return undefined;
    return { balance, currency: currency ?? "RUB", hourlyCost: hourly_cost, hoursLeft: hours_left };
  }

  async domains(signal: AbortSignal): Promise<readonly Domain[]> {
    return await allOf(async (query) => {
      const { data } = await this.#client.get("/api/v1/domains", domainsSchema, signal, { query });
      const entries = data.domains.map(({ fqdn, expiration }) => ({ name: fqdn, expiresAt: expiration }));
      return { entries, total: data.meta?.total };
    });
  }

  async diskBackups(server: ServerTarget, disk: string, signal: AbortSignal): Promise<readonly ProviderBackup[]> {
    const { id } = server.config as TimewebServerConfig;
    return await this.#backups(`/api/v1/servers/${id}/disks/${encodeURIComponent(disk)}/backups`, signal);
  }

  async databases(signal: AbortSignal): Promise<readonly ManagedDatabase[]> {
    return await allOf(async (query) => {
      const { data } = await this.#client.get("/api/v1/databases", databasesSchema, signal, { query });
      return { entries: data.dbs.map(databaseOf), total: data.meta?.total };
    });
  }

  async databaseBackups(id: string, signal: AbortSignal): Promise<readonly ProviderBackup[]> {
    return await this.#backups(`${databasePath(id)}/backups`, signal);
  }

  async backUpDatabase(id: string, comment: string, signal: AbortSignal): Promise<ProviderBackup | undefined> {
    const answer = await this.#client.order("POST", `${databasePath(id)}/backups`, { comment }, signal);
    // Accepted, whatever the body says: of databases of several nodes it says nothing.
    const read = newBackupSchema.safeParse(answer);
    return read.success && read.data.backup ? backupOf(read.data.backup) : undefined;
  }

  async autoBackups(id: string, signal: AbortSignal): Promise<AutoBackups> {
    const path = `${databasePath(id)}/auto-backups`;
    const { data } = await this.#client.get(path, autoBackupsSchema, signal, { urgent: true });
    const { is_enabled, copy_count, creation_start_at, interval, day_of_week } = data.auto_backups_settings;
    return {
      enabled: is_enabled ?? false,
      copies: copy_count,
      interval: interval === "day" || interval === "week" || interval === "month" ? interval : undefined,
      startAt: creation_start_at,
      dayOfWeek: day_of_week,
    };
  }

  async setAutoBackups(id: string, wanted: AutoBackups, signal: AbortSignal): Promise<void> {
    const { enabled, copies, interval, startAt, dayOfWeek } = wanted;
    // Turned on, the API wants all of them, and would say so in words of its own.
    const needed = { copies, interval, startAt, ...(interval === "week" ? { dayOfWeek } : {}) };
    const absent = Object.entries(needed).flatMap(([name, value]) => (value === undefined ? name : []));
    if (enabled && absent.length > 0) {
      const what = absent.join(", ");
      throw new AppError("provider-refused", `provider ${this.#account}: automatic backups need ${what}`, {
        context: { account: this.#account, done: false },
        text: { key: "error-provider-settings", args: { what } },
      });
    }
    const body = enabled
      ? { is_enabled: true, copy_count: copies, creation_start_at: startAt, interval, day_of_week: dayOfWeek ?? 1 }
      : { is_enabled: false };
    await this.#client.order("PATCH", `${databasePath(id)}/auto-backups`, body, signal);
  }

  async buckets(signal: AbortSignal): Promise<readonly ManagedBucket[]> {
    const { data } = await this.#client.get("/api/v1/storages/buckets", bucketsSchema, signal);
    return data.buckets.map(bucketOf);
  }

  async #backups(path: string, signal: AbortSignal): Promise<ProviderBackup[]> {
    const all = await allOf(async (query) => {
      const { data } = await this.#client.get(path, backupsSchema, signal, { query });
      return { entries: data.backups.map(backupOf), total: data.meta?.total };
    });
    return all.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  }
}

const databasePath = (id: string) => `/api/v1/dbs/${encodeURIComponent(id)}`;

const making = new Set(["precreate", "create", "creating", "progress"]);

function backupOf({ id, name, comment, created_at, status, size, progress }: TimewebBackup): ProviderBackup {
  const isMade = making.has(status ?? "");
  return {
    id,
    name,
    comment,
    // The beginning of time where none is told: never taken for a new one.
    at: created_at ?? new Date(0),
    status: isMade ? "making" : status === "done" ? "done" : status === "fail" ? "failed" : "unknown",
    bytes: size === undefined ? undefined : size * megabyte,
    progress: isMade ? progress : undefined,
  };
}

const databaseStatuses = new Map<string, ManagedDatabase["status"]>([
  ["started", "on"],
  ["on", "on"],
  ["stopped", "off"],
  ["off", "off"],
  ["no_paid", "off"],
  ["blocked", "off"],
  ["starting", "busy"],
  ["stopping", "busy"],
  ["rebooting", "busy"],
  ["turning_on", "busy"],
  ["turning_off", "busy"],
  ["installing", "busy"],
  ["configuring", "busy"],
  ["backup_create", "busy"],
  ["backup_recover", "busy"],
  ["transfer", "busy"],
]);

function databaseOf({ id, name, type, status, disk, is_autobackups_enabled }: TimewebDatabase): ManagedDatabase {
  return {
    id,
    name: name ?? id,
    type: type ?? "?",
    status: databaseStatuses.get(status ?? "") ?? "unknown",
    diskBytes: bytes(disk?.size),
    usedBytes: bytes(disk?.used),
    autoBackups: is_autobackups_enabled,
  };
}

function bucketOf({ id, name, disk_stats, object_amount, location }: TimewebBucket): ManagedBucket {
  const limit = disk_stats?.is_unlimited ? undefined : bytes(disk_stats?.size);
  return {
    id,
    name: name ?? id,
    limitBytes: limit === 0 ? undefined : limit,
    usedBytes: bytes(disk_stats?.used),
    objects: object_amount,
    location,
  };
}

function bytes(kilobytes: number | undefined): number | undefined {
  return kilobytes === undefined || kilobytes < 0 ? undefined : kilobytes * kilobyte;
}
