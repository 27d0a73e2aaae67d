import { setTimeout as sleep } from "node:timers/promises";
import { autoRetry } from "@grammyjs/auto-retry";
import { HttpError, type Transformer } from "grammy";
import type { BotDeps } from "../context.ts";

/** A reply is tried for so long against a network or a server that fails; milliseconds. Then its update counts as handled. */
const patienceMs = 60_000;

/** Longer waits than this are told to the caller. */
export const longestWaitSeconds = 60;

/** Telegram's 429 is waited for. */
export function retryLimits(): Transformer {
  return autoRetry({
    maxRetryAttempts: 3,
    maxDelaySeconds: longestWaitSeconds,
    rethrowInternalServerErrors: true,
    rethrowHttpErrors: true,
  });
}

/**
 * Repeats a call that got no answer at all, or an error of the server's own, at most every 5 s and for a minute: a
 * short outage loses no reply. What was carried out all the same is then done twice, which is better than not at all.
 */
export function retryOutages(): Transformer {
  return async (previous, method, payload, signal) => {
    const until = performance.now() + patienceMs;
    for (let failures = 0; ; failures++) {
      const wait = Math.min(500 * 2 ** failures, 5000);
      const isLast = signal?.aborted === true || performance.now() + wait > until;
      try {
        const answer = await previous(method, payload, signal);
        if (answer.ok || answer.error_code < 500 || isLast) return answer;
      } catch (error) {
        if (!(error instanceof HttpError) || isLast) throw error;
      }
      await sleep(wait);
    }
  };
}

/** Telegram's 429 holds for everything in that chat, also for what others send there: cards, other replies. */
export function recordLimits(deps: Pick<BotDeps, "cards" | "clock">): Transformer {
  return async (previous, method, payload, signal) => {
    const answer = await previous(method, payload, signal);
    const seconds = answer.ok ? undefined : answer.parameters?.retry_after;
    if (seconds !== undefined && "chat_id" in payload && typeof payload.chat_id === "number")
      await deps.cards.block(payload.chat_id, new Date(deps.clock.now().getTime() + seconds * 1000));
    return answer;
  };
}
