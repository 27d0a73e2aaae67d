import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MetricValues } from "../../src/core/metric.ts";
import { HostMetrics } from "../../src/providers/node-exporter/host-metrics.ts";
import { nodeExporterProvider } from "../../src/providers/node-exporter/index.ts";
import type { Look, Provider } from "../../src/providers/types.ts";
import { type Exporter, startExporter } from "../../src/sandbox/servers/exporter.ts";
import { allLooks, providerDeps, target } from "../support/providers.ts";

const signal = new AbortController().signal;
let now: number;
let exporter: Exporter;
let provider: Provider;
let world: ReturnType<typeof providerDeps>;

beforeEach(async () => {
  now = Date.parse("2026-03-01T12:00:00.000Z");
  exporter = await startExporter({ now: () => new Date(now) });
  world = providerDeps({ clock: { now: () => new Date(now) } });
  provider = nodeExporterProvider.create(undefined, world.deps);
});
afterEach(async () => {
  await provider.close();
  await exporter.stop();
});

const server = (name: string, entry: object = {}) =>
  target(nodeExporterProvider, name, { url: exporter.url(name), ...entry });

async function look(name: string, entry: object = {}, from = provider): Promise<Look> {
  const [only] = await allLooks(from.looks([server(name, entry)], signal));
  if (!only) throw new Error("no look");
  return only;
}

async function metrics(name: string, from = provider): Promise<MetricValues> {
  const one = await look(name, {}, from);
  if (!("reading" in one)) throw new Error(JSON.stringify(one));
  return one.reading.metrics;
}

async function bootedAt(name: string): Promise<Date | undefined> {
  const one = await look(name);
  return "reading" in one ? one.reading.bootedAt : undefined;
}

const steady = {
  steady: true,
  cores: 4,
  cpu: 0.3,
  memory: 0.6,
  swap: 0.25,
  disk: 0.7,
  inodes: 0.15,
  diskBytes: 100_000_000_000,
  networkIn: 1_000_000,
  networkOut: 500_000,
  diskRead: 20_000,
  diskWrite: 30_000,
};

