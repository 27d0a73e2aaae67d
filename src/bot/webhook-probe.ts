import type { Api } from "grammy";
import type { WebhookInfo } from "grammy/types";
import type { Clock } from "../core/ports.ts";
import { isTokenRefused } from "./telegram-error.ts";

/** An answer is good for so long; milliseconds. */
const keptMs = 10_000;

/** Telegram is waited for so long; milliseconds. */
const patienceMs = 1200;

/** Asks Telegram whether updates reach the webhook: nothing on our side would notice that they do not. */
export class WebhookProbe {
  readonly #api: Pick<Api, "getWebhookInfo">;
  readonly #url: string;
  readonly #clock: Clock;
  #result: { readonly at: number; readonly problem: string | undefined } | undefined;

  constructor(api: Pick<Api, "getWebhookInfo">, url: string, clock: Clock) {
    this.#api = api;
    this.#url = url;
    this.#clock = clock;
  }

  /** @throws Error with what is wrong, in a few words. */
  async check(): Promise<void> {
    const at = this.#clock.now().getTime();
    if (!this.#result || at - this.#result.at >= keptMs) this.#result = { at, problem: await this.#ask() };
    if (this.#result.problem !== undefined) throw new Error(this.#result.problem);
  }

  async #ask(): Promise<string | undefined> {
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const info = await this.#api.getWebhookInfo(signal as Parameters<Api["getWebhookInfo"]>[0]);
      return this.#problemOf(info);
    } catch (error) {
      return isTokenRefused(error) ? "token refused" : "unreachable";
    }
  }

  #problemOf({ url, pending_update_count: pending, last_error_message: message }: WebhookInfo): string | undefined {
    if (url !== this.#url) return "the webhook is not set";
    // Kept by Telegram after it has gone on: only with updates that wait it is in force.
    return pending > 0 && message !== undefined ? `the webhook fails: ${message}` : undefined;
  }
}
