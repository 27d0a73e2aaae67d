import type { ClockSource } from "./clock.ts";
import type { Fault } from "./faults.ts";

/** How long each part of a power transition takes; milliseconds. `null`: for ever, until it is set otherwise. */
export interface PowerDurations {
  /** `rebooting`, or `turning_off`: the system shuts down. */
  readonly goingDown: number | null;
  /** `hard_rebooting`, or `hard_turning_off`. */
  readonly hardGoingDown: number | null;
  /** `off` between the two halves of a reboot. */
  readonly down: number | null;
  /** `turning_on`. */
  readonly booting: number | null;
}

export const defaultDurations: PowerDurations = {
  goingDown: 20_000,
  hardGoingDown: 4000,
  down: 3000,
  booting: 25_000,
};

/** What a server is busy with. Parts of one from 0 to 1. */
export interface LoadOptions {
  /** Around which the processors' load moves; default by the seed, 0.1 to 0.5. */
  readonly cpu?: number;
  /** Of its memory. */
  readonly memory?: number;
  /** MB/s. */
  readonly networkIn?: number;
  readonly networkOut?: number;
}

export interface DiskOptions {
  /** MB. */
  readonly size?: number;
  /** MB, now. */
  readonly used?: number;
  /** MB by which it grows each day. */
  readonly growth?: number;
}

export interface ServerOptions {
  readonly id: number;
  readonly name: string;
  /** Default "on". */
  readonly status?: string;
  readonly cores?: number;
  /** MB. */
  readonly ram?: number;
  readonly disks?: readonly DiskOptions[];
  readonly addresses?: readonly string[];
  readonly load?: LoadOptions;
  /** When it was started; default: some days ago. */
  readonly startedAt?: Date;
}

export interface DatabaseOptions {
  readonly id: number;
  readonly name: string;
  readonly type?: string;
  readonly status?: string;
  /** KB. */
  readonly size?: number;
  readonly used?: number;
  /** Of several nodes: a new backup is answered with `backup: null`. */
  readonly multiNode?: boolean;
  /** How long a backup takes; milliseconds, default a minute. */
  readonly backupMs?: number;
}

export interface BucketOptions {
  readonly id: number;
  readonly name: string;
  /** KB; 0: without limit. */
  readonly size?: number;
  readonly used?: number;
  readonly objects?: number;
}

export interface FinancesOptions {
  readonly balance?: number;
  readonly currency?: string;
  readonly hourly_cost?: number;
  readonly hours_left?: number | null;
}

export interface DomainOptions {
  readonly fqdn: string;
  /** "2027-01-31", or "0000-00-00". */
  readonly expiration: string;
}

export interface TimewebSandboxOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Those that open the account; default: `sandboxToken` alone. */
  readonly tokens?: readonly string[];
  /** Default: the machine's. */
  readonly clock?: ClockSource;
  /** From which all noise is made; default 1. */
  readonly seed?: number;
  /** Default: none. `manyServers` makes them by number. */
  readonly servers?: readonly ServerOptions[];
  readonly databases?: readonly DatabaseOptions[];
  readonly buckets?: readonly BucketOptions[];
  readonly domains?: readonly DomainOptions[];
  readonly finances?: FinancesOptions;
  readonly durations?: Partial<PowerDurations>;
  /** Requests a second for each endpoint, above which 429 is answered; default: as many as one likes. */
  readonly limit?: number;
  /** Between two measurements; milliseconds, default a minute. */
  readonly stepMs?: number;
  readonly faults?: readonly Fault[];
}

/** The token of an account that is given none. */
export const sandboxToken = "sandbox-token-of-no-account-at-all";

/** So many servers, numbered from `first`, of different sizes and loads. */
export function manyServers(count: number, first = 1001): ServerOptions[] {
  return Array.from({ length: count }, (_, index) => ({
    id: first + index,
    name: `srv-${index + 1}`,
    cores: 1 + (index % 8),
    ram: 1024 * (1 + (index % 16)),
    disks: [{ size: 30_720, used: 3072 + ((index * 997) % 20_000) }],
    addresses: [`10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`],
  }));
}
