import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RunningBot } from "../../src/app/run-bot.ts";
import { alertsTopic, intoAlertsTopic, type Reporter, reporterOf } from "../support/alerts-chat.ts";
import { aMinuteOfSilence, becomes, eventually, now, shown } from "../support/chat.ts";
import { MovedClock, startBotInProcess } from "../support/in-process.ts";
import { bob, opsChat, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
let alerts: Reporter;
let bot: RunningBot;
const clock = new MovedClock();

beforeAll(async () => {
  stack = await startStack({
    chatOnly: true,
    configure: (config) => {
      config["alerts"] = { routes: intoAlertsTopic, storm: { incidents: 6, within: "30s" } };
    },
  });
  alerts = reporterOf(stack, clock);
  bot = await startBotInProcess(stack, { clock });
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => {
  await bot?.stop();
  await alerts?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** So much later everything that is due by then has been done. */
async function pass(ms: number): Promise<void> {
  // What is under way belongs to the time before.
  await eventually("everything shown", async () => (await alerts.deps.cards.backlog()) === 0);
  await later(ms);
}

/** So much later, though something may still wait to be shown. */
async function later(ms: number): Promise<void> {
  clock.advance(ms);
  stack.sandbox.advance(ms);
  await bot.step();
}

async function replyTo(message: Message, pattern: RegExp): Promise<Message> {
  return await stack.sandbox.waitForMessage(
    opsChat,
    (candidate) => candidate.reply_to_message?.message_id === message.message_id && pattern.test(candidate.text ?? ""),
    { timeoutMs: 60_000, what: `a reply like ${pattern}` },
  );
}

test("the end of what is on an old card is said in a reply as well, that of a young one is not", async () => {
  await alerts.fire("Old trouble");
  const old = await stack.message(/^🔴 Old trouble/);
  await pass(15 * 60_000);
  await alerts.fire("Young trouble");
  const young = await stack.message(/^🔴 Young trouble/);
  await alerts.resolve("Young trouble");
  await becomes(stack, young, /^✅ Young trouble/);
  await alerts.resolve("Old trouble");
  await becomes(stack, old, /^✅ Old trouble\nCritical, resolved .* after 15m/);
  const reply = await replyTo(old, /^✅ Old trouble: resolved after 15m/);
  expect(reply.message_thread_id).toBe(alertsTopic);
  const replies = stack.sandbox
    .messages(opsChat)
    .filter(({ reply_to_message: to }) => [old, young].some(({ message_id: id }) => to?.message_id === id));
  expect(replies).toHaveLength(1);
});

test("what flaps is one card that says so and makes no sound", async () => {
  await alerts.fire("Link", { severity: "warning" });
  const card = await stack.message(/^🟠 Link/);
  const before = stack.sandbox.calls().at(-1)?.seq ?? 0;
  for (let n = 0; n < 4; n++) {
    await later(30_000);
    await alerts.resolve("Link", { severity: "warning" });
    await later(30_000);
    await alerts.fire("Link", { severity: "warning" });
  }
  const flapping = await stack.message(/^🟠 Link[\s\S]*🔁 Flapping, \d times in 20m/);
  // Looked at again a minute after its last edit.
  await later(60_000);
  await eventually("nine of them", () => /Flapping, 9 times/.test(now(stack, flapping).text ?? ""));
  const rang = stack.sandbox
    .calls(before)
    .filter(({ method, params }) => method === "sendMessage" && /Flapping/.test(String(params["text"])));
  expect(rang.every(({ params }) => params["disable_notification"] === true)).toBe(true);
  expect(flapping.message_id).toBeGreaterThanOrEqual(card.message_id);
});

test("a question that nobody answers loses its buttons after two minutes", async () => {
  await alerts.fire("Question");
  const card = await stack.message(/^🔴 Question/);
  await stack.press(bob.id, card, "Choose…");
  const question = await replyTo(card, /What shall be silent/);
  await pass(110_000);
  expect(shown(now(stack, question)).buttons).toContain("1h");
  await pass(20_000);
  await eventually("no buttons", () => shown(now(stack, question)).buttons.length === 0);
  expect((await stack.press(bob.id, question, "1h")).toast).toBe(
    "This has expired; /silence shows it anew. Nothing was done.",
  );
});

test("a storm that is over says what happened, and once so that it rings", async () => {
  await pass(120_000);
  for (let n = 1; n <= 20; n++) await alerts.fire(`Node ${n} is gone`, { severity: "warning" });
  await aMinuteOfSilence(stack);
  const card = await stack.message(/^⛈ 14 firing/);
  await alerts.resolve("Node 20 is gone", { severity: "warning" });
  await becomes(stack, card, /^⛈ 13 firing, 1 resolved/);
  await pass(70_000);
  await becomes(stack, card, /^🌤 13 firing, 1 resolved[\s\S]*The storm is over: 20 alerts/);
  await replyTo(card, /^🌤 The storm is over: 20 alerts, .*\n19 still firing\.$/);
  await alerts.resolve("Node 19 is gone", { severity: "warning" });
  await becomes(stack, card, /^🌤 12 firing, 2 resolved/);
  const replies = stack.sandbox
    .messages(opsChat)
    .filter(({ reply_to_message: to }) => to?.message_id === card.message_id);
  expect(replies).toHaveLength(1);
});
