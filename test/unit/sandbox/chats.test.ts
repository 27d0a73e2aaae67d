import { describe, expect, test } from "vitest";
import type { TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import {
  ALERTS_TOPIC,
  ALICE,
  type ApiAnswer,
  BACKUPS_TOPIC,
  BOB,
  BOT_ID,
  callApi,
  EVE,
  FORUM_ID,
  GROUP_ID,
  SUPERGROUP_ID,
  testSandbox,
} from "../../support/sandbox.ts";

const send = (sandbox: TelegramSandbox, params: object): Promise<ApiAnswer> =>
  callApi(sandbox, "sendMessage", { text: "x", ...params });

test("a group that became a supergroup says where it went", async () => {
  const sandbox = await testSandbox();
  const before = await send(sandbox, { chat_id: GROUP_ID });
  const newId = sandbox.migrate(GROUP_ID);
  expect(newId).toBeLessThan(-1_000_000_000_000);
  expect(await send(sandbox, { chat_id: GROUP_ID })).toEqual({
    status: 400,
    ok: false,
    error_code: 400,
    description: "Bad Request: group chat was upgraded to a supergroup chat",
    parameters: { migrate_to_chat_id: newId },
  });
  expect(
    await callApi(sandbox, "editMessageText", { chat_id: GROUP_ID, message_id: before.result.message_id, text: "y" }),
  ).toMatchObject({ parameters: { migrate_to_chat_id: newId } });
  expect(await send(sandbox, { chat_id: newId })).toMatchObject({
    ok: true,
    result: { message_id: 2, chat: { type: "supergroup", title: "Ops (basic)" } },
  });
  expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([
    { message: { chat: { id: GROUP_ID, type: "group" }, migrate_to_chat_id: newId } },
    { message: { chat: { id: newId, type: "supergroup" }, migrate_from_chat_id: GROUP_ID } },
  ]);
  expect(() => sandbox.sendAsUser(GROUP_ID, { from: ALICE.id, text: "hi" })).toThrow(`${newId}`);
});

describe("a bot that is not in the group any more", () => {
  test.each<[string, number, "kicked" | "left", number, string]>([
    ["kicked from a supergroup", SUPERGROUP_ID, "kicked", 403, "Forbidden: bot was kicked from the supergroup chat"],
    ["kicked from a group", GROUP_ID, "kicked", 403, "Forbidden: bot was kicked from the group chat"],
    ["removed from a supergroup", SUPERGROUP_ID, "left", 403, "Forbidden: bot is not a member of the supergroup chat"],
  ])("%s", async (_name, chat_id, status, error_code, description) => {
    const sandbox = await testSandbox();
    sandbox.setMember(chat_id, BOT_ID, status);
    expect(await send(sandbox, { chat_id })).toEqual({ status: error_code, ok: false, error_code, description });
    const updates = (await callApi(sandbox, "getUpdates")).result;
    expect(updates.at(-1)).toMatchObject({
      my_chat_member: { chat: { id: chat_id }, old_chat_member: { status: "member" }, new_chat_member: { status } },
    });
  });

  test("a chat it has never been in does not exist for it", async () => {
    const sandbox = await testSandbox({ chats: [{ id: -5, type: "group", members: [ALICE.id] }] });
    expect(await send(sandbox, { chat_id: -5 })).toMatchObject({
      status: 400,
      description: "Bad Request: chat not found",
    });
  });

  test("it can leave by itself", async () => {
    const sandbox = await testSandbox();
    expect(await callApi(sandbox, "leaveChat", { chat_id: SUPERGROUP_ID })).toMatchObject({ ok: true });
    expect(await send(sandbox, { chat_id: SUPERGROUP_ID })).toMatchObject({ status: 403 });
    expect(sandbox.messages(SUPERGROUP_ID).at(-1)).toMatchObject({ left_chat_member: { id: BOT_ID } });
  });
});

describe("topics", () => {
  test("messages and replies stay in their topic", async () => {
    const sandbox = await testSandbox();
    const first = await send(sandbox, { chat_id: FORUM_ID, message_thread_id: ALERTS_TOPIC });
    expect(first.result).toMatchObject({
      message_thread_id: ALERTS_TOPIC,
      is_topic_message: true,
      reply_to_message: { forum_topic_created: { name: "alerts" } },
    });
    const message_id = first.result.message_id as number;
    expect((await send(sandbox, { chat_id: FORUM_ID, reply_parameters: { message_id } })).result).toMatchObject({
      message_thread_id: ALERTS_TOPIC,
    });
    expect(
      await send(sandbox, { chat_id: FORUM_ID, message_thread_id: BACKUPS_TOPIC, reply_parameters: { message_id } }),
    ).toMatchObject({
      description: "Bad Request: message to be replied not found",
    });
    expect((await send(sandbox, { chat_id: FORUM_ID })).result).not.toHaveProperty("message_thread_id");
  });

  test.each<[string, object]>([
    ["unknown", { message_thread_id: 999 }],
    ["the General topic by number", { message_thread_id: 1 }],
    ["a chat without topics", { chat_id: SUPERGROUP_ID, message_thread_id: ALERTS_TOPIC }],
  ])("%s is not found", async (_name, params) => {
    const sandbox = await testSandbox();
    expect(await send(sandbox, { chat_id: FORUM_ID, ...params })).toMatchObject({
      status: 400,
      description: "Bad Request: message thread not found",
    });
  });

  test("closed and deleted by people", async () => {
    const sandbox = await testSandbox();
    sandbox.changeTopic(FORUM_ID, ALERTS_TOPIC, { closed: true });
    expect(await send(sandbox, { chat_id: FORUM_ID, message_thread_id: ALERTS_TOPIC })).toMatchObject({
      status: 400,
      description: "Bad Request: TOPIC_CLOSED",
    });
    expect(() => sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: "x", message_thread_id: ALERTS_TOPIC })).toThrow(
      "closed",
    );
    sandbox.changeTopic(FORUM_ID, ALERTS_TOPIC, { closed: false });
    expect(await send(sandbox, { chat_id: FORUM_ID, message_thread_id: ALERTS_TOPIC })).toMatchObject({ ok: true });
    sandbox.changeTopic(FORUM_ID, ALERTS_TOPIC, "deleted");
    expect(await send(sandbox, { chat_id: FORUM_ID, message_thread_id: ALERTS_TOPIC })).toMatchObject({
      description: "Bad Request: message thread not found",
    });
    expect(sandbox.messages(FORUM_ID).filter((message) => message.message_thread_id === ALERTS_TOPIC)).toEqual([]);
    expect(sandbox.openTopic(FORUM_ID, "new")).toMatchObject({ name: "new", message_thread_id: expect.any(Number) });
  });

  test("made by a bot that is an administrator", async () => {
    const sandbox = await testSandbox();
    const create = (chat_id: number, name = "db-1"): Promise<ApiAnswer> =>
      callApi(sandbox, "createForumTopic", { chat_id, name });
    expect(await create(FORUM_ID)).toMatchObject({
      status: 400,
      description: "Bad Request: not enough rights to create a topic",
    });
    expect(await create(SUPERGROUP_ID)).toMatchObject({
      status: 400,
      description: "Bad Request: the chat is not a forum",
    });
    sandbox.setMember(FORUM_ID, BOT_ID, "administrator");
    expect(await create(FORUM_ID, " ")).toMatchObject({
      status: 400,
      description: "Bad Request: topic name must be non-empty",
    });
    const { result } = await create(FORUM_ID);
    const topic = { chat_id: FORUM_ID, message_thread_id: result.message_thread_id };
    expect(await callApi(sandbox, "closeForumTopic", topic)).toMatchObject({ ok: true });
    expect(await callApi(sandbox, "closeForumTopic", topic)).toMatchObject({
      status: 400,
      description: "Bad Request: TOPIC_NOT_MODIFIED",
    });
    expect(await callApi(sandbox, "editForumTopic", { ...topic, name: "db-2" })).toMatchObject({ ok: true });
    expect(
      sandbox
        .state()
        .chats.find(({ chat }) => chat.id === FORUM_ID)
        ?.topics.at(-1),
    ).toEqual({ message_thread_id: result.message_thread_id, name: "db-2", closed: true });
    expect(await callApi(sandbox, "closeForumTopic", { chat_id: FORUM_ID, message_thread_id: 999 })).toMatchObject({
      description: "Bad Request: TOPIC_ID_INVALID",
    });
  });
});

