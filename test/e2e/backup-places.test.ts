import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, eventually, now, runCount, shown } from "../support/chat.ts";
import { MovedClock, startBotInProcess } from "../support/in-process.ts";
import { alice, backupsTopic, bob, botId, opsChat, type Stack, startStack } from "../support/stack.ts";

const basicGroup = -4_000_999;
const alertsTopic = 12;
const clock = new MovedClock();
let stack: Stack;
let bot: Awaited<ReturnType<typeof startBotInProcess>>;

beforeAll(async () => {
  stack = await startStack({
    rows: 50,
    sandbox: {
      chats: [
        {
          id: opsChat,
          type: "supergroup",
          title: "Ops",
          forum: true,
          members: [alice.id, bob.id, botId],
          topics: [
            { name: "alerts", message_thread_id: alertsTopic },
            { name: "backups", message_thread_id: backupsTopic },
          ],
        },
        { id: basicGroup, type: "group", title: "Small", members: [alice.id, bob.id, botId] },
      ],
    },
    configure: (config) => {
      config["telegram"].chats.small = { id: basicGroup };
      config["backups"].push({ ...config["backups"][0], name: "blog" });
    },
  });
  bot = await startBotInProcess(stack, { clock });
  await stack.startWorker();
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => {
  await bot?.stop();
  await stack?.[Symbol.asyncDispose]();
});

/** Asks for a dialog and waits until it is on record with its message. */
async function askedDialog() {
  const dialog = await answerTo(stack, inTopic(alice.id, "/backup shop", backupsTopic), /Back up shop now/);
  await eventually("the dialog on record", async () => {
    const records = await stack.client.hvals("stack:v1:dialogs");
    return records.some((json) => (JSON.parse(json) as { messageId?: number }).messageId === dialog.message_id);
  });
  return dialog;
}

const inTopic = (from: number, text: string, message_thread_id: number) =>
  stack.sandbox.sendAsUser(opsChat, { from, text, message_thread_id });

test("the whole story in a private chat: the dialog's message becomes the card", async () => {
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop", "private"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup shop is done/);
  const fromBot = stack.sandbox.messages(alice.id).filter((message) => message.from?.id === botId);
  expect(fromBot).toHaveLength(1);
});

test("the whole story in a group with privacy mode", async () => {
  const said = stack.sandbox.sendAsUser(basicGroup, { from: bob.id, text: "/backup@watch_bot blog" });
  const dialog = await answerTo(stack, said, /Back up blog now/);
  await stack.press(bob.id, dialog, "Confirm");
  const card = await becomes(stack, dialog, /Backup blog is done/);
  expect(card.text).toContain("Asked for by bob");
});

test.for([
  ["a topic", alertsTopic],
  ["the topic for backups", backupsTopic],
  ["the General topic", undefined],
] as const)("a card stays in %s where it was ordered", async ([, thread]) => {
  const said = stack.sandbox.sendAsUser(opsChat, {
    from: alice.id,
    text: "/backup shop",
    ...(thread === undefined ? {} : { message_thread_id: thread }),
  });
  const dialog = await answerTo(stack, said, /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  const card = await becomes(stack, dialog, /Backup shop is done/);
  expect(card.message_thread_id).toBe(thread);
  const later = stack.sandbox.messages(opsChat).filter((message) => message.message_id > dialog.message_id);
  expect(later).toEqual([]);
});

test("dialogs of two persons in the same topic do not mix", async () => {
  const ofAlice = await answerTo(stack, inTopic(alice.id, "/backup", backupsTopic), /What shall/);
  const ofBob = await answerTo(stack, inTopic(bob.id, "/backup", backupsTopic), /What shall/);
  await stack.press(alice.id, ofAlice, "shop");
  await stack.press(bob.id, ofBob, "blog");
  const planOfBob = await becomes(stack, ofBob, /Back up blog now/);
  const planOfAlice = await becomes(stack, ofAlice, /Back up shop now/);
  await stack.press(bob.id, planOfBob, "Cancel");
  await becomes(stack, ofBob, /Cancelled/);
  await stack.press(alice.id, planOfAlice, "Confirm");
  expect((await becomes(stack, ofAlice, /Backup shop is done/)).text).toContain("Asked for by alice");
  expect(now(stack, ofBob).text).toMatch(/Cancelled/);
});

test("dialogs of one person in two topics do not mix", async () => {
  const here = await answerTo(stack, inTopic(alice.id, "/backup shop", alertsTopic), /Back up shop now/);
  const there = await answerTo(stack, inTopic(alice.id, "/backup blog", backupsTopic), /Back up blog now/);
  expect(shown(now(stack, here)).buttons).toEqual(["Confirm", "Cancel"]);
  await stack.press(alice.id, here, "Confirm");
  await becomes(stack, here, /Backup shop is done/);
  expect(now(stack, there).text).toMatch(/Back up blog now/);
  await stack.press(alice.id, there, "Confirm");
  await becomes(stack, there, /Backup blog is done/);
});

test("a dialog expires after two minutes: it says so, its buttons are gone, a late press is refused", async () => {
  const before = await runCount(stack);
  const dialog = await askedDialog();
  clock.advance(110_000);
  await stack.press(bob.id, dialog, "Confirm");
  expect(shown(now(stack, dialog)).buttons).toEqual(["Confirm", "Cancel"]);
  clock.advance(11_000);
  const expired = await becomes(stack, dialog, /Expired, nothing was started\. \/backup shop asks again\./);
  expect(shown(expired).buttons).toEqual([]);
  const { toast } = await stack.press(alice.id, dialog, "Confirm");
  expect(toast).toBe("Too late: this dialog has expired. Nothing was done.");
  expect(await runCount(stack)).toBe(before);
});

test("a press that comes after the two minutes but before the dialog was cleared away is refused as well", async () => {
  const before = await runCount(stack);
  const dialog = await askedDialog();
  stack.sandbox.addFault({ kind: "status", status: 502, methods: ["editMessageText"], times: 1 });
  clock.advance(121_000);
  const { toast } = await stack.press(alice.id, dialog, "Confirm");
  expect(toast).toBe("Too late: this dialog has expired. Nothing was done.");
  await stack.sandbox.waitFor(() => shown(now(stack, dialog)).buttons.length === 0, { what: "buttons taken away" });
  expect(await runCount(stack)).toBe(before);
});
