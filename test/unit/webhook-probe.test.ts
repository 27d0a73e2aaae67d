import { GrammyError } from "grammy";
import type { WebhookInfo } from "grammy/types";
import { expect, test } from "vitest";
import { WebhookProbe } from "../../src/bot/webhook-probe.ts";
import { ManualClock } from "../support/state.ts";

const url = "https://example.org/telegram";
const well: WebhookInfo = { url, has_custom_certificate: false, pending_update_count: 0 };
const refused = new GrammyError("x", { ok: false, error_code: 401, description: "Unauthorized" }, "getWebhookInfo", {});

/** A probe whose Telegram answers so. */
function probe(answer: WebhookInfo | Error) {
  const clock = new ManualClock();
  const told = { answer, asked: 0 };
  const getWebhookInfo = async (): Promise<WebhookInfo> => {
    told.asked += 1;
    if (told.answer instanceof Error) throw told.answer;
    return told.answer;
  };
  return { clock, told, probe: new WebhookProbe({ getWebhookInfo }, url, clock) };
}

test.each([
  ["a refused token", refused, "token refused"],
  ["no answer", new Error("connect ECONNREFUSED"), "unreachable"],
  ["another address", { ...well, url: "https://elsewhere.example/" }, "the webhook is not set"],
  [
    "updates that do not arrive",
    { ...well, pending_update_count: 3, last_error_date: 1, last_error_message: "Connection refused" },
    "the webhook fails: Connection refused",
  ],
] as const)("%s is told", async (_what, answer, problem) => {
  await expect(probe(answer).probe.check()).rejects.toThrow(problem);
});

test("an error of the past, with nothing waiting, is none any more", async () => {
  const past = { ...well, last_error_date: 1, last_error_message: "Connection refused" };
  await expect(probe(past).probe.check()).resolves.toBeUndefined();
});

test("an answer is good for some seconds, a bad one as well", async () => {
  const { clock, told, probe: looked } = probe(refused);
  await expect(looked.check()).rejects.toThrow("token refused");
  told.answer = well;
  await expect(looked.check()).rejects.toThrow("token refused");
  expect(told.asked).toBe(1);
  clock.advance(10_000);
  await expect(looked.check()).resolves.toBeUndefined();
});
