import type { SandboxClock } from "./clock.ts";
import { ApiError } from "./errors.ts";
import { noise } from "./noise.ts";
import {
  type DiskOptions,
  defaultDurations,
  type LoadOptions,
  type PowerDurations,
  type ServerOptions,
} from "./options.ts";
import type { LoadSpan } from "./statistics.ts";

export const powerWords = ["start", "shutdown", "reboot", "hard-reboot", "hard-shutdown"] as const;
export type PowerWord = (typeof powerWords)[number];

/** How much of the past is kept of each server. */
const keep = 500;
const dayMs = 86_400_000;

interface Disk {
  readonly id: number;
  readonly size: number;
  readonly growth: number;
  readonly usedAt: number;
  readonly used: number;
  readonly isSystem: boolean;
}

/** What happens next by itself. */
interface Step {
  readonly at: number;
  readonly status: string;
}

interface LogLine {
  readonly id: number;
  readonly logged_at: string;
  readonly event: string;
}

/** What the panel writes down of each order. */
const events: Readonly<Record<PowerWord, string>> = {
  start: "server_start",
  shutdown: "server_shutdown",
  reboot: "server_reboot",
  "hard-reboot": "server_hard_reboot",
  "hard-shutdown": "server_hard_shutdown",
};

const settled = new Set(["on", "off"]);

/** A server, whose transitions go on with the clock. What is asked of it is asked at the clock's time. */
export class Server {
  readonly id: number;
  name: string;
  readonly cores: number;
  readonly ram: number;
  readonly addresses: readonly string[];
  readonly createdAt: number;
  readonly load: Required<LoadOptions>;
  readonly loads: LoadSpan[] = [];
  readonly logs: LogLine[] = [];
  durations: PowerDurations;
  disks: Disk[];
  /** When the system was started last. */
  startedAt: number;
  /** Up, and yet nothing is measured and nothing answers, until it is started anew. */
  hangs = false;
  readonly #clock: SandboxClock;
  #status: string;
  #steps: Step[] = [];
  /** Times at which it went up and down, or hung, oldest first. */
  readonly #turns: { readonly at: number; readonly up: boolean }[] = [];
  #lastLog = 0;

