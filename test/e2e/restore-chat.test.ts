import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, settled, shown } from "../support/chat.ts";
import {
  alice,
  backupsTopic,
  bob,
  botId,
  mallory,
  opsChat,
  type RunningProcess,
  type Stack,
  startStack,
  vera,
} from "../support/stack.ts";

const tree = mkdtempSync(join(tmpdir(), "vakhta-tree-"));
let stack: Stack;
let bot: RunningProcess;

beforeAll(async () => {
  mkdirSync(join(tree, "sub"));
  writeFileSync(join(tree, "sub", "a"), "one");
  stack = await startStack({
    configure: (config) => {
      config["approvals"] = { restore: { approvers: 2, role: "operator" } };
      config["backups"].push({ name: "tree", source: { kind: "files", paths: [tree] }, storages: ["local"] });
    },
  });
  [bot] = await Promise.all([stack.startBot(), stack.startWorker()]);
  for (const name of ["shop", "tree"]) {
    const dialog = await answerTo(stack, stack.say(alice.id, `/backup ${name}`), /Back up \w+ now/);
    await stack.press(alice.id, dialog, "Confirm");
    await becomes(stack, dialog, /Backup \w+ is done/);
  }
}, 180_000);
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(tree, { recursive: true, force: true });
});

async function restartBot(): Promise<void> {
  await settled(stack);
  await bot.kill();
  bot = await stack.startBot();
}

const orders = async (): Promise<string> => await stack.postgres.psql("shop", "SELECT count(*) FROM orders");

/** The bot's newest message that reads so, posted after another one. */
async function later(message: Message, pattern: RegExp, timeoutMs = 60_000): Promise<Message> {
  return await stack.sandbox.waitForMessage(
    opsChat,
    (found) => found.from?.id === botId && found.message_id > message.message_id && pattern.test(found.text ?? ""),
    { timeoutMs, what: `a message like ${pattern}` },
  );
}

function reply(from: number, to: Message, text: string): Message {
  return stack.sandbox.sendAsUser(opsChat, {
    from,
    text,
    reply_to_message_id: to.message_id,
    message_thread_id: backupsTopic,
  });
}

/** From /restore to the question where to. */
async function where(from = alice.id, name = "shop"): Promise<Message> {
  const list = await answerTo(stack, stack.say(from, `/restore ${name}`), /which backup/);
  await stack.press(from, list, "1");
  return await becomes(stack, list, /Where to\?/);
}

/** Types the name, has it approved by two, and waits for what begins. */
async function approved(card: Message): Promise<Message> {
  const question = await later(card, /reply to this message with the name shop/);
  reply(alice.id, question, "shop");
  const approval = await later(question, /to be approved/);
  expect(approval.text).toMatch(/Missing: 1 approval of 2/);
  // The chat's limit is not what this is about: people take longer than a test.
  await aMinuteOfSilence(stack);
  await stack.press(bob.id, approval, "Approve");
  return approval;
}

describe("/restore in place", { timeout: 240_000 }, () => {
  test("the whole way: asked, looked at, typed, approved by a second person, done, taken back", async () => {
    await stack.postgres.psql(
      "shop",
      "INSERT INTO orders (customer, note) SELECT 1, 'late' FROM generate_series(1, 7)",
    );
    await stack.postgres.psql("shop", "ANALYZE");
    const question = await where();
    expect(question.text).toMatch(/^shop, backup of .* ago\)/);
    expect(shown(question).buttons).toContain("In place");
    await stack.press(alice.id, question, "In place");
    // The dialog's message becomes the card.
    const card = await becomes(stack, question, /Restore shop\?/);
    expect(card.text).toMatch(/in the place of shop, PostgreSQL \d+/);
    expect(card.text).toMatch(/Will be lost: everything written in the last/);
    expect(card.text).toMatch(/public\.orders: \+7 rows \(2,007 now, 2,000 in the backup\)/);
    expect(card.text).toMatch(/Undo brings it back/);
    expect(card.text).toMatch(/Not proven/);
    expect(card.text).toMatch(/Nothing has been changed yet/);
    expect(shown(card).buttons.slice(0, 3)).toEqual(["Confirm", "Cancel", "Look again"]);
    expect(await orders()).toBe("2007");

    // Not for everybody.
    expect((await stack.press(vera.id, card, "Confirm")).toast).toMatch(/operator/);
    expect((await stack.press(mallory.id, card, "Confirm")).toast).toMatch(/not on the list/);
    expect((await stack.press(bob.id, card, "Confirm")).toast).toMatch(/alice/);

    await stack.press(alice.id, card, "Confirm");
    expect((await stack.press(alice.id, card, "Confirm")).toast).toMatch(/over|cannot be confirmed/);
    await becomes(stack, card, /to be approved[\s\S]*card of approval/);
    const approval = await approved(card);
    const done = await later(approval, /shop is restored/, 120_000);
    expect(done.text).toMatch(/compared with the backup: 2,200 rows in 2 tables/);
    expect(done.text).toMatch(/RTO: /);
    expect(done.text).toMatch(/Was lost: everything written between the backup and/);
    expect(done.text).toMatch(/Undo until/);
    expect(done.text).toMatch(/Backup made right before: run/);
    expect(shown(done).buttons).toEqual(["↩ Undo", "Drop the old one now"]);
    expect(await orders()).toBe("2000");
    // The old copy of the card refers to it and has no buttons.
    expect(shown(await becomes(stack, card, /goes on (?:in another|here)/)).buttons).toEqual([]);

    await aMinuteOfSilence(stack);
    await stack.postgres.psql("shop", "INSERT INTO orders (customer, note) VALUES (1, 'newer')");
    await stack.press(bob.id, done, "↩ Undo");
    await becomes(stack, done, /bob wants the old one back[\s\S]*approval/);
    const name = await later(done, /reply to this message with the name shop/);
    reply(bob.id, name, "shop");
    const undo = await later(name, /Take back[\s\S]*to be approved/);
    await aMinuteOfSilence(stack);
    await stack.press(alice.id, undo, "Approve");
    const undone = await later(undo, /the restore was taken back/, 120_000);
    expect(undone.text).toMatch(/bob has brought back what was live before/);
    expect(await orders()).toBe("2007");
  });
});

