import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { Redis } from "ioredis";
import { pino } from "pino";
import { Counter, Registry } from "prom-client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { createDeps } from "../../src/app/deps.ts";
import { createRegistry } from "../../src/app/metrics.ts";
import { createServer, type ServerDeps } from "../../src/http/server.ts";
import { noServers } from "../support/no-servers.ts";
import { startRedis } from "../support/redis.ts";
import { aManifest, aRun } from "../support/run.ts";
import { until } from "../support/state.ts";

const quiet = pino({ level: "silent" });

function server(deps: Partial<ServerDeps> = {}): ReturnType<typeof createServer> {
  const http = createServer({ logger: quiet, registry: new Registry(), checks: {}, ...deps });
  onTestFinished(async () => await http.close());
  return http;
}

const get = async (http: ReturnType<typeof createServer>, url: string, headers: Record<string, string> = {}) =>
  await http.inject({ method: "GET", url, headers });

test("a request that does not become complete is broken off in time", async () => {
  const http = server({ requestTimeoutMs: 300, webhook: { secretToken: "secret", handle: async () => undefined } });
  await http.listen({ port: 0, host: "127.0.0.1" });
  const { port } = http.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(
    "POST /telegram HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nhalf of",
  );
  const startedAt = performance.now();
  let answer = "";
  socket.on("data", (chunk) => (answer += String(chunk)));
  await once(socket, "close");
  expect(performance.now() - startedAt).toBeLessThan(3000);
  expect(answer).toMatch(/^HTTP\/1\.1 408/);
});

describe("/healthz", () => {
  test("answers as long as the process does, whatever its dependencies do", async () => {
    const http = server({ checks: { redis: () => Promise.reject(new Error("down")) } });
    const answer = await get(http, "/healthz");
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: "ok" }]);
  });
});

describe("/readyz", () => {
  test("names each dependency with its state", async () => {
    const http = server({ checks: { redis: async () => "PONG", telegram: () => "polling" } });
    const answer = await get(http, "/readyz");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      status: "ready",
      checks: { redis: { ok: true, state: "PONG" }, telegram: { ok: true, state: "polling" } },
    });
  });

  test("is 503 when one of them is not well, and says which and why", async () => {
    const unreachable = (): string => {
      throw new Error("unreachable");
    };
    const answer = await get(server({ checks: { redis: async () => "PONG", telegram: unreachable } }), "/readyz");
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      status: "not ready",
      checks: { redis: { ok: true }, telegram: { ok: false, state: "unreachable" } },
    });
  });

  test("waits for none of them longer than two seconds", async () => {
    const startedAt = performance.now();
    const answer = await get(server({ checks: { redis: () => new Promise<string>(() => undefined) } }), "/readyz");
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ checks: { redis: { ok: false, state: "no answer" } } });
  });

  test("is 503 while Redis is away and 200 when it is back", async () => {
    await using redis = await startRedis();
    const client = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    const http = server({ checks: { redis: async () => await client.ping() } });
    expect((await get(http, "/readyz")).statusCode).toBe(200);
    await redis.kill();
    const away = await get(http, "/readyz");
    expect([away.statusCode, away.json().checks.redis.ok]).toEqual([503, false]);
    await redis.restart();
    await until(async () => (await get(http, "/readyz")).statusCode === 200, "ready again");
  });
});

