import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Api } from "grammy";
import type { Update } from "grammy/types";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { Poller, type PollerOptions } from "../../src/bot/poller.ts";
import type { ApiCall, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { Leases } from "../../src/state/leases.ts";
import type { Keys } from "../../src/state/redis.ts";
import { ALICE, BOT, testSandbox } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const quiet = pino({ level: "silent" });

interface TestPoller {
  readonly poller: Poller;
  readonly got: string[];
}

function pollerOf(sandbox: TelegramSandbox, keys: Keys, options: Partial<PollerOptions> = {}): TestPoller {
  const got: string[] = [];
  const poller = new Poller({
    api: new Api(BOT.token, { apiRoot: sandbox.apiRoot }),
    leases: new Leases(fixture.connect(), keys, quiet),
    holder: "here",
    logger: quiet,
    allowedUpdates: ["message"],
    ...options,
    handle: async (update: Update) => {
      got.push(update.message?.text ?? "");
      await options.handle?.(update);
    },
  });
  poller.start();
  onTestFinished(async () => await poller.stop());
  return { poller, got };
}

function childOf(sandbox: TelegramSandbox, keys: Keys, mode = ""): ChildProcess & { readonly out: () => string } {
  const prefix = keys.root.split(":")[0] ?? "";
  const file = join(import.meta.dirname, "../support/poller-child.ts");
  const child = spawn(process.execPath, [file, fixture.server.url, prefix, sandbox.apiRoot, BOT.token, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return Object.assign(child, { out: () => out });
}

const say = (sandbox: TelegramSandbox, text: string): void =>
  void sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text });
const polled = (sandbox: TelegramSandbox): Promise<true> =>
  sandbox.waitFor(() => sandbox.isPolled() || undefined, { timeoutMs: 60_000 });
const conflicts = (sandbox: TelegramSandbox): ApiCall[] =>
  sandbox.calls().filter(({ error_code }) => error_code === 409);
const confirmed = (sandbox: TelegramSandbox): Promise<true> =>
  sandbox.waitFor(() => sandbox.pendingUpdates() === 0 || undefined, { timeoutMs: 60_000 });

describe("two pollers", () => {
  test("share the work so that one polls and each update is handled once", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const both = [pollerOf(sandbox, keys), pollerOf(sandbox, keys)];
    await polled(sandbox);
    for (let n = 0; n < 20; n++) say(sandbox, `${n}`);
    await confirmed(sandbox);
    await polled(sandbox);
    expect(both.flatMap(({ got }) => got)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(both.map(({ poller }) => poller.state).toSorted()).toEqual(["polling", "standing by"]);
    expect(conflicts(sandbox)).toEqual([]);
  });

  test("hand over at once when the one that polls is stopped, and nothing comes twice", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const first = pollerOf(sandbox, keys);
    await until(() => first.poller.state === "polling" || sandbox.isPolled(), "the first to poll");
    const second = pollerOf(sandbox, keys);
    say(sandbox, "one");
    await until(() => first.got.length === 1, "the first update");
    await first.poller.stop();
    say(sandbox, "two");
    await until(() => second.got.length === 1, "the second update", 3000);
    expect([first.got, second.got]).toEqual([["one"], ["two"]]);
    expect(conflicts(sandbox)).toEqual([]);
  });

  test("hand over within 10 s when the one that polls freezes; Telegram never sees two", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const child = childOf(sandbox, keys);
    await polled(sandbox);
    const second = pollerOf(sandbox, keys);
    const before = sandbox.calls().length;
    await sandbox.waitForCall("getUpdates", () => true, {
      since: sandbox.calls()[before - 1]?.seq ?? 0,
      timeoutMs: 60_000,
    });
    await polled(sandbox);
    // Frozen with a poll under way: its connection stays open.
    child.kill("SIGSTOP");
    const frozenAt = performance.now();
    say(sandbox, "taken by the frozen one");
    say(sandbox, "two");
    await until(() => second.got.length === 2, "both updates");
    expect(performance.now() - frozenAt).toBeLessThan(10_000);
    expect(conflicts(sandbox)).toEqual([]);
    // It wakes up and finds the lease in other hands.
    child.kill("SIGCONT");
    say(sandbox, "three");
    await until(() => second.got.includes("three"), "the third update");
    await confirmed(sandbox);
    expect(conflicts(sandbox)).toEqual([]);
  });

  test("hand over within 10 s when the one that polls is killed in the middle of an update, which comes again", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const child = childOf(sandbox, keys, "hang");
    await polled(sandbox);
    say(sandbox, "one");
    await until(() => child.out().includes("got one"), "the update at the first");
    const second = pollerOf(sandbox, keys);
    const killedAt = performance.now();
    child.kill("SIGKILL");
    await until(() => second.got.includes("one"), "the update at the second");
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    await confirmed(sandbox);
    expect(second.got).toEqual(["one"]);
    expect(conflicts(sandbox)).toEqual([]);
  });
});

