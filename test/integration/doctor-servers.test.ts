import { describe, expect, it, onTestFinished } from "vitest";
import { startTimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { doctorChecks, runChecks } from "../../src/services/doctor.ts";
import { quiet } from "../support/backup.ts";
import { type ServersWorld, serversWorld } from "../support/servers.ts";
import { useRedis } from "../support/state.ts";
import { presence } from "../support/watch.ts";

const fixture = useRedis();

/** What is found of servers: subject, target, status and sentence. */
async function look({ deps, clock }: ServersWorld, missing: readonly string[] = []): Promise<string[]> {
  const checks = doctorChecks({ config: deps.config, clock, logger: quiet, missing }).filter(({ subject }) =>
    ["account", "servers", "worker"].includes(subject),
  );
  const lines: string[] = [];
  for await (const { subject, target, status, key, args } of runChecks(checks, AbortSignal.timeout(20_000))) {
    const names = typeof args["names"] === "string" ? args["names"] : "";
    lines.push(`${subject} ${target} ${status} ${key} ${names}`.trim());
  }
  return lines;
}

describe("doctor", () => {
  it("tells of each account whether it answers and has the servers", async () => {
    const world = await serversWorld(fixture);
    expect(await look(world)).toEqual(["account timeweb ok doctor-account-ok"]);
    world.sandbox.deleteServer(102);
    expect(await look(world)).toEqual(["account timeweb warning doctor-account-missing web-2"]);
    world.sandbox.revokeToken(world.sandbox.token);
    expect(await look(world)).toEqual(["account timeweb failed doctor-failed"]);
    expect(await look(world, ["providers.timeweb.token"])).toEqual(["account timeweb skipped doctor-no-secret"]);
  });

  it("tells of servers that are asked themselves, and of hosts without a worker", async () => {
    const other = await startTimewebSandbox();
    onTestFinished(() => other.close());
    const world = await serversWorld(fixture, {
      servers: `  - { name: a, provider: node-exporter, url: "${other.url}/metrics" }\n  - { name: b, provider: local, host: far }`,
      config: "",
    });
    const before = await look(world);
    expect(before).toEqual([
      "account timeweb ok doctor-account-ok",
      "servers node-exporter failed doctor-servers-silent a",
      "worker far warning doctor-worker-missing",
    ]);
    await world.deps.presences.write({ ...presence("worker", "far"), seenAt: world.clock.now().toISOString() });
    expect((await look(world)).at(-1)).toBe("worker far ok doctor-worker-ok");
  });
});
