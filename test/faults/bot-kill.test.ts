import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  aMinuteOfSilence,
  answerTo,
  becomes,
  conflicts,
  endClaims,
  eventually,
  now,
  runCount,
  settled,
  shown,
} from "../support/chat.ts";
import { alice, botId, opsChat, type RunningProcess, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess | undefined;

beforeAll(async () => {
  stack = await startStack({
    rows: 50,
    configure: (config) => {
      config["backups"].push({ ...config["backups"][0], name: "blog" });
    },
  });
});
beforeEach(async () => {
  await aMinuteOfSilence(stack);
  // Mostly the one that the test before has ended with.
  if (!bot?.isRunning()) await restarted();
});
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** What a dead bot held ends by itself within seconds; here nobody waits for it. */
async function forgetLeases(): Promise<void> {
  const held = [
    ...(await stack.client.keys("stack:v1:lease:polling")),
    ...(await stack.client.keys("stack:v1:lease:dialog:*")),
  ];
  if (held.length > 0) await stack.client.del(...held);
  await endClaims(stack);
}

async function restarted(): Promise<void> {
  await forgetLeases();
  bot = await stack.startBot();
}

/** Kills the bot as soon as Redis has got a command like this; `dead` resolves then. */
async function killAt(command: RegExp): Promise<{ dead: Promise<void> }> {
  const socket = connect(stack.redis.port, "127.0.0.1");
  socket.write("MONITOR\r\n");
  const dead = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<void>();
  createInterface(socket).on("line", (line) => {
    if (line === "+OK") listening.resolve();
    if (!command.test(line.replaceAll('"', ""))) return;
    void bot?.kill().then(() => {
      socket.destroy();
      dead.resolve();
    });
  });
  await listening.promise;
  return { dead: dead.promise };
}

/** Of how many presses it is on record that they were answered in time. */
async function answersRemembered(): Promise<number> {
  return (await stack.client.keys("stack:v1:answered*")).length;
}

async function dialogFor(name: string): Promise<Message> {
  const dialog = await answerTo(stack, stack.say(alice.id, `/backup ${name}`), /Back up .* now/);
  await settled(stack);
  return dialog;
}

describe("a bot that is killed in a dialog", () => {
  test("after the choice is followed by one that goes on with the same message", async () => {
    const worker = await stack.startWorker();
    const dialog = await answerTo(stack, stack.say(alice.id, "/backup"), /What shall/);
    await stack.press(alice.id, dialog, "blog");
    const plan = await becomes(stack, dialog, /Back up blog now/);
    await eventually("the choice on record", async () => {
      const [conversation = ""] = await stack.client.keys("stack:v1:conversation:*");
      return ((await stack.client.get(conversation)) ?? "").includes("Back up blog now");
    });
    await settled(stack);
    await bot?.kill();
    await restarted();
    const before = await runCount(stack, "blog");
    expect((await stack.press(alice.id, plan, "Confirm")).toast).toBeUndefined();
    await becomes(stack, dialog, /Backup blog is done/);
    expect(await runCount(stack, "blog")).toBe(before + 1);
    const later = stack.sandbox.messages(opsChat).filter((message) => message.message_id > dialog.message_id);
    expect(later).toEqual([]);
    await worker.stop();
  });

  test("before its message is on record: the copy that is not the dialog is refused and loses its buttons", async () => {
    const sent = new Promise<void>((resolve) => {
      const stop = stack.sandbox.onEvent(({ event }) => {
        if (event.type !== "message" || !/Back up shop now/.test(event.message.text ?? "")) return;
        stop();
        void bot?.kill().then(resolve);
      });
    });
    const said = stack.say(alice.id, "/backup shop");
    await sent;
    const orphan = await answerTo(stack, said, /Back up shop now/);
    await restarted();
    const dialog = await answerTo(stack, orphan, /Back up shop now/);
    expect((await stack.press(alice.id, orphan, "Confirm")).toast).toMatch(/Nothing was done/);
    await stack.sandbox.waitFor(() => shown(now(stack, orphan)).buttons.length === 0, { what: "buttons taken away" });
    expect(shown(now(stack, dialog)).buttons).toEqual(["Confirm", "Cancel"]);
    expect(conflicts(stack)).toBe(0);
  });
});

describe("a bot that is killed right after Confirm was pressed, at the moment of", () => {
  // No worker: a run stays where the order has put it.
  test.for([
    ["reading the dialog", / hget stack:v1:dialogs /],
    ["remembering that the press was answered", / set stack:v1:answered/],
    // Not the release that the question before may still owe.
    ["taking the dialog's lock", / SET \S*:lease:dialog.* NX PX /],
    ["ending the dialog", /stack:v1:dialogs-open .* done/],
    ["noting the run", / zadd stack:v1:runs:/],
    ["creating the run", / sadd stack:v1:runs-active/],
    ["placing the card", /placements:backup:/],
    ["putting the job into the queue", /stack:work/],
    ["forgetting the conversation", / del stack:v1:conversation/],
  ] as const)("%s, orders exactly one run", async ([moment, command]) => {
    const dialog = await dialogFor("shop");
    const before = await runCount(stack);
    const remembered = await answersRemembered();
    const killed = await killAt(command);
    await stack.press(alice.id, dialog, "Confirm", { waitMs: 0 });
    await killed.dead;
    const isRemembered = (await answersRemembered()) > remembered;
    await restarted();
    // Either the press is carried on with, or it is asked again: then nothing has been ordered.
    const outcome = await stack.sandbox.waitFor(
      () => {
        const newer = stack.sandbox.messages(opsChat).find(({ message_id }) => message_id > dialog.message_id);
        if (/is waiting/.test(now(stack, dialog).text ?? "")) return "ordered";
        return /The press reached me too late/.test(newer?.text ?? "") ? newer : undefined;
      },
      { timeoutMs: 60_000, what: "the order, or the question again" },
    );
    // Until it is remembered that the press was answered in time, it counts as too late, and nothing is ordered. It is
    // answered while the dialog's lock is taken; what follows waits for both.
    const askedAgain = typeof outcome !== "string";
    expect(askedAgain && isRemembered).toBe(false);
    const isEarly = ["reading the dialog", "taking the dialog's lock"].includes(moment);
    expect(isEarly || isRemembered).toBe(true);
    expect(await runCount(stack)).toBe(askedAgain ? before : before + 1);
    const card = askedAgain ? outcome : dialog;
    if (askedAgain) await stack.press(alice.id, card, "Confirm");
    await becomes(stack, card, /Backup shop is waiting/);
    expect(await runCount(stack)).toBe(before + 1);
    const jobs = await stack.client.keys("stack:work:backup-*");
    expect(jobs.length).toBeGreaterThan(0);
    await stack.press(alice.id, now(stack, card), "Cancel");
    await becomes(stack, card, /was cancelled/);
    expect(await runCount(stack)).toBe(before + 1);
  });
});

test("a bot killed between the send and the record of a card: one duplicate, of which the older is refused", async () => {
  const dialog = await dialogFor("shop");
  await stack.press(alice.id, dialog, "Confirm");
  await stack.press(alice.id, await becomes(stack, dialog, /is waiting/), "Cancel");
  const cancelled = await becomes(stack, dialog, /was cancelled/);
  const sent = new Promise<Message>((resolve) => {
    const stop = stack.sandbox.onEvent(({ event }) => {
      if (event.type !== "message" || !/Backup shop is waiting/.test(event.message.text ?? "")) return;
      stop();
      void bot?.kill().then(() => resolve(event.message));
    });
  });
  await stack.press(alice.id, cancelled, "Retry", { waitMs: 0 });
  const orphan = await sent;
  await restarted();
  const card = await answerTo(stack, orphan, /Backup shop is waiting/);
  const pressed = await stack.press(alice.id, orphan, "Cancel");
  expect(pressed.toast).toBe("This is an old copy; the one in force is further down. Nothing was done.");
  await stack.sandbox.waitFor(() => shown(now(stack, orphan)).buttons.length === 0, { what: "buttons taken away" });
  expect((await stack.press(alice.id, card, "Cancel")).toast).toBe("Stopping…");
  await becomes(stack, card, /was cancelled/);
  const copies = stack.sandbox
    .messages(opsChat)
    .filter(({ message_id, from }) => message_id >= orphan.message_id && from?.id === botId);
  expect(copies).toHaveLength(2);
});
