import { expect, test } from "vitest";
import type { TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { ALICE, type ApiAnswer, callApi, GROUP_ID, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const send = (sandbox: TelegramSandbox, chat_id: number): Promise<ApiAnswer> =>
  callApi(sandbox, "sendMessage", { chat_id, text: "x" });

async function sendMany(sandbox: TelegramSandbox, count: number, chat: number, pauseMs: number): Promise<ApiAnswer[]> {
  const answers: ApiAnswer[] = [];
  for (let i = 0; i < count; i += 1) {
    answers.push(await send(sandbox, chat));
    sandbox.advance(pauseMs);
  }
  return answers;
}

test("a group takes 20 sends and edits together in any 60 seconds", async () => {
  const sandbox = await testSandbox({ now: { manual: true } });
  const sent = await sendMany(sandbox, 15, SUPERGROUP_ID, 1000);
  const message_id = sent[0]?.result.message_id as number;
  for (let i = 0; i < 5; i += 1) {
    expect(
      await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: `edit ${i}` }),
    ).toMatchObject({ ok: true });
  }
  const refused = {
    status: 429,
    ok: false,
    error_code: 429,
    description: "Too Many Requests: retry after 45",
    parameters: { retry_after: 45 },
  };
  expect(await send(sandbox, SUPERGROUP_ID)).toEqual(refused);
  expect(await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: "one more" })).toEqual(
    refused,
  );
  expect(await send(sandbox, GROUP_ID)).toMatchObject({ ok: true });
  sandbox.advance(44_999);
  expect(await send(sandbox, SUPERGROUP_ID)).toMatchObject({ status: 429, parameters: { retry_after: 1 } });
  sandbox.advance(1);
  expect(await send(sandbox, SUPERGROUP_ID)).toMatchObject({ ok: true });
  expect(await send(sandbox, SUPERGROUP_ID)).toMatchObject({ status: 429 });
});

test("deletions, answers and refused edits cost nothing", async () => {
  const sandbox = await testSandbox({ now: { manual: true } });
  const sent = await sendMany(sandbox, 19, SUPERGROUP_ID, 1000);
  const message_id = sent[0]?.result.message_id as number;
  expect(await callApi(sandbox, "editMessageText", { chat_id: SUPERGROUP_ID, message_id, text: "x" })).toMatchObject({
    status: 400,
  });
  expect(await callApi(sandbox, "deleteMessage", { chat_id: SUPERGROUP_ID, message_id })).toMatchObject({ ok: true });
  expect(await callApi(sandbox, "sendChatAction", { chat_id: SUPERGROUP_ID, action: "typing" })).toMatchObject({
    ok: true,
  });
  expect(await send(sandbox, SUPERGROUP_ID)).toMatchObject({ ok: true });
  expect(await send(sandbox, SUPERGROUP_ID)).toMatchObject({ status: 429 });
});

test("a private chat takes a burst and then one message a second", async () => {
  const sandbox = await testSandbox({ now: { manual: true }, limits: { privateBurst: 3 } });
  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
  const burst = await sendMany(sandbox, 4, ALICE.id, 0);
  expect(burst.map((answer) => answer.status)).toEqual([200, 200, 200, 429]);
  expect(burst[3]?.parameters).toEqual({ retry_after: 1 });
  sandbox.advance(1000);
  const steady = await sendMany(sandbox, 5, ALICE.id, 1000);
  expect(steady.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
});

test("the whole bot takes 30 messages a second", async () => {
  const chats = [-1, -2, -3].map((id) => ({
    id,
    type: "group" as const,
    title: `${id}`,
    members: [ALICE.id, 777000111],
  }));
  const sandbox = await testSandbox({ now: { manual: true }, chats });
  const answers: ApiAnswer[] = [];
  for (let i = 0; i < 31; i += 1) answers.push(await send(sandbox, -1 - (i % 3)));
  expect(answers.filter((answer) => answer.ok)).toHaveLength(30);
  expect(answers[30]).toMatchObject({ status: 429, parameters: { retry_after: 1 } });
  sandbox.advance(1000);
  expect(await send(sandbox, -2)).toMatchObject({ ok: true });
});

test("limits can be switched off", async () => {
  const sandbox = await testSandbox({ now: { manual: true }, limits: { enforce: false } });
  const answers = await sendMany(sandbox, 40, SUPERGROUP_ID, 0);
  expect(answers.every((answer) => answer.ok)).toBe(true);
});
