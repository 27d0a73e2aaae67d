import { describe, expect, test } from "vitest";
import type { TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { ALICE, BOB, BOT_ID, callApi, GROUP_ID, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const HOUR = 3_600_000;
const keyboard = (text: string): object => ({ inline_keyboard: [[{ text, callback_data: text }]] });

async function sent(sandbox: TelegramSandbox, params: object = {}): Promise<number> {
  const { result } = await callApi(sandbox, "sendMessage", { chat_id: SUPERGROUP_ID, text: "first", ...params });
  return result.message_id as number;
}

describe("edits are refused", () => {
  const notModified =
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
  test.each<[string, string, object, object, string]>([
    ["the same text", "editMessageText", {}, { text: "first" }, notModified],
    [
      "the same text and keyboard",
      "editMessageText",
      { reply_markup: keyboard("a") },
      { text: "first", reply_markup: keyboard("a") },
      notModified,
    ],
    [
      "the same mark-up written differently",
      "editMessageText",
      { text: "<b>x</b>", parse_mode: "HTML" },
      { text: " <strong>x</strong>", parse_mode: "HTML" },
      notModified,
    ],
    ["no keyboard instead of none", "editMessageReplyMarkup", {}, {}, notModified],
    [
      "no message named",
      "editMessageText",
      {},
      { text: "x", message_id: undefined },
      "message identifier is not specified",
    ],
    ["unknown message", "editMessageText", {}, { text: "x", message_id: 99 }, "message to edit not found"],
    ["empty text", "editMessageText", {}, { text: "" }, "message text is empty"],
    ["too long", "editMessageText", {}, { text: "x".repeat(4097) }, "MESSAGE_TOO_LONG"],
    ["caption of a text", "editMessageCaption", {}, { caption: "x" }, "there is no caption in the message to edit"],
    [
      "reply keyboard",
      "editMessageText",
      {},
      { text: "x", reply_markup: { force_reply: true } },
      "inline keyboard expected",
    ],
    [
      "a message sent with a reply prompt",
      "editMessageText",
      { reply_markup: { force_reply: true, selective: true } },
      { text: "x" },
      "message can't be edited",
    ],
  ])("%s", async (_name, method, first, edit, description) => {
    const sandbox = await testSandbox();
    const message_id = await sent(sandbox, first);
    const answer = await callApi(sandbox, method, { chat_id: SUPERGROUP_ID, message_id, ...edit });
    expect(answer).toEqual({ status: 400, ok: false, error_code: 400, description: `Bad Request: ${description}` });
  });

  test("of messages that people wrote", async () => {
    const sandbox = await testSandbox();
    const { message_id } = sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "mine" });
    const answer = await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: "x" });
    expect(answer.description).toBe("Bad Request: message can't be edited");
  });
});

test("an edit that names no keyboard removes it", async () => {
  const sandbox = await testSandbox();
  const message_id = await sent(sandbox, { reply_markup: keyboard("a") });
  const { result } = await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: "second" });
  expect(result).toMatchObject({ message_id, text: "second", edit_date: expect.any(Number) });
  expect(result).not.toHaveProperty("reply_markup");
  const keyed = await callApi(sandbox, "editMessageReplyMarkup", {
    chat_id: SUPERGROUP_ID,
    message_id,
    reply_markup: keyboard("b"),
  });
  expect(keyed.result).toMatchObject({ text: "second", reply_markup: keyboard("b") });
});

describe("deleting", () => {
  const remove = (
    sandbox: TelegramSandbox,
    message_id: number,
    chat_id = SUPERGROUP_ID,
  ): Promise<{ description?: string; ok: boolean }> => callApi(sandbox, "deleteMessage", { chat_id, message_id });

  test("own messages for 48 hours", async () => {
    const sandbox = await testSandbox({ now: { manual: true } });
    const [early, late] = [await sent(sandbox), await sent(sandbox)];
    sandbox.advance(48 * HOUR);
    expect(await remove(sandbox, early)).toMatchObject({ ok: true });
    expect((await remove(sandbox, early)).description).toBe("Bad Request: message to delete not found");
    sandbox.advance(1);
    expect((await remove(sandbox, late)).description).toBe("Bad Request: message can't be deleted for everyone");
    expect((await remove(sandbox, 0)).description).toBe("Bad Request: message identifier is not specified");
  });

  test("other people's only as an administrator or in private", async () => {
    const sandbox = await testSandbox();
    const { message_id } = sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "mine" });
    expect((await remove(sandbox, message_id)).description).toBe("Bad Request: message can't be deleted for everyone");
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "administrator");
    expect(await remove(sandbox, message_id)).toMatchObject({ ok: true });
    const own = sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "secret" });
    expect(await remove(sandbox, own.message_id, ALICE.id)).toMatchObject({ ok: true });
  });

  test("many at once, those that are gone left out", async () => {
    const sandbox = await testSandbox();
    const message_ids = [await sent(sandbox), await sent(sandbox), 99];
    expect(await callApi(sandbox, "deleteMessages", { chat_id: SUPERGROUP_ID, message_ids })).toMatchObject({
      ok: true,
    });
    expect(sandbox.messages(SUPERGROUP_ID)).toEqual([]);
    expect(
      await callApi(sandbox, "deleteMessages", { chat_id: SUPERGROUP_ID, message_ids: Array(101).fill(1) }),
    ).toMatchObject({ ok: false });
  });

  test("by a person's hand", async () => {
    const sandbox = await testSandbox();
    const message_id = await sent(sandbox);
    sandbox.deleteAsUser(SUPERGROUP_ID, message_id, BOB.id);
    const answer = await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: "x" });
    expect(answer.description).toBe("Bad Request: message to edit not found");
  });
});

describe("copies and replies", () => {
  test("a forward names its origin, a copy does not", async () => {
    const sandbox = await testSandbox();
    const { message_id } = sandbox.sendAsUser(GROUP_ID, { from: ALICE.id, text: "/look" });
    const forwarded = await callApi(sandbox, "forwardMessage", {
      chat_id: SUPERGROUP_ID,
      from_chat_id: GROUP_ID,
      message_id,
    });
    expect(forwarded.result).toMatchObject({
      text: "/look",
      forward_origin: { type: "user", sender_user: { id: ALICE.id } },
    });
    const copied = await callApi(sandbox, "copyMessage", {
      chat_id: SUPERGROUP_ID,
      from_chat_id: GROUP_ID,
      message_id,
    });
    expect(copied.result).toEqual({ message_id: expect.any(Number) });
    expect(sandbox.messages(SUPERGROUP_ID).at(-1)).not.toHaveProperty("forward_origin");
  });

  test("a reply carries the message without its own reply", async () => {
    const sandbox = await testSandbox();
    const first = await sent(sandbox);
    const second = await sent(sandbox, { reply_parameters: { message_id: first } });
    const third = await callApi(sandbox, "sendMessage", {
      chat_id: SUPERGROUP_ID,
      text: "x",
      reply_parameters: JSON.stringify({ message_id: second }),
    });
    expect(third.result.reply_to_message).toMatchObject({ message_id: second, text: "first" });
    expect(third.result.reply_to_message).not.toHaveProperty("reply_to_message");
  });
});
