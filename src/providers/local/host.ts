import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type FileSystem, type HostSample, isUnreal, outsideInterfaces, wholeDisks } from "../../core/host-sample.ts";
import type { Clock } from "../../core/ports.ts";
import { LookError } from "../host-reading.ts";
import { parseDisks, parseMemory, parseMounts, parseNetwork, parseStat } from "./proc.ts";

/** More file systems are not asked. */
const mostFileSystems = 256;

/** Reads what the kernel says of this host. `proc`: where it says it. Rejects with a `LookError`, or with the signal's reason. */
export async function readHost(proc: string, clock: Clock, signal: AbortSignal): Promise<HostSample> {
  const read = (path: string): Promise<string> => readFile(join(proc, path), { encoding: "utf8", signal });
  const optional = (path: string): Promise<string> => read(path).catch(() => "");
  const [stat, uptime] = await Promise.all([read("stat"), read("uptime")]).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted();
    const args = { path: proc, reason: error.code ?? error.message };
    throw new LookError("no-data", { key: "look-local-proc", args }, { cause: error });
  });
  const at = clock.now().getTime();
  const [memory, load, network, disks, mounts, boot] = await Promise.all([
    optional("meminfo"),
    optional("loadavg"),
    // Of this process's own network, which in a container is the container's.
    optional("self/net/dev"),
    optional("diskstats"),
    optional("self/mounts"),
    optional("sys/kernel/random/boot_id"),
  ]);
  signal.throwIfAborted();
  const { cpu, startedAt } = parseStat(stat);
  const seconds = Number.parseFloat(uptime);
  const minute = Number.parseFloat(load);
  return {
    memory: parseMemory(memory),
    fileSystems: await fileSystems(mounts, signal),
    load: Number.isFinite(minute) ? minute : undefined,
    counters: {
      at,
      uptime: Number.isFinite(seconds) ? seconds * 1000 : undefined,
      startedAt,
      boot: boot.trim() || undefined,
      cpu,
      network: outsideInterfaces(parseNetwork(network)),
      disks: wholeDisks(parseDisks(disks)),
    },
  };
}

/** Only those of this machine's disks are asked: another machine's may never answer, and would hold up whoever asked. */
async function fileSystems(mounts: string, signal: AbortSignal): Promise<FileSystem[]> {
  const all = parseMounts(mounts);
  const asked = all.filter(({ type, mountPoint }) => !isUnreal(type) || (mountPoint === "/" && type === "overlay"));
  const result: FileSystem[] = [];
  for (const mount of asked.slice(0, mostFileSystems)) {
    signal.throwIfAborted();
    const size = await sizeOf(mount.mountPoint);
    if (size) result.push({ ...mount, ...size });
  }
  return result;
}

async function sizeOf(path: string) {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
    return { size: blocks * bsize, free: bfree * bsize, available: bavail * bsize, files, filesFree: ffree };
  } catch {
    // Not for this user's eyes, or gone meanwhile.
    return undefined;
  }
}
