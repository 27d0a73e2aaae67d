import { setTimeout as sleep } from "node:timers/promises";
import type { Transformer } from "grammy";
import type { ApiError } from "grammy/types";
import type { BotDeps } from "../context.ts";
import { longestWaitSeconds } from "./retry.ts";

/** Calls that put something into a chat and count for its limit. */
const counted = new Set([
  "sendMessage",
  "sendPhoto",
  "sendDocument",
  "editMessageText",
  "editMessageCaption",
  "editMessageMedia",
  "editMessageReplyMarkup",
  "copyMessage",
  "forwardMessage",
]);

/**
 * The chat's limit is Telegram's, so replies wait for room too; cards leave them a reserve, they leave one to criticals.
 * Where Telegram wants a longer wait than a reply is good for, its answer is given without asking it once more.
 */
export function spendBudget(deps: Pick<BotDeps, "cards" | "clock">): Transformer {
  return async (previous, method, payload, signal) => {
    const chatId = "chat_id" in payload ? payload.chat_id : undefined;
    if (counted.has(method) && typeof chatId === "number") {
      for (;;) {
        const wait = await deps.cards.spend(chatId, deps.clock.now());
        if (wait === 0) break;
        const seconds = Math.ceil(wait / 1000);
        if (seconds > longestWaitSeconds + 1) return tooMany(seconds);
        // Looked at again at least once a second, as the clock may be moved.
        await sleep(Math.min(wait, 1000));
      }
    }
    return await previous(method, payload, signal);
  };
}

function tooMany(seconds: number): ApiError {
  return {
    ok: false,
    error_code: 429,
    description: `Too Many Requests: retry after ${seconds}`,
    parameters: { retry_after: seconds },
  };
}
