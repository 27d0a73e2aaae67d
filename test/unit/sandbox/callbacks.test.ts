import { describe, expect, test } from "vitest";
import type { TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { ALICE, type ApiAnswer, BOB, callApi, EVE, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid";

async function withButton(now?: { manual: boolean }): Promise<{ sandbox: TelegramSandbox; message_id: number }> {
  const sandbox = await testSandbox(now ? { now } : {});
  const { result } = await callApi(sandbox, "sendMessage", {
    chat_id: SUPERGROUP_ID,
    text: "Sure?",
    reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "y:1" }]] },
  });
  return { sandbox, message_id: result.message_id };
}

const answer = (sandbox: TelegramSandbox, callback_query_id: string, params: object = {}): Promise<ApiAnswer> =>
  callApi(sandbox, "answerCallbackQuery", { callback_query_id, ...params });

test("a press carries the whole message", async () => {
  const { sandbox, message_id } = await withButton();
  const { callback_query_id } = await sandbox.press(SUPERGROUP_ID, { from: BOB.id, message_id, data: "y:1" });
  expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([
    {
      callback_query: {
        id: callback_query_id,
        from: { id: BOB.id },
        data: "y:1",
        chat_instance: expect.stringMatching(/^-\d+$/),
        message: {
          message_id,
          text: "Sure?",
          chat: { id: SUPERGROUP_ID },
          reply_markup: { inline_keyboard: [[{ text: "Yes" }]] },
        },
      },
    },
  ]);
});

describe("answering", () => {
  test("works for 15 seconds and once", async () => {
    const { sandbox, message_id } = await withButton({ manual: true });
    const press = async (): Promise<string> =>
      (await sandbox.press(SUPERGROUP_ID, { from: BOB.id, message_id, data: "y:1" })).callback_query_id;
    const [early, late] = [await press(), await press()];
    sandbox.advance(15_000);
    expect(await answer(sandbox, early, { text: "ok" })).toMatchObject({ ok: true, result: true });
    expect(await answer(sandbox, early)).toMatchObject({ status: 400, description: TOO_OLD });
    sandbox.advance(1);
    expect(await answer(sandbox, late)).toMatchObject({ status: 400, description: TOO_OLD });
    expect(await answer(sandbox, "12345")).toMatchObject({ status: 400, description: TOO_OLD });
  });

  test("fails for a query that was old when it came", async () => {
    const { sandbox, message_id } = await withButton();
    const { callback_query_id } = await sandbox.press(SUPERGROUP_ID, {
      from: BOB.id,
      message_id,
      data: "y:1",
      ageMs: 20_000,
    });
    expect(await answer(sandbox, callback_query_id)).toMatchObject({ status: 400, description: TOO_OLD });
  });

  test("with at most 200 characters", async () => {
    const { sandbox, message_id } = await withButton();
    const { callback_query_id } = await sandbox.press(SUPERGROUP_ID, { from: BOB.id, message_id, data: "y:1" });
    expect(await answer(sandbox, callback_query_id, { text: "я".repeat(201) })).toMatchObject({
      status: 400,
      description: "Bad Request: MESSAGE_TOO_LONG",
    });
    expect(await answer(sandbox, callback_query_id, { text: "👍".repeat(200) })).toMatchObject({ ok: true });
  });

  test("with links into Telegram only", async () => {
    const { sandbox, message_id } = await withButton();
    const { callback_query_id } = await sandbox.press(SUPERGROUP_ID, { from: BOB.id, message_id, data: "y:1" });
    expect(await answer(sandbox, callback_query_id, { url: "https://example.org/" })).toMatchObject({
      status: 400,
      description: "Bad Request: URL_INVALID",
    });
    expect(await answer(sandbox, callback_query_id, { url: "https://t.me/watch_bot?start=x" })).toMatchObject({
      ok: true,
    });
  });

  test("is what the press waits for", async () => {
    const { sandbox, message_id } = await withButton();
    const pressed = sandbox.press(SUPERGROUP_ID, { from: BOB.id, message_id, data: "y:1", waitMs: 5000 });
    const { result } = await callApi(sandbox, "getUpdates", { timeout: 5 });
    await answer(sandbox, result[0].callback_query.id, { text: "Not yours", show_alert: true });
    expect((await pressed).answer).toEqual({ text: "Not yours", show_alert: true });
    expect(sandbox.transcript(SUPERGROUP_ID).at(-1)).toMatchObject({ kind: "toast", text: "Not yours", alert: true });
  });
});

test("a button can be pressed by its label", async () => {
  const { sandbox, message_id } = await withButton();
  await sandbox.pressButton(SUPERGROUP_ID, ALICE.id, "Yes");
  expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([
    { callback_query: { data: "y:1", message: { message_id } } },
  ]);
  await expect(sandbox.pressButton(SUPERGROUP_ID, ALICE.id, "No")).rejects.toThrow('no message has the button "No"');
});

test("pressing what is not there takes force, and the message is then inaccessible", async () => {
  const { sandbox, message_id } = await withButton();
  await expect(sandbox.press(SUPERGROUP_ID, { from: ALICE.id, message_id, data: "other" })).rejects.toThrow(
    "no button with the data",
  );
  await expect(sandbox.press(SUPERGROUP_ID, { from: EVE.id, message_id, data: "y:1" })).rejects.toThrow(
    "Eve is not in chat",
  );
  await callApi(sandbox, "deleteMessage", { chat_id: SUPERGROUP_ID, message_id });
  await expect(sandbox.press(SUPERGROUP_ID, { from: ALICE.id, message_id, data: "y:1" })).rejects.toThrow("is unknown");
  await sandbox.press(SUPERGROUP_ID, { from: ALICE.id, message_id, data: "y:1", force: true });
  expect((await callApi(sandbox, "getUpdates")).result).toMatchObject([
    { callback_query: { message: { message_id, date: 0, chat: { id: SUPERGROUP_ID } } } },
  ]);
});
