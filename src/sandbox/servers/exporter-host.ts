import { createHash } from "node:crypto";

/** How a made-up host is to be; what is left out stays as it is. */
export interface HostSettings {
  readonly cores?: number;
  /** Share of all processors that is busy on the average, 0 to 1. It goes up and down around it unless `steady`. */
  readonly cpu?: number;
  readonly steady?: boolean;
  /** Shares in use, 0 to 1. */
  readonly memory?: number;
  readonly swap?: number;
  readonly disk?: number;
  readonly inodes?: number;
  /** Bytes. */
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
  /** Bytes per second. */
  readonly networkIn?: number;
  readonly networkOut?: number;
  readonly diskRead?: number;
  readonly diskWrite?: number;
}

const ordinary: Required<HostSettings> = {
  cores: 2,
  cpu: 0.2,
  steady: false,
  memory: 0.5,
  swap: 0.05,
  disk: 0.4,
  inodes: 0.1,
  memoryBytes: 4 * 2 ** 30,
  diskBytes: 80 * 2 ** 30,
  networkIn: 300_000,
  networkOut: 200_000,
  diskRead: 100_000,
  diskWrite: 400_000,
};

/** A host whose counters go on with the clock that each look is told. */
export class ExporterHost {
  readonly #seed: string;
  #settings: Required<HostSettings>;
  #at: number;
  #bootedAt: number;
  /** By how much its own clock is ahead; milliseconds. */
  #ahead = 0;
  #busy = 0;
  #idle = 0;
  #moved = { networkIn: 0, networkOut: 0, diskRead: 0, diskWrite: 0 };
  #share = 0;

  /** `now` in milliseconds since 1970; it has been running for some days by then. */
  constructor(name: string, now: number, settings: HostSettings = {}) {
    this.#seed = name;
    this.#settings = { ...ordinary, ...settings };
    const uptime = (1 + 30 * digest(name, "uptime")) * 86_400_000;
    this.#bootedAt = now - uptime;
    this.#at = this.#bootedAt;
    this.#advance(now);
  }

  set(now: number, settings: HostSettings): void {
    this.#advance(now);
    this.#settings = { ...this.#settings, ...settings };
  }

  /** All counters begin anew, `runsFor` milliseconds ago. */
  reboot(now: number, runsFor = 0): void {
    this.#bootedAt = now - runsFor;
    this.#at = this.#bootedAt;
    this.#busy = 0;
    this.#idle = 0;
    this.#moved = { networkIn: 0, networkOut: 0, diskRead: 0, diskWrite: 0 };
    this.#advance(now);
  }

  /** Sets its clock ahead by so many milliseconds, or back. */
  setClock(ahead: number): void {
    this.#ahead = ahead;
  }

