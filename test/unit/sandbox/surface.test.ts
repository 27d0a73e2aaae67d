import { describe, expect, onTestFinished, test } from "vitest";
import type { SandboxEvent, TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { ALICE, BOB, BOT_ID, callApi, FORUM_ID, GROUP_ID, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

interface SurfaceAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the body's shape depends on the path
  readonly body: any;
}

async function call(sandbox: TelegramSandbox, method: string, path: string, body?: object): Promise<SurfaceAnswer> {
  const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
  });
  return { status: response.status, body: await response.json() };
}

/** Reads the event stream until `count` events have come. */
async function readEvents(
  sandbox: TelegramSandbox,
  count: number,
  headers: Record<string, string> = {},
): Promise<{ id: number; event: SandboxEvent }[]> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${sandbox.url}/sandbox/events`, { headers, signal: stop.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const events: { id: number; event: SandboxEvent }[] = [];
  let text = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const match = /^id: (\d+)\ndata: (.*)$/.exec(block);
      if (match) events.push({ id: Number(match[1]), event: JSON.parse(match[2] ?? "") as SandboxEvent });
    }
    if (events.length >= count) break;
  }
  stop.abort();
  return events;
}

test("people write, press, edit and delete over HTTP", async () => {
  const sandbox = await testSandbox();
  const chat = `chats/${SUPERGROUP_ID}`;
  const written = await call(sandbox, "POST", `${chat}/messages`, { from: ALICE.id, text: "/start" });
  expect(written).toMatchObject({
    status: 200,
    body: { text: "/start", from: { id: ALICE.id }, entities: [{ type: "bot_command" }] },
  });
  const edited = await call(sandbox, "POST", `${chat}/messages`, {
    from: ALICE.id,
    text: "/stop",
    edit_message_id: written.body.message_id,
  });
  expect(edited.body).toMatchObject({ message_id: written.body.message_id, text: "/stop" });
  expect(
    await call(sandbox, "POST", `${chat}/messages`, {
      from: BOB.id,
      text: "x",
      edit_message_id: written.body.message_id,
    }),
  ).toMatchObject({ status: 400 });
  const { result } = await callApi(sandbox, "sendMessage", {
    chat_id: SUPERGROUP_ID,
    text: "?",
    reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] },
  });
  const press = await call(sandbox, "POST", `${chat}/callbacks`, {
    from: ALICE.id,
    message_id: result.message_id,
    data: "y",
  });
  expect(press.body).toEqual({ callback_query_id: expect.any(String) });
  expect(
    await call(sandbox, "POST", `${chat}/callbacks`, { from: ALICE.id, message_id: result.message_id, data: "n" }),
  ).toMatchObject({ status: 400, body: { ok: false } });
  expect(await call(sandbox, "DELETE", `${chat}/messages/${result.message_id}?from=${ALICE.id}`)).toEqual({
    status: 200,
    body: true,
  });
  const { body } = await call(sandbox, "GET", `${chat}/transcript`);
  expect(body.map((entry: { kind: string }) => entry.kind)).toEqual(["message", "edit", "message", "press", "delete"]);
});

test("the state is all that a viewer needs to begin", async () => {
  const sandbox = await testSandbox();
  sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "/backup", message_thread_id: 15 });
  const { body } = await call(sandbox, "GET", "state");
  expect(body.users).toContainEqual(ALICE);
  expect(body.bots).toMatchObject([{ user: { id: BOT_ID, username: "watch_bot" }, privacyMode: true, commands: {} }]);
  expect(body.chats).toContainEqual({
    chat: { id: FORUM_ID, type: "supergroup", title: "Ops forum", is_forum: true },
    topics: [
      { message_thread_id: 12, name: "alerts" },
      { message_thread_id: 15, name: "backups" },
    ],
    members: [ALICE.id, BOB.id, BOT_ID],
    administrators: [],
  });
  expect(body.messages[FORUM_ID].at(-1)).toMatchObject({ text: "/backup", message_thread_id: 15 });
  expect(body.seq).toBe(sandbox.eventsAfter(0).at(-1)?.seq);
});

test("mistakes are said in one line", async () => {
  const sandbox = await testSandbox();
  expect(await call(sandbox, "POST", "chats/-5/messages", { from: ALICE.id, text: "x" })).toEqual({
    status: 404,
    body: { ok: false, error: "chat -5 is unknown" },
  });
  expect(await call(sandbox, "POST", `chats/${GROUP_ID}/messages`, { from: ALICE.id })).toEqual({
    status: 400,
    body: { ok: false, error: "text is missing" },
  });
  expect(await call(sandbox, "POST", `chats/${GROUP_ID}/members`, { user: 1, status: "king" })).toMatchObject({
    status: 400,
  });
  expect(await call(sandbox, "POST", "faults", { kind: "plague" })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining("plague") },
  });
  expect(await call(sandbox, "DELETE", "faults/f9")).toMatchObject({ status: 404 });
  expect(await call(sandbox, "GET", "files/none")).toMatchObject({
    status: 404,
    body: { ok: false, error: "file none is unknown" },
  });
  expect(await call(sandbox, "POST", "clock", { advanceMs: "soon" })).toMatchObject({ status: 400 });
});

test("chats, clock, faults and calls over HTTP", async () => {
  const sandbox = await testSandbox({ now: { manual: true, start: new Date("2026-01-01T00:00:00Z") } });
  expect(await call(sandbox, "POST", "clock", { advanceMs: 60_000 })).toEqual({
    status: 200,
    body: { now: "2026-01-01T00:01:00.000Z" },
  });
  expect(await call(sandbox, "POST", "clock", { now: "2026-02-01T00:00:00Z" })).toEqual({
    status: 200,
    body: { now: "2026-02-01T00:00:00.000Z" },
  });
  expect(await call(sandbox, "POST", "faults", { kind: "status", times: 1 })).toEqual({
    status: 200,
    body: { id: "f1" },
  });
  expect(await call(sandbox, "GET", "faults")).toMatchObject({ body: [{ id: "f1", kind: "status" }] });
  expect(await call(sandbox, "DELETE", "faults/f1")).toEqual({ status: 200, body: true });
  expect(await call(sandbox, "DELETE", "faults")).toEqual({ status: 200, body: true });
  expect(await call(sandbox, "POST", `chats/${FORUM_ID}/topics`, { name: "web" })).toMatchObject({
    status: 200,
    body: { name: "web" },
  });
  expect(await call(sandbox, "PATCH", `chats/${FORUM_ID}/topics/12`, { closed: true })).toEqual({
    status: 200,
    body: true,
  });
  expect(await call(sandbox, "DELETE", `chats/${FORUM_ID}/topics/12`)).toEqual({ status: 200, body: true });
  expect(await call(sandbox, "POST", `chats/${GROUP_ID}/members`, { user: BOT_ID, status: "kicked" })).toEqual({
    status: 200,
    body: true,
  });
  expect(await call(sandbox, "POST", `chats/${GROUP_ID}/migrate`)).toMatchObject({
    status: 200,
    body: { newChatId: expect.any(Number) },
  });
  await callApi(sandbox, "sendMessage", { chat_id: -1, text: "x" });
  await callApi(sandbox, "getMe");
  const { body } = await call(sandbox, "GET", "calls");
  expect(body).toMatchObject([
    {
      seq: 1,
      at: "2026-02-01T00:00:00.000Z",
      bot_id: BOT_ID,
      method: "sendMessage",
      params: { chat_id: -1, text: "x" },
      ok: false,
      error_code: 400,
      description: "Bad Request: chat not found",
    },
    { seq: 2, method: "getMe", ok: true, result: { id: BOT_ID } },
  ]);
  expect((await call(sandbox, "GET", "calls?since=1")).body).toHaveLength(1);
});

describe("the event stream", () => {
  test("tells what happens and resumes where it was left", async () => {
    const sandbox = await testSandbox();
    const from = sandbox.state().seq;
    sandbox.sendAsUser(GROUP_ID, { from: ALICE.id, text: "one" });
    const reading = readEvents(sandbox, 3, { "last-event-id": `${from}` });
    const { result } = await callApi(sandbox, "sendMessage", { chat_id: GROUP_ID, text: "two" });
    await callApi(sandbox, "editMessageText", { chat_id: GROUP_ID, message_id: result.message_id, text: "three" });
    const events = await reading;
    expect(events).toMatchObject([
      { id: from + 1, event: { type: "message", message: { text: "one" } } },
      { id: from + 2, event: { type: "message", message: { text: "two" } } },
      { id: from + 3, event: { type: "edited", message: { text: "three" } } },
    ]);
    await callApi(sandbox, "deleteMessage", { chat_id: GROUP_ID, message_id: result.message_id });
    await callApi(sandbox, "sendChatAction", { chat_id: GROUP_ID, action: "typing" });
    await callApi(sandbox, "setMyCommands", { commands: [] });
    sandbox.advance(1000);
    const rest = await readEvents(sandbox, 4, { "last-event-id": `${from + 3}` });
    expect(rest.map(({ event }) => event.type)).toEqual(["deleted", "chat_action", "commands", "clock"]);
  });
});

test("the transcript reads like a chat", async () => {
  const sandbox = await testSandbox({ now: { manual: true, start: new Date("2026-01-01T03:00:00Z") } });
  sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "/backup", message_thread_id: 15 });
  const { result } = await callApi(sandbox, "sendMessage", {
    chat_id: FORUM_ID,
    message_thread_id: 15,
    text: "Back up app?\nto s3",
    reply_markup: {
      inline_keyboard: [
        [
          { text: "Confirm", callback_data: "c" },
          { text: "Cancel", callback_data: "n" },
        ],
      ],
    },
  });
  const { callback_query_id } = await sandbox.press(FORUM_ID, {
    from: ALICE.id,
    message_id: result.message_id,
    data: "c",
  });
  await callApi(sandbox, "answerCallbackQuery", { callback_query_id, text: "Started" });
  await callApi(sandbox, "editMessageText", { chat_id: FORUM_ID, message_id: result.message_id, text: "Done" });
  const text = await (await fetch(`${sandbox.url}/sandbox/chats/${FORUM_ID}/transcript?format=text`)).text();
  expect(text.split("\n").slice(2)).toEqual([
    "[2026-01-01 03:00:00] Ops forum #backups | Alice (message 16): /backup",
    "[2026-01-01 03:00:00] Ops forum #backups | Watch (message 17): Back up app?",
    "    to s3",
    "    [Confirm] [Cancel]",
    "[2026-01-01 03:00:00] Ops forum #backups | Alice presses [Confirm] under message 17",
    "[2026-01-01 03:00:00] Ops forum #backups | Watch shows: Started",
    "[2026-01-01 03:00:00] Ops forum #backups | Watch edits message 17: Done",
    "",
  ]);
});

test("the page and its files are served, nothing else of the folder's neighbours", async () => {
  const sandbox = await testSandbox();
  const page = await fetch(sandbox.url);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect((await fetch(`${sandbox.url}/webchat/app.js`)).headers.get("content-type")).toBe(
    "text/javascript; charset=utf-8",
  );
  for (const path of [
    "webchat/..%2fserver.ts",
    "webchat/%2e%2e/server.ts",
    "webchat/none.js",
    "webchat/",
    "webchat/..%2f..%2f..%2f..%2fpackage.json",
  ]) {
    expect((await fetch(`${sandbox.url}/${path}`)).status).toBe(404);
  }
});

test("waiting says what was there when it did not come", async () => {
  const sandbox = await testSandbox();
  sandbox.sendAsUser(GROUP_ID, { from: ALICE.id, text: "something else" });
  await expect(
    sandbox.waitForMessage(GROUP_ID, (message) => message.text === "this", { timeoutMs: 20 }),
  ).rejects.toThrow(/a message in chat .* did not come within 20 ms[\s\S]*something else/);
  await expect(
    sandbox.waitFor(() => {
      throw new Error("broken probe");
    }),
  ).rejects.toThrow("broken probe");
  const waiting = sandbox.waitForCall("getMe", (made) => made.ok);
  await callApi(sandbox, "getMe");
  expect(await waiting).toMatchObject({ method: "getMe" });
});
