import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localProvider } from "../../src/providers/local/index.ts";
import { parseDisks, parseMemory, parseMounts, parseNetwork, parseStat } from "../../src/providers/local/proc.ts";
import { LocalHost } from "../../src/providers/local/provider.ts";
import type { Look } from "../../src/providers/types.ts";
import { allLooks, providerDeps, target } from "../support/providers.ts";

const signal = new AbortController().signal;
const files = [
  "stat",
  "uptime",
  "meminfo",
  "loadavg",
  "self/net/dev",
  "diskstats",
  "self/mounts",
  "sys/kernel/random/boot_id",
];

describe("this host", () => {
  const real = localProvider.create(undefined, providerDeps({ host: hostname() }).deps);

  it("is as its kernel says", async () => {
    const [look] = await allLooks(real.looks([target(localProvider, "here", {})], signal));
    if (!look || !("reading" in look)) throw new Error(JSON.stringify(look));
    const { metrics, bootedAt } = look.reading;
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(["memory", "disk", "disk_free", "load", "uptime"]));
    const uptime = Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
    expect(Math.abs((metrics.uptime ?? 0) - uptime)).toBeLessThan(30);
    expect(Math.abs(Date.now() - uptime * 1000 - (bootedAt?.getTime() ?? 0))).toBeLessThan(30_000);
  });

  it("is known by its system, its processors, its memory", async () => {
    const facts = await real.facts?.([target(localProvider, "here", {})], signal);
    expect(facts?.get("here")).toMatchObject({
      providerName: hostname(),
      cores: expect.toSatisfy((cores: number) => cores >= availableParallelism()),
      memory: totalmem(),
    });
  });
});

describe("a host", () => {
  let proc: string;
  let now: number;
  let world: ReturnType<typeof providerDeps>;
  let host: LocalHost;

  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(proc, file)), { recursive: true });
    writeFileSync(join(proc, file), text);
  };
  /** What a kernel counts after so many seconds. */
  const run = (seconds: number, boot: string) => {
    const ticks = (share: number) => Math.round(seconds * 100 * share);
    const cpu = `${ticks(0.5)} 0 ${ticks(0.1)} ${ticks(1.2)} ${ticks(0.2)} 0 0 0 ${ticks(0.4)} 0`;
    write("stat", `cpu  ${cpu}\ncpu0 1 2\ncpu1 1 2\nintr 5 6\nbtime ${Math.floor(now / 1000 - seconds)}\n`);
    write("uptime", `${seconds.toFixed(2)} 5.00\n`);
    write(
      "self/net/dev",
      `Inter-|   Receive\n face |bytes\n    lo: 9 9 9 9 9 9 9 9 9\n  eth0:${ticks(10)} 1 0 0 0 0 0 0 ${ticks(5)} 1 0 0 0 0 0 0\n`,
    );
    write("diskstats", ` 254 0 vda 1 2 ${ticks(1)} 4 5 6 ${ticks(2)} 8 9 10 11\n 254 1 vda1 1 2 3 4 5 6 7 8 9 10 11\n`);
    write("sys/kernel/random/boot_id", `${boot}\n`);
  };
  const look = async (entry: object = {}): Promise<Look> => {
    const [only] = await allLooks(host.looks([target(localProvider, "db-1", entry)], signal));
    if (!only) throw new Error("no look");
    return only;
  };
  const reading = async () => {
    const one = await look();
    if (!("reading" in one)) throw new Error(JSON.stringify(one));
    return one.reading;
  };

  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), "proc-"));
    now = Date.parse("2026-03-01T12:00:00Z");
    world = providerDeps({ clock: { now: () => new Date(now) } });
    host = new LocalHost(world.deps, proc);
    write("meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    write("loadavg", "1.50 1.00 0.50 1/200 4242\n");
    write("self/mounts", `/dev/root ${proc} ext4 rw 0 0\n`);
    run(1000, "one");
  });
  afterEach(async () => {
    await host.close();
    rmSync(proc, { recursive: true });
  });

  it("gives its rates from the second look on", async () => {
    expect(await reading()).toMatchObject({ metrics: { memory: 60, load: 1.5, load_per_core: 0.75, uptime: 1000 } });
    now += 300_000;
    run(1300, "one");
    const { metrics, bootedAt } = await reading();
    expect(metrics).toMatchObject({
      cpu: expect.closeTo(30, 6),
      network_in: expect.closeTo(1000, 6),
      network_out: expect.closeTo(500, 6),
      disk_read: expect.closeTo(100 * 512, 3),
      disk_write: expect.closeTo(200 * 512, 3),
    });
    expect(bootedAt).toEqual(new Date("2026-03-01T11:43:20Z"));
  });

  it("was restarted when its kernel says so", async () => {
    await reading();
    now += 300_000;
    run(100, "two");
    const { metrics, bootedAt } = await reading();
    expect(metrics.cpu).toBeCloseTo(30, 6);
    expect(bootedAt).toEqual(new Date("2026-03-01T12:03:20Z"));
  });

  it("tells what there is when some of it is missing", async () => {
    for (const file of files.slice(2)) rmSync(join(proc, file));
    expect((await reading()).metrics).toEqual({ uptime: 1000 });
  });

  it("gives nothing where the kernel says nothing", async () => {
    rmSync(join(proc, "stat"));
    expect(await look()).toMatchObject({
      failure: "no-data",
      reason: { key: "look-local-proc", args: { reason: "ENOENT" } },
    });
    await expect(host.facts([target(localProvider, "db-1", {})], signal)).rejects.toMatchObject({ name: "AppError" });
  });

  it("does not take another host for this one", async () => {
    const elsewhere = { host: "db-2" };
    expect(await look(elsewhere)).toMatchObject({
      failure: "unreachable",
      reason: { key: "look-local-elsewhere", args: { here: "here", host: "db-2" } },
    });
    expect(await host.facts([target(localProvider, "db-1", elsewhere)], signal)).toEqual(new Map());
  });
});

describe("what the kernel writes", () => {
  it("is the same here", () => {
    const text = (file: string) => readFileSync(join("/proc", file), "utf8");
    const { cpu, startedAt } = parseStat(text("stat"));
    expect(cpu?.cores).toBeGreaterThanOrEqual(1);
    expect(cpu?.total).toBeGreaterThan(cpu?.busy ?? Number.NaN);
    expect(startedAt).toBeLessThan(Date.now());
    expect(parseMemory(text("meminfo"))).toMatchObject({ total: expect.any(Number), available: expect.any(Number) });
    expect(parseNetwork(text("self/net/dev"))).toHaveProperty("lo");
    expect(parseMounts(text("self/mounts")).map(({ mountPoint }) => mountPoint)).toContain("/");
    for (const { in: written, out: read } of Object.values(parseDisks(text("diskstats")))) {
      expect(written + read).toBeGreaterThanOrEqual(0);
    }
  });

  it("has blanks of names as numbers", () => {
    expect(parseMounts("/dev/sda1 /my\\040disk ext4 ro,noatime 0 0\n")).toEqual([
      { device: "/dev/sda1", mountPoint: "/my disk", type: "ext4", readOnly: true },
    ]);
  });
});
