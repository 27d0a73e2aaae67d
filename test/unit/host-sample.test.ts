import { describe, expect, it } from "vitest";
import {
  type FileSystem,
  gaugesOf,
  type HostSample,
  outsideInterfaces,
  wholeDisks,
} from "../../src/core/host-sample.ts";

const gigabyte = 1e9;
const disk = (mountPoint: string, used: number, rest: Partial<FileSystem> = {}): FileSystem => ({
  device: `/dev/${mountPoint}`,
  mountPoint,
  type: "ext4",
  size: 100 * gigabyte,
  free: (100 - used) * gigabyte,
  available: (100 - used) * gigabyte,
  files: 1000,
  filesFree: 900,
  ...rest,
});

const gauges = (rest: Partial<HostSample>) =>
  gaugesOf({ memory: {}, fileSystems: [], counters: { at: 0, network: {}, disks: {} }, ...rest });
const disks = (...fileSystems: FileSystem[]) => gauges({ fileSystems });

const names = (...all: string[]) => Object.fromEntries(all.map((name) => [name, { in: 1, out: 2 }]));

describe("the disks of a host", () => {
  it("are told by the fullest, by the least room and by the fewest inodes", () => {
    expect(disks(disk("/", 40), disk("/data", 80, { filesFree: 990 }), disk("/logs", 10, { filesFree: 100 }))).toEqual({
      disk: expect.closeTo(80, 9),
      disk_free: 20 * gigabyte,
      inodes: expect.closeTo(90, 9),
    });
  });

  it("count what is kept for root as df does", () => {
    const { disk: share } = disks(disk("/", 40, { available: 55 * gigabyte }));
    expect(share).toBeCloseTo((40 / 95) * 100);
  });

  it("are not what lies in memory, in an image, on another machine, or can not be written to", () => {
    const others = ["tmpfs", "overlay", "squashfs", "nfs4", "cifs", "fuse.sshfs", "devtmpfs"].map((type) =>
      disk(`/${type}`, 99, { type }),
    );
    const result = disks(disk("/", 40), ...others, disk("/cd", 100, { readOnly: true }), disk("/none", 0, { size: 0 }));
    expect(result).toMatchObject({ disk: 40, disk_free: 60 * gigabyte });
  });

  it("count once, however often they are mounted", () => {
    const same = { device: "/dev/vda1" };
    const result = disks(disk("/var/lib/docker", 99, { ...same, free: 1 }), disk("/", 40, same));
    expect(result.disk).toBe(40);
  });

  it("have no room of a boot partition, which is small, but say when it is full", () => {
    const boot = disk("/boot", 95, { size: gigabyte, free: 0.05 * gigabyte, available: 0.05 * gigabyte });
    expect(disks(disk("/", 40), boot)).toMatchObject({ disk: expect.closeTo(95, 6), disk_free: 60 * gigabyte });
    expect(disks(boot).disk_free).toBe(0.05 * gigabyte);
  });

  it("are in a container what it stands on", () => {
    expect(disks(disk("/", 70, { type: "overlay" }), disk("/dev/shm", 99, { type: "tmpfs" })).disk).toBeCloseTo(70);
    expect(disks(disk("/", 70, { type: "tmpfs" }))).toEqual({});
  });

  it("have no inodes where the file system counts none", () => {
    expect(disks(disk("/", 40, { type: "btrfs", files: 0, filesFree: 0 }))).not.toHaveProperty("inodes");
  });
});

describe("other gauges", () => {
  it("tell memory that can not be given back, also of an old kernel", () => {
    expect(gauges({ memory: { total: 1000, available: 250, free: 10 } })).toEqual({ memory: 75 });
    const old = { total: 1000, free: 100, buffers: 50, cached: 300, shared: 100, reclaimable: 50 };
    expect(gauges({ memory: old })).toEqual({ memory: 60 });
    expect(gauges({ memory: { total: 1000 } })).toEqual({});
  });

  it("tell of swap only where there is some", () => {
    expect(gauges({ memory: { swapTotal: 100, swapFree: 25 } })).toEqual({ swap: 75 });
    expect(gauges({ memory: { swapTotal: 0, swapFree: 0 } })).toEqual({});
  });

  it("tell load and uptime", () => {
    const counters = { at: 0, uptime: 61_400, cpu: { busy: 1, total: 2, cores: 4 }, network: {}, disks: {} };
    expect(gauges({ load: 6, counters })).toEqual({ load: 6, load_per_core: 1.5, uptime: 61 });
  });
});

describe("devices", () => {
  it("are the interfaces to the outside", () => {
    const all = names(
      "lo",
      "eth0",
      "enp3s0",
      "wlan0",
      "veth1a2b",
      "docker0",
      "br-0a1b",
      "eth0.100",
      "bond0",
      "wg0",
      "tun0",
    );
    expect(Object.keys(outsideInterfaces(all))).toEqual(["enp3s0", "eth0", "wlan0"]);
    expect(Object.keys(outsideInterfaces(names("lo", "tap0")))).toEqual(["tap0"]);
    expect(outsideInterfaces(names("lo"))).toEqual({});
  });

  it("are whole disks", () => {
    const all = names(
      "sda",
      "sda1",
      "nvme0n1",
      "nvme0n1p2",
      "mmcblk0",
      "mmcblk0p1",
      "dm-0",
      "loop3",
      "md0",
      "sr0",
      "zram0",
    );
    expect(Object.keys(wholeDisks(all))).toEqual(["mmcblk0", "nvme0n1", "sda"]);
    expect(Object.keys(wholeDisks(names("xvda1")))).toEqual(["xvda1"]);
  });

  it("are never so many that it would matter", () => {
    expect(Object.keys(outsideInterfaces(names(...Array.from({ length: 500 }, (_, n) => `eth${n}`))))).toHaveLength(64);
    expect(Object.keys(outsideInterfaces(names("eth0", `eth${"1".repeat(60_000)}`)))).toEqual(["eth0"]);
  });
});
