import { SandboxClock } from "./clock.ts";
import { Copies, Database } from "./databases.ts";
import { notFound } from "./errors.ts";
import { Faults } from "./faults.ts";
import {
  type BucketOptions,
  type DomainOptions,
  type FinancesOptions,
  sandboxToken,
  type TimewebSandboxOptions,
} from "./options.ts";
import { Requests } from "./requests.ts";
import { Server } from "./servers.ts";

/** Everything there is in a sandbox. */
export interface World {
  readonly clock: SandboxClock;
  readonly seed: number;
  readonly stepMs: number;
  readonly tokens: Set<string>;
  readonly faults: Faults;
  readonly requests: Requests;
  readonly servers: Map<number, Server>;
  /** Copies of disks, by the disk's id. */
  readonly diskCopies: Map<number, Copies>;
  readonly databases: Map<number, Database>;
  readonly buckets: BucketOptions[];
  readonly domains: DomainOptions[];
  finances: FinancesOptions;
}

export function createWorld(options: TimewebSandboxOptions): World {
  const clock = new SandboxClock(options.clock);
  const seed = options.seed ?? 1;
  const faults = new Faults();
  for (const fault of options.faults ?? []) faults.add(fault);
  const servers = new Map<number, Server>();
  for (const one of options.servers ?? []) {
    if (servers.has(one.id)) throw new Error(`two servers have the id ${one.id}`);
    servers.set(one.id, new Server(one, clock, seed, options.durations ?? {}));
  }
  return {
    clock,
    seed,
    stepMs: options.stepMs ?? 60_000,
    tokens: new Set(options.tokens ?? [sandboxToken]),
    faults,
    requests: new Requests(options.limit),
    servers,
    diskCopies: new Map(),
    databases: new Map((options.databases ?? []).map((one) => [one.id, new Database(one, clock)])),
    buckets: [...(options.buckets ?? [])],
    domains: [...(options.domains ?? [])],
    finances: options.finances ?? {},
  };
}

export function serverOf(world: World, id: number): Server {
  const server = world.servers.get(id);
  if (!server) throw notFound("Server");
  return server;
}

export function databaseOf(world: World, id: number): Database {
  const database = world.databases.get(id);
  if (!database) throw notFound("Database");
  return database;
}

/** The copies of a server's disk. */
export function copiesOf(world: World, serverId: number, diskId: number): { copies: Copies; size: number } {
  const disk = serverOf(world, serverId).disks.find(({ id }) => id === diskId);
  if (!disk) throw notFound("Disk");
  let copies = world.diskCopies.get(diskId);
  if (!copies) {
    copies = new Copies(world.clock, diskId * 100);
    copies.add("before the update", disk.used, 60_000, "manual", 2 * 86_400_000);
    world.diskCopies.set(diskId, copies);
  }
  return { copies, size: disk.used };
}
