import { type Api, HttpError } from "grammy";
import type { BotConfig } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { Signal } from "../core/signal.ts";
import type { Logger } from "../lib/logger.ts";
import { networkCode } from "../lib/resilience.ts";
import { formatDuration, formatTime } from "../messages/format.ts";
import { type Messages, messagesOf } from "../messages/index.ts";
import type { Alerts } from "../services/alerts/alerts.ts";
import { refusalOf } from "../state/redis.ts";
import { readFailure } from "./telegram-error.ts";

export interface RedisOutageDeps {
  readonly config: BotConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes something into Redis. */
  readonly probe: () => Promise<unknown>;
  readonly alerts: Pick<Alerts, "receive">;
  /** The same without a card: what the message tells already is only remembered. */
  readonly history: Pick<Alerts, "receive">;
  readonly host: string;
  readonly api: Api;
  /** Whether another bot is known to be the one that watches. */
  readonly standsBy: () => boolean;
}

/** Milliseconds between two questions. */
const everyMs = 5000;

/** Redis is away after so long without taking a write; milliseconds. */
const awayAfterMs = 30_000;

/**
 * A bot that stood by cannot know whether the one that watched is still there to tell: so much later it tells it as well,
 * better twice than never. Each has its own moment; milliseconds.
 */
const standsByMs = { least: 90_000, spread: 30_000 };

/** After an outage the bot that watched is the first to record it; milliseconds. */
const recordsLaterMs = 10_000;

/** A further outage within this time uses the message of the one before; milliseconds. */
const sameMessageMs = 10 * 60_000;

interface Outage {
  readonly from: number;
  readonly to: number;
  readonly refusal: string | undefined;
  /** Not recorded before. */
  readonly notBefore: number;
}

interface Told {
  readonly chatId: number;
  readonly messageId: number;
  readonly at: number;
}

/**
 * Tells the chat that Redis gives no answer, or takes no writes, which everything else here needs: one message, sent
 * without Redis, by the bot that watched when it went away, and after a while by those that stood by. When it is back the message says from when to when, and
 * the history has an incident. Silent hours do not count: nothing else is told in the meantime.
 */
export class RedisOutage {
  readonly #deps: RedisOutageDeps;
  #timer: NodeJS.Timeout | undefined;
  #asked: Promise<void> | undefined;
  #answeredAt: number;
  /** A bot that starts without Redis does not know who watches; better told twice than not at all. */
  #stoodBy = false;
  readonly #standsByMs = standsByMs.least + Math.random() * standsByMs.spread;
  #awaySince: number | undefined;
  /** The word with which it refuses to write; undefined: it gives no answer. */
  #refusal: string | undefined;
  #told: Told | undefined;
  /** What the message says is going on: since when, and how. */
  #saysAway: string | undefined;
  /** The outage that is over and not said to be. */
  #over: Outage | undefined;
  #isUncertain = false;
  #notBefore = 0;
  #saying: Promise<void> | undefined;

  constructor(deps: RedisOutageDeps) {
    this.#deps = deps;
    this.#answeredAt = deps.clock.now().getTime();
  }

  start(): void {
    this.#timer = setInterval(() => void this.step(), everyMs);
    void this.step();
  }

