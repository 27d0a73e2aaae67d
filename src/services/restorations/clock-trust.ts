import { uptime } from "node:os";
import type { Redis } from "../../state/redis.ts";

/** What a machine knows of the time: milliseconds since 1970, and seconds since it was started, which nobody puts forward. */
export interface MachineTime {
  now(): number;
  uptime(): number;
}

/** A clock that is ahead by more is not trusted with what can not be taken back; milliseconds. */
const aheadMs = 3_600_000;

const machineTime: MachineTime = { now: Date.now, uptime };

/** Tells a clock that was put forward: against that of Redis, and since this was made against the time that has passed. */
export class ClockTrust {
  readonly #redis: Pick<Redis, "time">;
  readonly #time: MachineTime;
  readonly #bootedAt: number;

  constructor(redis: Pick<Redis, "time">, time = machineTime) {
    this.#redis = redis;
    this.#time = time;
    this.#bootedAt = this.#boot();
  }

  /** True where nothing should be dropped because its time is over: the time may not be over at all. */
  async isAhead(): Promise<boolean> {
    if (this.#boot() - this.#bootedAt > aheadMs) return true;
    const [seconds = 0] = await this.#redis.time();
    return this.#time.now() - seconds * 1000 > aheadMs;
  }

  /** By its own clock; milliseconds since 1970. */
  #boot(): number {
    return this.#time.now() - this.#time.uptime() * 1000;
  }
}
