import { type Api, InputFile } from "grammy";
import type { InlineKeyboardButton } from "grammy/types";
import type { Config } from "../app/config.ts";
import { deliveryBackoff } from "../core/card.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { type Messages, messagesOf } from "../messages/index.ts";
import { configuredChat, moveChat } from "../services/chats.ts";
import { type Notice, notifyAdmins } from "../services/notices.ts";
import type { Cards } from "../state/cards.ts";
import type { Claim, Delivered } from "../state/claims.ts";
import type { Languages } from "../state/languages.ts";
import type { CardKind, CardReply, Rendering } from "./cards/types.ts";
import { cut } from "./foreign-text.ts";
import { plainText, shorten } from "./html.ts";
import { fitted, isRaised, isUnsaid, nextErrand, type Shown } from "./shown.ts";
import { readFailure } from "./telegram-error.ts";

export interface DeliveryDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  /** Which language a person has chosen; without it, the configuration's. */
  readonly languages?: Pick<Languages, "read">;
  readonly kinds: ReadonlyMap<string, CardKind<unknown>>;
  /** Hosts on which a worker is alive. */
  readonly workers?: () => Promise<ReadonlySet<string>>;
  /** Without the transformer that spends the budget: a claim has spent it already. */
  readonly api: Api;
  /** Called at every send and edit, for metrics. */
  readonly onDelivered?: (what: "send" | "edit" | "skip" | "failure") => void;
  /** Milliseconds for one call to Telegram; never beyond the end of the claim. Default 4000. */
  readonly callTimeoutMs?: number;
}

/** Prefix of a card button's data. */
export const cardToken = "c:";

/** Longest title on an old copy; UTF-16 units. */
const longestReference = 300;

/** A call whose answer could not be recorded any more within the claim is not begun. Milliseconds. */
const recordingMs = 300;

interface SendOptions {
  readonly silent?: boolean | undefined;
  readonly replyTo?: number | undefined;
  readonly forceReply?: string | undefined;
}

