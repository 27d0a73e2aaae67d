import { expect, test } from "vitest";
import type { TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { startWholeBot } from "../support/bot.ts";
import { dataOf } from "../support/delivery.ts";
import { ALICE, BOB, BOT_ID, SUPERGROUP_ID } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();

/** First lines of what the bot has written into the group. */
const said = (sandbox: TelegramSandbox): string[] =>
  sandbox
    .messages(SUPERGROUP_ID)
    .filter(({ from }) => from?.id === BOT_ID)
    .map(({ text = "" }) => text.split("\n", 1)[0] ?? "");

test("who waits for room in a chat keeps nobody else waiting, and is answered in turn", async () => {
  const { sandbox, deps, clock } = await startWholeBot(fixture, SUPERGROUP_ID, {
    users: [{ id: BOB.id, name: "bob", role: "operator" }],
  });
  await deps.cards.block(SUPERGROUP_ID, new Date(clock.now().getTime() + 40_000));
  sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/whoami" });
  sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/help" });
  // Taken, and waiting: only what was fetched is asked for again.
  await sandbox.waitForCall("getUpdates", ({ params }) => Number(params["timeout"]) === 0, { timeoutMs: 60_000 });
  const askedAt = performance.now();
  sandbox.sendAsUser(BOB.id, { from: BOB.id, text: "/whoami" });
  await sandbox.waitForMessage(BOB.id, ({ text }) => text?.startsWith("bob: id 222") === true, { timeoutMs: 60_000 });
  expect(performance.now() - askedAt).toBeLessThan(1500);
  // The same person elsewhere is another conversation.
  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/whoami" });
  await sandbox.waitForMessage(ALICE.id, ({ text }) => text?.startsWith("alice: id 111") === true, {
    timeoutMs: 60_000,
  });
  expect(said(sandbox)).toEqual([]);
  // Killed now, the bot would get all four again.
  expect(sandbox.pendingUpdates()).toBe(4);
  clock.advance(41_000);
  await until(() => said(sandbox).length === 2, "both answers");
  expect(said(sandbox)[0]).toMatch(/^alice: id 111/);
  expect(said(sandbox)[1]).not.toMatch(/^alice/);
  await sandbox.waitFor(() => sandbox.pendingUpdates() === 0 || undefined, { timeoutMs: 60_000 });
});

test("a press whose answer is slow is not overtaken by what the same person writes next", async () => {
  const { sandbox, deps } = await startWholeBot(fixture, SUPERGROUP_ID);
  const plan = /^Back up app now/;
  sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/backup" });
  const dialog = await sandbox.waitForMessage(SUPERGROUP_ID, ({ text = "" }) => plan.test(text), { timeoutMs: 60_000 });
  sandbox.addFault({ kind: "slow", delayMs: 1000, methods: ["answerCallbackQuery"], times: 1 });
  const press = { from: ALICE.id, message_id: dialog.message_id, data: dataOf(dialog), waitMs: 5000 };
  const pressed = sandbox.press(SUPERGROUP_ID, press);
  sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/backup" });
  await pressed;
  await until(() => said(sandbox).some((line, index) => index > 0 && plan.test(line)), "the next dialog");
  expect(await deps.runs.list("app", 10)).toHaveLength(1);
});
