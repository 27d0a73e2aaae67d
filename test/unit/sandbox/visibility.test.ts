import { describe, expect, test } from "vitest";
import type { SendAsUser, TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import {
  ALERTS_TOPIC,
  ALICE,
  BOB,
  BOT,
  BOT_ID,
  callApi,
  EVE,
  FORUM_ID,
  GROUP_ID,
  SUPERGROUP_ID,
  testSandbox,
} from "../../support/sandbox.ts";

/** Texts and service fields of what the bot got. */
async function seen(sandbox: TelegramSandbox): Promise<string[]> {
  const { result } = await callApi(sandbox, "getUpdates");
  return result.map((update: { message?: Record<string, unknown>; edited_message?: Record<string, unknown> }) => {
    const message = update.message ?? update.edited_message ?? {};
    return (message.text as string | undefined) ?? Object.keys(message).at(-1);
  });
}

describe("privacy mode", () => {
  test.each<[string, boolean]>([
    ["/status", true],
    ["/status@watch_bot now", true],
    ["/status@Watch_Bot", true],
    ["/status@other_bot", false],
    ["hello everybody", false],
    ["look at /status", false],
    ["@watch_bot hello", false],
  ])("%s", async (text, visible) => {
    const sandbox = await testSandbox();
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text });
    expect(await seen(sandbox)).toEqual(visible ? [text] : []);
  });

  test("replies to the bot are seen, replies to others are not", async () => {
    const sandbox = await testSandbox();
    const { result } = await callApi(sandbox, "sendMessage", {
      chat_id: FORUM_ID,
      text: "name?",
      message_thread_id: ALERTS_TOPIC,
      reply_markup: { force_reply: true, selective: true },
    });
    sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "app", reply_to_message_id: result.message_id });
    const other = sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "chat", message_thread_id: ALERTS_TOPIC });
    sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: "more chat", reply_to_message_id: other.message_id });
    const updates = await callApi(sandbox, "getUpdates");
    expect(updates.result).toMatchObject([
      {
        message: {
          text: "app",
          message_thread_id: ALERTS_TOPIC,
          is_topic_message: true,
          reply_to_message: { text: "name?", from: { id: BOT_ID } },
        },
      },
    ]);
    expect(sandbox.messages(FORUM_ID).find((message) => message.text === "name?")?.reply_markup).toEqual({
      force_reply: true,
      selective: true,
    });
  });

  test("in a topic that the bot opened, ordinary talk stays hidden", async () => {
    const sandbox = await testSandbox();
    sandbox.setMember(FORUM_ID, BOT_ID, "administrator");
    const { result } = await callApi(sandbox, "createForumTopic", { chat_id: FORUM_ID, name: "mine" });
    sandbox.setMember(FORUM_ID, BOT_ID, "member");
    sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "talk", message_thread_id: result.message_thread_id });
    expect(await seen(sandbox)).not.toContain("talk");
  });

  test.each<[string, (sandbox: TelegramSandbox) => void]>([
    ["administrators see everything", (sandbox) => sandbox.setMember(SUPERGROUP_ID, BOT_ID, "administrator")],
  ])("%s", async (_name, prepare) => {
    const sandbox = await testSandbox();
    prepare(sandbox);
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "talk" });
    expect(await seen(sandbox)).toContain("talk");
  });

  test("switched off, everything is seen, but never what other bots write", async () => {
    const second = {
      token: "888:BBsecondBotOfTheSandbox-1234567",
      username: "loud_bot",
      first_name: "Loud",
      privacyMode: false,
    };
    const sandbox = await testSandbox({
      bots: [BOT, second],
      chats: [{ id: SUPERGROUP_ID, type: "supergroup", title: "Ops", members: [ALICE.id, BOT_ID, 888] }],
    });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "talk" });
    await callApi(sandbox, "sendMessage", { chat_id: SUPERGROUP_ID, text: "/status" });
    expect((await callApi(sandbox, "getUpdates", {}, second.token)).result).toMatchObject([
      { message: { text: "talk" } },
    ]);
    expect(await seen(sandbox)).toEqual([]);
  });

  test("service messages are seen", async () => {
    const sandbox = await testSandbox();
    sandbox.setMember(GROUP_ID, EVE.id, "member");
    sandbox.setMember(GROUP_ID, EVE.id, "left");
    expect(await seen(sandbox)).toEqual(["new_chat_members", "left_chat_member"]);
  });

  test("edited commands are seen as edits", async () => {
    const sandbox = await testSandbox();
    const { message_id } = sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "talk" });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/reboot web-1", edit_message_id: message_id });
    expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([
      {
        edited_message: {
          message_id,
          text: "/reboot web-1",
          edit_date: expect.any(Number),
          entities: [{ type: "bot_command", offset: 0, length: 7 }],
        },
      },
    ]);
  });
});

test("every bot has its own private chat with a person", async () => {
  const second = { token: "888:BBsecondBotOfTheSandbox-1234567", username: "loud_bot", first_name: "Loud" };
  const sandbox = await testSandbox({ bots: [BOT, second], chats: [] });
  sandbox.sendAsUser(`${ALICE.id}@888`, { from: ALICE.id, text: "/start" });
  expect(await seen(sandbox)).toEqual([]);
  const sent = (token: string): Promise<object> =>
    callApi(sandbox, "sendMessage", { chat_id: ALICE.id, text: "hi" }, token);
  expect(await sent(BOT.token)).toMatchObject({ status: 403 });
  expect(await sent(second.token)).toMatchObject({ ok: true, result: { chat: { id: ALICE.id } } });
  expect(sandbox.messages(`${ALICE.id}@888`)).toHaveLength(2);
  expect(sandbox.messages(ALICE.id)).toHaveLength(0);
});

describe("who writes", () => {
  test.each<[string, Partial<SendAsUser>, object]>([
    ["a person", {}, { from: { id: ALICE.id, is_bot: false, first_name: "Alice", username: "alice" } }],
    [
      "an anonymous administrator",
      { anonymous: true },
      { from: { id: 1087968824, is_bot: true, username: "GroupAnonymousBot" }, sender_chat: { id: SUPERGROUP_ID } },
    ],
    [
      "a forward",
      { forwarded: true },
      { from: { id: ALICE.id }, forward_origin: { type: "hidden_user", sender_user_name: "Somebody else" } },
    ],
  ])("%s", async (_name, extra, expected) => {
    const sandbox = await testSandbox();
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/backup", ...extra });
    const { result } = await callApi(sandbox, "getUpdates");
    expect(result).toMatchObject([{ message: { text: "/backup", ...expected } }]);
    expect(result[0].message.from).not.toHaveProperty("label");
  });

  test("strangers are not in the group, unknown people nowhere", async () => {
    const sandbox = await testSandbox();
    expect(() => sandbox.sendAsUser(SUPERGROUP_ID, { from: EVE.id, text: "hi" })).toThrow("Eve is not in chat");
    expect(() => sandbox.sendAsUser(SUPERGROUP_ID, { from: 5, text: "hi" })).toThrow("user 5 is unknown");
    expect(() => sandbox.sendAsUser(-5, { from: ALICE.id, text: "hi" })).toThrow("chat -5 is unknown");
    expect(sandbox.sendAsUser(EVE.id, { from: EVE.id, text: "/start" })).toMatchObject({
      chat: { id: EVE.id, type: "private" },
    });
  });
});
