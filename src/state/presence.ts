import type { Keys, Redis } from "./redis.ts";

/** Room on a disk that a process writes to; bytes. */
export interface Disk {
  readonly path: string;
  /** The same for all folders on one disk of a host. */
  readonly device: string;
  /** The same for all processes of one machine, whatever they call their host. */
  readonly machine?: string;
  readonly free: number;
  readonly total: number;
}

export interface Presence {
  readonly role: "bot" | "worker";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  /** What this process is doing now: "polling", "standing by". */
  readonly state: string;
  /** In the time of Redis, to which every process compares its own. */
  readonly seenAt: string;
  /** How far the machine's clock is ahead of that of Redis; milliseconds. */
  readonly aheadMs?: number;
  readonly disks?: readonly Disk[];
}

/** An answer that took longer says too little about the time; milliseconds. */
const longestAnswerMs = 2000;

/**
 * Which processes are alive: each writes itself down every few seconds. A wrong clock makes nobody look dead: a process
 * that writes itself down knows how far its clock is off, and allows for it.
 */
export class Presences {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #machine: () => number;
  #aheadMs = 0;

  /** `machine`: the machine's own clock, milliseconds since 1970. */
  constructor(redis: Redis, keys: Keys, machine: () => number = Date.now) {
    this.#redis = redis;
    this.#key = keys.of("presence");
    this.#machine = machine;
  }

  async write(presence: Presence): Promise<void> {
    await this.#compareClocks();
    const seenAt = new Date(Date.parse(presence.seenAt) - this.#aheadMs).toISOString();
    const written: Presence = { ...presence, seenAt, aheadMs: this.#aheadMs };
    await this.#redis.hset(this.#key, `${presence.role}@${presence.host}#${presence.pid}`, JSON.stringify(written));
  }

  async #compareClocks(): Promise<void> {
    const asked = this.#machine();
    const [seconds, microseconds] = await this.#redis.time();
    const answered = this.#machine();
    if (answered - asked > longestAnswerMs || answered < asked) return;
    const ahead = (asked + answered) / 2 - (Number(seconds) * 1000 + Number(microseconds) / 1000);
    // Jitter of the network is no wrong clock, and would make every look different.
    this.#aheadMs = Math.abs(ahead) < 1000 ? 0 : Math.round(ahead);
  }

  #inOwnTime(presence: Presence): Presence {
    return { ...presence, seenAt: new Date(Date.parse(presence.seenAt) + this.#aheadMs).toISOString() };
  }

  async remove(presence: Presence): Promise<void> {
    await this.#redis.hdel(this.#key, `${presence.role}@${presence.host}#${presence.pid}`);
  }

  /** Those seen within `withinMs`, `seenAt` in the time of `now`; entries older than a day are forgotten. */
  async alive(now: Date, withinMs: number): Promise<Presence[]> {
    const all = Object.entries(await this.#redis.hgetall(this.#key)).map(([field, json]) => ({
      field,
      presence: this.#inOwnTime(JSON.parse(json) as Presence),
    }));
    const age = (presence: Presence): number => now.getTime() - Date.parse(presence.seenAt);
    const gone = all.filter((entry) => age(entry.presence) > 86_400_000).map((entry) => entry.field);
    if (gone.length > 0) await this.#redis.hdel(this.#key, ...gone);
    return all.map((entry) => entry.presence).filter((presence) => age(presence) <= withinMs);
  }
}