/**
 * Brings one dirty placement into the chat: renders the newest state, makes one call, records. What is left to do
 * (a file with the whole text, buttons of an old copy) stays dirty and is done by a further claim. Every failure
 * leaves the placement either dirty with a time to retry, or dropped with a reason.
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
    const { cards, logger, kinds } = this.#deps;
    const kind = kinds.get(claim.card.kind);
    if (!kind) {
      logger.error({ card: claim.card }, "no renderer for this kind of card");
      await cards.fail(claim, { drop: true });
      return;
    }
    try {
      await this.#show(claim, kind);
    } catch (error) {
      await this.#handle(claim, error);
    }
  }

  /** A group's cards are in the group's language, a private chat's in the one that the person has chosen. */
  async #messages(chatId: number): Promise<Messages> {
    const { config, languages } = this.#deps;
    const chat = (await configuredChat(this.#deps, chatId))?.chat;
    const user = config.telegram?.users.find((candidate) => candidate.id === chatId);
    const chosen = user ? await languages?.read(user.id) : undefined;
    return messagesOf(chosen ?? chat?.locale ?? user?.locale ?? config.locale);
  }

  async #show(claim: Claim, kind: CardKind<unknown>): Promise<void> {
    const shown = await this.#render(claim, kind);
    if (claim.moved !== undefined) return await this.#leave(claim, claim.moved, shown);
    const { hash, document } = shown;
    const fileFollows = document !== undefined && document.hash !== claim.documentHash;
    const result = { messageId: claim.messageId ?? 0, hash, spent: true };
    switch (nextErrand(claim, shown)) {
      case "nothing":
        this.#deps.onDelivered?.("skip");
        return await this.#done(claim, { ...result, spent: false });
      case "reply":
        return await this.#reply(claim, kind, shown, fileFollows);
      case "strip":
        await this.#strip(claim, shown);
        return await this.#done(claim, { ...result, stripped: true, more: fileFollows });
      case "document":
        await this.#attach(claim, document);
        return await this.#done(claim, { ...result, ...(document ? { documentHash: document.hash } : {}) });
      case "message":
        return await this.#message(claim, shown, fileFollows);
    }
  }

  async #message(claim: Claim, { html, hash, rendering }: Shown, fileFollows: boolean): Promise<void> {
    const { messageId: recorded } = claim;
    const keyboard = await this.#keyboard(claim.placement, rendering);
    const replaced = recorded !== undefined && isRaised(claim, rendering);
    const messageId =
      recorded === undefined || replaced
        ? await this.#send(claim, html, keyboard, { silent: rendering.silent })
        : await this.#edit(claim, recorded, html, keyboard);
    await this.#done(claim, {
      messageId,
      hash,
      spent: true,
      replaced,
      more: replaced || fileFollows || claim.stray !== undefined || isUnsaid(claim, rendering),
      ...(rendering.raise === undefined ? {} : { raised: rendering.raise }),
    });
  }

  async #reply(claim: Claim, kind: CardKind<unknown>, { rendering, hash }: Shown, fileFollows: boolean): Promise<void> {
    const { key, html, forceReply }: CardReply = rendering.reply ?? { key: "", html: "" };
    const messageId = await this.#send(claim, shorten(html, "…").html, [], {
      silent: rendering.silent,
      replyTo: claim.messageId,
      forceReply,
    });
    // On record before it is done: after a kill in between it is asked once more, and both are answered.
    if (forceReply !== undefined) await kind.asked?.(claim.card.id, key, { chatId: claim.target.chatId, messageId });
    const more = fileFollows || claim.stray !== undefined;
    await this.#done(claim, { messageId: claim.messageId ?? 0, hash, spent: true, replied: key, more });
  }

  async #render(claim: Claim, kind: CardKind<unknown>): Promise<Shown> {
    const { clock, config } = this.#deps;
    const value = kind.load ? ((await kind.load(claim.card.id)) ?? claim.body) : claim.body;
    const messages = await this.#messages(claim.target.chatId);
    const workers = await this.#deps.workers?.();
    const rendering = kind.render(value, {
      messages,
      timezone: config.timezone,
      now: clock.now(),
      ...(workers ? { workers } : {}),
      ...(claim.postedAt === undefined ? {} : { postedAt: new Date(claim.postedAt) }),
    });
    return fitted(rendering, claim, messages.plain("card-cut"));
  }

  async #done(claim: Claim, result: Delivered): Promise<void> {
    await this.#deps.cards.done(claim, result, this.#deps.clock.now());
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

  async #send(
    claim: Claim,
    html: string,
    keyboard: InlineKeyboardButton[][],
    { silent = claim.silent, replyTo, forceReply }: SendOptions = {},
  ): Promise<number> {
    const { chatId, threadId } = claim.target;
    const options = {
      ...(threadId === undefined ? {} : { message_thread_id: threadId }),
      ...(replyTo === undefined
        ? { reply_markup: { inline_keyboard: keyboard } }
        : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
      ...(forceReply === undefined
        ? {}
        : {
            reply_markup: { force_reply: true as const, selective: true, input_field_placeholder: cut(forceReply, 64) },
          }),
      disable_notification: silent || claim.urgency === "progress",
      link_preview_options: { is_disabled: true },
    };
    const send = async (text: string, parse: boolean): Promise<number> =>
      (
        await this.#deps.api.sendMessage(
          chatId,
          text,
          { ...options, ...(parse ? { parse_mode: "HTML" as const } : {}) },
          this.#timeout(claim),
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
          this.#timeout(claim),
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
  async #attach(claim: Claim, document: Shown["document"]): Promise<void> {
    const { chatId, threadId } = claim.target;
    const { text = "", name = "card.txt" } = document ?? {};
    this.#deps.onDelivered?.("send");
    try {
      await this.#deps.api.sendDocument(
        chatId,
        new InputFile(Buffer.from(text), name),
        {
          ...(threadId === undefined ? {} : { message_thread_id: threadId }),
          disable_notification: true,
          reply_parameters: { message_id: claim.messageId ?? 0, allow_sending_without_reply: true },
        },
        this.#timeout(claim),
      );
    } catch (error) {
      if (readFailure(error).kind !== "rejected") throw error;
      this.#deps.logger.error({ card: claim.card, error: String(error) }, "Telegram refused the file beside a card");
    }
  }

  /** A copy that is no longer the card would show for ever what was so then: it only says where the card goes on. */
  async #strip(claim: Claim, shown: Shown): Promise<void> {
    const { target, messageId } = claim;
    const at = messageId === undefined ? undefined : { chatId: target.chatId, messageId };
    await this.#refer(claim, shown, at, "card-continued");
  }

  /** The card goes on elsewhere: its old copies here lose their buttons and say where. */
  async #leave(claim: Claim, to: string, shown: Shown): Promise<void> {
    const result = { messageId: 0, hash: "", spent: claim.stray !== undefined };
    if (claim.stray === undefined) return await this.#done(claim, result);
    await this.#refer(claim, shown, await this.#deps.cards.messageOf(to), "card-moved");
    await this.#done(claim, { ...result, stripped: true });
  }

  /** The oldest copy loses its buttons and says where the card goes on: with a link where there is one, else by `message`. */
  async #refer(
    claim: Claim,
    { html, rendering }: Shown,
    at: { readonly chatId: number; readonly messageId: number } | undefined,
    message: string,
  ): Promise<void> {
    const messages = await this.#messages(claim.target.chatId);
    const url = messageUrl(at);
    const title = cut(rendering.title ?? plainText(html).split("\n")[0] ?? "", longestReference);
    const text = messages.t(url === undefined ? message : "card-continued-at", { title, url: url ?? "" });
    try {
      await this.#edit(claim, claim.stray ?? 0, text, []);
    } catch (error) {
      const failure = readFailure(error);
      if (!["message-gone", "rejected"].includes(failure.kind)) throw error;
      this.#deps.logger.debug(
        { chat: claim.target.chatId, message: claim.stray, failure },
        "an old copy stays as it is",
      );
    }
  }

  /** A claim that was held up for too long is given up: somebody else may be showing a newer state already. */
  #timeout(claim: Claim): Parameters<Api["sendMessage"]>[3] {
    const left = claim.until - recordingMs - this.#deps.clock.now().getTime();
    if (left <= 0) throw new StaleClaim();
    const signal = AbortSignal.timeout(Math.min(left, this.#deps.callTimeoutMs ?? 4000));
    return signal as Parameters<Api["sendMessage"]>[3];
  }

  async #handle(claim: Claim, error: unknown): Promise<void> {
    const { cards, clock, logger } = this.#deps;
    if (error instanceof StaleClaim) return logger.warn({ card: claim.card }, "a claim was held up; it is taken again");
    const failure = readFailure(error);
    const now = clock.now();
    this.#deps.onDelivered?.("failure");
    const later = (ms: number): Date => new Date(now.getTime() + ms);
    const backoff = deliveryBackoff(claim.failures);
    switch (failure.kind) {
      case "retry-after": {
        const until = later(failure.seconds * 1000);
        await cards.block(claim.target.chatId, until);
        return await cards.fail(claim, { retryAt: until });
      }
      case "migrated":
        logger.info({ from: claim.target.chatId, to: failure.chatId }, "the group became a supergroup");
        return await moveChat(this.#deps, claim.target.chatId, failure.chatId);
      case "thread-gone":
        logger.warn({ target: claim.target }, "the topic is gone or closed; writing to the chat without it");
        return await cards.fail(
          claim,
          // The chat's own topic is closed: there is nowhere else to go.
          claim.target.threadId === undefined ? { retryAt: later(Math.max(60_000, backoff)) } : { withoutTopic: true },
        );
      case "message-gone":
        return await cards.fail(claim, { forget: true });
      case "permanent": {
        logger.error(
          { chat: claim.target.chatId, reason: failure.reason },
          "Telegram refuses this chat; tried again when somebody writes there, in an hour, or at the next start",
        );
        // Before the claim is given back: should this fail, it is all done again.
        const notice = await this.#refusal(claim.target.chatId, failure.reason);
        await cards.fail(claim, { disable: failure.reason });
        const occasion = `chat-refused:${claim.target.chatId}:${now.toISOString().slice(0, 10)}`;
        return await notifyAdmins(this.#deps, occasion, notice, claim.target.chatId);
      }
      case "rejected":
      case "unparsable":
      case "not-modified":
      case "too-old":
        logger.error({ card: claim.card, failure }, "Telegram rejected a card");
        // A later change may be acceptable; the same text is tried rarely.
        return await cards.fail(claim, { retryAt: later(Math.max(60_000, backoff)) });
      case "passing":
        logger.warn(
          { card: claim.card, reason: failure.reason, failures: claim.failures + 1 },
          "a card could not be delivered now",
        );
        return await cards.fail(claim, { retryAt: later(backoff) });
    }
  }

  /** What the others are told of a chat that refuses us: who or what it is, and what to do. */
  async #refusal(chatId: number, reason: string): Promise<Notice> {
    const { api, config } = this.#deps;
    const user = config.telegram?.users.find((candidate) => candidate.id === chatId);
    if (user) {
      const { username } = await api.getMe();
      return { message: "notice-person-refused", args: { name: user.name, bot: username } };
    }
    const name = (await configuredChat(this.#deps, chatId))?.name ?? String(chatId);
    return { message: "notice-chat-refused", args: { name, chat: String(chatId), reason } };
  }
}

/** What opens a message for a chat's members; only supergroups have that. */
function messageUrl(at: { readonly chatId: number; readonly messageId: number } | undefined): string | undefined {
  const chat = at && /^-100(\d+)$/.exec(String(at.chatId))?.[1];
  return chat === undefined ? undefined : `https://t.me/c/${chat}/${at?.messageId}`;
}

/** The claim has ended, or would before its call could be recorded. */
class StaleClaim extends Error {}