test("members and administrators", async () => {
  const sandbox = await testSandbox();
  sandbox.setMember(SUPERGROUP_ID, BOB.id, "administrator");
  const member = (user_id: number): Promise<ApiAnswer> =>
    callApi(sandbox, "getChatMember", { chat_id: SUPERGROUP_ID, user_id });
  expect((await member(ALICE.id)).result).toEqual({
    status: "member",
    user: { id: ALICE.id, is_bot: false, first_name: "Alice", username: "alice" },
  });
  expect((await member(BOB.id)).result).toMatchObject({ status: "administrator", can_delete_messages: true });
  expect((await member(EVE.id)).result).toMatchObject({ status: "left" });
  expect(await member(5)).toMatchObject({ status: 400, description: "Bad Request: PARTICIPANT_ID_INVALID" });
  expect((await callApi(sandbox, "getChatAdministrators", { chat_id: SUPERGROUP_ID })).result).toMatchObject([
    { user: { id: BOB.id } },
  ]);
  expect((await callApi(sandbox, "getChatMemberCount", { chat_id: SUPERGROUP_ID })).result).toBe(3);
  expect((await callApi(sandbox, "getChat", { chat_id: SUPERGROUP_ID })).result).toMatchObject({
    id: SUPERGROUP_ID,
    type: "supergroup",
    title: "Ops",
  });
  expect((await callApi(sandbox, "getChat", { chat_id: ALICE.id })).result).toMatchObject({
    id: ALICE.id,
    type: "private",
    first_name: "Alice",
  });
});