  /** Asks no more, and waits for what is being said. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saying;
  }

  /** Looks once. Resolves when what is to be said has been said, or could not be; true when Redis answers. */
  async step(): Promise<boolean> {
    this.#ask();
    // An answer takes a moment.
    await Promise.race([this.#asked, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    const now = this.#deps.clock.now().getTime();
    if (this.#awaySince === undefined && now - this.#answeredAt >= awayAfterMs) {
      this.#awaySince = this.#answeredAt;
      this.#stoodBy = this.#deps.standsBy();
      this.#isUncertain = false;
      const since = new Date(this.#answeredAt).toISOString();
      this.#deps.logger.error({ since, refusal: this.#refusal }, "Redis is away");
    }
    this.#saying ??= this.#say().finally(() => (this.#saying = undefined));
    // What is said after an outage is recorded in Redis, which may be away again.
    if (!this.#asked || this.#awaySince !== undefined) await this.#saying;
    return !this.#asked;
  }

  /** One question at a time: without a connection they would queue up. */
  #ask(): void {
    this.#asked ??= this.#deps
      .probe()
      .then(
        () => this.#answered(),
        (error: unknown) => {
          this.#refusal = refusalOf(error);
        },
      )
      .finally(() => (this.#asked = undefined));
  }

  #answered(): void {
    const { clock, logger } = this.#deps;
    const since = this.#awaySince;
    const refusal = this.#refusal;
    this.#refusal = undefined;
    this.#answeredAt = clock.now().getTime();
    this.#awaySince = undefined;
    if (since === undefined) return;
    logger.info({ since: new Date(since).toISOString() }, "Redis takes writes again");
    const to = this.#answeredAt;
    const notBefore = this.#stoodBy && this.#told === undefined ? to + recordsLaterMs : to;
    this.#over = { from: this.#over?.from ?? since, to, refusal, notBefore };
  }

  async #say(): Promise<void> {
    const now = this.#deps.clock.now().getTime();
    if (now < this.#notBefore) return;
    try {
      if (this.#awaySince !== undefined) await this.#sayAway(this.#awaySince);
      else if (this.#over && now >= this.#over.notBefore) await this.#sayOver(this.#over);
    } catch (error) {
      const failure = readFailure(error);
      this.#deps.logger.warn({ failure }, "the outage of Redis could not be told now");
      const waitMs = failure.kind === "retry-after" ? failure.seconds * 1000 : everyMs;
      this.#notBefore = this.#deps.clock.now().getTime() + waitMs;
    }
  }

  async #sayAway(since: number): Promise<void> {
    const { config, host, clock } = this.#deps;
    const [chat] = Object.values(config.telegram.chats);
    const code = this.#refusal;
    const says = `${since} ${code ?? ""}`;
    if (!chat || this.#isUncertain || this.#saysAway === says) return;
    if (this.#stoodBy && clock.now().getTime() - since < this.#standsByMs) return;
    const texts = messagesOf(chat.locale ?? config.locale);
    const args = { since: this.#time(since, texts), host, code: code ?? "" };
    const html = texts.t(code === undefined ? "watch-redis-away" : "watch-redis-refuses", args);
    const now = clock.now().getTime();
    const isSame = this.#saysAway !== undefined || (this.#told && now - this.#told.at < sameMessageMs);
    if (this.#told && isSame) await this.#edit(this.#told, html);
    else this.#told = { ...(await this.#send(chat.id, html)), at: now };
    this.#saysAway = says;
  }

  async #sayOver({ from, to, refusal }: Outage): Promise<void> {
    const { config, host, alerts, history } = this.#deps;
    const [chat] = Object.values(config.telegram.chats);
    const texts = messagesOf(chat?.locale ?? config.locale);
    const isTold = this.#told !== undefined && this.#saysAway !== undefined;
    if (this.#told && isTold) {
      const span = { from: this.#time(from, texts), to: this.#time(to, texts) };
      await this.#edit(
        this.#told,
        texts.t(refusal === undefined ? "watch-redis-back" : "watch-redis-accepts", {
          ...span,
          for: formatDuration(to - from, texts.locale),
          host,
        }),
      );
    }
    await (isTold ? history : alerts).receive(outageSignals(host, new Date(from), new Date(to), refusal));
    this.#saysAway = undefined;
    this.#over = undefined;
  }

  #time(at: number, texts: Messages): string {
    return formatTime(new Date(at), texts.locale, this.#deps.config.timezone);
  }

  async #send(chatId: number, html: string): Promise<{ chatId: number; messageId: number }> {
    try {
      const message = await this.#deps.api.sendMessage(chatId, html, { parse_mode: "HTML" }, timeLimit());
      return { chatId, messageId: message.message_id };
    } catch (error) {
      const failure = readFailure(error);
      if (failure.kind === "migrated") return await this.#send(failure.chatId, html);
      // Without an answer it may be in the chat already: one message that is missing is better than a new one every
      // few seconds.
      this.#isUncertain = mayHaveArrived(error);
      throw error;
    }
  }

  async #edit({ chatId, messageId }: Told, html: string): Promise<void> {
    try {
      await this.#deps.api.editMessageText(chatId, messageId, html, { parse_mode: "HTML" }, timeLimit());
    } catch (error) {
      const { kind } = readFailure(error);
      if (kind !== "not-modified" && kind !== "message-gone" && kind !== "permanent") throw error;
    }
  }
}

/** Nothing has reached Telegram over these. */
const notConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"]);

/** Whether a request that failed may have been carried out: it was sent, and there was no answer of any kind. */
function mayHaveArrived(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  // A page of something in between instead of Telegram's answer.
  const isAnswered = (error.error as { type?: string } | undefined)?.type === "invalid-json";
  return !isAnswered && !notConnected.has(networkCode(error.error) ?? "");
}

function timeLimit(): Parameters<Api["sendMessage"]>[3] {
  return AbortSignal.timeout(10_000) as Parameters<Api["sendMessage"]>[3];
}

/** For the history: it began, and it is over. */
function outageSignals(host: string, from: Date, to: Date, refusal: string | undefined): Signal[] {
  const signal = {
    source: "watch",
    fingerprint: "redis",
    severity: "critical",
    title: { key: refusal === undefined ? "watch-redis" : "watch-redis-refused" },
    text: {
      key: refusal === undefined ? "watch-redis-text" : "watch-redis-refused-text",
      args: { host, code: refusal ?? "" },
    },
    labels: { check: "redis" },
    startsAt: from.toISOString(),
    repeats: false,
  } as const;
  return [
    { ...signal, status: "firing" },
    { ...signal, status: "resolved", endsAt: to.toISOString() },
  ];
}
