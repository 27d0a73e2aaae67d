import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Signal } from "../../src/core/signal.ts";
import { workersWatch } from "../../src/services/watch/index.ts";
import { eventually } from "../support/chat.ts";
import { MovedClock, startBotInProcess } from "../support/in-process.ts";
import { outageWorld } from "../support/outage.ts";
import { SUPERGROUP_ID } from "../support/sandbox.ts";
import { startStack } from "../support/stack.ts";

const signal = (title: string, severity: Signal["severity"]): Signal => ({
  source: "test",
  status: "firing",
  severity,
  title,
  labels: { n: title },
});

test("ten minutes without Telegram, three bots: one digest, the criticals and the outage on cards, nothing lost", {
  timeout: 120_000,
}, async () => {
  const world = await outageWorld(3);
  const [first] = world.bots;
  if (!first) throw new Error("no bot");
  const { deps } = first;
  await world.step();
  world.sandbox.addFault({ kind: "blackhole" });
  await eventually("a call failed", async () => (await deps.contact.read()).failedSince !== undefined);
  world.advance(70_000);
  await world.step();
  expect(await deps.cards.pausedSince()).toBeDefined();
  for (let count = 0; count < 60; count++) {
    await deps.alerts.receive([signal(`alert ${count}`, count % 6 === 0 ? "critical" : "warning")]);
    world.advance(9000);
  }
  expect(world.texts()).toEqual([]);
  const before = world.sandbox.calls().length;
  world.sandbox.clearFaults();
  await eventually("deliveries go on", async () => {
    await world.step();
    return (await deps.cards.pausedSince()) === undefined;
  });
  await eventually("all is shown", async () => (await deps.cards.backlog()) === 0);
  const texts = world.texts();
  const criticals = texts.filter((text) => /alert \d+/.test(text.split("\n")[0] ?? ""));
  expect(criticals).toHaveLength(10);
  expect(texts.filter((text) => /Telegram cannot be reached/.test(text))).toHaveLength(1);
  expect(texts).toHaveLength(12);
  const sends = world.sandbox.calls(before).filter(({ method }) => method === "sendMessage");
  expect(sends.length).toBeLessThanOrEqual(13);
  expect(sends.every(({ ok }) => ok)).toBe(true);
  expect(await deps.incidents.openCount()).toBe(60);
  const [outage] = await deps.incidents.endedSince(new Date(0), 5);
  expect(outage).toMatchObject({ title: { key: "watch-telegram" }, status: "resolved" });
});

test("one chat that refuses is no outage", { timeout: 180_000 }, async () => {
  const world = await outageWorld(1);
  const [{ deps }] = world.bots as [(typeof world.bots)[0]];
  world.sandbox.addFault({ kind: "status", status: 403, chatId: SUPERGROUP_ID, methods: ["sendMessage"] });
  await deps.alerts.receive([signal("refused", "critical")]);
  await eventually("it was refused", async () => (await deps.cards.disabledChats()).size > 0);
  for (let minutes = 0; minutes < 3; minutes++) {
    world.advance(30_000);
    await world.step();
  }
  expect(await deps.cards.pausedSince()).toBeUndefined();
  expect(await deps.incidents.openCount()).toBe(1);
});

test("Redis away and back: one message by the bot that watched, changed at the end; the history knows", {
  timeout: 180_000,
}, async () => {
  const world = await outageWorld(2);
  const [{ deps }] = world.bots as [(typeof world.bots)[0]];
  await world.step();
  await world.redis.kill();
  world.advance(20_000);
  await world.step();
  expect(world.texts()).toEqual([]);
  world.advance(15_000);
  await world.step();
  world.advance(50_000);
  await world.step();
  expect(world.texts()).toEqual([expect.stringMatching(/^🔴 Redis cannot be reached since .*here/)]);
  await world.redis.restart();
  await eventually("it is said to be over", async () => {
    await world.step();
    return world.texts().some((text) => text.startsWith("🟢"));
  });
  await eventually("the history has it", async () => (await deps.incidents.endedCount()) > 0);
  const [first] = await deps.incidents.endedSince(new Date(0), 5);
  expect(first).toMatchObject({ title: { key: "watch-redis" }, times: 1, status: "resolved" });
  expect(Date.parse(first?.endedAt ?? "") - Date.parse(first?.openedAt ?? "")).toBeGreaterThan(80_000);
  // The message is all that there is to see.
  expect(world.texts()).toEqual([expect.stringMatching(/^🟢 Redis was unreachable from .* to .*, for 1m/)]);
  expect(await deps.incidents.openCount()).toBe(0);
});