describe("an update", () => {
  test("is confirmed only when it and all before it have been handled", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const slow = Promise.withResolvers<void>();
    const { got } = pollerOf(sandbox, keys, {
      handle: async (update) => {
        if (update.message?.text === "slow") await slow.promise;
      },
    });
    await polled(sandbox);
    say(sandbox, "fast 1");
    say(sandbox, "slow");
    say(sandbox, "fast 2");
    await until(() => got.length === 3, "all three");
    say(sandbox, "fast 3");
    await until(() => got.length === 4, "another beside the slow one", 5000);
    expect(sandbox.pendingUpdates()).toBe(3);
    slow.resolve();
    await confirmed(sandbox);
    expect(got).toEqual(["fast 1", "slow", "fast 2", "fast 3"]);
  });

  test("does not wait longer than a moment for one that is slow, which stays unconfirmed", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const never = Promise.withResolvers<void>();
    const { got } = pollerOf(sandbox, keys, {
      handle: async (update) => {
        if (update.message?.text === "slow") await never.promise;
      },
    });
    await polled(sandbox);
    say(sandbox, "slow");
    await until(() => got.length === 1, "the slow one");
    const saidAt = performance.now();
    say(sandbox, "next");
    await until(() => got.length === 2, "the next one");
    expect(performance.now() - saidAt).toBeLessThan(1000);
    expect(sandbox.pendingUpdates()).toBe(2);
    never.resolve();
    await confirmed(sandbox);
    expect(got).toEqual(["slow", "next"]);
  });

  test("whose handling fails is confirmed like any other", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const { got } = pollerOf(sandbox, keys, { handle: () => Promise.reject(new Error("a bug")) });
    await polled(sandbox);
    say(sandbox, "one");
    await confirmed(sandbox);
    say(sandbox, "two");
    await confirmed(sandbox);
    expect(got).toEqual(["one", "two"]);
  });

  test("is confirmed at the stop, so that it does not come again", async () => {
    const [sandbox, keys] = [await testSandbox(), fixture.keys()];
    const handling = Promise.withResolvers<void>();
    const { poller, got } = pollerOf(sandbox, keys, { handle: () => handling.promise });
    await polled(sandbox);
    say(sandbox, "one");
    await until(() => got.length === 1, "the update");
    const stopped = poller.stop();
    handling.resolve();
    await stopped;
    expect(sandbox.pendingUpdates()).toBe(0);
  });
});

describe("Telegram", () => {
  test.each(["reset", "status", "retry-after"] as const)(
    "may be away (%s): then the poller says so, and goes on when it is back",
    async (kind) => {
      const [sandbox, keys] = [await testSandbox(), fixture.keys()];
      const { poller, got } = pollerOf(sandbox, keys);
      await polled(sandbox);
      const id = sandbox.addFault({ kind, methods: ["getUpdates"], retryAfter: 1, html: true });
      say(sandbox, "while away");
      await until(() => poller.state === "unreachable", "the outage noticed");
      sandbox.removeFault(id);
      await until(() => got.length === 1, "what came meanwhile");
      await until(() => poller.state === "polling", "polling again");
      expect(got).toEqual(["while away"]);
    },
  );
});
