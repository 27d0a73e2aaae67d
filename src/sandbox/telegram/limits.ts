import type { SandboxClock } from "./clock.ts";
import { tooManyRequests } from "./errors.ts";
import type { LimitOptions } from "./options.ts";
import type { ChatRecord } from "./store.ts";

const GROUP_WINDOW_MS = 60_000;
const BOT_WINDOW_MS = 1_000;

/** Telegram's sending budgets, counted on the sandbox's clock. What is refused with 429 is not counted. */
export class SendLimits {
  readonly #clock: SandboxClock;
  readonly #enforce: boolean;
  readonly #groupPerMinute: number;
  readonly #privatePerSecond: number;
  readonly #privateBurst: number;
  readonly #botPerSecond: number;
  readonly #windows = new Map<string, number[]>();
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(clock: SandboxClock, options: LimitOptions = {}) {
    this.#clock = clock;
    this.#enforce = options.enforce ?? true;
    this.#groupPerMinute = options.groupPerMinute ?? 20;
    this.#privatePerSecond = options.privatePerSecond ?? 1;
    this.#privateBurst = options.privateBurst ?? 20;
    this.#botPerSecond = options.botPerSecond ?? 30;
  }

  /** Takes one send or edit from the budgets of the bot and the chat; throws 429 when one of them is empty. */
  spend(botId: number, chat: ChatRecord): void {
    if (!this.#enforce) return;
    const now = this.#clock.now();
    const botWindow = this.#window(`bot ${botId}`, now, BOT_WINDOW_MS);
    refuseFull(botWindow, this.#botPerSecond, now, BOT_WINDOW_MS);
    if (chat.chat.type === "private") this.#takeToken(chat.key, now);
    else {
      const window = this.#window(`${botId} in ${chat.key}`, now, GROUP_WINDOW_MS);
      refuseFull(window, this.#groupPerMinute, now, GROUP_WINDOW_MS);
      window.push(now);
    }
    botWindow.push(now);
  }

  #window(key: string, now: number, lengthMs: number): number[] {
    const times = (this.#windows.get(key) ?? []).filter((time) => time > now - lengthMs);
    this.#windows.set(key, times);
    return times;
  }

  #takeToken(key: string, now: number): void {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#privateBurst, at: now };
    const refilled = bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.#privatePerSecond;
    const tokens = Math.min(this.#privateBurst, refilled);
    if (tokens < 1) {
      this.#buckets.set(key, { tokens, at: now });
      throw tooManyRequests(Math.max(1, Math.ceil((1 - tokens) / this.#privatePerSecond)));
    }
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
  }
}

function refuseFull(times: readonly number[], limit: number, now: number, lengthMs: number): void {
  if (times.length < limit) return;
  const oldest = times[times.length - limit] ?? now;
  throw tooManyRequests(Math.max(1, Math.ceil((oldest + lengthMs - now) / 1000)));
}