test("Redis away together with the bot that watched: another one tells it, and the history knows", {
  timeout: 180_000,
}, async () => {
  const world = await outageWorld(2);
  const [first, second] = world.bots as [(typeof world.bots)[0], (typeof world.bots)[0]];
  await second.bot.step();
  // The end of a bot without Redis takes a while.
  world.clock.stop();
  await world.redis.kill();
  await first.bot.stop();
  // Whoever watched has had its chance.
  world.advance(85_000);
  await second.bot.step();
  expect(world.texts()).toEqual([]);
  world.advance(40_000);
  await second.bot.step();
  expect(world.texts()).toEqual([expect.stringMatching(/^🔴 Redis cannot be reached since/)]);
  await world.redis.restart();
  await eventually("it is said to be over", async () => {
    await second.bot.step();
    return world.texts().some((text) => text.startsWith("🟢"));
  });
  await eventually("the history has it", async () => (await second.deps.incidents.endedCount()) > 0);
  expect(world.texts()).toHaveLength(1);
});

test("a short outage of Redis that nobody was left to tell is a card", { timeout: 180_000 }, async () => {
  const world = await outageWorld(2);
  const [first, second] = world.bots as [(typeof world.bots)[0], (typeof world.bots)[0]];
  await second.bot.step();
  // The end of a bot without Redis takes a while.
  world.clock.stop();
  await world.redis.kill();
  await first.bot.stop();
  world.advance(40_000);
  await second.bot.step();
  await world.redis.restart();
  await eventually("the card", async () => {
    world.advance(5000);
    await second.bot.step();
    return world.texts().some((text) => /Redis/.test(text));
  });
  expect(await second.deps.incidents.endedCount()).toBe(1);
});

test("Redis answers and takes no writes: it is told with what to do, the bot is not ready, and the history knows", {
  timeout: 180_000,
}, async () => {
  const world = await outageWorld(1);
  const [{ deps, bot }] = world.bots as [(typeof world.bots)[0]];
  const ready = async (): Promise<number> => (await fetch(`${bot.url}/readyz`)).status;
  await world.step();
  expect(await ready()).toBe(200);
  await deps.redis.config("SET", "maxmemory", "1");
  expect(await ready()).toBe(503);
  world.advance(20_000);
  await world.step();
  expect(world.texts()).toEqual([]);
  world.advance(15_000);
  await world.step();
  await world.step();
  expect(world.texts()).toEqual([expect.stringMatching(/^🔴 Redis takes no writes since .*: its memory is full/)]);
  expect(world.texts()[0]).toContain("Give it more memory");
  // Another reason is told in the same message.
  await deps.redis.config("SET", "maxmemory", "0");
  await deps.redis.replicaof("127.0.0.1", "1");
  await eventually("the reason of now", async () => {
    await world.step();
    return /read-only replica/.test(world.texts()[0] ?? "");
  });
  await deps.redis.replicaof("NO", "ONE");
  await eventually("it is said to be over", async () => {
    await world.step();
    return world.texts().some((text) => text.startsWith("🟢 Redis took no writes from"));
  });
  expect(await ready()).toBe(200);
  await eventually("the history has it", async () => (await deps.incidents.endedCount()) > 0);
  const [first] = await deps.incidents.endedSince(new Date(0), 5);
  expect(first).toMatchObject({ title: { key: "watch-redis-refused" }, times: 1, status: "resolved" });
  expect(world.texts()).toHaveLength(1);
});

test("a bot that starts without Redis says so, and goes on when it is there", { timeout: 180_000 }, async () => {
  const world = await outageWorld(0);
  await world.redis.kill();
  const starting = world.startBot();
  world.advance(40_000);
  await eventually("it is said", () => world.texts().some((text) => text.startsWith("🔴 Redis")));
  await world.redis.restart();
  await starting;
  await eventually("it is over", () => world.texts().some((text) => text.startsWith("🟢 Redis")));
  expect(world.texts()).toHaveLength(1);
});

test("Redis and Telegram away together: it is told as soon as Telegram can be reached", {
  timeout: 180_000,
}, async () => {
  const world = await outageWorld(1);
  await world.step();
  world.sandbox.addFault({ kind: "status", status: 502, html: true });
  await world.redis.kill();
  world.advance(40_000);
  await world.step();
  world.sandbox.clearFaults();
  world.advance(10_000);
  await world.step();
  expect(world.texts()).toEqual([expect.stringMatching(/^🔴 Redis/)]);
  await world.redis.restart();
});

test("the card of the day comes once from three bots", { timeout: 180_000 }, async () => {
  const soon = new Date(Date.now() + 40 * 60_000).toISOString().slice(11, 16);
  const world = await outageWorld(3, { daily: { at: soon } });
  await world.step();
  world.advance(45 * 60_000);
  await Promise.all([world.step(), world.step()]);
  await eventually("the card", () => world.texts().length > 0);
  await world.step();
  expect(world.texts()).toHaveLength(1);
});

