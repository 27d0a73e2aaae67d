import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "grammy";
import type { Update } from "grammy/types";
import { createCardKinds } from "../bot/cards/index.ts";
import { ChartPainter } from "../bot/charts/painter.ts";
import { recordContact } from "../bot/contact.ts";
import type { BotDeps } from "../bot/context.ts";
import { allowedUpdates, bareApi, createBot } from "../bot/create-bot.ts";
import { Delivery } from "../bot/delivery.ts";
import { DeliveryLoop } from "../bot/delivery-loop.ts";
import { Housekeeping } from "../bot/housekeeping.ts";
import { deliverLinks } from "../bot/link-delivery.ts";
import { publishMenus } from "../bot/menu.ts";
import { Poller } from "../bot/poller.ts";
import { RedisOutage } from "../bot/redis-outage.ts";
import { isTokenRefused, readFailure } from "../bot/telegram-error.ts";
import { createViewKinds } from "../bot/views/index.ts";
import { WebhookProbe } from "../bot/webhook-probe.ts";
import { createServer } from "../http/server.ts";
import { messagesOf } from "../messages/index.ts";
import { Alerts } from "../services/alerts/alerts.ts";
import { AlertKeeper } from "../services/alerts/keeper.ts";
import { daily } from "../services/daily.ts";
import { readStatus } from "../services/status.ts";
import { botWatch } from "../services/watch/index.ts";
import { OwnHeartbeat } from "../services/watch/own-heartbeat.ts";
import { workerHosts } from "../services/workers.ts";
import { Keys, tryWrite } from "../state/redis.ts";
import { SeenUpdates } from "../state/updates.ts";
import { describeStorage } from "../storages/index.ts";
import type { BotConfig } from "./config.ts";
import type { Deps } from "./deps.ts";
import { drillMetrics } from "./drill-metrics.ts";
import { botMetrics, createRegistry } from "./metrics.ts";
import { startPresence } from "./presence.ts";
import { serverMetrics } from "./server-metrics.ts";
import { redisAway, runShutdown, type ShutdownStep } from "./shutdown.ts";
import { verifyMetrics } from "./verify-metrics.ts";
import { WatchLoop } from "./watch-loop.ts";
import { watchHealth, watchMetrics } from "./watch-metrics.ts";

