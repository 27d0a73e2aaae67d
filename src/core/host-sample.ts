import type { DeviceCounters, HostCounters } from "./counters.ts";
import type { MetricValues } from "./metric.ts";

/** A mounted file system, in bytes and numbers of files. */
export interface FileSystem {
  readonly device: string;
  readonly mountPoint: string;
  /** "ext4". */
  readonly type: string;
  readonly readOnly?: boolean | undefined;
  readonly size: number;
  readonly free: number;
  /** What is free for others than root. */
  readonly available: number;
  /** 0 where the file system counts none. */
  readonly files?: number | undefined;
  readonly filesFree?: number | undefined;
}

/** What a host says of its memory; bytes. */
export interface HostMemory {
  readonly total?: number | undefined;
  /** What can be had without swapping; older kernels do not say. */
  readonly available?: number | undefined;
  readonly free?: number | undefined;
  readonly buffers?: number | undefined;
  readonly cached?: number | undefined;
  readonly reclaimable?: number | undefined;
  readonly shared?: number | undefined;
  readonly swapTotal?: number | undefined;
  readonly swapFree?: number | undefined;
}

/** What was read of a host at one moment. */
export interface HostSample {
  readonly memory: HostMemory;
  readonly fileSystems: readonly FileSystem[];
  /** Over a minute. */
  readonly load?: number | undefined;
  readonly counters: HostCounters;
}

/** File systems that are no disk of this host: in memory, made up by the kernel, images, those of other machines. */
const unreal =
  /^(?:tmpfs|devtmpfs|ramfs|rootfs|overlay|aufs|squashfs|iso9660|udf|erofs|cramfs|proc|sysfs|cgroup2?|autofs|mqueue|hugetlbfs|debugfs|tracefs|securityfs|pstore|bpf|configfs|fusectl|devpts|nsfs|binfmt_misc|efivarfs|rpc_pipefs|selinuxfs|nfs\d?|cifs|smb\d?|smbfs|9p|virtiofs|afs|ceph|glusterfs|lustre|fuse(?:\..*)?)$/;

/** Where systems keep what they start from: small, and fuller or emptier than anybody cares for, but not full. */
const bootPlaces = /^\/(?:boot|efi)(?:\/|$)/;

/** Interfaces that are made in software: what goes through them goes through a real one too, or never leaves the host. */
const unrealInterface =
  /^(?:lo\d*|veth.*|docker.*|podman.*|br-.*|br\d+|virbr.*|vmbr.*|lxcbr.*|lxdbr.*|lxc.*|cni.*|flannel.*|cali.*|cilium.*|kube-.*|nodelocaldns|tun.*|tap.*|vnet.*|fw(?:br|pr|ln).*|wg.*|tailscale.*|zt.*|bond.*|team\d.*|vlan.*|dummy.*|ifb.*|gre.*|erspan.*|sit\d.*|ip6tnl.*|tunl.*|ip6_vti.*|ip_vti.*|vxlan.*|ovs-.*|nlmon.*|.*[.@:].*)$/;

/** Devices on top of disks, or in memory. */
const unrealDisk = /^(?:loop|ram|zram|dm-|md|sr|fd|nbd|drbd|zd)\d*/;

const partitionOfLetters = /^([shv]d[a-z]+|xvd[a-z]+)\d+$/;
const partitionOfNumbers = /^(nvme\d+n\d+|mmcblk\d+|nbd\d+)p\d+$/;

/** More devices of one kind than these are not compared: what is remembered of a host stays small. */
const mostDevices = 64;
/** Nothing that a kernel names is called so; characters. */
const longestName = 128;

/** Whether a file system lies on a disk of the host that can be written to. */
export function isOwnDisk({ type, readOnly, size }: Pick<FileSystem, "type" | "readOnly" | "size">): boolean {
  return readOnly !== true && size > 0 && !isUnreal(type);
}

/** Whether a type of file system is no disk of this host. */
export function isUnreal(type: string): boolean {
  return unreal.test(type);
}

