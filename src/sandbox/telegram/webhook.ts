import type { Update, WebhookInfo } from "@grammyjs/types";
import type { SandboxClock } from "./clock.ts";
import { parseJson } from "./params.ts";
import type { UpdateQueue } from "./updates.ts";

const MAX_RETRY_MS = 60_000;
const ANSWER_TIMEOUT_MS = 60_000;

/** Sends a bot's updates to its webhook, one after the other, repeating each until it is taken. */
export class Webhook {
  readonly #queue: UpdateQueue;
  readonly #clock: SandboxClock;
  readonly #retryMs: number;
  #url = "";
  #secret = "";
  #maxConnections = 40;
  #stop = new AbortController();
  #wake: (() => void) | undefined;
  #lastError: { date: number; message: string } | undefined;
  /** Carries out a method call that the bot gave as the answer to an update. */
  onReply: (body: Record<string, unknown>) => Promise<void> = () => Promise.resolve();

  constructor(queue: UpdateQueue, clock: SandboxClock, retryMs: number) {
    this.#queue = queue;
    this.#clock = clock;
    this.#retryMs = retryMs;
    queue.onPush = () => this.#wake?.();
  }

  get url(): string {
    return this.#url;
  }

  /** Starts delivering to `url`; "" stops. */
  set(url: string, secret: string, maxConnections: number): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#url = url;
    this.#secret = secret;
    this.#maxConnections = maxConnections || 40;
    this.#lastError = undefined;
    if (url !== "") void this.#run(this.#stop.signal);
  }

  info(): WebhookInfo {
    const allowed = this.#queue.allowed;
    return {
      url: this.#url,
      has_custom_certificate: false,
      pending_update_count: this.#queue.count(),
      ...(this.#url === "" ? {} : { max_connections: this.#maxConnections, ip_address: "127.0.0.1" }),
      ...(this.#lastError
        ? { last_error_date: this.#lastError.date, last_error_message: this.#lastError.message }
        : {}),
      ...(allowed ? { allowed_updates: [...allowed] as Exclude<WebhookInfo["allowed_updates"], undefined> } : {}),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let pause = this.#retryMs;
    while (!signal.aborted) {
      const update = this.#queue.first();
      if (!update) {
        await this.#pushed(signal);
        continue;
      }
      const failure = await this.#deliver(update, signal);
      if (signal.aborted) return;
      if (failure === undefined) {
        this.#queue.confirm(update.update_id);
        pause = this.#retryMs;
      } else {
        this.#lastError = { date: this.#clock.unix(), message: failure };
        await wait(pause, signal);
        pause = Math.min(pause * 2, MAX_RETRY_MS);
      }
    }
  }

  #pushed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Returns why the webhook did not take the update, in the real server's words; undefined when it did. */
  async #deliver(update: Update, signal: AbortSignal): Promise<string | undefined> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.#secret !== "") headers["x-telegram-bot-api-secret-token"] = this.#secret;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers,
        body: JSON.stringify(update),
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      const body = await response.text();
      if (!response.ok) return `Wrong response from the webhook: ${response.status} ${response.statusText}`;
      await this.#reply(response.headers.get("content-type"), body);
      return undefined;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      if (cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED") return "Connection refused";
      return error instanceof Error && error.name === "TimeoutError"
        ? "Read timeout expired"
        : "Connection reset by peer";
    }
  }

  async #reply(contentType: string | null, body: string): Promise<void> {
    if (!contentType?.includes("json") || body.trim() === "") return;
    const value = parseJson(body)?.value;
    if (typeof value === "object" && value !== null && "method" in value) await this.onReply({ ...value });
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