test("pins take rights in groups and show in getChat", async () => {
  const sandbox = await testSandbox();
  const { result } = await send(sandbox, { chat_id: SUPERGROUP_ID });
  const pin = { chat_id: SUPERGROUP_ID, message_id: result.message_id };
  expect(await callApi(sandbox, "pinChatMessage", pin)).toMatchObject({
    description: "Bad Request: not enough rights to manage pinned messages in the chat",
  });
  sandbox.setMember(SUPERGROUP_ID, BOT_ID, "administrator");
  expect(await callApi(sandbox, "pinChatMessage", { ...pin, message_id: 99 })).toMatchObject({
    description: "Bad Request: message to pin not found",
  });
  expect(await callApi(sandbox, "pinChatMessage", pin)).toMatchObject({ ok: true });
  expect((await callApi(sandbox, "getChat", { chat_id: SUPERGROUP_ID })).result.pinned_message).toMatchObject({
    message_id: pin.message_id,
  });
  expect(await callApi(sandbox, "unpinChatMessage", { chat_id: SUPERGROUP_ID })).toMatchObject({ ok: true });
  expect(await callApi(sandbox, "unpinChatMessage", { chat_id: SUPERGROUP_ID })).toMatchObject({
    description: "Bad Request: message to unpin not found",
  });
});

describe("commands", () => {
  test("by scope and language", async () => {
    const sandbox = await testSandbox();
    const commands = [{ command: "backup", description: "Back up" }];
    await callApi(sandbox, "setMyCommands", { commands });
    await callApi(sandbox, "setMyCommands", {
      commands: [{ command: "backup", description: "Копия" }],
      language_code: "ru",
      scope: { type: "chat", chat_id: SUPERGROUP_ID },
    });
    expect((await callApi(sandbox, "getMyCommands")).result).toEqual(commands);
    expect((await callApi(sandbox, "getMyCommands", { language_code: "ru" })).result).toEqual([]);
    expect(Object.keys(sandbox.state().bots[0]?.commands ?? {})).toEqual([
      `{"type":"default"}`,
      `{"type":"chat","chat_id":${SUPERGROUP_ID}}ru`,
    ]);
    await callApi(sandbox, "deleteMyCommands");
    expect((await callApi(sandbox, "getMyCommands")).result).toEqual([]);
  });

  test.each<[object, string]>([
    [{ commands: [{ command: "Back-Up", description: "x" }] }, "BOT_COMMAND_INVALID"],
    [{ commands: [{ command: "x".repeat(33), description: "x" }] }, "BOT_COMMAND_INVALID"],
    [{ commands: [{ command: "x", description: "x".repeat(257) }] }, "BOT_COMMAND_DESCRIPTION_INVALID"],
    [{ commands: [{ command: "x" }] }, `can't parse BotCommand: Can't find field "description"`],
    [{ commands: Array(101).fill({ command: "x", description: "x" }) }, "BOT_COMMANDS_TOO_MUCH"],
    [{ commands: [], scope: { type: "everywhere" } }, "can't parse BotCommandScope: unsupported type specified"],
    [{ commands: [], language_code: "russian" }, "invalid language_code specified"],
  ])("refuses %#", async (params, description) => {
    const sandbox = await testSandbox();
    expect(await callApi(sandbox, "setMyCommands", params)).toMatchObject({
      status: 400,
      description: `Bad Request: ${description}`,
    });
  });

  test("descriptions are kept", async () => {
    const sandbox = await testSandbox();
    await callApi(sandbox, "setMyDescription", { description: "Watches" });
    expect((await callApi(sandbox, "getMyDescription")).result).toEqual({ description: "Watches" });
    expect((await callApi(sandbox, "getMyName")).result).toEqual({ name: "Watch" });
  });
});
