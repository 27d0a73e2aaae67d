import { createHash } from "node:crypto";
import { type Api, InputFile } from "grammy";
import type { InlineKeyboardButton } from "grammy/types";
import type { Config } from "../app/config.ts";
import { deliveryBackoff } from "../core/card.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { type Messages, messagesOf } from "../messages/index.ts";
import { notifyAdmins } from "../services/notices.ts";
import type { Cards, Claim } from "../state/cards.ts";
import type { CardKind, Rendering } from "./cards/types.ts";
import { plainText, shorten } from "./html.ts";
import { readFailure } from "./telegram-error.ts";

export interface DeliveryDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly kinds: ReadonlyMap<string, CardKind<unknown>>;
  /** Without the transformer that spends the budget: a claim has spent it already. */
  readonly api: Api;
  /** Called after every send and edit, for metrics. */
  readonly onDelivered?: (what: "send" | "edit" | "skip" | "failure") => void;
}

/** Prefix of a card button's data. */
export const cardToken = "c:";

/** A card may be sent without a recorded answer at most this long before the claim ends. */
const callTimeoutMs = 4000;

/**
 * Brings one dirty placement into the chat: renders the newest state, sends or edits, records. Returns false when
 * nothing was due. Every failure leaves the placement either dirty with a time to retry, or dropped with a reason.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Takes and delivers the most urgent due placement. Returns the milliseconds until it is worth asking again (0: at once). */
  async step(): Promise<number | undefined> {
    const claim = await this.#deps.cards.take(this.#deps.clock.now());
    if (!("placement" in claim)) return claim.waitMs;
    await this.#deliver(claim);
    return 0;
  }

  async #deliver(claim: Claim): Promise<void> {
    const { cards, clock, logger, kinds } = this.#deps;
    const kind = kinds.get(claim.card.kind);
    if (!kind) {
      logger.error({ card: claim.card }, "no renderer for this kind of card");
      await cards.fail(claim, { drop: true }, clock.now());
      return;
    }
    try {
      await this.#show(claim, kind);
    } catch (error) {
      await this.#handle(claim, error);
    }
  }

  #messages(chatId: number): Messages {
    const { config } = this.#deps;
    const chat = Object.values(config.telegram?.chats ?? {}).find((candidate) => candidate.id === chatId);
    const user = config.telegram?.users.find((candidate) => candidate.id === chatId);
    return messagesOf(chat?.locale ?? user?.locale ?? config.locale);
  }

  async #show(claim: Claim, kind: CardKind<unknown>): Promise<void> {
    const { cards, clock, config } = this.#deps;
    const messages = this.#messages(claim.target.chatId);
    const rendering = kind.render(claim.body, { messages, timezone: config.timezone, now: clock.now() });
    const whole = rendering.document?.text ?? plainText(rendering.html);
    const text = shorten(rendering.html, messages.plain("card-cut"));
    const hash = digest(JSON.stringify([text.html, rendering.buttons]));
    const raises = rendering.raise !== undefined && rendering.raise !== claim.raised;
    if (claim.messageId !== undefined && hash === claim.renderedHash && !raises) {
      await cards.done(claim, { messageId: claim.messageId, hash, spent: false }, clock.now());
      this.#deps.onDelivered?.("skip");
      return;
    }
    const moved = raises ? claim.messageId : undefined;
    const keyboard = await this.#keyboard(claim.placement, rendering);
    const messageId =
      claim.messageId === undefined || raises
        ? await this.#send(claim, text.html, keyboard)
        : await this.#edit(claim, claim.messageId, text.html, keyboard);
    const inForce = await cards.done(
      claim,
      {
        messageId,
        hash,
        spent: true,
        replaced: moved !== undefined,
        ...(rendering.raise === undefined ? {} : { raised: rendering.raise }),
      },
      clock.now(),
    );
    // Two of us sent at the same time, or a press adopted the other copy: ours is the duplicate.
    if (inForce !== messageId) await this.#strip(claim.target.chatId, messageId);
    if (moved !== undefined) await this.#strip(claim.target.chatId, moved);
    if ((text.cut || rendering.document) && claim.documentHash !== digest(whole))
      await this.#attach(claim, messageId, rendering, whole, hash);
  }

  async #keyboard(placement: string, rendering: Rendering): Promise<InlineKeyboardButton[][]> {
    return await Promise.all(
      rendering.buttons.map((row) =>
        Promise.all(
          row.map(async (button) => ({
            text: button.label,
            callback_data: cardToken + (await this.#deps.cards.buttonToken(placement, button.action)),
            ...(button.style ? { style: button.style } : {}),
          })),
        ),
      ),
    );
  }

  async #send(claim: Claim, html: string, keyboard: InlineKeyboardButton[][]): Promise<number> {
    const { chatId, threadId } = claim.target;
    const options = {
      ...(threadId === undefined ? {} : { message_thread_id: threadId }),
      disable_notification: claim.silent || claim.urgency === "progress",
      link_preview_options: { is_disabled: true },
      reply_markup: { inline_keyboard: keyboard },
    };
    const send = async (text: string, parse: boolean): Promise<number> =>
      (
        await this.#deps.api.sendMessage(
          chatId,
          text,
          { ...options, ...(parse ? { parse_mode: "HTML" as const } : {}) },
          this.#timeout(),
        )
      ).message_id;
    this.#deps.onDelivered?.("send");
    return await this.#withPlainFallback(html, send);
  }

  async #edit(claim: Claim, messageId: number, html: string, keyboard: InlineKeyboardButton[][]): Promise<number> {
    const edit = async (text: string, parse: boolean): Promise<number> => {
      const options = { link_preview_options: { is_disabled: true }, reply_markup: { inline_keyboard: keyboard } };
      try {
        await this.#deps.api.editMessageText(
          claim.target.chatId,
          messageId,
          text,
          { ...options, ...(parse ? { parse_mode: "HTML" as const } : {}) },
          this.#timeout(),
        );
      } catch (error) {
        if (readFailure(error).kind !== "not-modified") throw error;
      }
      return messageId;
    };
    this.#deps.onDelivered?.("edit");
    return await this.#withPlainFallback(html, edit);
  }

  /** Our HTML cannot break; should Telegram think otherwise, the text still has to be seen. */
  async #withPlainFallback(html: string, call: (text: string, parse: boolean) => Promise<number>): Promise<number> {
    try {
      return await call(html, true);
    } catch (error) {
      if (readFailure(error).kind !== "unparsable") throw error;
      this.#deps.logger.error({ error: String(error) }, "Telegram could not parse a card; sent as plain text");
      return await call(plainText(html), false);
    }
  }

  /** The whole text as a file, as a reply to the card; once per text. */
  async #attach(claim: Claim, messageId: number, rendering: Rendering, whole: string, hash: string): Promise<void> {
    const { cards, clock, logger, api } = this.#deps;
    const { chatId, threadId } = claim.target;
    if ((await cards.spend(chatId, clock.now())) > 0) {
      // No budget now: the card is looked at again, and the file follows.
      await cards.touch(claim.card, "normal", clock.now());
      return;
    }
    try {
      const file = new InputFile(
        Buffer.from(whole),
        rendering.document?.name ?? `${claim.card.kind}-${claim.card.id}.txt`,
      );
      await api.sendDocument(chatId, file, {
        ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        disable_notification: true,
        reply_parameters: { message_id: messageId, allow_sending_without_reply: true },
      });
      await cards.recordDocument(claim.placement, digest(whole));
    } catch (error) {
      logger.warn(
        { card: claim.card, hash, error: String(error) },
        "the whole text of a card could not be sent as a file",
      );
    }
  }

  /** A message that is no longer the card keeps its text and loses its buttons. */
  async #strip(chatId: number, messageId: number): Promise<void> {
    try {
      await this.#deps.api.editMessageReplyMarkup(
        chatId,
        messageId,
        { reply_markup: { inline_keyboard: [] } },
        this.#timeout(),
      );
    } catch (error) {
      this.#deps.logger.debug(
        { chatId, messageId, error: String(error) },
        "buttons of an old copy could not be removed",
      );
    }
  }

  #timeout(): Parameters<Api["sendMessage"]>[3] {
    return AbortSignal.timeout(callTimeoutMs) as Parameters<Api["sendMessage"]>[3];
  }

  async #handle(claim: Claim, error: unknown): Promise<void> {
    const { cards, clock, logger } = this.#deps;
    const failure = readFailure(error);
    const now = clock.now();
    this.#deps.onDelivered?.("failure");
    const later = (ms: number): Date => new Date(now.getTime() + ms);
    switch (failure.kind) {
      case "retry-after": {
        const until = later(failure.seconds * 1000);
        await cards.block(claim.target.chatId, until);
        return await cards.fail(claim, { retryAt: until }, now);
      }
      case "migrated":
        logger.info({ from: claim.target.chatId, to: failure.chatId }, "the group became a supergroup");
        return await cards.migrate(claim.target.chatId, failure.chatId);
      case "thread-gone":
        logger.warn({ target: claim.target }, "the topic is gone or closed; writing to the chat without it");
        return await cards.fail(claim, { withoutTopic: true }, now);
      case "message-gone":
        return await cards.fail(claim, { forget: true }, now);
      case "permanent": {
        logger.error(
          { chat: claim.target.chatId, reason: failure.reason },
          "Telegram refuses this chat; nothing more is sent there until it writes to us or the bot restarts",
        );
        await cards.fail(claim, { disable: failure.reason, retryAt: later(60_000) }, now);
        return await notifyAdmins(
          this.#deps,
          `chat-refused:${claim.target.chatId}:${now.toISOString().slice(0, 10)}`,
          { message: "notice-chat-refused", args: { chat: String(claim.target.chatId), reason: failure.reason } },
          claim.target.chatId,
        );
      }
      case "rejected":
      case "unparsable":
      case "not-modified":
      case "too-old":
        logger.error({ card: claim.card, failure }, "Telegram rejected a card");
        // A later change may be acceptable; the same text is tried rarely.
        return await cards.fail(claim, { retryAt: later(Math.max(60_000, deliveryBackoff(claim.failures))) }, now);
      case "passing":
        logger.warn(
          { card: claim.card, reason: failure.reason, failures: claim.failures + 1 },
          "a card could not be delivered now",
        );
        return await cards.fail(
          claim,
          {
            retryAt: later(deliveryBackoff(claim.failures)),
            uncertain: failure.uncertain && claim.messageId === undefined,
          },
          now,
        );
    }
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
