import { createHash, randomInt, timingSafeEqual } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Message } from "@grammyjs/types";
import type { Api } from "grammy";
import type { Clock } from "../../core/ports.ts";
import { asSignal, telegramError } from "../../services/probes/telegram.ts";

/** A code is good for this long, in milliseconds. */
export const codeLifetimeMs = 10 * 60_000;

/** Seconds that one call waits for news. */
const pollSeconds = 25;
const retryMs = 1000;

/** Without letters and digits that look alike; 32 of them, so that each gives 5 bits. */
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** A one-time code of 50 random bits, short enough to be typed. */
export function newCode(): string {
  return Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/** Compares in constant time: digests have the same length whatever was sent. */
export function sameCode(given: string, code: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given.toUpperCase()), digest(code));
}

/** Who sent the code, and where. */
export interface Pairing {
  readonly user: { readonly id: number; readonly name: string };
  readonly chat: { readonly id: number; readonly title: string };
  /** The topic of a forum group. */
  readonly threadId?: number;
}

export interface Expectation {
  readonly code: string;
  readonly where: "private" | "group";
  /** In the group: the person who was paired before. */
  readonly from?: number;
  /** Told when somebody sends the right code in a way that does not count. */
  readonly onRefused: (reason: "anonymous" | "other-person" | "not-private" | "not-group") => void;
}

export interface PairingDeps {
  readonly api: Api;
  readonly apiRoot: string;
  readonly username: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Waits for `/start <code>`. Everything else is read and gets no answer: strangers shall not learn that anybody
 * listens. What was sent before the code existed cannot hold it.
 */
export class PairingListener {
  readonly #deps: PairingDeps;
  #offset = 0;

  constructor(deps: PairingDeps) {
    this.#deps = deps;
  }

  /**
   * The message with the code, or undefined when its time is over.
   * @throws AppError `telegram` when another program polls (context.code 409) or the token is no longer good.
   */
  async wait(expectation: Expectation): Promise<Pairing | undefined> {
    const { clock, signal } = this.#deps;
    const deadline = clock.now().getTime() + codeLifetimeMs;
    for (;;) {
      signal.throwIfAborted();
      const left = deadline - clock.now().getTime();
      if (left <= 0) return undefined;
      for (const update of await this.#poll(Math.min(pollSeconds, Math.ceil(left / 1000)))) {
        this.#offset = update.update_id + 1;
        const expired = clock.now().getTime() > deadline;
        const pairing = update.message && !expired ? this.#match(update.message, expectation) : undefined;
        if (pairing) return pairing;
      }
    }
  }

  /** Tells Telegram that everything read so far is done with, so that the bot does not get it again. */
  async finish(): Promise<void> {
    if (this.#offset > 0) await this.#deps.api.getUpdates({ offset: this.#offset, limit: 1, timeout: 0 });
  }

  async #poll(timeout: number) {
    const { api, apiRoot, signal } = this.#deps;
    try {
      const allowed = ["message"] as const;
      return await api.getUpdates({ offset: this.#offset, timeout, allowed_updates: allowed }, asSignal(signal));
    } catch (error) {
      signal.throwIfAborted();
      const failure = telegramError(error, apiRoot);
      if (failure.permanent) throw failure;
      const { retryAfter } = failure.context;
      await delay(typeof retryAfter === "number" ? retryAfter * 1000 : retryMs, undefined, { signal });
      return [];
    }
  }

  #match(message: Message, { code, where, from, onRefused }: Expectation): Pairing | undefined {
    const [, addressee, given] = /^\/start(?:@(\w+))?\s+(\S+)\s*$/.exec(message.text ?? "") ?? [];
    if (given === undefined || !sameCode(given, code) || message.forward_origin) return undefined;
    if (addressee !== undefined && addressee.toLowerCase() !== this.#deps.username.toLowerCase()) return undefined;
    const { chat, from: sender } = message;
    if (message.sender_chat || !sender || sender.is_bot) {
      onRefused("anonymous");
      return undefined;
    }
    if ((chat.type === "private") !== (where === "private")) {
      onRefused(where === "private" ? "not-private" : "not-group");
      return undefined;
    }
    if (from !== undefined && sender.id !== from) {
      onRefused("other-person");
      return undefined;
    }
    return {
      user: { id: sender.id, name: [sender.first_name, sender.last_name].filter(Boolean).join(" ") },
      chat: { id: chat.id, title: chat.title ?? sender.first_name },
      ...(message.is_topic_message && message.message_thread_id ? { threadId: message.message_thread_id } : {}),
    };
  }
}
