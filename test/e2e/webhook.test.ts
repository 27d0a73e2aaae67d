import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RunningBot } from "../../src/app/run-bot.ts";
import { aMinuteOfSilence, answerTo, becomes, callsSince, lastCall, runCount } from "../support/chat.ts";
import { freePort, startBotInProcess } from "../support/in-process.ts";
import { alice, botToken, opsChat, type Stack, startStack, vera } from "../support/stack.ts";

const secretToken = "the-secret-of-the-webhook";
let stack: Stack;
let bot: RunningBot;
let url: string;

beforeAll(async () => {
  stack = await startStack({ rows: 50 });
  const port = await freePort();
  url = `http://127.0.0.1:${port}/telegram`;
  // Plain http is for servers on this machine, so the configuration of real ones refuses it.
  bot = await startBotInProcess(stack, {
    change: (config) => ({
      ...config,
      http: { ...config.http, port },
      telegram: { ...config.telegram, mode: "webhook", webhook: { url, secretToken } },
    }),
  });
  await stack.startWorker();
  await stack.sandbox.waitForCall("setWebhook", (call) => call.ok);
  // The last thing that a bot says unasked when it starts.
  await stack.sandbox.waitForCall("setMyCommands", (call) => JSON.stringify(call.params).includes(`:${vera.id}`));
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => {
  await bot?.stop();
  await stack?.[Symbol.asyncDispose]();
});

/** Posts an update as whoever knows the secret, or does not. */
async function post(update: object, secret?: string): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(secret === undefined ? {} : { "x-telegram-bot-api-secret-token": secret }),
    },
    body: JSON.stringify(update),
  });
  return response.status;
}

const from = { id: alice.id, is_bot: false, first_name: "Alice" };
const chat = { id: opsChat, type: "supergroup", title: "Ops", is_forum: true };
const order = {
  message_id: 9000,
  date: Math.floor(Date.now() / 1000),
  text: "/backup shop",
  entities: [{ type: "bot_command", offset: 0, length: 7 }],
};

test("a backup from the first word to the card, without a single poll", async () => {
  expect(bot.state()).toBe("webhook");
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup shop is done/);
  expect(stack.sandbox.calls().filter((call) => call.method === "getUpdates")).toEqual([]);
});

test("Telegram is given the secret and the kinds of updates that are wanted", () => {
  const call = stack.sandbox.calls().find(({ method }) => method === "setWebhook");
  expect(call?.params["secret_token"]).toBe(secretToken);
  expect(call?.params["allowed_updates"]).toEqual(expect.arrayContaining(["message", "callback_query"]));
  expect(JSON.stringify(call?.params)).not.toContain(botToken);
});

test.for([
  ["none", undefined],
  ["a wrong one", "the-secret-of-the-webhooK"],
  ["an empty one", ""],
] as const)("an update with a secret that is %s is refused and does nothing", async ([, secret]) => {
  const before = lastCall(stack);
  expect(await post({ update_id: 1, message: { ...order, from, chat } }, secret)).toBe(401);
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  expect(callsSince(stack, before)).toHaveLength(1);
});

test("an update that Telegram repeats is carried out once", async () => {
  const update = { update_id: 9_000_001, message: { ...order, text: "/whoami", from, chat } };
  const before = lastCall(stack);
  expect(await post(update, secretToken)).toBe(200);
  expect(await post(update, secretToken)).toBe(200);
  await answerTo(stack, stack.say(alice.id, "/status"), /Status/);
  expect(callsSince(stack, before)).toHaveLength(2);
});

test("an update with which nothing could be done is asked for again, and then carried out", async () => {
  const update = { update_id: 9_000_002, message: { ...order, text: "/whoami", from, chat } };
  const before = lastCall(stack);
  await stack.client.set("stack:v1:languages", "not what is kept there");
  expect(await post(update, secretToken)).toBe(500);
  await stack.client.del("stack:v1:languages");
  expect(callsSince(stack, before)).toEqual([]);
  expect(await post(update, secretToken)).toBe(200);
  expect(callsSince(stack, before)).toHaveLength(1);
});

test("what is no update is refused without harm", async () => {
  expect(await post({ hello: "world" }, secretToken)).toBe(400);
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
});

test.for([
  ["a channel's post", { channel_post: { ...order, chat: { id: opsChat, type: "channel", title: "News" } } }],
  [
    "a channel's post forwarded into the group",
    {
      message: {
        ...order,
        chat,
        from: { ...from, id: 777000 },
        sender_chat: { id: -100777, type: "channel", title: "N" },
      },
    },
  ],
  [
    "a message in the name of a channel",
    { message: { ...order, chat, from, sender_chat: { id: -100777, type: "channel", title: "N" } } },
  ],
  ["a listed person's edited message", { edited_message: { ...order, chat, from, edit_date: order.date } }],
  ["another bot", { message: { ...order, chat, from: { ...from, is_bot: true } } }],
] as const)("%s gives no order", async ([, update]) => {
  const [before, runs] = [lastCall(stack), await runCount(stack)];
  expect(await post({ update_id: 100 + Math.floor(performance.now()), ...update }, secretToken)).toBe(200);
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  expect(callsSince(stack, before)).toHaveLength(1);
  expect(await runCount(stack)).toBe(runs);
});
