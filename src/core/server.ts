import type { MetricValues } from "./metric.ts";
import type { Text } from "./text.ts";

/**
 * What a server is doing, whatever its provider calls it. `busy`: its provider is at work on it (it is installed,
 * cloned, moved). `blocked`: its provider has stopped it (unpaid). `unknown`: a word that this version does not know.
 */
export const serverStatuses = [
  "on",
  "off",
  "starting",
  "stopping",
  "rebooting",
  "busy",
  "blocked",
  "removed",
  "unknown",
] as const;
export type ServerStatus = (typeof serverStatuses)[number];

/** What one look at a server gave. */
export interface ServerReading {
  /** When the values were measured, by the clock of whoever measured them. */
  readonly at: Date;
  /** Absent where nothing but the server itself was asked, which then is on. */
  readonly status?: ServerStatus | undefined;
  readonly metrics: MetricValues;
  /** When the system was started, to the second. */
  readonly bootedAt?: Date | undefined;
}

/**
 * Why a look gave nothing.
 *
 * - `account`: nobody of this account can be looked at: its API is down, refuses the token or holds us off. One fault,
 *   however many servers there are.
 * - `gone`: the provider says, in its own words, that there is no such server.
 * - `unreachable`: nothing answers where the server should be.
 * - `refused`: it answers, and does not let us in.
 * - `garbage`: it answers with what cannot be read.
 * - `no-data`: it answers, and has measured nothing.
 */
export const lookFailures = ["account", "gone", "unreachable", "refused", "garbage", "no-data"] as const;
export type LookFailure = (typeof lookFailures)[number];

/** A disk of a server, as its provider knows it. */
export interface ServerDisk {
  readonly id: string;
  /** Bytes. */
  readonly bytes: number;
  readonly usedBytes?: number | undefined;
  readonly isSystem: boolean;
}

/** What a provider knows of a server beside measurements. Nothing here is secret. */
export interface ServerFacts {
  /** As its provider calls it, which need not be its name in the configuration. */
  readonly providerName?: string | undefined;
  readonly status?: ServerStatus | undefined;
  /** The provider's own word for the status, where that says more. */
  readonly statusWord?: string | undefined;
  readonly os?: string | undefined;
  readonly cores?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly disks: readonly ServerDisk[];
  /** Public ones first. */
  readonly addresses: readonly string[];
  readonly location?: string | undefined;
}

/** A line of what has been done to a server, by its provider's account. */
export interface ServerAction {
  readonly id: string;
  readonly at: Date;
  /** In the provider's words. */
  readonly event: string;
}

/** What a look at one server gave: a reading, or why there is none. */
export type Look =
  | { readonly name: string; readonly reading: ServerReading; readonly tookMs: number }
  | {
      readonly name: string;
      readonly failure: LookFailure;
      readonly reason: Text;
      readonly tookMs: number;
      /** True: it stays so until a person changes something (a token that is refused). */
      readonly permanent?: boolean | undefined;
      /** True: it was the provider's API that failed here. Of the server itself it says nothing, bad or good. */
      readonly ofApi?: boolean | undefined;
    };
