import { Api } from "grammy";
import type { Message } from "grammy/types";
import { type Logger, pino } from "pino";
import { onTestFinished } from "vitest";
import type { BotConfig } from "../../src/app/config.ts";
import { noticeCard } from "../../src/bot/cards/notice.ts";
import type { CardButton, CardKind } from "../../src/bot/cards/types.ts";
import { Delivery } from "../../src/bot/delivery.ts";
import type { Urgency } from "../../src/core/card.ts";
import type { Clock } from "../../src/core/ports.ts";
import { escapeHtml } from "../../src/messages/index.ts";
import type { ApiCall, SandboxOptions, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { Cards } from "../../src/state/cards.ts";
import type { Keys } from "../../src/state/redis.ts";
import { ALICE, BOB, BOT, FORUM_ID, testSandbox } from "./sandbox.ts";
import type { RedisFixture } from "./state.ts";

/** State of a test card: shown as it is written here. */
export interface TestCard {
  readonly text: string;
  readonly html?: string;
  readonly buttons?: readonly CardButton[];
  readonly raise?: string;
}

const testKind: CardKind<TestCard> = {
  kind: "test",
  render: ({ text, html, buttons = [], raise }) => ({
    html: html ?? escapeHtml(text),
    buttons: buttons.length > 0 ? [buttons] : [],
    ...(raise === undefined ? {} : { raise }),
  }),
  actions: {},
};

/** A strict Telegram, state in Redis, and bots that deliver: one clock for all of them, moved by the test. */
export interface DeliveryWorld {
  readonly sandbox: TelegramSandbox;
  readonly cards: Cards;
  readonly keys: Keys;
  readonly config: BotConfig;
  readonly clock: Clock;
  readonly delivery: Delivery;
  /** A further bot. `cards` can stand in for the state, to make it fail. */
  bot(cards?: Cards): Delivery;
  create(
    id: string,
    card: TestCard,
    options?: { chatId?: number; threadId?: number; urgency?: Urgency },
  ): Promise<void>;
  change(id: string, card: TestCard, urgency?: Urgency): Promise<void>;
  /** Delivers whatever is possible at this moment. */
  deliver(): Promise<void>;
  /** Moves the clock second by second and delivers at each. */
  pass(ms: number): Promise<void>;
  /** The bot's messages that are in the chat now. */
  messages(chatId?: number): Message[];
  /** Calls that put something into a chat, in their order. */
  calls(): ApiCall[];
}

const quiet: Logger = pino({ level: "silent" });

function configOf(apiRoot: string): BotConfig {
  return {
    timezone: "UTC",
    locale: "en",
    telegram: {
      token: BOT.token,
      apiRoot,
      mode: "polling",
      chats: { ops: { id: FORUM_ID, topics: {} } },
      users: [
        { id: ALICE.id, name: "alice", role: "admin" },
        { id: BOB.id, name: "bob", role: "operator", locale: "ru" },
      ],
    },
  } as unknown as BotConfig;
}

export async function deliveryWorld(
  fixture: RedisFixture,
  options: Partial<SandboxOptions> = {},
): Promise<DeliveryWorld> {
  const sandbox = await testSandbox({ now: { manual: true }, ...options });
  const keys = fixture.keys();
  const cards = new Cards(fixture.redis, keys);
  const clock: Clock = { now: () => sandbox.now() };
  const config = configOf(sandbox.apiRoot);
  const kinds = new Map<string, CardKind<unknown>>();
  for (const kind of [testKind, noticeCard] as readonly CardKind<never>[]) kinds.set(kind.kind, kind);
  const bot = (state = cards): Delivery =>
    new Delivery({
      config,
      clock,
      logger: quiet,
      cards: state,
      kinds,
      api: new Api(BOT.token, { apiRoot: sandbox.apiRoot }),
      callTimeoutMs: 300,
    });
  const delivery = bot();
  const deliver = async (): Promise<void> => {
    while ((await delivery.step()) === 0);
  };
  onTestFinished(() => sandbox.clearFaults());
  return {
    sandbox,
    cards,
    keys,
    config,
    clock,
    delivery,
    bot,
    create: async (id, card, { chatId = FORUM_ID, threadId, urgency = "normal" } = {}) => {
      const ref = { kind: "test", id };
      await cards.create(ref, card, urgency, clock.now());
      await cards.place(ref, { chatId, ...(threadId === undefined ? {} : { threadId }) }, urgency, clock.now());
    },
    change: async (id, card, urgency = "normal") => {
      await cards.update<TestCard>({ kind: "test", id }, urgency, clock.now(), () => card);
    },
    deliver,
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 1000) {
        sandbox.advance(Math.min(1000, ms - passed));
        await deliver();
      }
    },
    messages: (chatId = FORUM_ID) =>
      sandbox.messages(chatId).filter((message) => message.from?.username === BOT.username),
    calls: () => sandbox.calls().filter(({ method }) => /^(send|edit)/.test(method)),
  };
}

/** The labels of a message's buttons. */
export function buttonsOf(message: Message | undefined): string[] {
  return message?.reply_markup?.inline_keyboard.flat().map((button) => button.text) ?? [];
}

/** The data of a message's first button. */
export function dataOf(message: Message | undefined): string {
  const [button] = message?.reply_markup?.inline_keyboard.flat() ?? [];
  return button && "callback_data" in button ? button.callback_data : "";
}

/** What is written there, sorted. */
export function textsOf(messages: readonly Message[]): string[] {
  return messages.map((message) => message.text ?? "").toSorted((a, b) => a.localeCompare(b));
}
