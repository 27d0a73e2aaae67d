import { setTimeout as sleep } from "node:timers/promises";
import { autoRetry } from "@grammyjs/auto-retry";
import { HttpError, type Transformer } from "grammy";

/** A reply is tried for so long against a network that does not answer; milliseconds. Then its update counts as handled. */
const patienceMs = 60_000;

/** Telegram's 429 is waited for. Errors of its own are told to the caller: a reply that never came can be asked for again. */
export function retryLimits(): Transformer {
  return autoRetry({
    maxRetryAttempts: 3,
    maxDelaySeconds: 60,
    rethrowInternalServerErrors: true,
    rethrowHttpErrors: true,
  });
}

/** Repeats a call that got no answer at all, at most every 5 s and for a minute: a short outage loses no reply. */
export function retryNetwork(): Transformer {
  return async (previous, method, payload, signal) => {
    const until = performance.now() + patienceMs;
    for (let failures = 0; ; failures++) {
      try {
        return await previous(method, payload, signal);
      } catch (error) {
        const wait = Math.min(500 * 2 ** failures, 5000);
        if (!(error instanceof HttpError) || signal?.aborted || performance.now() + wait > until) throw error;
        await sleep(wait);
      }
    }
  };
}