describe("/restore, the dialog", { timeout: 240_000 }, () => {
  test("takes the last good one before a time that is typed, and says what it cannot read", async () => {
    const none = await answerTo(stack, stack.say(alice.id, "/restore shop yesterday 14:30"), /No good backup of shop/);
    expect(none.text).toMatch(/finished before .* 14:30\. Choose one of those that there are/);
    await stack.press(alice.id, none, "🕑 Before a time…");
    await becomes(stack, none, /Before which moment\?/);
    const question = await later(none, /reply to this message with the time/);
    expect(question.text).toContain("Europe/Moscow");
    // Others' answers are theirs.
    reply(bob.id, question, "14:30");
    reply(alice.id, question, "this morning");
    const again = await later(question, /I cannot read this morning as a time/);
    expect((await becomes(stack, none, /Goes on below/)).reply_markup).toBeUndefined();
    const second = await later(again, /reply to this message with the time/);
    reply(alice.id, second, new Date().toISOString());
    const chosen = await later(second, /The newest good one finished before/);
    expect(chosen.text).toMatch(
      /shop, backup of [\s\S]*Nobody has looked at it yet, and no earlier one is proven either/,
    );
    expect((await stack.press(bob.id, chosen, "In place")).toast).toContain("alice");
    await stack.press(alice.id, chosen, "Cancel");
    await becomes(stack, chosen, /Cancelled, nothing was started/);
  });

  test("restores beside under a name that is typed, after the bot was restarted in the middle", async () => {
    const ordered = async (): Promise<number> => await stack.client.zcard("stack:v1:restorations:shop");
    const before = await ordered();
    const view = await answerTo(stack, stack.say(alice.id, "/backups shop"), /newest first/);
    // The first one that was made; others were made before restores.
    const oldest = shown(view).buttons.findLast((label) => /^\d+$/.test(label)) ?? "";
    await stack.press(alice.id, view, oldest);
    const details = await becomes(stack, view, /^shop, /);
    await stack.press(vera.id, details, "⏮ Restore");
    await stack.press(alice.id, details, "⏮ Restore");
    const question = await later(details, /Where to\?/);
    await stack.press(alice.id, question, "New database");
    const name = await later(question, /what is it to be called\?/);
    await restartBot();
    reply(alice.id, name, "shop_then");
    const card = await later(name, /Restore shop\?[\s\S]*beside what is live, as shop_then/);
    expect(card.text).toContain("nothing is lost");
    await stack.press(alice.id, card, "Confirm");
    const approval = await approved(card);
    const done = await later(approval, /shop is restored/, 120_000);
    expect(done.text).toMatch(/2,200 rows in 2 tables[\s\S]*What is live was not touched/);
    expect(shown(done).buttons).toEqual([]);
    expect(await stack.postgres.psql("shop_then", "SELECT count(*) FROM orders")).toBe("2000");
    // It was ordered once.
    expect((await stack.press(alice.id, question, "New database")).toast).toBeDefined();
    expect(await ordered()).toBe(before + 1);
  });

  test("takes a part by its path, which begins like a command", async () => {
    const question = await where(alice.id, "tree");
    await stack.press(alice.id, question, "A part…");
    const which = await later(question, /reply to this message: which part of tree/);
    reply(alice.id, which, join(tree, "sub"));
    const again = await later(which, /Where to\?/);
    expect(again.text).toContain(`Only ${join(tree, "sub")}`);
    await stack.press(alice.id, again, "In place");
    const card = await becomes(stack, again, /Restore tree\?[\s\S]*Confirm asks/);
    expect(card.text).toContain(`in the place of ${join(tree, "sub")}`);
    expect(card.text).not.toMatch(/connect/);
    await stack.press(alice.id, card, "Cancel");
    await becomes(stack, card, /was cancelled/);
  });

  test("says who may, and which names and ids there are", async () => {
    const answer = async (from: number, text: string) => (await answerTo(stack, stack.say(from, text), /./)).text;
    expect(await answer(vera.id, "/restore shop")).toMatch(/operator/);
    expect(await answer(alice.id, "/restore nothing")).toMatch(/No backup is called nothing.*shop/s);
    expect(await answer(alice.id, "/restore shop 000000000000")).toMatch(/neither a backup of shop nor a time/);
    expect(await answer(alice.id, "/restore shop 2026-02-30 14:30")).toMatch(
      /I cannot read 2026-02-30 14:30 as a time/,
    );
    expect(await answer(alice.id, "/restore shop 2199-01-01 14:30")).toMatch(/is still to come/);
  });
});
