import { afterAll, beforeAll, expect, test } from "vitest";
import { storageOf } from "../support/backup.ts";
import { backupsIn, dailyManifest, idOf, putBackup } from "../support/catalogue.ts";
import { answerTo, becomes } from "../support/chat.ts";
import { alice, bob, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    configure: (config) => {
      config["backups"][0].keep = { local: { last: 2 }, offsite: "all" };
    },
  });
}, 180_000);
afterAll(async () => await stack?.[Symbol.asyncDispose]());

test("what would remove very much asks in the chat, survives a restart of both, and removes what an admin agrees to", async () => {
  const local = storageOf("local", { kind: "local", path: stack.localFolder });
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  for (let index = 0; index < 8; index++)
    await putBackup(local, dailyManifest(index, { name: "shop", newest: yesterday, id: `abc${idOf(index)}` }));
  const [bot, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  const card = await stack.message(/Remove 7 old backups of shop\?/);
  expect(card.text).toContain("The retention of local (last: 2) would remove 7 of 9 backups at once.");
  expect(await backupsIn(local)).toHaveLength(9);
  await Promise.all([bot.kill(), worker.kill()]);
  await Promise.all([stack.startBot(), stack.startWorker()]);
  const refused = await stack.press(bob.id, card, "Confirm");
  expect(refused.toast).toMatch(/admin/i);
  expect(await backupsIn(local)).toHaveLength(9);
  const agreed = await stack.press(alice.id, card, "Confirm");
  expect(agreed.toast).toBe("They are being removed");
  const done = await becomes(stack, card, /7 backups were removed/);
  expect(done.text).toContain("Agreed to by alice");
  expect(done.reply_markup?.inline_keyboard ?? []).toEqual([]);
  expect(await backupsIn(local)).toHaveLength(2);
  const late = await stack.press(alice.id, card, "Cancel");
  expect(late.toast).toBe("Already answered by alice");
}, 180_000);