  /** What node_exporter would say of it. */
  metrics(now: number): string {
    this.#advance(now);
    const { cores, memory, swap, disk, inodes, memoryBytes, diskBytes } = this.#settings;
    const cpus = Array.from({ length: cores }, (_, cpu) => {
      const line = (mode: string, seconds: number) =>
        `node_cpu_seconds_total{cpu="${cpu}",mode="${mode}"} ${(seconds / cores).toFixed(2)}`;
      return [
        line("idle", this.#idle * 0.99),
        line("iowait", this.#idle * 0.01),
        line("system", this.#busy * 0.3),
        line("user", this.#busy * 0.7),
      ];
    });
    const shares = 1 + 0.02 * wave(this.#seed, "memory", now);
    const fileSystem = (device: string, place: string, type: string, bytes: number, used: number, readOnly = 0) => {
      const labels = `{device="${device}",fstype="${type}",mountpoint="${place}"}`;
      return [
        `node_filesystem_avail_bytes${labels} ${number(bytes * (1 - used))}`,
        `node_filesystem_free_bytes${labels} ${number(bytes * (1 - used))}`,
        `node_filesystem_size_bytes${labels} ${number(bytes)}`,
        `node_filesystem_files${labels} 5.24288e+06`,
        `node_filesystem_files_free${labels} ${number(5_242_880 * (1 - inodes))}`,
        `node_filesystem_readonly${labels} ${readOnly}`,
      ];
    };
    return `${[
      "# HELP go_goroutines Number of goroutines that currently exist.",
      "# TYPE go_goroutines gauge",
      "go_goroutines 8",
      "# HELP node_boot_time_seconds Node boot time, in unixtime.",
      "# TYPE node_boot_time_seconds gauge",
      // The kernel works it out from two clocks, so that it is a second more or less now and then.
      `node_boot_time_seconds ${number(Math.floor((this.#bootedAt + this.#ahead) / 1000) + (now % 2))}`,
      "# TYPE node_cpu_seconds_total counter",
      ...cpus.flat(),
      "# TYPE node_disk_read_bytes_total counter",
      `node_disk_read_bytes_total{device="vda"} ${number(this.#moved.diskRead)}`,
      "# TYPE node_disk_written_bytes_total counter",
      `node_disk_written_bytes_total{device="vda"} ${number(this.#moved.diskWrite)}`,
      "# TYPE node_filesystem_avail_bytes gauge",
      ...fileSystem("/dev/vda1", "/", "ext4", diskBytes, disk),
      ...fileSystem("/dev/vda1", "/var/lib/containers", "ext4", diskBytes, disk),
      ...fileSystem("tmpfs", "/run", "tmpfs", memoryBytes / 10, 0.97),
      ...fileSystem("/dev/loop0", "/snap/core/1", "squashfs", 60_000_000, 1, 1),
      "# TYPE node_load1 gauge",
      `node_load1 ${(this.#share * cores).toFixed(2)}`,
      `node_memory_MemAvailable_bytes ${number(memoryBytes * (1 - Math.min(0.99, memory * shares)))}`,
      `node_memory_MemFree_bytes ${number(memoryBytes * 0.05)}`,
      `node_memory_MemTotal_bytes ${number(memoryBytes)}`,
      `node_memory_SwapFree_bytes ${number(2 ** 30 * (1 - swap))}`,
      `node_memory_SwapTotal_bytes ${number(2 ** 30)}`,
      "# TYPE node_network_receive_bytes_total counter",
      `node_network_receive_bytes_total{device="eth0"} ${number(this.#moved.networkIn)}`,
      `node_network_receive_bytes_total{device="lo"} ${number(this.#moved.networkIn * 3)}`,
      "# TYPE node_network_transmit_bytes_total counter",
      `node_network_transmit_bytes_total{device="eth0"} ${number(this.#moved.networkOut)}`,
      `node_network_transmit_bytes_total{device="lo"} ${number(this.#moved.networkIn * 3)}`,
      "# TYPE node_time_seconds gauge",
      `node_time_seconds ${((now + this.#ahead) / 1000).toFixed(3)}`,
    ].join("\n")}\n`;
  }

  #advance(now: number): void {
    const { cores, cpu, steady, networkIn, networkOut, diskRead, diskWrite } = this.#settings;
    const seconds = Math.max(0, now - this.#at) / 1000;
    const swing = steady ? 1 : 1 + 0.35 * wave(this.#seed, "cpu", now);
    this.#share = Math.min(1, cpu * swing);
    this.#busy += seconds * cores * this.#share;
    this.#idle += seconds * cores * (1 - this.#share);
    const moved = { networkIn, networkOut, diskRead, diskWrite };
    for (const name of ["networkIn", "networkOut", "diskRead", "diskWrite"] as const) {
      this.#moved[name] += seconds * moved[name] * (steady ? 1 : 1 + 0.5 * wave(this.#seed, name, now));
    }
    this.#at = Math.max(now, this.#at);
  }
}

/** As exporters write large numbers. */
function number(value: number): string {
  const whole = Math.round(value);
  return whole < 1e6 ? String(whole) : whole.toExponential().replace(/e\+(\d)$/, "e+0$1");
}

/** A number from 0 to 1 that belongs to these words. */
function digest(...words: readonly string[]): number {
  return createHash("sha1").update(words.join(" ")).digest().readUInt32BE(0) / 2 ** 32;
}

/** From -1 to 1: a day's course, a quicker one, and something of each minute's own. */
function wave(seed: string, what: string, now: number): number {
  const phase = digest(seed, what);
  const minutes = now / 60_000;
  const day = Math.sin(2 * Math.PI * (minutes / 1440 + phase));
  const hour = Math.sin(2 * Math.PI * (minutes / 47 + phase * 7));
  return 0.5 * day + 0.25 * hour + 0.25 * (2 * digest(seed, what, String(Math.floor(minutes))) - 1);
}
