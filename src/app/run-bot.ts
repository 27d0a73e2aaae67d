import { setTimeout as sleep } from "node:timers/promises";
import type { Update } from "grammy/types";
import { createCardKinds } from "../bot/cards/index.ts";
import type { BotDeps } from "../bot/context.ts";
import { allowedUpdates, bareApi, createBot } from "../bot/create-bot.ts";
import { Delivery } from "../bot/delivery.ts";
import { DeliveryLoop } from "../bot/delivery-loop.ts";
import { expireDialogs } from "../bot/dialog.ts";
import { publishMenus } from "../bot/menu.ts";
import { Poller } from "../bot/poller.ts";
import { readFailure } from "../bot/telegram-error.ts";
import { createServer } from "../http/server.ts";
import { messagesOf } from "../messages/index.ts";
import { readStatus } from "../services/status.ts";
import { describeStorage } from "../storages/index.ts";
import type { BotConfig } from "./config.ts";
import type { Deps } from "./deps.ts";
import { botMetrics, createRegistry } from "./metrics.ts";
import { startPresence } from "./presence.ts";
import { runShutdown, type ShutdownStep } from "./shutdown.ts";

/** A running bot process. */
export interface RunningBot {
  /** The address that HTTP listens on. */
  readonly url: string;
  /** "polling", "standing by", "webhook". */
  state(): string;
  stop(): Promise<void>;
}

/** Starts everything that the bot process does: HTTP, delivery, updates. Closes `deps` when it stops. */
export async function runBot(
  deps: Deps & { readonly config: BotConfig },
  close: () => Promise<void>,
): Promise<RunningBot> {
  const { config, logger, clock } = deps;
  const registry = createRegistry(deps, "bot");
  const kinds = createCardKinds(deps);
  const botDeps: BotDeps = {
    ...deps,
    config,
    kinds,
    metrics: botMetrics(registry),
    messages: messagesOf,
    storageLocation: (name) => {
      const storage = config.storages[name];
      return storage ? describeStorage(storage) : name;
    },
    status: () => readStatus(deps),
  };
  const bot = createBot(botDeps);
  const api = bareApi(botDeps);
  const delivery = new Delivery({
    config,
    clock,
    logger,
    cards: deps.cards,
    languages: deps.languages,
    kinds,
    api,
    onDelivered: (what) => botDeps.metrics.delivered(what),
  });
  const loop = new DeliveryLoop({
    delivery,
    subscriber: deps.redis.duplicate(),
    channel: deps.cards.wakeChannel,
    logger,
  });
  const stopping = new AbortController();
  const introduced = introduce(bot, botDeps, stopping.signal);
  void introduced.then(() => announce(bot, botDeps, stopping.signal));
  const handle = async (update: Update): Promise<void> => {
    await introduced;
    await bot
      .handleUpdate(update)
      .catch((error: unknown) =>
        logger.error({ err: error, update: update.update_id }, "an update could not be handled"),
      );
  };
  const poller =
    config.telegram.mode === "polling"
      ? new Poller({ api, leases: deps.leases, holder: `${deps.host}#${process.pid}`, logger, allowedUpdates, handle })
      : undefined;
  const state = (): string => poller?.state ?? "webhook";
  const { webhook } = config.telegram;
  const server = createServer({
    logger,
    registry,
    token: config.http.token,
    checks: {
      redis: async () => await deps.redis.ping(),
      telegram: () => {
        if (state() === "unreachable") throw new Error("unreachable");
        return state();
      },
    },
    ...(config.telegram.mode === "webhook" && webhook ? { webhook: { secretToken: webhook.secretToken, handle } } : {}),
  });
  const url = await server.listen({ host: config.http.host, port: config.http.port });
  for (const chat of (await deps.cards.disabledChats()).keys()) await deps.cards.enableChat(chat);
  await loop.start();
  const presence = startPresence(deps, "bot", state);
  const sweep = setInterval(() => {
    const edit = async (dialog: { chatId: number; messageId?: number }, html: string): Promise<void> => {
      if (dialog.messageId !== undefined)
        await bot.api.editMessageText(dialog.chatId, dialog.messageId, html, { parse_mode: "HTML" });
    };
    void expireDialogs(botDeps, edit).catch((error: unknown) =>
      logger.warn({ error: String(error) }, "dialogs could not be expired"),
    );
  }, 1000);
  poller?.start();
  logger.info({ url, mode: config.telegram.mode, version: deps.version }, "bot ready");
  const steps: ShutdownStep[] = [
    { name: "updates", timeoutMs: 8000, run: async () => await poller?.stop() },
    { name: "http", timeoutMs: 2000, run: async () => await server.close() },
    { name: "delivery", timeoutMs: 6000, run: async () => await loop.stop() },
    { name: "presence", timeoutMs: 1000, run: async () => await presence.stop() },
    { name: "connections", timeoutMs: 2000, run: close },
  ];
  return {
    url,
    state,
    stop: async () => {
      stopping.abort();
      clearInterval(sweep);
      await runShutdown(steps, logger);
      logger.info("bot stopped");
    },
  };
}

type OurBot = ReturnType<typeof createBot>;

/** Repeats a call until it succeeds: Telegram may be unreachable for as long as it likes. */
async function untilReachable(deps: BotDeps, signal: AbortSignal, call: () => Promise<unknown>): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await call();
      return;
    } catch (error) {
      if (signal.aborted) return;
      deps.logger.warn({ failure: readFailure(error), failures }, "Telegram is not reachable yet");
      await sleep(Math.min(500 * 2 ** failures, 15_000), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Learns the bot's own name, without which no update can be read. */
async function introduce(bot: OurBot, deps: BotDeps, signal: AbortSignal): Promise<void> {
  await untilReachable(deps, signal, () => bot.init(signal as Parameters<OurBot["init"]>[0]));
}

/** Tells Telegram how updates reach us, and the menu. */
async function announce(bot: OurBot, deps: BotDeps, signal: AbortSignal): Promise<void> {
  const { mode, webhook } = deps.config.telegram;
  await untilReachable(deps, signal, async () => {
    if (mode === "webhook" && webhook)
      await bot.api.setWebhook(webhook.url, { secret_token: webhook.secretToken, allowed_updates: allowedUpdates });
    // A webhook left over from elsewhere would refuse every poll.
    else if ((await bot.api.getWebhookInfo()).url) await bot.api.deleteWebhook();
    await publishMenus(bot.api, deps);
  });
}
