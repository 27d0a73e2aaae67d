import type { Text } from "./text.ts";

/** A copy of a disk or a database that its provider keeps. It lives with the same provider: it is no off-site copy. */
export interface ProviderBackup {
  readonly id: string;
  readonly name?: string | undefined;
  readonly comment?: string | undefined;
  readonly at: Date;
  readonly status: "done" | "making" | "failed" | "unknown";
  /** Bytes. */
  readonly bytes?: number | undefined;
  /** 0 to 100 while it is made. */
  readonly progress?: number | undefined;
}

/** When a provider makes backups by itself. */
export interface AutoBackups {
  readonly enabled: boolean;
  /** How many are kept. */
  readonly copies?: number | undefined;
  readonly interval?: "day" | "week" | "month" | undefined;
  /** When the first is made; ISO 8601. */
  readonly startAt?: string | undefined;
  /** 1 is Monday; of weekly ones. */
  readonly dayOfWeek?: number | undefined;
}

export interface ManagedDatabase {
  readonly id: string;
  readonly name: string;
  /** The provider's word: "postgres16". */
  readonly type: string;
  readonly status: "on" | "off" | "busy" | "unknown";
  /** Bytes. */
  readonly diskBytes?: number | undefined;
  readonly usedBytes?: number | undefined;
  readonly autoBackups?: boolean | undefined;
}

export interface ManagedBucket {
  readonly id: string;
  readonly name: string;
  /** Bytes; absent: without limit. */
  readonly limitBytes?: number | undefined;
  readonly usedBytes?: number | undefined;
  readonly objects?: number | undefined;
  readonly location?: string | undefined;
}

export interface Finances {
  readonly balance: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly hourlyCost?: number | undefined;
  /** How long the balance lasts; hours. */
  readonly hoursLeft?: number | undefined;
}

export interface Domain {
  readonly name: string;
  /** Absent where the provider does not know it. */
  readonly expiresAt?: Date | undefined;
}

/** An error of a provider as it is kept and shown: redacted, no stack. */
export interface KeptError {
  readonly code: string;
  /** English, for logs. */
  readonly message: string;
  readonly text?: Text;
}
