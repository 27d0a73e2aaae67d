import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningBot } from "../../src/app/run-bot.ts";
import { MovedClock, startBotInProcess } from "../support/in-process.ts";
import { opsChat, type Stack, startStack } from "../support/stack.ts";

const token = "a-token-for-the-senders-0123456789";
const key = "key-of-the-nightly-import";
const clock = new MovedClock();
let stack: Stack;
let bot: RunningBot;

beforeAll(async () => {
  stack = await startStack({
    chatOnly: true,
    configure: (config) => {
      config["http"] = { port: 0, token };
      config["heartbeats"] = [{ name: "nightly-import", key, every: "1h", grace: "5m", labels: { service: "shop" } }];
      config["daily"] = false;
    },
  });
  bot = await startBotInProcess(stack, { clock });
});
afterAll(async () => {
  await bot?.stop();
  await stack?.[Symbol.asyncDispose]();
});

const ping = async (end = "", body?: string): Promise<string> => {
  const answer = await fetch(`${bot.url}/ping/${key}${end}`, body === undefined ? {} : { method: "POST", body });
  return `${answer.status} ${await answer.text()}`;
};

/** Waits until the card with this title shows this as well. */
const card = async (title: RegExp, shows: RegExp) =>
  await stack.sandbox.waitForMessage(opsChat, ({ text = "" }) => title.test(text) && shows.test(text), {
    timeoutMs: 60_000,
    what: `a card ${title} with ${shows}`,
  });

test("a job that fails is on a card with its last words, which changes when it goes well", async () => {
  expect(await ping("/start")).toBe("200 OK");
  expect(await ping("/3", "copying\nno space left on device\n")).toBe("200 OK");
  const failed = await card(/nightly-import has failed/, /Exit status 3 .*\n.*copying\n.*no space left on device/s);
  expect(await ping()).toBe("200 OK");
  const over = await card(/nightly-import has failed/, /A sign of life has come/);
  expect(over.message_id).toBe(failed.message_id);
});

test("a job that does not come is on a card, once the clock says so", async () => {
  await bot.step();
  // In steps at which the watch does not think that it was away.
  for (let steps = 0; steps < 2 * 66; steps++) {
    clock.advance(30_000);
    await bot.step();
  }
  const late = await card(/nightly-import: no sign of life/, /The last one came at/);
  expect(late.text).toMatch(/service shop/);
});

test("an event is on a card, and so is whoever comes without the token", async () => {
  const post = async (headers: Record<string, string>) =>
    await fetch(`${bot.url}/hooks/events`, {
      method: "POST",
      headers,
      body: JSON.stringify({ status: "firing", severity: "critical", title: "The shop is down", fingerprint: "shop" }),
    });
  expect((await post({})).status).toBe(401);
  // A word joiner after the first slash keeps the phone from making a command of it.
  await card(/^🟠 \/.hooks\/events: somebody without the right token/, /Refused: 1 since .* from .*127\.0\.0\.1/);
  const answer = await post({ authorization: `Bearer ${token}` });
  expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1 }]);
  await card(/The shop is down/, /./);
});
