import type { Message } from "@grammyjs/types";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answerTo, becomes, conflicts, eventually, holdDumps, runCount, settled, shown } from "../support/chat.ts";
import { alice, type RunningProcess, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
beforeEach(async () => {
  stack = await startStack({ rows: 50 });
});
afterEach(async () => await stack?.[Symbol.asyncDispose]());

const polls = (bot: RunningProcess): boolean => /"msg":"polling Telegram"/.test(bot.log());
/** A dialog whose order Telegram does not bring again: what a bot was killed over is answered once more. */
const dialogOf = async (): Promise<Message> => {
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await settled(stack);
  return dialog;
};

async function readiness(bot: RunningProcess): Promise<string> {
  const url = /"url":"(http[^"]+)"/.exec(bot.log())?.[1];
  const body = (await (await fetch(`${url}/readyz`)).json()) as { checks: { telegram: { state: string } } };
  return body.checks.telegram.state;
}

test("of three bots one polls; when it is killed another goes on with the dialog within ten seconds, twice", async () => {
  const bots = await Promise.all([stack.startBot(), stack.startBot(), stack.startBot()]);
  await stack.startWorker();
  const dialog = await dialogOf();
  expect(bots.filter(polls)).toHaveLength(1);
  expect((await Promise.all(bots.map(readiness))).sort()).toEqual(["polling", "standing by", "standing by"]);

  const left = new Set(bots);
  for (const killed of [1, 2]) {
    const poller = [...left].find(polls);
    if (!poller) throw new Error("nobody polls");
    left.delete(poller);
    const since = performance.now();
    await poller.kill();
    const said = stack.say(alice.id, "/whoami");
    await answerTo(stack, said, /role admin/, 10_000);
    expect(performance.now() - since, `takeover ${killed}`).toBeLessThan(10_000);
    await settled(stack);
    expect([...left].filter(polls)).toHaveLength(1);
  }
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup shop is done/);
  expect(await runCount(stack)).toBe(1);
  expect(conflicts(stack)).toBe(0);
}, 60_000);

test("a bot that ends in order hands over at once, and nothing is answered twice", async () => {
  const first = await stack.startBot();
  const dialog = await dialogOf();
  const second = await stack.startBot();
  expect(polls(second)).toBe(false);
  expect(await first.stop()).toBe(0);
  await second.logged(/"msg":"polling Telegram"/);
  await stack.press(alice.id, dialog, "Cancel");
  expect(shown(await becomes(stack, dialog, /Cancelled/)).buttons).toEqual([]);
  const said = stack.say(alice.id, "/whoami");
  await answerTo(stack, said, /role admin/);
  const answers = stack.sandbox
    .calls()
    .filter((call) => call.method === "sendMessage" && String(call.params["text"]).startsWith("alice: id"));
  expect(answers).toHaveLength(1);
  expect(conflicts(stack)).toBe(0);
}, 60_000);

test("what another bot has handled and could not confirm is not handled again", async () => {
  await stack.startBot();
  const handled = async () =>
    (await stack.client.keys("stack:v1:update:*")).map((key) => Number(key.split(":").at(-1)));
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  await eventually("the update on record", async () => (await handled()).length > 0);
  const next = Math.max(...(await handled())) + 1;
  await stack.client.set(`stack:v1:update:${next}`, "done");
  const said = stack.say(alice.id, "/backup shop");
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  await settled(stack);
  const dialogs = stack.sandbox.messages(said.chat.id).filter(({ text = "" }) => text.includes("Back up shop now"));
  expect(dialogs).toEqual([]);
}, 120_000);

test("a card is shown by whichever bot lives, also by one that does not poll", async () => {
  const first = await stack.startBot();
  await stack.startBot();
  await stack.startWorker();
  const dialog = await dialogOf();
  const release = await holdDumps(stack);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Phase: dumping/);
  await settled(stack);
  await first.kill();
  await release();
  expect(shown(await becomes(stack, dialog, /Backup shop is done/)).buttons).toEqual(["Verify"]);
}, 60_000);