test("a further outage of Redis soon after changes the same message", { timeout: 180_000 }, async () => {
  const world = await outageWorld(1);
  await world.step();
  for (let times = 0; times < 2; times++) {
    await world.redis.kill();
    world.advance(40_000);
    await world.step();
    expect(world.texts().filter((text) => text.startsWith("🔴 Redis"))).toHaveLength(1);
    await world.redis.restart();
    await eventually("it is over", async () => {
      await world.step();
      return world.texts().some((text) => text.startsWith("🟢 Redis"));
    });
  }
  expect(world.texts()).toEqual([expect.stringMatching(/^🟢 Redis was/)]);
});

test("a worker that is killed gets a card, and the sign of life outside ends", { timeout: 120_000 }, async () => {
  const heard: string[] = [];
  const outside = createServer((request, response) => {
    heard.push(request.url ?? "");
    response.end("OK");
  }).listen(0, "127.0.0.1");
  await once(outside, "listening");
  onTestFinished(() => void outside.close());
  const { port } = outside.address() as AddressInfo;
  await using stack = await startStack({
    rows: 10,
    configure: (config) => {
      config["heartbeat"] = { url: `http://127.0.0.1:${port}/ping/key-of-the-watch`, every: "30s" };
      config["daily"] = false;
    },
  });
  const clock = new MovedClock();
  const worker = await stack.startWorker();
  const bot = await startBotInProcess(stack, { clock });
  try {
    await eventually("the sign of life", async () => {
      await bot.step();
      return heard.length > 0;
    });
    expect(heard).toEqual(["/ping/key-of-the-watch"]);
    await worker.kill();
    for (let passed = 0; passed < 90; passed += 15) {
      clock.advance(15_000);
      stack.sandbox.advance(15_000);
      await bot.step();
    }
    const card = await stack.message(/No worker is alive/);
    expect(card.text).toContain("start it");
    // Once more while it still counted as alive.
    expect(heard.length).toBeLessThanOrEqual(2);
    const body = (await (await fetch(`${bot.url}/readyz`)).json()) as { checks: Record<string, { state: string }> };
    expect(body.checks["watch"]?.state).toBe("watching");
    expect(body.checks["alerts"]?.state).toMatch(/^open: 1 critical/);
    const metrics = await (await fetch(`${bot.url}/metrics`)).text();
    expect(metrics).toMatch(/vakhta_incidents_open\{severity="critical",role="bot"\} 1/);
    expect(metrics).toMatch(/vakhta_watch_leading\{role="bot"\} 1/);
  } finally {
    await bot.stop();
  }
});

test("the bot that watches is killed: another one watches within ten seconds", { timeout: 180_000 }, async () => {
  await using stack = await startStack({ rows: 10 });
  const first = await stack.startBot();
  await first.logged(/"msg":"watching"/);
  const second = await stack.startBot();
  expect(second.log()).not.toMatch(/"msg":"watching"/);
  const killedAt = performance.now();
  await first.kill();
  await second.logged(/"msg":"watching"/);
  expect(performance.now() - killedAt).toBeLessThan(10_500);
});

test("that no bot was alive is told by the next one, although the worker that noted it knows no chats", {
  timeout: 180_000,
}, async () => {
  const world = await outageWorld(1);
  const [first] = world.bots;
  const worker = workersWatch(world.process());
  const ticks = async (count: number): Promise<void> => {
    for (let tick = 0; tick < count; tick++) {
      world.advance(15_000);
      await worker.step();
    }
  };
  await ticks(1);
  await first?.bot.stop();
  await ticks(8);
  expect(world.texts()).toEqual([]);
  const { bot, deps } = await world.startBot();
  await eventually("the bot is seen", async () => (await deps.presences.alive(world.clock.now(), 10_000)).length > 0);
  await worker.step();
  await bot.step();
  await eventually("it is told", () => world.texts().some((text) => text.includes("No bot was alive")));
  world.advance(11_000);
  await worker.step();
  await eventually("it is over", () => world.texts().some((text) => text.includes("It was so from")));
  expect(world.texts()).toHaveLength(1);
});

test("heartbeats, alerts and the watch go on in the bot when a task fails", { timeout: 180_000 }, async () => {
  const world = await outageWorld(1);
  const [{ deps }] = world.bots as [(typeof world.bots)[0]];
  deps.heartbeats.check = () => Promise.reject(new Error("broken"));
  deps.storms.raging = () => Promise.reject(new Error("broken"));
  world.sandbox.addFault({ kind: "reset" });
  await eventually("a call failed", async () => (await deps.contact.read()).failedSince !== undefined);
  world.advance(70_000);
  await world.step();
  expect(await deps.incidents.openCount()).toBe(1);
});
