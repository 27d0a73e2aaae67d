import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { serverMetrics } from "../../src/app/server-metrics.ts";
import type { MetricValues } from "../../src/core/metric.ts";
import { minute, type ServersWorld, serversWorld } from "../support/servers.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

async function scrape({ deps }: ServersWorld): Promise<string[]> {
  const registry = new Registry();
  serverMetrics(deps, registry);
  return (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const of = (lines: readonly string[], word: string): string[] => lines.filter((line) => line.includes(word)).toSorted();

async function read(world: ServersWorld, name: string, metrics: MetricValues): Promise<void> {
  const at = world.clock.now();
  await world.deps.serverStates.note({ name, reading: { at, status: "on", metrics }, tookMs: 250 }, at);
}

describe("/metrics", () => {
  it("has the newest values with their labels and units", async () => {
    const world = await serversWorld(fixture);
    await read(world, "web-1", {
      cpu: 12.5,
      disk_free: 2e9,
      network_in: 1000,
      load: 0.25,
      uptime: 3600,
      load_per_core: 2,
    });
    const lines = of(await scrape(world), '"web-1"');
    expect(lines).toEqual(
      [
        'vakhta_server_cpu_percent{server="web-1",env="prod"} 12.5',
        'vakhta_server_disk_free_bytes{server="web-1",env="prod"} 2000000000',
        'vakhta_server_load_per_core{server="web-1",env="prod"} 2',
        'vakhta_server_load{server="web-1",env="prod"} 0.25',
        'vakhta_server_network_in_bytes_per_second{server="web-1",env="prod"} 1000',
        'vakhta_server_poll_age_seconds{server="web-1",env="prod"} 0',
        'vakhta_server_poll_duration_seconds{server="web-1",env="prod"} 0.25',
        'vakhta_server_up{server="web-1",env="prod"} 1',
        'vakhta_server_uptime_seconds{server="web-1",env="prod"} 3600',
      ]
        .map((line) => line.replace('{server="web-1",env="prod"}', lines[0]?.match(/\{.*\}/)?.[0] ?? "none"))
        .toSorted(),
    );
    expect(lines[0]).toContain('env="prod"');
  });

  it("leaves out what is too old, and says who is down and who is overdue", async () => {
    const world = await serversWorld(fixture);
    await world.tick();
    await read(world, "web-1", { cpu: 1 });
    world.clock.advance(12 * minute);
    await read(world, "web-2", { cpu: 2 });
    const reason = { key: "look-statistics-silent" };
    await world.deps.serverStates.note({ name: "web-2", failure: "unreachable", reason, tookMs: 1 }, world.clock.now());
    world.clock.advance(4 * minute);
    const lines = await scrape(world);
    expect(of(lines, "cpu_percent")).toEqual([expect.stringContaining('"web-2"')]);
    expect(of(lines, "vakhta_server_up")).toEqual([
      expect.stringMatching(/web-1.* 1$/),
      expect.stringMatching(/web-2.* 0$/),
      expect.stringMatching(/web-3.* 1$/),
    ]);
    expect(of(lines, "vakhta_server_poll_age_seconds")).toEqual([
      expect.stringMatching(/web-1.* 960$/),
      expect.stringMatching(/web-2.* 240$/),
      expect.stringMatching(/web-3.* 960$/),
    ]);
    expect(of(lines, "vakhta_polls_overdue")).toEqual(["vakhta_polls_overdue 2"]);
  });

  it("has nothing of servers where there are none", async () => {
    const world = await serversWorld(fixture, { servers: "  []" });
    expect(await scrape(world)).toEqual([]);
  });
});