/** The interfaces through which the host talks with others. In a container, where all are made in software, all but its own. */
export function outsideInterfaces(all: Readonly<Record<string, DeviceCounters>>): HostCounters["network"] {
  const real = Object.entries(all).filter(([name]) => !unrealInterface.test(name));
  const others = Object.entries(all).filter(([name]) => !/^lo\d*$/.test(name));
  return some(real.length > 0 ? real : others);
}

/** The disks themselves: neither their partitions nor what lies on top of them, which would count everything twice. */
export function wholeDisks(all: Readonly<Record<string, DeviceCounters>>): HostCounters["disks"] {
  return some(
    Object.entries(all).filter(([name]) => {
      const disk = (partitionOfLetters.exec(name) ?? partitionOfNumbers.exec(name))?.[1];
      // Some hosts have a partition without its disk.
      return !unrealDisk.test(name) && !(disk !== undefined && Object.hasOwn(all, disk));
    }),
  );
}

function some(devices: [string, DeviceCounters][]): Record<string, DeviceCounters> {
  const named = devices.filter(([name]) => name.length <= longestName);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, mostDevices));
}

/** What a sample says by itself, without the one before it. */
export function gaugesOf(sample: HostSample): MetricValues {
  const { load } = sample;
  const { cpu, uptime } = sample.counters;
  return finite({
    memory: memoryUsed(sample.memory),
    swap: usedShare(sample.memory.swapTotal, sample.memory.swapFree),
    ...diskGauges(sample.fileSystems),
    load,
    load_per_core: load === undefined || cpu === undefined || cpu.cores === 0 ? undefined : load / cpu.cores,
    uptime: uptime === undefined ? undefined : Math.round(uptime / 1000),
  });
}

/** Only what is a number, and not below nothing. */
function finite(values: Readonly<Record<string, number | undefined>>): MetricValues {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && Number.isFinite(value) && value >= 0),
  );
}

/** Percent; undefined where there is nothing to use. */
function usedShare(total: number | undefined, free: number | undefined): number | undefined {
  if (total === undefined || free === undefined || !(total > 0)) return undefined;
  return Math.min(100, Math.max(0, (1 - free / total) * 100));
}

/** Percent that programs hold. Kernels before 3.14 do not say what is available: estimated as `free` used to do it. */
function memoryUsed(memory: HostMemory): number | undefined {
  const { free, buffers = 0, cached = 0, reclaimable = 0, shared = 0 } = memory;
  const estimate = free === undefined ? undefined : free + buffers + Math.max(0, cached - shared) + reclaimable;
  return usedShare(memory.total, memory.available ?? estimate);
}

function diskGauges(all: readonly FileSystem[]): Record<string, number | undefined> {
  const disks = countedFileSystems(all);
  const data = disks.filter(({ mountPoint }) => !bootPlaces.test(mountPoint));
  const least = data.length > 0 ? data : disks;
  return {
    disk: highest(disks.map(fullness)),
    disk_free: least.length > 0 ? Math.min(...least.map(({ available }) => available)) : undefined,
    inodes: highest(disks.map(({ files, filesFree }) => usedShare(files, filesFree))),
  };
}

/** Each disk once, however often it is mounted; in a container without one, what it stands on. */
function countedFileSystems(all: readonly FileSystem[]): readonly FileSystem[] {
  const byDevice = new Map<string, FileSystem>();
  for (const one of all) {
    const known = byDevice.get(one.device);
    // Of several places the shortest is the one that people know.
    if (isOwnDisk(one) && (!known || one.mountPoint.length < known.mountPoint.length)) byDevice.set(one.device, one);
  }
  if (byDevice.size > 0) return [...byDevice.values()];
  return all.filter(({ mountPoint, type, size }) => mountPoint === "/" && size > 0 && !/^(?:tmpfs|rootfs)$/.test(type));
}

/** Percent, as `df` counts it: of what others than root may use. */
function fullness({ size, free, available }: FileSystem): number | undefined {
  const used = size - free;
  return usedShare(used + available, available);
}

function highest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}