  constructor(options: ServerOptions, clock: SandboxClock, seed: number, durations: Partial<PowerDurations>) {
    const now = clock.now();
    const { id, load = {} } = options;
    this.id = id;
    this.name = options.name;
    this.#clock = clock;
    this.#status = options.status ?? "on";
    this.cores = options.cores ?? 2;
    this.ram = options.ram ?? 2048;
    this.addresses = options.addresses ?? [`203.0.113.${id % 250}`];
    this.createdAt = now - 200 * dayMs;
    this.startedAt = options.startedAt?.getTime() ?? now - Math.round((3 + 40 * noise(seed, id, 11)) * dayMs);
    this.durations = { ...defaultDurations, ...durations };
    this.load = {
      cpu: load.cpu ?? 0.1 + 0.4 * noise(seed, id, 12),
      memory: load.memory ?? 0.25 + 0.4 * noise(seed, id, 13),
      networkIn: load.networkIn ?? 0.05 + 2 * noise(seed, id, 14),
      networkOut: load.networkOut ?? 0.05 + 4 * noise(seed, id, 15),
    };
    this.disks = (options.disks ?? [{}]).map((disk, index) => this.#disk(disk, index));
    if (this.#status !== "on") this.#turns.push({ at: this.startedAt, up: false });
  }

  /** As the API calls it, now. */
  get status(): string {
    this.#settle();
    return this.#status;
  }

  get isUp(): boolean {
    const { status } = this;
    // While it goes down, it still answers.
    return (status === "on" || status === "rebooting" || status === "turning_off") && !this.hangs;
  }

  /** Whether there are measurements of that time. */
  wasMeasured(at: number): boolean {
    this.#settle();
    if (at < this.createdAt || at > this.#clock.now()) return false;
    return this.#turns.findLast((turn) => turn.at <= at)?.up ?? true;
  }

  /** Orders it, as the panel or the API does. Throws 409 where it makes no sense. */
  order(word: PowerWord): void {
    this.#settle();
    const { goingDown, hardGoingDown, down, booting } = this.durations;
    const status = this.#status;
    const isHard = word.startsWith("hard");
    if (word === "start" ? status !== "off" : status === "off")
      throw new ApiError(409, "conflict", `Server is ${status === "off" ? "not running" : `in status ${status}`}`);
    // Pulling the plug works also on what hangs half-way.
    if (!settled.has(status) && !(isHard && /turning_|rebooting/.test(status)))
      throw new ApiError(423, "locked", `Server is locked by the operation ${status}`);
    this.log(events[word]);
    const first = isHard ? hardGoingDown : goingDown;
    if (word === "start") this.#go([["turning_on", booting]], "on");
    else if (word === "shutdown") this.#go([["turning_off", first]], "off");
    else if (word === "hard-shutdown") this.#go([["hard_turning_off", first]], "off");
    else
      this.#go(
        [
          [isHard ? "hard_rebooting" : "rebooting", first],
          ["off", down],
          ["turning_on", booting],
        ],
        "on",
      );
  }

  /** Puts it into a state at once, known to the API or not; what was under way ends. */
  setStatus(status: string): void {
    this.#settle();
    this.#steps = [];
    this.#enter(status, this.#clock.now());
  }

  /** The system stops answering and being measured while its provider says that it is on. */
  hang(): void {
    this.#settle();
    this.hangs = true;
    this.#turn(this.#clock.now(), false);
  }

  log(event: string): void {
    const now = this.#clock.now();
    this.#lastLog += 1;
    this.logs.push({ id: this.id * 100_000 + this.#lastLog, logged_at: this.#clock.iso(now), event });
    if (this.logs.length > keep) this.logs.shift();
  }

  /** Changes a disk: what is not given stays as it is now. */
  setDisk(index: number, change: DiskOptions): void {
    const disk = this.disks[index];
    if (!disk) throw new Error(`server ${this.id} has no disk ${index}`);
    this.disks[index] = this.#disk(
      { size: change.size ?? disk.size, used: change.used ?? this.usedOf(disk), growth: change.growth ?? disk.growth },
      index,
    );
  }

  /** MB in use now. */
  usedOf({ size, used, usedAt, growth }: Disk): number {
    return Math.min(Math.max(Math.round(used + ((this.#clock.now() - usedAt) / dayMs) * growth), 0), size);
  }

  #disk({ size = 30_720, used, growth = 40 }: DiskOptions, index: number): Disk {
    const now = this.#clock.now();
    return {
      id: this.id * 10 + index,
      size,
      growth,
      used: used ?? Math.round(size * (0.2 + 0.3 * noise(this.id, index, 16))),
      usedAt: now,
      isSystem: index === 0,
    };
  }

  /** Begins a transition: each state for so long, then the last one for good. */
  #go(stages: readonly (readonly [string, number | null])[], last: string): void {
    let at = this.#clock.now();
    this.#steps = [];
    for (const [status, ms] of stages) {
      this.#steps.push({ at, status });
      if (ms === null) {
        this.#settle();
        return;
      }
      at += ms;
    }
    this.#steps.push({ at, status: last });
    this.#settle();
  }

  /** Does what was to happen until now. */
  #settle(): void {
    const now = this.#clock.now();
    for (let step = this.#steps[0]; step && step.at <= now; step = this.#steps[0]) {
      this.#steps.shift();
      this.#enter(step.status, step.at);
    }
  }

  #enter(status: string, at: number): void {
    const was = this.#status;
    this.#status = status;
    if (status === "on" && was !== "on") {
      this.startedAt = at;
      this.hangs = false;
    }
    this.#turn(at, (status === "on" || status === "rebooting" || status === "turning_off") && !this.hangs);
  }

  #turn(at: number, up: boolean): void {
    if ((this.#turns.at(-1)?.up ?? true) !== up) this.#turns.push({ at, up });
    if (this.#turns.length > keep) this.#turns.shift();
  }
}
