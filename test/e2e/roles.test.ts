import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  aMinuteOfSilence,
  answerTo,
  becomes,
  callsSince,
  eventually,
  holdDumps,
  lastCall,
  now,
  shown,
} from "../support/chat.ts";
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

const otherGroup = -4_000_321;
let stack: Stack;
let bot: RunningProcess;
let url: string;

beforeAll(async () => {
  const members = [alice.id, bob.id, vera.id, mallory.id, botId];
  stack = await startStack({
    rows: 50,
    sandbox: {
      chats: [
        {
          id: opsChat,
          type: "supergroup",
          title: "Ops",
          forum: true,
          members,
          topics: [{ name: "backups", message_thread_id: backupsTopic }],
        },
        { id: otherGroup, type: "group", title: "Elsewhere", members },
      ],
    },
  });
  [bot] = await Promise.all([stack.startBot(), stack.startWorker()]);
  // The last thing that a bot says unasked when it starts.
  await stack.sandbox.waitForCall("setMyCommands", (call) => JSON.stringify(call.params).includes(`:${vera.id}`));
  url = /"url":"(http[^"]+)"/.exec(bot.log())?.[1] ?? "";
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

async function strangersCounted(): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^vakhta_telegram_strangers_total(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

describe("a stranger", () => {
  test.for([
    ["in private", "/start", "private"],
    ["in private, with an order", "/backup shop", "private"],
    ["in the group", "/backup shop", "topic"],
    ["in the group, by name", "/help@watch_bot", "topic"],
    ["with something else", "hello?", "private"],
  ] as const)("%s gets silence and is counted", async ([, text, where]) => {
    const [counted, before] = [await strangersCounted(), lastCall(stack)];
    stack.say(mallory.id, text, where);
    await eventually("counted", async () => (await strangersCounted()) === counted + 1);
    // Whoever comes next is answered, and this answer is the only call there was.
    await answerTo(stack, stack.say(alice.id, "/whoami"), /alice/);
    expect(callsSince(stack, before).map((call) => [call.method, call.params["chat_id"]])).toEqual([
      ["sendMessage", opsChat],
    ]);
  });

  test("who presses a card's button is told that it does nothing, and it does nothing", async () => {
    const release = await holdDumps(stack);
    const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
    await stack.press(alice.id, dialog, "Confirm");
    const running = await becomes(stack, dialog, /Phase: dumping/);
    const counted = await strangersCounted();
    expect((await stack.press(mallory.id, running, "Cancel")).toast).toBe(
      "You are not on the list, so this does nothing.",
    );
    expect((await stack.press(vera.id, running, "Cancel")).toast).toBe(
      "That takes the role operator. Nothing was done.",
    );
    expect(await strangersCounted()).toBe(counted + 1);
    expect((await stack.press(bob.id, running, "Cancel")).toast).toBe("Stopping…");
    await becomes(stack, dialog, /Cancelled by bob/);
    await release();
  });

  test("is also everybody in a chat that is not configured", async () => {
    const before = lastCall(stack);
    stack.sandbox.sendAsUser(otherGroup, { from: alice.id, text: "/whoami" });
    await answerTo(stack, stack.say(alice.id, "/whoami", "private"), /role admin/);
    expect(callsSince(stack, before).map((call) => call.params["chat_id"])).toEqual([alice.id]);
  });
});

describe("a viewer", () => {
  test.for(["private", "topic"] as const)("is refused /backup in one line (%s)", async (where) => {
    const said = stack.say(vera.id, "/backup shop", where);
    const answer = await answerTo(stack, said, /./);
    expect(answer.text).toBe("That takes the role operator.");
    expect(answer.reply_markup).toBeUndefined();
    expect(await stack.client.exists("stack:v1:runs-active")).toBe(0);
  });

  test("sees in /help what a viewer may do, and an operator more", async () => {
    const ofVera = await answerTo(stack, stack.say(vera.id, "/help", "private"), /What I can do/);
    expect(ofVera.text).not.toContain("/backup –");
    expect(ofVera.text).toContain("/backups –");
    expect(ofVera.text).toContain("/status");
    const ofBob = await answerTo(stack, stack.say(bob.id, "/help", "private"), /What I can do/);
    expect(ofBob.text).toContain("/backup –");
  });

  test("who was an operator when the dialog began is refused its Confirm", async () => {
    const dialog = await answerTo(stack, stack.say(bob.id, "/backup shop"), /Back up shop now/);
    const record = (await stack.client.hvals("stack:v1:dialogs")).find((json) => json.includes('"bob"')) ?? "";
    expect(JSON.parse(record)).toMatchObject({ userId: bob.id, status: "open" });
    stack.configure((config) => {
      config["telegram"].users[1].role = "viewer";
    });
    await bot.stop();
    bot = await stack.startBot();
    expect((await stack.press(bob.id, dialog, "Confirm")).toast).toBe(
      "That takes the role operator. Nothing was done.",
    );
    await stack.sandbox.waitFor(() => shown(now(stack, dialog)).buttons.length === 0, { what: "buttons taken away" });
    expect(await stack.client.zcard("stack:v1:runs:shop")).toBe(1);
  });
});
