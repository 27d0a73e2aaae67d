import type { Transformer } from "grammy";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import type { TelegramContact } from "../state/contact.ts";

/** Statuses that no working Bot API gives to our token: a revoked token, an address that is none. */
const strange = new Set([401, 404]);

/**
 * Records with every call whether Telegram answers. Whatever it says to a request is an answer; only its own errors and
 * silence are none. Nobody waits for the record.
 */
export function recordContact({
  contact,
  clock,
  logger,
}: {
  readonly contact: Pick<TelegramContact, "ok" | "failed">;
  readonly clock: Clock;
  readonly logger: Logger;
}): Transformer {
  const record = (reason: string | undefined): void => {
    const now = clock.now();
    const written = reason === undefined ? contact.ok(now) : contact.failed(now, reason);
    written.catch((error: unknown) => logger.debug({ error: String(error) }, "contact with Telegram not recorded"));
  };
  return async (previous, method, payload, signal) => {
    try {
      const answer = await previous(method, payload, signal);
      const isNone = !answer.ok && (answer.error_code >= 500 || strange.has(answer.error_code));
      record(isNone ? `${answer.error_code}` : undefined);
      return answer;
    } catch (error) {
      // What we broke off ourselves says nothing about Telegram, unless because it took too long.
      const reason = (signal as AbortSignal | undefined)?.reason as { name?: string } | undefined;
      if (!signal?.aborted || reason?.name === "TimeoutError") record("no answer");
      throw error;
    }
  };
}
