import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { connectRedis, giveUp } from "../../src/state/redis.ts";
import { startRedis } from "../support/redis.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();

/** Something between us and Redis that can forget the connections it has, and takes new ones. */
async function forgetfulProxy(port: number): Promise<{ readonly url: string; forget(): void }> {
  let sockets: Socket[] = [];
  const server = createServer((client) => {
    const redis = connect(port, "127.0.0.1");
    for (const socket of [client, redis]) socket.on("error", () => undefined);
    client.pipe(redis).pipe(client);
    sockets.push(client, redis);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const all: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of [...all, ...sockets]) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}/0`,
    forget: () => {
      // Still open for both sides, and read: nothing goes through.
      for (const socket of sockets) socket.unpipe().resume();
      all.push(...sockets);
      sockets = [];
    },
  };
}

test("a connection that something in between has forgotten is given up, and what waited is done on a new one", async () => {
  const proxy = await forgetfulProxy(fixture.server.port);
  const redis = connectRedis(proxy.url, pino({ level: "silent" }), "half-open", 300);
  const [blocked, subscriber] = [redis.duplicate(), redis.duplicate()];
  for (const connection of [blocked, subscriber]) connection.on("error", () => undefined);
  onTestFinished(() => {
    for (const connection of [redis, blocked, subscriber]) connection.disconnect();
  });
  let heard = 0;
  subscriber.on("message", () => (heard += 1));
  await Promise.all([redis.set("half-open", "1"), blocked.ping(), subscriber.subscribe("half-open-news")]);
  expect(await subscriber.ping()).toBeDefined();
  proxy.forget();
  expect(await redis.get("half-open")).toBe("1");
  expect(await blocked.get("half-open")).toBe("1");
  // Answered on a new connection, on which it has subscribed again.
  await subscriber.ping();
  await until(async () => {
    await redis.publish("half-open-news", "");
    return heard > 0;
  }, "news on a new connection");
});

test("a connection that is given up between two attempts rejects what waits on it, and whatever comes after", async () => {
  await using server = await startRedis();
  const redis = connectRedis(server.url, pino({ level: "silent" }), "given-up");
  await redis.ping();
  await server.kill();
  await until(() => redis.status === "reconnecting", "the loss of the connection");
  const waits = redis.get("waits");
  giveUp(redis);
  await expect(waits).rejects.toThrow("closed");
  await expect(redis.get("later")).rejects.toThrow("closed");
  expect(redis.status).toBe("end");
});
