import { describe, expect, test } from "vitest";
import { ALICE, callApi, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

const keyboard = (...buttons: object[]): object => ({ reply_markup: { inline_keyboard: [buttons] } });
const rows = (count: number, perRow: number): object => ({
  reply_markup: {
    inline_keyboard: Array.from({ length: count }, (_, row) =>
      Array.from({ length: perRow }, (_unused, column) => ({ text: `${row}/${column}`, callback_data: "x" })),
    ),
  },
});

describe("sendMessage refuses with Telegram's words", () => {
  test.each<[string, object, string]>([
    ["no text", { text: undefined }, "message text is empty"],
    ["empty text", { text: "" }, "message text is empty"],
    ["white space", { text: " \n " }, "text must be non-empty"],
    ["nothing but mark-up", { text: "<b> </b>", parse_mode: "HTML" }, "text must be non-empty"],
    ["4097 units", { text: "x".repeat(4097) }, "message is too long"],
    ["4097 units in 2049 emoji", { text: `${"👍".repeat(2048)}x` }, "message is too long"],
    ["half an emoji", { text: "cut \ud83d" }, "strings must be encoded in UTF-8"],
    ["no chat", { chat_id: undefined }, "chat_id is empty"],
    ["unknown chat", { chat_id: -1 }, "chat not found"],
    ["unknown name", { chat_id: "@nobody_here" }, "chat not found"],
    ["a word as chat", { chat_id: "not_a_chat" }, "chat not found"],
    ["unknown parse mode", { parse_mode: "BBCode" }, "unsupported parse_mode"],
    [
      "broken HTML",
      { text: "<b>x", parse_mode: "HTML" },
      `can't parse entities: Can't find end tag corresponding to start tag "b"`,
    ],
    [
      "broken MarkdownV2",
      { text: "*x", parse_mode: "MarkdownV2" },
      "can't parse entities: Can't find end of Bold entity at byte offset 0",
    ],
    [
      "reserved character",
      { text: "a.b", parse_mode: "MarkdownV2" },
      "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    ],
    [
      "entity outside",
      { entities: [{ type: "bold", offset: 100, length: 1 }] },
      "entity begins after the end of the text at UTF-16 offset 100",
    ],
    [
      "entity too long",
      { entities: [{ type: "bold", offset: 0, length: 100 }] },
      "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100",
    ],
    [
      "entity before",
      { entities: [{ type: "bold", offset: -1, length: 1 }] },
      "receive an entity with incorrect offset -1",
    ],
    [
      "entity of no type",
      { entities: [{ type: "huge", offset: 0, length: 1 }] },
      "can't parse MessageEntity: Unsupported type specified",
    ],
    [
      "entity link",
      { entities: [{ type: "text_link", offset: 0, length: 1, url: "not-a-url" }] },
      "entity URL 'not-a-url' is invalid: Wrong HTTP URL",
    ],
    [
      "entity without link",
      { entities: [{ type: "text_link", offset: 0, length: 1 }] },
      `can't parse MessageEntity: Can't find field "url"`,
    ],
    ["unknown topic", { message_thread_id: 99 }, "message thread not found"],
    ["unknown reply", { reply_parameters: { message_id: 99 } }, "message to be replied not found"],
    ["reply to nothing", { reply_parameters: { quote: "x" } }, `can't find field "message_id"`],
    ["broken markup", { reply_markup: "{" }, "can't parse reply keyboard markup JSON object"],
    ["markup of no object", { reply_markup: "5" }, "object expected as reply markup"],
    [
      "keyboard of no rows",
      { reply_markup: { inline_keyboard: "x" } },
      `field "inline_keyboard" must be of type Array`,
    ],
    ["force_reply of a word", { reply_markup: { force_reply: "yes" } }, `field "force_reply" must be of type Boolean`],
    ["keyboard of a word", { reply_markup: { keyboard: "x" } }, `field "keyboard" must be of type Array`],
    ["data of 65 bytes", keyboard({ text: "x", callback_data: `${"я".repeat(32)}x` }), "BUTTON_DATA_INVALID"],
    [
      "empty data",
      keyboard({ text: "x", callback_data: "" }),
      "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      "button without text",
      keyboard({ callback_data: "x" }),
      `can't parse inline keyboard button: Can't find field "text"`,
    ],
    ["empty button text", keyboard({ text: "", callback_data: "x" }), "inline keyboard button text must be non-empty"],
    [
      "two actions",
      keyboard({ text: "x", callback_data: "x", url: "https://x.org" }),
      "can't parse inline keyboard button: exactly one action expected, found url and callback_data",
    ],
    [
      "unknown style",
      keyboard({ text: "x", callback_data: "x", style: "red" }),
      "can't parse inline keyboard button: invalid button style specified",
    ],
    [
      "no link",
      keyboard({ text: "x", url: "not-a-url" }),
      "inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL",
    ],
    [
      "ftp",
      keyboard({ text: "x", url: "ftp://example.com" }),
      "inline keyboard button URL 'ftp://example.com' is invalid: Unsupported URL protocol",
    ],
    [
      "localhost",
      keyboard({ text: "x", url: "http://localhost:3000" }),
      "inline keyboard button URL 'http://localhost:3000' is invalid: Wrong HTTP URL",
    ],
    ["a link of 3000", keyboard({ text: "x", url: `https://x.org/${"y".repeat(3000)}` }), "BUTTON_URL_INVALID"],
    [
      "web app by http",
      keyboard({ text: "x", web_app: { url: "http://x.org" } }),
      "inline keyboard button Web App URL 'http://x.org' is invalid: Only HTTPS links are allowed",
    ],
    ["long copy", keyboard({ text: "x", copy_text: { text: "x".repeat(257) } }), "BUTTON_COPY_TEXT_INVALID"],
    ["pay", keyboard({ text: "x", pay: true }), "BUTTON_TYPE_INVALID"],
    ["9 in a row", rows(1, 9), "reply markup is too long"],
    ["104 buttons", rows(13, 8), "reply markup is too long"],
    [
      "preview of a word",
      { link_preview_options: { is_disabled: "yes" } },
      `field "is_disabled" must be of type Boolean`,
    ],
    ["preview of no link", { link_preview_options: { url: "not-a-url" } }, "WEBPAGE_URL_INVALID"],
  ])("%s", async (_name, params, description) => {
    const sandbox = await testSandbox();
    const answer = await callApi(sandbox, "sendMessage", { chat_id: SUPERGROUP_ID, text: "hello", ...params });
    expect(answer).toEqual({ status: 400, ok: false, error_code: 400, description: `Bad Request: ${description}` });
    expect(sandbox.messages(SUPERGROUP_ID)).toEqual([]);
  });
});

describe("sendMessage takes", () => {
  test.each<[string, object, object]>([
    [
      "4096 units after parsing",
      { text: `<b>${"x".repeat(4096)}</b>`, parse_mode: "HTML" },
      { text: "x".repeat(4096) },
    ],
    ["4096 units in emoji", { text: "👍".repeat(2048) }, { text: "👍".repeat(2048) }],
    [
      "parse modes in any case",
      { text: "<i>x</i>", parse_mode: "html" },
      { entities: [{ type: "italic", offset: 0, length: 1 }] },
    ],
    [
      "64 bytes of data",
      keyboard({ text: "x", callback_data: "я".repeat(32) }),
      { reply_markup: { inline_keyboard: [[{ text: "x", callback_data: "я".repeat(32) }]] } },
    ],
    [
      "styles",
      keyboard({ text: "x", callback_data: "x", style: "danger" }),
      { reply_markup: { inline_keyboard: [[{ text: "x", callback_data: "x", style: "danger" }]] } },
    ],
    [
      "links without scheme",
      keyboard({ text: "x", url: "example.org" }),
      { reply_markup: { inline_keyboard: [[{ text: "x", url: "http://example.org/" }]] } },
    ],
    [
      "surrounding space away",
      { text: "  <b> x </b> \n", parse_mode: "HTML" },
      { text: "x", entities: [{ type: "bold", offset: 0, length: 1 }] },
    ],
    ["control characters as spaces", { text: "a\tb\r\nc\u0007" }, { text: "a b\nc" }],
    [
      "commands, links and names found",
      { text: "/stop see example.org or @alice #now" },
      {
        entities: [
          { type: "bot_command", offset: 0, length: 5 },
          { type: "url", offset: 10, length: 11 },
          { type: "mention", offset: 25, length: 6 },
          { type: "hashtag", offset: 32, length: 4 },
        ],
      },
    ],
    [
      "nothing inside code",
      { text: "<code>/x <b>y</b></code>", parse_mode: "HTML" },
      { entities: [{ type: "code", offset: 0, length: 4 }] },
    ],
    [
      "bold cut by code",
      { text: "<b>a <code>b</code></b>", parse_mode: "HTML" },
      {
        entities: [
          { type: "bold", offset: 0, length: 2 },
          { type: "code", offset: 2, length: 1 },
        ],
      },
    ],
    [
      "an optional reply",
      { reply_parameters: { message_id: 99, allow_sending_without_reply: true } },
      { text: "hello" },
    ],
    [
      "preview switched off",
      { link_preview_options: { is_disabled: true } },
      { link_preview_options: { is_disabled: true } },
    ],
    [
      "names in any case",
      { chat_id: `${SUPERGROUP_ID}` },
      { chat: { id: SUPERGROUP_ID, type: "supergroup", title: "Ops" } },
    ],
  ])("%s", async (_name, params, expected) => {
    const sandbox = await testSandbox();
    const answer = await callApi(sandbox, "SendMessage", { chat_id: SUPERGROUP_ID, text: "hello", ...params });
    expect(answer).toMatchObject({ status: 200, ok: true });
    expect(answer.result).toMatchObject(expected);
  });

  test("the same parameters from query, form, JSON and multipart", async () => {
    const sandbox = await testSandbox();
    const url = `${sandbox.apiRoot}/bot777000111:AAtestTokenOfTheSandbox-1234567890/sendMessage`;
    const params = {
      chat_id: `${SUPERGROUP_ID}`,
      text: "<b>x</b>",
      parse_mode: "HTML",
      reply_markup: JSON.stringify({ inline_keyboard: [[{ text: "a", callback_data: "b" }]] }),
    };
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) form.append(name, value);
    const answers = await Promise.all([
      fetch(`${url}?${new URLSearchParams(params).toString()}`),
      fetch(url, { method: "POST", body: new URLSearchParams(params) }),
      fetch(url, { method: "POST", body: JSON.stringify(params), headers: { "content-type": "application/json" } }),
      fetch(url, { method: "POST", body: form }),
    ]);
    for (const answer of answers) {
      expect(await answer.json()).toMatchObject({
        ok: true,
        result: { text: "x", entities: [{ type: "bold" }], reply_markup: { inline_keyboard: [[{ text: "a" }]] } },
      });
    }
  });
});

test("MarkdownV2 becomes the same entities as HTML", async () => {
  const sandbox = await testSandbox();
  const send = async (text: string, parse_mode: string): Promise<unknown> => {
    const { result } = await callApi(sandbox, "sendMessage", { chat_id: SUPERGROUP_ID, text, parse_mode });
    return { text: result.text, entities: result.entities };
  };
  const markdown =
    "*bold _italic_* __u__ ~s~ ||sp|| [link](https://x.org/) `code` 1\\.5\n>quote\n>more\nend\n```bash\nls\n```";
  const html = `<b>bold <i>italic</i></b> <u>u</u> <s>s</s> <tg-spoiler>sp</tg-spoiler> <a href="https://x.org/">link</a> <code>code</code> 1.5\n<blockquote>quote\nmore</blockquote>\nend\n<pre><code class="language-bash">ls</code></pre>`;
  expect(await send(markdown, "MarkdownV2")).toEqual(await send(html, "HTML"));
});

test("what goes beyond 100 entities is not formatted", async () => {
  const sandbox = await testSandbox();
  const text = "<b>x</b> ".repeat(120);
  const { result } = await callApi(sandbox, "sendMessage", { chat_id: SUPERGROUP_ID, text, parse_mode: "HTML" });
  expect(result.entities).toHaveLength(100);
});

test("tokens and methods that do not exist", async () => {
  const sandbox = await testSandbox();
  expect(await callApi(sandbox, "getMe", {}, "777000111:wrong")).toEqual({
    status: 401,
    ok: false,
    error_code: 401,
    description: "Unauthorized",
  });
  expect(await callApi(sandbox, "getMe", {}, "no-token")).toMatchObject({ status: 404, description: "Not Found" });
  expect(await callApi(sandbox, "sendTelepathy")).toEqual({
    status: 404,
    ok: false,
    error_code: 404,
    description: "Not Found",
  });
  const broken = await fetch(`${sandbox.apiRoot}/bot777000111:AAtestTokenOfTheSandbox-1234567890/getMe`, {
    method: "POST",
    body: "{",
    headers: { "content-type": "application/json" },
  });
  expect([broken.status, await broken.json()]).toEqual([
    400,
    { ok: false, error_code: 400, description: "Bad Request: can't parse JSON object" },
  ]);
  expect((await callApi(sandbox, "getMe")).result).toMatchObject({
    id: 777000111,
    is_bot: true,
    can_read_all_group_messages: false,
  });
});

test("a bot writes first to nobody, and to nobody who blocked it", async () => {
  const sandbox = await testSandbox();
  const send = (): Promise<object> => callApi(sandbox, "sendMessage", { chat_id: ALICE.id, text: "hello" });
  expect(await send()).toMatchObject({
    status: 403,
    error_code: 403,
    description: "Forbidden: bot can't initiate conversation with a user",
  });
  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
  expect(await send()).toMatchObject({ ok: true });
  sandbox.setMember(ALICE.id, 777000111, "kicked");
  expect(await send()).toMatchObject({
    status: 403,
    error_code: 403,
    description: "Forbidden: bot was blocked by the user",
  });
  const updates = await callApi(sandbox, "getUpdates");
  expect(updates.result[1]).toMatchObject({
    my_chat_member: { chat: { id: ALICE.id }, new_chat_member: { status: "kicked", user: { id: 777000111 } } },
  });
  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
  expect(await send()).toMatchObject({ ok: true });
});
