import { GrammyError, HttpError } from "grammy";
import { describe, expect, test } from "vitest";
import { readFailure } from "../../src/bot/telegram-error.ts";

const refused = (error_code: number, description: string, parameters: object = {}): GrammyError =>
  new GrammyError(
    "Call to 'sendMessage' failed!",
    { ok: false, error_code, description, parameters },
    "sendMessage",
    {},
  );

describe("a failed call of the Bot API", () => {
  test.each([
    [
      400,
      "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
      "not-modified",
    ],
    [400, "Bad Request: message thread not found", "thread-gone"],
    [400, "Bad Request: TOPIC_CLOSED", "thread-gone"],
    [400, "Bad Request: TOPIC_DELETED", "thread-gone"],
    [400, "Bad Request: message to edit not found", "message-gone"],
    [400, "Bad Request: message can't be edited", "message-gone"],
    [400, "Bad Request: MESSAGE_ID_INVALID", "message-gone"],
    [400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 3', "unparsable"],
    [400, "Bad Request: query is too old and response timeout expired or query ID is invalid", "too-old"],
    [400, "Bad Request: message is too long", "rejected"],
    [400, "Bad Request: MESSAGE_TOO_LONG", "rejected"],
    [400, "Bad Request: BUTTON_DATA_INVALID", "rejected"],
    [413, "Request Entity Too Large", "rejected"],
  ])("%i %s means %s", (code, description, kind) => {
    expect(readFailure(refused(code, description)).kind).toBe(kind);
  });

  test.each([
    [403, "Forbidden: bot was blocked by the user"],
    [403, "Forbidden: bot was kicked from the supergroup chat"],
    [403, "Forbidden: user is deactivated"],
    [403, "Forbidden: bot can't initiate conversation with a user"],
    [400, "Bad Request: chat not found"],
    [400, "Bad Request: not enough rights to send text messages to the chat"],
    [400, "Bad Request: have no rights to send a message"],
    [400, "Bad Request: CHAT_WRITE_FORBIDDEN"],
  ])("%i %s ends the deliveries to that chat, with the reason", (code, description) => {
    expect(readFailure(refused(code, description))).toEqual({ kind: "permanent", reason: description });
  });

  test("429 says how long to wait, and a short while when it does not", () => {
    const seconds = (parameters: object): unknown =>
      readFailure(refused(429, "Too Many Requests: retry after 17", parameters));
    expect(seconds({ retry_after: 17 })).toEqual({ kind: "retry-after", seconds: 17 });
    expect(seconds({})).toEqual({ kind: "retry-after", seconds: 5 });
  });

  test("a group that became a supergroup gives the new id", () => {
    const failure = readFailure(
      refused(400, "Bad Request: group chat was upgraded to a supergroup chat", { migrate_to_chat_id: -1001 }),
    );
    expect(failure).toEqual({ kind: "migrated", chatId: -1001 });
  });

  test("a server's mistake may have been carried out, a refused token was not", () => {
    expect(readFailure(refused(502, "Bad Gateway"))).toMatchObject({ kind: "passing", uncertain: true });
    expect(readFailure(refused(500, "Internal Server Error"))).toMatchObject({ kind: "passing", uncertain: true });
    expect(readFailure(refused(401, "Unauthorized"))).toMatchObject({ kind: "passing", uncertain: false });
    expect(readFailure(refused(404, "Not Found"))).toMatchObject({ kind: "passing", uncertain: false });
  });

  test("no answer may have been carried out, whatever was thrown", () => {
    const network = new HttpError("Network request for 'sendMessage' failed!", new Error("read ECONNRESET"));
    for (const thrown of [network, new DOMException("aborted", "AbortError"), "what?"])
      expect(readFailure(thrown)).toMatchObject({ kind: "passing", uncertain: true });
  });
});
