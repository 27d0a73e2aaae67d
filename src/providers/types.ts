import type { z } from "zod";
import type { AutoBackups, Domain, Finances, ManagedBucket, ManagedDatabase, ProviderBackup } from "../core/managed.ts";
import type { Clock } from "../core/ports.ts";
import type { PowerAction } from "../core/power.ts";
import type { Look, ServerAction, ServerDisk, ServerFacts } from "../core/server.ts";
import type { Logger } from "../lib/logger.ts";

export type {
  AutoBackups,
  Domain,
  Finances,
  ManagedBucket,
  ManagedDatabase,
  ProviderBackup,
} from "../core/managed.ts";
export type { Look } from "../core/server.ts";

/** One server as the configuration names it, with what its kind needs to find it. */
export interface ServerTarget<C = unknown> {
  /** Its name in the configuration. */
  readonly name: string;
  /** What the kind's `serverSchema` made of its entry. */
  readonly config: C;
}

/**
 * Requests to one account in any process, held to a rate. `take` resolves when one may be sent, and rejects with the
 * signal's reason; an urgent one goes before those that wait. `penalize`: the other side has said that it was too many;
 * nobody asks for so many milliseconds.
 */
export interface RateLimit {
  take(signal: AbortSignal, urgent?: boolean): Promise<void>;
  penalize(ms: number): Promise<void>;
}

/**
 * What is remembered from one look at a server to the next, by whichever worker takes it: the counters from which rates
 * are made. Small, and nothing is lost with it but one value of each rate.
 */
export interface LookMemory {
  /** What was written last for the server with this name; undefined when there is nothing. */
  read(name: string): Promise<string | undefined>;
  write(name: string, memory: string): Promise<void>;
}

export interface ProviderDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** This worker's host. */
  readonly host: string;
  /** Milliseconds between two looks at a server. */
  readonly every: number;
  readonly memory: LookMemory;
  /** Requests to what `account` names (a provider's name in the configuration), at most so many a second. */
  rateLimit(account: string, perSecond: number, burst: number): RateLimit;
}

/** The power of servers: of providers that have a hand on it. */
export interface Power {
  readonly actions: readonly PowerAction[];
  /** Asks for it, once: never repeated by itself. An error that does not say "refused" leaves open whether it is done. */
  order(server: ServerTarget, action: PowerAction, signal: AbortSignal): Promise<void>;
  /** How it stands now, by the provider's account, not by what was kept of it. */
  facts(server: ServerTarget, signal: AbortSignal): Promise<ServerFacts>;
  /** What was done to it, newest first. */
  actionLog(server: ServerTarget, limit: number, signal: AbortSignal): Promise<readonly ServerAction[]>;
  /** Where a person can see its screen. */
  consoleUrl?(server: ServerTarget): string | undefined;
}

/** What an account has beside servers. */
export interface Inventory {
  finances(signal: AbortSignal): Promise<Finances | undefined>;
  domains(signal: AbortSignal): Promise<readonly Domain[]>;
  diskBackups(server: ServerTarget, disk: ServerDisk["id"], signal: AbortSignal): Promise<readonly ProviderBackup[]>;
  databases(signal: AbortSignal): Promise<readonly ManagedDatabase[]>;
  databaseBackups(id: string, signal: AbortSignal): Promise<readonly ProviderBackup[]>;
  /** Asks for a backup, once. Undefined: it is being made, and the provider does not say which it is. */
  backUpDatabase(id: string, comment: string, signal: AbortSignal): Promise<ProviderBackup | undefined>;
  autoBackups(id: string, signal: AbortSignal): Promise<AutoBackups>;
  /** Sets all of them. */
  setAutoBackups(id: string, wanted: AutoBackups, signal: AbortSignal): Promise<void>;
  buckets(signal: AbortSignal): Promise<readonly ManagedBucket[]>;
}

/** An opened provider. */
export interface Provider {
  /**
   * Looks at all of `servers` at the same time; each look is given as soon as it is there, so that a slow server holds
   * up nobody, and every server is given exactly once. Rejects only when `signal` is aborted.
   */
  looks(servers: readonly ServerTarget[], signal: AbortSignal): AsyncIterable<Look>;
  /** What is known of servers beside measurements, by name; who is not among them is gone. Throws as clients do. */
  facts?(servers: readonly ServerTarget[], signal: AbortSignal): Promise<ReadonlyMap<string, ServerFacts>>;
  readonly power?: Power;
  readonly inventory?: Inventory;
  close(): Promise<void>;
}

/** A kind of provider: a folder beside this file. */
export interface ProviderKind {
  readonly kind: string;
  /** Of an account under `providers:`; undefined: the kind needs none. */
  readonly accountSchema?: z.ZodObject;
  /** Of a server's entry, beside name, labels and `provider`. */
  readonly serverSchema: z.ZodObject;
  /** Whether a look must be taken on the server's own host. */
  readonly onHost: boolean;
  /** Most looks at a time that one process may have under way. */
  readonly concurrency: number;
  /** What can be asked of the power of its servers; undefined: nothing. Its providers have a `power` then. */
  readonly power?: readonly PowerAction[];
  /** `account`: name and settings of the account; undefined for kinds without. */
  create(account: { readonly name: string; readonly config: unknown } | undefined, deps: ProviderDeps): Provider;
}
