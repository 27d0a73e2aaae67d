import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { converse } from "../../src/lib/process.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { alice, chat, type PowerWorld, powerJob, powerWorld } from "../support/power.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", "CREATE ROLE app LOGIN PASSWORD 'app'; CREATE ROLE stranger LOGIN PASSWORD 'no'");
});
afterAll(async () => {
  await server?.stop();
});

/** Sessions of an application, until the signal aborts. */
async function connected(application: string, count: number, signal: AbortSignal): Promise<void> {
  const url = `${server.url("shop", "app", "app")}?application_name=${application}`;
  for (let n = 0; n < count; n++) {
    const argv = [join(server.programs, "psql"), "-X", "-q", "-A", "-t", "-d", url];
    const session = converse({ argv }, { signal });
    session.done.catch(() => undefined);
    session.stdin.write("SELECT 1;\n");
    for await (const _ of session.stdout) break;
  }
}

async function worldWith(url: string): Promise<PowerWorld> {
  const config = `
storages: { disk: { kind: local, path: /nonexistent/vakhta } }
backups:
  - { name: shop, source: { kind: postgres, url: "${url}" }, host: here, keep: { disk: { last: 1 } } }
  - { name: again, source: { kind: postgres, url: "${url}" }, host: here, keep: { disk: { last: 1 } } }`;
  const world = await powerWorld(fixture, { config });
  Object.assign(world.deps.config.servers[0] ?? {}, { labels: { host: "here" } });
  return world;
}

async function lookedAt({ deps, read }: PowerWorld) {
  const { id } = await deps.powerOrders.request({ server: "web-1", action: "reboot", by: alice, target: chat });
  await deps.powerFollower.execute(id, powerJob);
  return await read(id);
}

test("who is connected to a database on the server is told before it is rebooted, asked once for each", async () => {
  const ending = new AbortController();
  await connected("web", 3, ending.signal);
  await connected("worker", 1, ending.signal);
  const order = await lookedAt(await worldWith(server.url("shop")));
  expect(order.status).toBe("ready");
  expect(order.look?.clients).toEqual([
    {
      backup: "shop",
      total: 4,
      groups: [
        { user: "app", application: "web", database: "shop", count: 3 },
        { user: "app", application: "worker", database: "shop", count: 1 },
      ],
    },
  ]);
  // One who may not see what others do sees who is there all the same.
  const stranger = await lookedAt(await worldWith(server.url("shop", "stranger", "no")));
  expect(stranger.look?.clients?.[0]).toMatchObject({ total: 4 });
  ending.abort();
});

test("what cannot be asked is said to be so, and holds up nothing", async () => {
  const order = await lookedAt(await worldWith(server.url("shop", "app", "wrong-secret")));
  expect(order.status).toBe("ready");
  expect(order.look?.clients).toMatchObject([{ backup: "shop", error: { text: { key: expect.any(String) } } }]);
  expect(JSON.stringify(order)).not.toContain("wrong-secret");
});
