import type { Config } from "../../app/config.ts";
import type { Approval, Identity } from "../../core/approval.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import {
  type AutoBackupField,
  autoBackupChanges,
  autoBackupFields,
  type CompleteAutoBackups,
  losesAutoBackups,
} from "../../core/inventory.ts";
import type { AutoBackups, ManagedDatabase } from "../../core/managed.ts";
import type { Person } from "../../core/run.ts";
import type { Moment, Text } from "../../core/text.ts";
import type { Approvals } from "../approvals/approvals.ts";
import { stamp } from "../stamp.ts";

export interface ManagedOrdersDeps {
  readonly config: Pick<Config, "timezone">;
  readonly approvals: Pick<Approvals, "request">;
}

/** A managed database that something is wanted of, as it was seen. */
export interface ManagedTarget {
  readonly account: string;
  readonly database: Pick<ManagedDatabase, "id" | "name" | "type">;
}

interface Asked {
  readonly by: Person;
  readonly place: ChatTarget;
}

/** Asks for what people have to agree to: a backup by the provider now, other settings of its automatic ones. */
export class ManagedOrders {
  readonly #deps: ManagedOrdersDeps;

  constructor(deps: ManagedOrdersDeps) {
    this.#deps = deps;
  }

  /** @throws AppError `conflict` when the same is asked for already, or can never be approved. */
  async backUp({ account, database }: ManagedTarget, { by, place }: Asked): Promise<Approval> {
    const { id, name, type } = database;
    const { approval } = await this.#deps.approvals.request({
      action: "database-backup",
      args: { account, database: id, place },
      target: name,
      identity: databaseIdentity(database),
      title: { key: "managed-backup-title", args: { name, account } },
      details: [{ key: "managed-detail-type", args: { type } }, { key: "managed-same-provider" }],
      destructive: false,
      requestedBy: by,
      place,
    });
    return approval;
  }

  /** @throws AppError as `backUp`; `config` when nothing would change. */
  async setAutoBackups(
    { account, database }: ManagedTarget,
    { from, to, ...asked }: Asked & { readonly from: AutoBackups; readonly to: CompleteAutoBackups },
  ): Promise<Approval> {
    const changes = changeTexts(from, to, this.#deps.config.timezone);
    if (changes.length === 0)
      throw new AppError("config", "these are the settings already", { text: { key: "error-auto-backups-same" } });
    const { id, name } = database;
    const { approval } = await this.#deps.approvals.request({
      action: "auto-backups",
      args: { account, database: id, wanted: to },
      target: name,
      identity: { ...databaseIdentity(database), state: autoBackupsState(from) },
      title: { key: "managed-auto-title", args: { name, account } },
      details: [...changes, { key: "managed-same-provider" }],
      destructive: losesAutoBackups(from, to),
      requestedBy: asked.by,
      place: asked.place,
    });
    return approval;
  }
}

/** By what a managed database is told from every other one. */
export function databaseIdentity({ id, name, type }: ManagedTarget["database"]): Identity {
  return { database: [id, type, name].join(" ") };
}

/** The settings as they are agreed to be changed; a time in whatever way it is written. */
export function autoBackupsState(settings: AutoBackups): string {
  if (!settings.enabled) return "off";
  const written = (field: AutoBackupField): string | number | boolean | undefined => {
    const value = settings[field];
    return field === "startAt" && typeof value === "string" ? Date.parse(value) : value;
  };
  return autoBackupFields.map((field) => `${field}=${written(field) ?? "?"}`).join(" ");
}

/** What changes, a line each. */
export function changeTexts(from: AutoBackups, to: AutoBackups, timezone: string): Text[] {
  // Nobody went by the settings of what was off.
  const before: AutoBackups = from.enabled ? from : { enabled: false };
  const at = (value: string | undefined): string | Moment =>
    value === undefined || Number.isNaN(Date.parse(value)) ? "–" : stamp(new Date(value), timezone);
  const dayOf = ({ interval, dayOfWeek }: AutoBackups): string => `d${interval === "week" ? (dayOfWeek ?? 0) : 0}`;
  const texts: Readonly<Record<AutoBackupField, Text>> = {
    enabled: { key: to.enabled ? "managed-change-on" : "managed-change-off" },
    copies: { key: "managed-change-copies", args: { from: before.copies ?? "–", to: to.copies ?? "–" } },
    interval: { key: "managed-change-interval", args: { from: before.interval ?? "none", to: to.interval ?? "none" } },
    dayOfWeek: { key: "managed-change-day", args: { from: dayOf(before), to: dayOf(to) } },
    startAt: { key: "managed-change-start", args: { from: at(before.startAt), to: at(to.startAt) } },
  };
  return autoBackupChanges(from, to).map((field) => texts[field]);
}