describe("node_exporter", () => {
  it("gives every metric in its unit, rates from the second look on", async () => {
    exporter.set("web-1", steady);
    const first = await metrics("web-1");
    expect(Object.keys(first).sort()).toEqual(
      ["disk", "disk_free", "inodes", "load", "load_per_core", "memory", "swap", "uptime"].sort(),
    );
    now += 300_000;
    const second = await metrics("web-1");
    expect(second).toMatchObject({
      cpu: expect.closeTo(30, 1),
      swap: expect.closeTo(25, 3),
      disk: expect.closeTo(70, 3),
      disk_free: expect.closeTo(30_000_000_000, -3),
      inodes: expect.closeTo(15, 2),
      load: expect.closeTo(1.2, 2),
      load_per_core: expect.closeTo(0.3, 2),
      network_in: expect.closeTo(1_000_000, -2),
      network_out: expect.closeTo(500_000, -2),
      disk_read: expect.closeTo(20_000, -1),
      disk_write: expect.closeTo(30_000, -1),
    });
    expect(second.memory).toBeGreaterThan(55);
    expect(second.memory).toBeLessThan(65);
    expect((second.uptime ?? 0) - (first.uptime ?? 0)).toBeCloseTo(300, -1);
  });

  it("goes on in another process with what the first one remembers", async () => {
    exporter.set("web-1", steady);
    await metrics("web-1");
    now += 300_000;
    const other = nodeExporterProvider.create(undefined, world.deps);
    expect((await metrics("web-1", other)).cpu).toBeCloseTo(30, 1);
    await other.close();
  });

  it("has no rates of an address that was another machine's, nor of what can not be read or had", async () => {
    exporter.set("web-1", steady);
    await metrics("web-1");
    const [remembered = ""] = world.memories.values();
    // The address may hold a key.
    expect(remembered).not.toContain(String(exporter.port));
    now += 300_000;
    world.memories.set("web-2", remembered);
    expect(await metrics("web-2")).not.toHaveProperty("cpu");
    world.memories.set("web-1", "{");
    expect(await metrics("web-1")).not.toHaveProperty("cpu");
    const broken = providerDeps({
      memory: {
        read: () => Promise.reject(new Error("Redis says no")),
        write: () => Promise.reject(new Error("Redis says no")),
      },
    });
    const other = nodeExporterProvider.create(undefined, broken.deps);
    expect(await metrics("web-1", other)).toHaveProperty("memory");
    expect(broken.lines.join("")).toContain("Redis says no");
  });

  it("tells a restart, and the rates since then", async () => {
    exporter.set("web-1", steady);
    const before = await bootedAt("web-1");
    now += 301_001;
    expect(await bootedAt("web-1")).toEqual(before);
    now += 300_000;
    exporter.reboot("web-1", 100_000);
    const one = await look("web-1");
    if (!("reading" in one)) throw new Error(JSON.stringify(one));
    expect(Math.abs((one.reading.bootedAt?.getTime() ?? 0) - (now - 100_000))).toBeLessThanOrEqual(2000);
    expect(one.reading.metrics.cpu).toBeCloseTo(30, 1);
    expect(one.reading.metrics.network_in).toBeGreaterThan(950_000);
    expect(one.reading.metrics.network_in).toBeLessThan(1_050_000);
  });

  it("takes a clock that was set for no restart, whosever it is", async () => {
    exporter.set("web-1", steady);
    const before = await bootedAt("web-1");
    now += 300_000;
    exporter.setClock("web-1", -3_600_000);
    expect(await bootedAt("web-1")).toEqual(before);
    now += 300_000;
    expect((await metrics("web-1")).cpu).toBeCloseTo(30, 1);
  });

  it.each([
    ["basic auth", { username: "vakhta", password: "sesame-1" }, `Basic ${btoa("vakhta:sesame-1")}`],
    ["a token", { token: "sesame-2" }, "Bearer sesame-2"],
  ])("is asked with %s, and says so when that is refused", async (_, auth, authorization) => {
    await using guarded = await startExporter({ authorization });
    const url = guarded.url("web-1");
    expect(await look("web-1", { url, auth, headers: { "X-Scope": "ops" } })).toHaveProperty("reading");
    expect(guarded.requests.at(-1)?.headers).toMatchObject({ authorization, "x-scope": "ops" });
    expect(await look("web-1", { url })).toMatchObject({
      failure: "refused",
      reason: { key: "look-exporter-refused", args: { status: 401 } },
    });
  });

  it.each([
    ["nobody listens", "unreachable", "look-exporter-unreachable", async () => await exporter.refuse()],
    ["it never answers", "unreachable", "look-exporter-timeout", () => exporter.inject({ kind: "stall" })],
    ["it stops halfway", "unreachable", "look-exporter-timeout", () => exporter.inject({ kind: "halt" })],
    ["it breaks off", "unreachable", "look-exporter-unreachable", () => exporter.inject({ kind: "cut" })],
    [
      "a gateway is alone",
      "unreachable",
      "look-exporter-status",
      () => exporter.inject({ kind: "status", status: 502 }),
    ],
    ["the path is wrong", "garbage", "look-exporter-status", () => exporter.inject({ kind: "status", status: 404 })],
    [
      "it has moved",
      "garbage",
      "look-exporter-redirect",
      () => exporter.inject({ kind: "status", status: 302, headers: { location: "/secret-place" } }),
    ],
    [
      "it is a page",
      "garbage",
      "look-exporter-garbage",
      () => exporter.inject({ kind: "body", body: "<html>\n<p>\n" }),
    ],
    [
      "it is packed otherwise than it says",
      "garbage",
      "look-exporter-garbage",
      () => exporter.inject({ kind: "body", body: "node_load1 1\n", headers: { "content-encoding": "gzip" } }),
    ],
    ["it never ends", "garbage", "look-exporter-large", () => exporter.inject({ kind: "endless" })],
    ["it is empty", "no-data", "look-exporter-empty", () => exporter.inject({ kind: "body", body: "" })],
    [
      "it is another exporter",
      "no-data",
      "look-exporter-empty",
      () => exporter.inject({ kind: "body", body: "pg_up 1\n" }),
    ],
  ])("says what it is when %s", async (_, failure, key, happens) => {
    await happens();
    const timeout = key === "look-exporter-timeout" ? "200ms" : "60s";
    expect(await look("web-1", { timeout })).toMatchObject({ name: "web-1", failure, reason: { key } });
  });

  it("says that it is no HTTP", async () => {
    const other = createServer((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    expect(await look("web-1", { url: `http://127.0.0.1:${port}/metrics` })).toMatchObject({ failure: "garbage" });
    other.close();
  });

  it("has no more than fifty scrapes under way, over all that ask", async () => {
    const free = exporter.inject({ kind: "slow", ms: 20 });
    const names = Array.from({ length: 80 }, (_, number) => `host-${number}`);
    const both = await Promise.all(
      [names, names].map(
        async (some) =>
          await allLooks(
            provider.looks(
              some.map((name) => server(name)),
              signal,
            ),
          ),
      ),
    );
    free();
    expect(both.map((looks) => new Set(looks.map(({ name }) => name)).size)).toEqual([80, 80]);
    expect(exporter.connections.most).toBeLessThanOrEqual(50);
    expect(exporter.connections.most).toBeGreaterThan(25);
  });
});

describe("what is read of a host", () => {
  const sampleOf = (text: string) => {
    const reader = new HostMetrics();
    reader.write(Buffer.from(text));
    const sample = reader.end(0);
    if (typeof sample === "string") throw new Error(sample);
    return sample;
  };

  it("leaves out what guests use, which is counted already, and idle time", () => {
    const modes = { user: 10, guest: 8, guest_nice: 1, system: 5, steal: 1, idle: 70, iowait: 14 };
    const text = ["0", "1"].flatMap((cpu) =>
      Object.entries(modes).map(([mode, value]) => `node_cpu_seconds_total{cpu="${cpu}",mode="${mode}"} ${value}`),
    );
    expect(sampleOf(`${text.join("\n")}\n`).counters.cpu).toEqual({ busy: 32, total: 200, cores: 2 });
  });

  it("stays there for whoever asks for a path that is none", async () => {
    const answer = await fetch(`http://127.0.0.1:${exporter.port}/t/%zz/metrics`);
    expect(answer.status).toBe(404);
    expect((await look("web-1")).name).toBe("web-1");
  });

  it("believes no numbers that no kernel counts, nor clocks that are out of this world", () => {
    const read = (text: string) => {
      const sample = new HostMetrics();
      sample.write(Buffer.from(`node_load1 1\n${text}`));
      return sample.end(now);
    };
    const huge = read(
      'node_memory_MemTotal_bytes 1.7e308\nnode_network_receive_bytes_total{device="eth0"} 1e300\nnode_time_seconds 1e300\nnode_boot_time_seconds 1\n',
    );
    expect(huge).toMatchObject({ memory: {}, load: 1, counters: { network: {}, uptime: undefined } });
    // More than a date can hold, and before there were any.
    for (const time of ["1e17", "5e9"]) {
      const sample = read(`node_time_seconds ${time}\nnode_boot_time_seconds 1e-9\n`);
      expect(sample).toMatchObject({ counters: { uptime: undefined } });
    }
    expect(read("node_time_seconds 5e9\nnode_boot_time_seconds 4.9e9\n")).toMatchObject({ counters: { uptime: 1e11 } });
  });

  it("passes over values that are none", () => {
    const { load, memory } = sampleOf(
      "node_load1 NaN\nnode_memory_MemTotal_bytes +Inf\nnode_memory_MemFree_bytes -1\nnode_time_seconds 5\n",
    );
    expect({ load, memory }).toEqual({ load: undefined, memory: {} });
  });
});