/** A running bot process. */
export interface RunningBot {
  /** The address that HTTP listens on. */
  readonly url: string;
  /** "polling", "standing by", "webhook". */
  state(): string;
  /** Does now what this bot does by the clock, when it is the one that watches. For those who move the clock. */
  step(): Promise<void>;
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
  const storageLocation = (name: string): string => {
    const storage = config.storages[name];
    return storage ? describeStorage(storage) : name;
  };
  const painter = new ChartPainter(logger);
  const keys = new Keys(config.redis.prefix);
  const updates = new SeenUpdates(deps.redis, keys);
  const botDeps: BotDeps = {
    ...deps,
    config,
    updates,
    kinds,
    viewKinds: createViewKinds({ ...deps, kinds, painter, storageLocation }),
    metrics: botMetrics(registry),
    messages: messagesOf,
    storageLocation,
    status: () => readStatus(deps),
    workers: () => workerHosts(deps),
  };
  const bot = createBot(botDeps);
  const api = bareApi(botDeps);
  api.config.use(recordContact(deps));
  const stopping = new AbortController();
  const watch = watchLoop(deps, stopping.signal, async (signal) => await api.getMe(signal));
  watchMetrics(deps, registry, watch);
  verifyMetrics(deps, registry);
  drillMetrics(deps, registry);
  serverMetrics(deps, registry);
  const history = new Alerts({ ...deps, config: { alerts: config.alerts, timezone: config.timezone } });
  const probeRedis = (): Promise<string> => tryWrite(deps.redis, keys);
  const redisOutage = new RedisOutage({
    ...deps,
    config,
    api,
    history,
    probe: probeRedis,
    standsBy: () => watch.standsBy,
  });
  // Before anything that waits for Redis.
  redisOutage.start();
  const delivery = new Delivery({
    config,
    clock,
    logger,
    cards: deps.cards,
    languages: deps.languages,
    kinds,
    api,
    workers: () => botDeps.workers(),
    onDelivered: (what) => botDeps.metrics.delivered(what),
  });
  const subscriber = deps.redis.duplicate();
  // Told once, by the connection that this one is a copy of.
  subscriber.on("error", () => undefined);
  const loop = new DeliveryLoop({
    delivery,
    subscriber,
    channel: deps.cards.wakeChannel,
    logger,
  });
  const introduced = introduce(bot, botDeps, stopping.signal);
  void introduced.then(() => announce(bot, botDeps, stopping.signal));
  /** @throws what went wrong before anything was done: what fails afterwards is told in the chat. */
  const handle = async (update: Update): Promise<void> => {
    await introduced;
    try {
      await bot.handleUpdate(update);
    } catch (error) {
      logger.error({ err: error, update: update.update_id }, "an update could not be handled");
      throw error;
    }
  };
  // A poll brings the same update again to a bot that could not confirm it; what fails is confirmed as well.
  const handlePolled = async (update: Update): Promise<void> => {
    if (await updates.isDone(update.update_id).catch(() => false)) return;
    await handle(update).catch(() => undefined);
    await updates.done(update.update_id).catch(() => undefined);
  };
  const handlePosted = (update: Update): Promise<void> => onlyOnce(updates, update, handle);
  const poller =
    config.telegram.mode === "polling"
      ? new Poller({
          api,
          leases: deps.leases,
          holder: `${deps.host}#${process.pid}`,
          logger,
          allowedUpdates,
          handle: handlePolled,
        })
      : undefined;
  const state = (): string => poller?.state ?? "webhook";
  const { webhook } = config.telegram;
  const probe = webhook ? new WebhookProbe(api, webhook.url, clock) : undefined;
  const server = createServer({
    logger,
    registry,
    token: config.http.token,
    trustProxy: config.http.trustProxy,
    checks: {
      redis: probeRedis,
      telegram: async () => {
        if (!poller) await probe?.check();
        if (["unreachable", "token refused"].includes(state())) throw new Error(state());
        return state();
      },
      ...watchHealth(deps, watch),
    },
    inbound: { ...deps, hooks: config.hooks, token: config.http.token },
    ...(config.telegram.mode === "webhook" && webhook
      ? { webhook: { secretToken: webhook.secretToken, handle: handlePosted } }
      : {}),
  });
  const url = await server.listen({ host: config.http.host, port: config.http.port });
  const housekeeping = new Housekeeping(botDeps, bot.api);
  const step = async (): Promise<void> => {
    await housekeeping.step();
    await deliverLinks({ ...botDeps, links: deps.links }, bot.api);
  };
  await housekeeping.enableChats();
  await loop.start();
  const presence = startPresence(deps, "bot", state);
  watch.start();
  const sweep = setInterval(() => {
    void step().catch((error: unknown) =>
      logger.warn({ error: String(error) }, "housekeeping failed; it is done again"),
    );
  }, 1000);
  poller?.start();
  logger.info({ url, mode: config.telegram.mode, version: deps.version }, "bot ready");
  const steps: ShutdownStep[] = [
    { name: "updates", timeoutMs: 8000, run: async () => await poller?.stop() },
    { name: "pictures", timeoutMs: 1000, run: async () => await painter.close() },
    { name: "http", timeoutMs: 2000, run: async () => await server.close() },
    { name: "watch", timeoutMs: 3000, run: async () => await Promise.all([watch.stop(), redisOutage.stop()]) },
    { name: "delivery", timeoutMs: 6000, run: async () => await loop.stop() },
    { name: "presence", timeoutMs: 1000, run: async () => await presence.stop() },
    { name: "connections", timeoutMs: 2000, run: close },
  ];
  return {
    url,
    state,
    step: async () => {
      if (await redisOutage.step()) await watch.step();
    },
    stop: async () => {
      stopping.abort();
      clearInterval(sweep);
      await runShutdown(steps, logger, redisAway(deps.redis, logger));
      logger.info("bot stopped");
    },
  };
}

/**
 * Telegram repeats what it got no answer for, also while it is still being worked on.
 * @throws when nothing was done, or somebody else is at it: Telegram then sends it again.
 */
async function onlyOnce(
  updates: SeenUpdates,
  update: Update,
  handle: (update: Update) => Promise<void>,
): Promise<void> {
  const id = update.update_id;
  const claim = await updates.claim(id);
  if (claim === "done") return;
  if (claim === "working") throw new Error(`update ${id} is being worked on`);
  try {
    await handle(update);
  } catch (error) {
    await updates.release(id);
    throw error;
  }
  await updates.done(id);
}

/** Telegram is waited for so long when it is only asked whether it is there; milliseconds. */
const probeTimeoutMs = 5000;

type ProbeSignal = Parameters<Api["getMe"]>[0];

/** What one bot at a time does by the clock. */
function watchLoop(deps: Deps, stop: AbortSignal, probe: (signal: ProbeSignal) => Promise<unknown>): WatchLoop {
  const keeper = new AlertKeeper(deps);
  const limited = (): AbortSignal => AbortSignal.any([stop, AbortSignal.timeout(probeTimeoutMs)]);
  const watch = botWatch({ ...deps, signal: stop, probe: () => probe(limited() as ProbeSignal) });
  const ownHeartbeat = new OwnHeartbeat({ ...deps, signal: stop });
  return new WatchLoop({
    leases: deps.leases,
    holder: `${deps.host}#${process.pid}`,
    logger: deps.logger,
    tasks: [
      { name: "incidents", run: async () => await keeper.step() },
      { name: "heartbeats", run: async () => await deps.heartbeats.check() },
      { name: "refused tokens", run: async () => await deps.inbound.check() },
      { name: "watch", run: async () => await watch.step() },
      { name: "approvals", run: async () => await deps.approvals.step() },
      { name: "daily", run: async () => await daily(deps) },
      { name: "own heartbeat", run: async () => await ownHeartbeat.step() },
    ],
  });
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
      if (isTokenRefused(error)) deps.logger.error({ failures }, "Telegram refuses the bot's token");
      else deps.logger.warn({ failure: readFailure(error), failures }, "Telegram is not reachable yet");
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
