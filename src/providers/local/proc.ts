import type { DeviceCounters } from "../../core/counters.ts";
import type { HostMemory } from "../../core/host-sample.ts";

/** Bytes in what the kernel calls a sector, whatever the disk's own. */
const sectorBytes = 512;

const memoryFields: ReadonlyMap<string, keyof HostMemory> = new Map([
  ["MemTotal", "total"],
  ["MemAvailable", "available"],
  ["MemFree", "free"],
  ["Buffers", "buffers"],
  ["Cached", "cached"],
  ["SReclaimable", "reclaimable"],
  ["Shmem", "shared"],
  ["SwapTotal", "swapTotal"],
  ["SwapFree", "swapFree"],
]);

const words = (line: string): string[] => line.trim().split(/\s+/);
const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** `/proc/stat`: seconds of all processors, and when the system was started (milliseconds since 1970). */
export function parseStat(text: string): {
  cpu: { busy: number; total: number; cores: number } | undefined;
  startedAt: number | undefined;
} {
  let cores = 0;
  let cpu: { busy: number; total: number } | undefined;
  let startedAt: number | undefined;
  for (const line of lines(text)) {
    const [name = "", ...values] = words(line);
    if (/^cpu\d+$/.test(name)) cores += 1;
    else if (name === "btime") startedAt = Number(values[0]) * 1000;
    else if (name === "cpu") {
      // user nice system idle iowait irq softirq steal; what guests use is counted as `user` already.
      const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, ...rest] = values.slice(0, 8).map(Number);
      const busy = [user, nice, system, ...rest].reduce((sum, each) => sum + each, 0);
      // In hundredths on every architecture that programs see.
      cpu = { busy: busy / 100, total: (busy + idle + iowait) / 100 };
    }
  }
  return { cpu: cpu && cores > 0 ? { ...cpu, cores } : undefined, startedAt };
}

/** `/proc/meminfo`; bytes. */
export function parseMemory(text: string): HostMemory {
  const memory: { -readonly [K in keyof HostMemory]: HostMemory[K] } = {};
  for (const line of lines(text)) {
    const [, name = "", kilobytes] = /^(\w+):\s+(\d+)/.exec(line) ?? [];
    const field = memoryFields.get(name);
    if (field !== undefined) memory[field] = Number(kilobytes) * 1024;
  }
  return memory;
}

/** `/proc/net/dev`; bytes. */
export function parseNetwork(text: string): Record<string, DeviceCounters> {
  return Object.fromEntries(
    lines(text).flatMap((line) => {
      const [, name, values] = /^\s*([^\s:]+):(.*)$/.exec(line) ?? [];
      const counters = words(values ?? "").map(Number);
      return name === undefined ? [] : [[name, { in: counters[0] ?? 0, out: counters[8] ?? 0 }]];
    }),
  );
}

/** `/proc/diskstats`; bytes. */
export function parseDisks(text: string): Record<string, DeviceCounters> {
  return Object.fromEntries(
    lines(text).flatMap((line) => {
      const [, , name, , , read, , , , written] = words(line);
      if (name === undefined || read === undefined || written === undefined) return [];
      return [[name, { in: Number(written) * sectorBytes, out: Number(read) * sectorBytes }]];
    }),
  );
}

/** `/proc/self/mounts`. */
export function parseMounts(text: string): { device: string; mountPoint: string; type: string; readOnly: boolean }[] {
  return lines(text).flatMap((line) => {
    const [device, mountPoint, type, options] = words(line).map(unescaped);
    if (device === undefined || mountPoint === undefined || type === undefined) return [];
    return [{ device, mountPoint, type, readOnly: (options ?? "").split(",").includes("ro") }];
  });
}

/** Blanks and backslashes stand there as octal numbers. */
function unescaped(word: string): string {
  return word.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
