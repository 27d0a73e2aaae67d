import { Database } from "./databases.ts";
import type { ActiveFault, Fault } from "./faults.ts";
import type {
  BucketOptions,
  DatabaseOptions,
  DiskOptions,
  DomainOptions,
  FinancesOptions,
  LoadOptions,
  PowerDurations,
  ServerOptions,
} from "./options.ts";
import type { SeenRequest } from "./requests.ts";
import { type PowerWord, Server } from "./servers.ts";
import type { World } from "./world.ts";

/** A server as it is at this moment, for whoever plays with the sandbox. */
export interface ServerState {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly startedAt: string;
  /** The system answers, whatever its provider says. */
  readonly isUp: boolean;
}

/** What a test, a demonstration or a person can do to a sandbox. Unknown ids throw. */
export interface SandboxControl {
  now(): Date;
  /** Moves the sandbox's clock ahead of the one it was given; returns its new time. */
  advance(ms: number): Date;
  setTime(now: Date): Date;
  servers(): ServerState[];
  server(id: number): ServerState;
  addServer(options: ServerOptions): void;
  deleteServer(id: number): void;
  renameServer(id: number, name: string): void;
  /** Puts it into any state at once, also into one that nobody has heard of. */
  setStatus(id: number, status: string): void;
  /** Orders something as in the panel. */
  power(id: number, word: PowerWord): void;
  /** It stops being measured and answering, while its provider says that it is on; a start of any kind ends that. */
  hang(id: number): void;
  /** How long its transitions take from now on; `null`: for ever. Without an id: all servers'. */
  setDurations(durations: Partial<PowerDurations>, id?: number): void;
  /** Sets its load from `from` (default: now) for so many milliseconds. What is not given goes on as usual. */
  setLoad(id: number, load: LoadOptions, forMs: number, from?: Date): void;
  setDisk(id: number, change: DiskOptions, index?: number): void;
  addDatabase(options: DatabaseOptions): void;
  setDatabaseStatus(id: number, status: string): void;
  /** The backups of it that are being made fail. */
  failBackups(id: number): void;
  addBucket(options: BucketOptions): void;
  addDomain(options: DomainOptions): void;
  setFinances(finances: FinancesOptions): void;
  /** Requests with it are answered with 401 from now on. */
  revokeToken(token: string): void;
  allowToken(token: string): void;
  /** Returns the fault's id. */
  addFault(fault: Fault): string;
  removeFault(id: string): void;
  clearFaults(): void;
  faults(): ActiveFault[];
  /** The newest 50,000, oldest first. */
  requests(): readonly SeenRequest[];
  /** How many there were, by endpoint: "POST /api/v1/servers/:id/reboot". */
  counts(): Record<string, number>;
  forgetRequests(): void;
}

export function createControl(world: World, durations: Partial<PowerDurations>): SandboxControl {
  const { clock, faults, requests } = world;
  const find = (id: number): Server => {
    const server = world.servers.get(id);
    if (!server) throw new Error(`there is no server ${id}`);
    return server;
  };
  const database = (id: number): Database => {
    const found = world.databases.get(id);
    if (!found) throw new Error(`there is no database ${id}`);
    return found;
  };
  const state = (server: Server): ServerState => {
    const { id, name, status, isUp } = server;
    return { id, name, status, startedAt: clock.iso(server.startedAt), isUp };
  };
  return {
    now: () => new Date(clock.now()),
    advance(ms) {
      if (!Number.isFinite(ms)) throw new Error("advanceMs must be a number");
      clock.advance(ms);
      return new Date(clock.now());
    },
    setTime(now) {
      if (Number.isNaN(now.getTime())) throw new Error("now must be a date");
      clock.set(now);
      return new Date(clock.now());
    },
    servers: () => [...world.servers.values()].map(state),
    server: (id) => state(find(id)),
    addServer(options) {
      if (world.servers.has(options.id)) throw new Error(`there is a server ${options.id} already`);
      world.servers.set(options.id, new Server(options, clock, world.seed, durations));
    },
    deleteServer(id) {
      find(id);
      world.servers.delete(id);
    },
    renameServer(id, name) {
      find(id).name = name;
    },
    setStatus: (id, status) => find(id).setStatus(status),
    power: (id, word) => find(id).order(word),
    hang: (id) => find(id).hang(),
    setDurations(change, id) {
      for (const server of id === undefined ? world.servers.values() : [find(id)])
        server.durations = { ...server.durations, ...change };
    },
    setLoad(id, load, forMs, from = new Date(clock.now())) {
      const { loads } = find(id);
      loads.push({ load, from: from.getTime(), until: from.getTime() + forMs });
      if (loads.length > 100) loads.shift();
    },
    setDisk: (id, change, index = 0) => find(id).setDisk(index, change),
    addDatabase(options) {
      world.databases.set(options.id, new Database(options, clock));
    },
    setDatabaseStatus(id, status) {
      database(id).status = status;
    },
    failBackups: (id) => database(id).copies.fail(),
    addBucket(options) {
      const at = world.buckets.findIndex(({ id }) => id === options.id);
      world.buckets.splice(at === -1 ? world.buckets.length : at, at === -1 ? 0 : 1, options);
    },
    addDomain(options) {
      world.domains.push(options);
    },
    setFinances(finances) {
      world.finances = finances;
    },
    revokeToken(token) {
      world.tokens.delete(token);
    },
    allowToken(token) {
      world.tokens.add(token);
    },
    addFault: (fault) => faults.add(fault),
    removeFault(id) {
      if (!faults.remove(id)) throw new Error(`there is no fault ${id}`);
    },
    clearFaults: () => faults.clear(),
    faults: () => faults.list(),
    requests: () => requests.list(),
    counts: () => requests.counts(),
    forgetRequests: () => requests.forget(),
  };
}
