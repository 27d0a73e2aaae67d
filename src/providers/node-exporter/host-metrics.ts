import type { DeviceCounters } from "../../core/counters.ts";
import {
  type FileSystem,
  type HostMemory,
  type HostSample,
  outsideInterfaces,
  wholeDisks,
} from "../../core/host-sample.ts";
import { Exposition, type Metric } from "./exposition.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const memoryFields: ReadonlyMap<string, keyof HostMemory> = new Map([
  ["node_memory_MemTotal_bytes", "total"],
  ["node_memory_MemAvailable_bytes", "available"],
  ["node_memory_MemFree_bytes", "free"],
  ["node_memory_Buffers_bytes", "buffers"],
  ["node_memory_Cached_bytes", "cached"],
  ["node_memory_SReclaimable_bytes", "reclaimable"],
  ["node_memory_Shmem_bytes", "shared"],
  ["node_memory_SwapTotal_bytes", "swapTotal"],
  ["node_memory_SwapFree_bytes", "swapFree"],
]);

type FileSystemNumber = "size" | "free" | "available" | "files" | "filesFree" | "readOnly";
const fileSystemFields: ReadonlyMap<string, FileSystemNumber> = new Map([
  ["node_filesystem_size_bytes", "size"],
  ["node_filesystem_free_bytes", "free"],
  ["node_filesystem_avail_bytes", "available"],
  ["node_filesystem_files", "files"],
  ["node_filesystem_files_free", "filesFree"],
  ["node_filesystem_readonly", "readOnly"],
]);

type Direction = keyof DeviceCounters;
const networkFields: ReadonlyMap<string, Direction> = new Map([
  ["node_network_receive_bytes_total", "in"],
  ["node_network_transmit_bytes_total", "out"],
]);
const diskFields: ReadonlyMap<string, Direction> = new Map([
  ["node_disk_written_bytes_total", "in"],
  ["node_disk_read_bytes_total", "out"],
]);

const wanted: ReadonlySet<string> = new Set([
  "node_cpu_seconds_total",
  "node_load1",
  "node_time_seconds",
  "node_boot_time_seconds",
  ...memoryFields.keys(),
  ...fileSystemFields.keys(),
  ...networkFields.keys(),
  ...diskFields.keys(),
]);

/** Modes of a processor in which it has nothing to do. */
const idleModes: ReadonlySet<string> = new Set(["idle", "iowait"]);

/** What runs in guests is counted as `user` already. */
const countedModes: ReadonlySet<string> = new Set(["guest", "guest_nice"]);

/** More file systems, interfaces, disks or processors than these are passed over: an answer must not fill the memory. */
const mostThings = 4096;

/** No kernel counts further. */
const largest = 2 ** 64;
/** Nothing has been running for longer: a clock is wrong, and so is what it says; seconds, 50 years. */
const longestRun = 50 * 365 * 86_400;

interface SomeFileSystem {
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly numbers: Partial<Record<FileSystemNumber, number>>;
}

/** Makes a sample of a host of what node_exporter gives, while it comes in. */
export class HostMetrics {
  readonly #text = new Exposition(wanted, (metric) => this.#take(metric));
  readonly #cores = new Set<string>();
  readonly #fileSystems = new Map<string, SomeFileSystem>();
  readonly #network = new Map<string, Writable<DeviceCounters>>();
  readonly #disks = new Map<string, Writable<DeviceCounters>>();
  readonly #memory: Writable<HostMemory> = {};
  #busy = 0;
  #total = 0;
  #load: number | undefined;
  #time: number | undefined;
  #boot: number | undefined;
  #taken = 0;

  write(chunk: Buffer): void {
    this.#text.write(chunk);
  }

  /**
   * What it was, read at `at` (milliseconds since 1970). `garbage`: not metrics, or not all of it. `empty`: metrics, none
   * of them node_exporter's.
   */
  end(at: number): HostSample | "garbage" | "empty" {
    this.#text.end();
    const { metrics, unreadable } = this.#text;
    // A line in a hundred is somebody's clumsy script; more is something else than metrics.
    if (metrics === 0 ? unreadable > 0 : unreadable * 100 > metrics) return "garbage";
    if (this.#taken === 0) return "empty";
    const boot = this.#boot;
    const runs = this.#time === undefined || boot === undefined ? undefined : this.#time - boot;
    return {
      memory: this.#memory,
      fileSystems: this.#allFileSystems(),
      load: this.#load,
      counters: {
        at,
        uptime: runs !== undefined && runs >= 0 && runs <= longestRun ? runs * 1000 : undefined,
        startedAt: boot === undefined ? undefined : boot * 1000,
        cpu: this.#cores.size > 0 ? { busy: this.#busy, total: this.#total, cores: this.#cores.size } : undefined,
        network: outsideInterfaces(Object.fromEntries(this.#network)),
        disks: wholeDisks(Object.fromEntries(this.#disks)),
      },
    };
  }

  #take({ name, labels, value }: Metric): void {
    if (!(value >= 0 && value <= largest)) return;
    this.#taken += 1;
    const memory = memoryFields.get(name);
    if (memory !== undefined) this.#memory[memory] = value;
    else if (name === "node_load1") this.#load = value;
    else if (name === "node_time_seconds") this.#time = value;
    else if (name === "node_boot_time_seconds") this.#boot = value;
    else if (name === "node_cpu_seconds_total") this.#takeCpu(labels, value);
    else this.#takeOfDevice(name, labels, value);
  }

  #takeCpu({ cpu = "", mode = "" }: Metric["labels"], seconds: number): void {
    if (countedModes.has(mode)) return;
    if (!this.#cores.has(cpu) && this.#cores.size >= mostThings) return;
    this.#cores.add(cpu);
    this.#total += seconds;
    if (!idleModes.has(mode)) this.#busy += seconds;
  }

  #takeOfDevice(name: string, labels: Metric["labels"], value: number): void {
    const { device = "" } = labels;
    const ofFileSystem = fileSystemFields.get(name);
    if (ofFileSystem !== undefined) {
      const { mountpoint: mountPoint = "", fstype: type = "" } = labels;
      const key = JSON.stringify([device, mountPoint]);
      const one = entryOf(this.#fileSystems, key, (): SomeFileSystem => ({ device, mountPoint, type, numbers: {} }));
      if (one) one.numbers[ofFileSystem] = value;
      return;
    }
    const ofNetwork = networkFields.get(name);
    const direction = ofNetwork ?? diskFields.get(name);
    if (direction === undefined) return;
    const counters = entryOf(ofNetwork ? this.#network : this.#disks, device, () => ({ in: 0, out: 0 }));
    if (counters) counters[direction] = value;
  }

  #allFileSystems(): FileSystem[] {
    return [...this.#fileSystems.values()].flatMap(({ device, mountPoint, type, numbers }) => {
      const { size, available, free = available, readOnly, files, filesFree } = numbers;
      if (size === undefined || available === undefined || free === undefined) return [];
      return [{ device, mountPoint, type, readOnly: readOnly === 1, size, free, available, files, filesFree }];
    });
  }
}

function entryOf<T>(all: Map<string, T>, key: string, make: () => T): T | undefined {
  const known = all.get(key);
  if (known !== undefined || all.size >= mostThings) return known;
  const made = make();
  all.set(key, made);
  return made;
}