describe("/metrics", () => {
  const counted = (): Registry => {
    const registry = new Registry();
    new Counter({ name: "vakhta_test_total", help: "Test", registers: [registry] }).inc(3);
    return registry;
  };

  test("is Prometheus' text", async () => {
    const answer = await get(server({ registry: counted() }), "/metrics");
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    expect(answer.body).toContain("vakhta_test_total 3");
  });

  test.each([
    {},
    { authorization: "Bearer wrong" },
    { authorization: "secret" },
    { authorization: "Basic secret" },
    { authorization: "Bearer " },
  ])("with a token refuses %j", async (headers: Record<string, string>) => {
    const answer = await get(server({ registry: counted(), token: "secret" }), "/metrics", headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.body).not.toContain("vakhta");
  });

  test("with a token gives itself to those who have it", async () => {
    const http = server({ registry: counted(), token: "secret" });
    expect((await get(http, "/metrics", { authorization: "Bearer secret" })).statusCode).toBe(200);
  });

  test("tells of cards, jobs and backups from Redis, and of the process alone while Redis is away", async () => {
    await using redis = await startRedis();
    const config = {
      redis: { url: redis.url, prefix: "test" },
      worker: { host: "db-1", concurrency: 1 },
      storages: {},
      backups: [{ name: "app" }, { name: "never" }],
      ...noServers,
    } as unknown as Config;
    const { deps, close } = createDeps({ config, logger: quiet, clock: { now: () => new Date() }, role: "test" });
    onTestFinished(close);
    await deps.cards.create({ kind: "notice", id: "a" }, {}, "normal", new Date());
    await deps.cards.place({ kind: "notice", id: "a" }, { chatId: -1 }, "normal", new Date());
    await deps.producer.enqueue("backup", { runId: "a" });
    await deps.runs.create(aRun({ status: "succeeded", manifest: aManifest() }), new Date());
    const http = server({ registry: createRegistry(deps, "worker") });
    const there = await get(http, "/metrics");
    expect(there.body).toContain('vakhta_cards_backlog{role="worker"} 1');
    expect(there.body).toContain('vakhta_jobs{queue="work",state="waiting",role="worker"} 1');
    expect(there.body).toContain('vakhta_backup_last_size_bytes{backup="app",role="worker"} 25600000');
    expect(there.body).toContain('vakhta_backup_last_duration_seconds{backup="app",role="worker"} 72');
    expect(there.body).toContain('vakhta_backup_last_success_timestamp_seconds{backup="app",role="worker"} 1772334072');
    expect(there.body).not.toContain("never");
    await redis.kill();
    const startedAt = performance.now();
    const away = await get(http, "/metrics");
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(away.statusCode).toBe(200);
    expect(away.body).toContain("process_resident_memory_bytes");
    expect(away.body).not.toMatch(/vakhta_(?:cards_backlog|jobs|backup_\w+)\{.*\} \d/);
    await redis.restart();
  });
});

describe("/telegram", () => {
  const secretToken = "s3cret";
  const post = async (
    handle: (update: { update_id: number }) => Promise<void>,
    token: string | undefined,
    payload: unknown,
  ) =>
    await server({ webhook: { secretToken, handle } }).inject({
      method: "POST",
      url: "/telegram",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { "x-telegram-bot-api-secret-token": token }),
      },
      payload: JSON.stringify(payload),
    });

  test.each([undefined, "", "wrong", "s3cret "])(
    "refuses the secret %j without looking at the update",
    async (token) => {
      const handle = vi.fn<() => Promise<void>>(async () => undefined);
      expect((await post(handle, token, { update_id: 1 })).statusCode).toBe(401);
      expect(handle).not.toHaveBeenCalled();
    },
  );

  test("handles an update whole before it is confirmed", async () => {
    const handled: unknown[] = [];
    const answer = await post(async (update) => void handled.push(update), secretToken, {
      update_id: 7,
      message: { text: "hi" },
    });
    expect(answer.statusCode).toBe(200);
    expect(handled).toEqual([{ update_id: 7, message: { text: "hi" } }]);
  });

  test("answers with an error when handling fails, so that the update comes again, and tells nothing of it", async () => {
    const answer = await post(() => Promise.reject(new Error("redis://user:secret@host")), secretToken, {
      update_id: 7,
    });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("secret");
  });

  test.each([{}, { update_id: "7" }, [], null, "x"])("refuses what is no update: %j", async (payload) => {
    const handle = vi.fn<() => Promise<void>>(async () => undefined);
    expect((await post(handle, secretToken, payload)).statusCode).toBe(400);
    expect(handle).not.toHaveBeenCalled();
  });

  test("is not there when updates are polled", async () => {
    expect((await server().inject({ method: "POST", url: "/telegram", payload: {} })).statusCode).toBe(404);
  });
});

test("what is not there is 404 in JSON, and a body that is too large is refused", async () => {
  const http = server({ webhook: { secretToken: "x", handle: async () => undefined } });
  expect((await get(http, "/nothing")).json()).toEqual({ error: "not found" });
  const large = await http.inject({ method: "POST", url: "/telegram", payload: { text: "x".repeat(2_000_000) } });
  expect(large.statusCode).toBe(413);
});
