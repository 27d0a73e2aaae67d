import type { SandboxClock } from "./clock.ts";
import { ApiError, notFound } from "./errors.ts";
import type { BucketOptions, DatabaseOptions, DomainOptions, FinancesOptions } from "./options.ts";

const dayMs = 86_400_000;

/** How a provider backup of a disk or a database comes into being: it is made until a time. */
interface Copy {
  readonly id: number;
  readonly comment: string;
  readonly createdAt: number;
  readonly doneAt: number;
  readonly size: number;
  readonly type: "manual" | "auto";
  failed: boolean;
}

/** The copies of one thing, as the API shows them. */
export class Copies {
  readonly #clock: SandboxClock;
  readonly #all: Copy[] = [];
  #lastId: number;

  constructor(clock: SandboxClock, firstId: number) {
    this.#clock = clock;
    this.#lastId = firstId;
  }

  add(comment: string, size: number, takesMs: number, type: "manual" | "auto" = "manual", ageMs = 0): object {
    this.#lastId += 1;
    const createdAt = this.#clock.now() - ageMs;
    const copy: Copy = { id: this.#lastId, comment, createdAt, doneAt: createdAt + takesMs, size, type, failed: false };
    this.#all.push(copy);
    return this.#show(copy);
  }

  /** Newest first. */
  list(): object[] {
    return this.#all.toReversed().map((copy) => this.#show(copy));
  }

  remove(id: number): void {
    const at = this.#all.findIndex((copy) => copy.id === id);
    if (at === -1) throw notFound("Backup");
    this.#all.splice(at, 1);
  }

  has(id: number): boolean {
    return this.#all.some((copy) => copy.id === id);
  }

  /** What is being made fails. */
  fail(): void {
    for (const copy of this.#all) if (copy.doneAt > this.#clock.now()) copy.failed = true;
  }

  #show({ id, comment, createdAt, doneAt, size, type, failed }: Copy): object {
    const now = this.#clock.now();
    const part = doneAt <= createdAt ? 1 : (now - createdAt) / (doneAt - createdAt);
    const isDone = part >= 1;
    const status = failed ? "fail" : isDone ? "done" : "create";
    return {
      id,
      name: `backup-${id}`,
      comment,
      created_at: this.#clock.iso(createdAt),
      status,
      size: isDone && !failed ? size : 0,
      type,
      // As documented: 0 to 99 while it is made, 0 otherwise.
      progress: status === "create" ? Math.min(99, Math.floor(part * 100)) : 0,
    };
  }
}

export interface AutoBackupSettings {
  is_enabled: boolean;
  copy_count: number;
  creation_start_at: string;
  interval: string;
  day_of_week: number;
}

/** Settings as the API takes them: turned on, all of them are needed. */
export function changedSettings(current: AutoBackupSettings, change: unknown): AutoBackupSettings {
  const wanted = Object(change) as Partial<AutoBackupSettings>;
  const bad = (message: string) => new ApiError(400, "validation_error", message);
  if (typeof wanted.is_enabled !== "boolean") throw bad("is_enabled must be a boolean value");
  if (!wanted.is_enabled) return { ...current, is_enabled: false };
  const { copy_count, creation_start_at, interval, day_of_week } = wanted;
  if (typeof copy_count !== "number" || !(copy_count >= 1 && copy_count <= 99))
    throw bad("copy_count must be a number from 1 to 99");
  if (typeof creation_start_at !== "string" || Number.isNaN(Date.parse(creation_start_at)))
    throw bad("creation_start_at must be a date");
  if (interval !== "day" && interval !== "week" && interval !== "month")
    throw bad("interval must be one of day, week, month");
  if (typeof day_of_week !== "number" || !(day_of_week >= 1 && day_of_week <= 7))
    throw bad("day_of_week must be a number from 1 to 7");
  return { is_enabled: true, copy_count, creation_start_at, interval, day_of_week };
}

/** A managed database. */
export class Database {
  readonly options: DatabaseOptions;
  readonly copies: Copies;
  status: string;
  settings: AutoBackupSettings;

  constructor(options: DatabaseOptions, clock: SandboxClock) {
    this.options = options;
    this.status = options.status ?? "started";
    this.copies = new Copies(clock, options.id * 1000);
    this.copies.add("", this.#sizeMb, 60_000, "auto", dayMs);
    this.settings = {
      is_enabled: true,
      copy_count: 7,
      creation_start_at: clock.iso(clock.now() - 30 * dayMs),
      interval: "day",
      day_of_week: 1,
    };
  }

  get #sizeMb(): number {
    return Math.max(1, Math.round((this.options.used ?? 2_000_000) / 1024));
  }

  /** Undefined: of several nodes, and the API answers `null`. */
  backUp(comment: string): object | undefined {
    const copy = this.copies.add(comment, this.#sizeMb, this.options.backupMs ?? 60_000);
    return this.options.multiNode ? undefined : copy;
  }

  show(): object {
    const { id, name, type = "postgres16", size = 8_388_608, used = 2_000_000 } = this.options;
    return {
      id,
      name,
      type,
      status: this.status,
      port: type.startsWith("mysql") ? 3306 : 5432,
      // The API gives these as well; nothing may keep them.
      login: "gen_user",
      password: `secret-database-password-${id}`,
      disk: { size, used },
      is_autobackups_enabled: this.settings.is_enabled,
      location: "ru-1",
    };
  }
}

export function showBucket({ id, name, size = 10_485_760, used = 1_048_576, objects = 1200 }: BucketOptions): object {
  return {
    id,
    name,
    hostname: "s3.twcstorage.ru",
    disk_stats: { size, used, is_unlimited: size === 0 },
    status: "created",
    object_amount: objects,
    location: "ru-1",
    type: "private",
    access_key: `secret-access-key-${id}`,
    secret_key: `secret-secret-key-${id}`,
  };
}

export function showFinances(options: FinancesOptions): object {
  const { balance = 4200.5, currency = "RUB", hourly_cost = 3.2 } = options;
  const hours_left = options.hours_left === undefined ? Math.floor(balance / hourly_cost) : options.hours_left;
  return { balance, currency, hourly_cost, hours_left, monthly_cost: hourly_cost * 730, discount_percent: 0 };
}

export function showDomain({ fqdn, expiration }: DomainOptions, clock: SandboxClock): object {
  const left = Math.floor((Date.parse(expiration) - clock.now()) / dayMs);
  return {
    id: fqdn.length,
    fqdn,
    expiration,
    days_left: Number.isNaN(left) ? 0 : left,
    domain_status: "work",
    is_autoprolong_enabled: false,
  };
}
