import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { titleOf } from "../support/alerts.ts";
import { aMinuteOfSilence, answerTo, becomes, eventually } from "../support/chat.ts";
import { hooksToken, postAlerts, postUntilAccepted } from "../support/posting.ts";
import { signal, signals } from "../support/signals.ts";
import { bob, botId, opsChat, type RunningProcess, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess;

beforeAll(async () => {
  stack = await startStack({ chatOnly: true, configure: (config) => (config["http"].token = hooksToken) });
  bot = await stack.startBot();
});
afterAll(async () => await stack?.[Symbol.asyncDispose]());

async function openTitles(): Promise<string[]> {
  const ids = await stack.client.zrange("stack:v1:incidents-open", 0, "-1");
  const bodies = await Promise.all(ids.map((id) => stack.client.hget(`stack:v1:card:incident:${id}`, "body")));
  return bodies.map((body) => titleOf(JSON.parse(body ?? "{}") as Incident)).toSorted();
}

const titles = (prefix: string, count: number): string[] =>
  signals(prefix, count)
    .map((one) => titleOf(one))
    .toSorted();

test("what was answered with 200 is there after Redis was killed; what was not is taken when it is back", async () => {
  const before = signals("kept", 12, "critical");
  expect(await postAlerts(bot, before)).toBe(200);
  await stack.redis.kill();
  // Neither 200, which would be a lie, nor 4xx, after which Alertmanager gives up.
  const status = await postAlerts(bot, signals("late", 3));
  expect(status === 0 || status >= 500).toBe(true);
  await stack.redis.restart();
  await postUntilAccepted(() => bot, signals("late", 3));
  expect(await openTitles()).toEqual([...titles("kept", 12), ...titles("late", 3)].toSorted());
  await eventually("a card each", () => {
    const shown = stack.sandbox
      .messages(opsChat)
      .filter(({ from, text = "" }) => from?.id === botId && /is down/.test(text));
    return shown.length === 15;
  });
});

test("what the disk has lost of Redis is healed by what is sent again: on a new card, the old one answers that it is over", async () => {
  await aMinuteOfSilence(stack);
  const alert = signal("lost", { severity: "critical", startsAt: new Date().toISOString() });
  const [log, copy] = ["appendonlydir", "copy"].map((name) => join(stack.redis.folder, name)) as [string, string];
  await cp(log, copy, { recursive: true });
  await postUntilAccepted(() => bot, [alert]);
  const old = await stack.message(/lost is down/);
  // As after a loss of power: the newest writes were not on the disk yet.
  await stack.redis.kill();
  await rm(log, { recursive: true });
  await cp(copy, log, { recursive: true });
  await stack.redis.restart();
  await postUntilAccepted(() => bot, [alert]);
  const card = await answerTo(stack, old, /lost is down/);
  expect((await stack.press(bob.id, old, "Acknowledge")).toast).toMatch(/^This button is out of date/);
  await stack.press(bob.id, card, "Acknowledge");
  await becomes(stack, card, /Acknowledged by bob/);
  await postUntilAccepted(() => bot, [{ ...alert, status: "resolved", endsAt: new Date().toISOString() }]);
  await becomes(stack, card, /resolved/);
});
