import { SandboxClock } from "./clock.ts";
import { Faults } from "./faults.ts";
import { Journal } from "./journal.ts";
import { SendLimits } from "./limits.ts";
import { createTopic } from "./messages.ts";
import type { SandboxOptions } from "./options.ts";
import { type BotRecord, Store } from "./store.ts";
import { UpdateQueue } from "./updates.ts";
import { Webhook } from "./webhook.ts";

/** A callback query as the sandbox remembers it. */
export interface PendingQuery {
  readonly id: string;
  readonly botId: number;
  readonly userId: number;
  readonly chatId: number;
  readonly messageId: number;
  readonly threadId: number | undefined;
  /** Milliseconds on the sandbox's clock; answering is possible for a short while after. */
  readonly askedAt: number;
  answered: boolean;
}

/** Everything of one sandbox, passed to all that acts on it. */
export interface World {
  readonly clock: SandboxClock;
  readonly store: Store;
  readonly journal: Journal;
  readonly limits: SendLimits;
  readonly faults: Faults;
  readonly updates: Map<number, UpdateQueue>;
  readonly webhooks: Map<number, Webhook>;
  readonly queries: Map<string, PendingQuery>;
}

/** Builds the world that the options describe; throws on contradictions such as a duplicate chat id. */
export function createWorld(options: SandboxOptions): World {
  const clock = new SandboxClock(options.now instanceof Date ? { start: options.now } : options.now);
  const world: World = {
    clock,
    store: new Store(),
    journal: new Journal(clock, options.keep ?? 10_000),
    limits: new SendLimits(clock, options.limits),
    faults: new Faults(clock),
    updates: new Map(),
    webhooks: new Map(),
    queries: new Map(),
  };
  for (const bot of options.bots) addBot(world, world.store.addBot(bot), options.webhookRetryMs ?? 250);
  for (const user of options.users) world.store.users.set(user.id, user);
  for (const chat of options.chats) {
    const record = world.store.addChat(chat);
    for (const topic of chat.topics ?? []) {
      if (typeof topic === "string") createTopic(world, record, topic);
      else
        createTopic(
          world,
          record,
          topic.name,
          topic.message_thread_id === undefined ? {} : { id: topic.message_thread_id },
        );
    }
  }
  // what was there before the bot knows of it is no news to it
  for (const queue of world.updates.values()) queue.drop();
  return world;
}

function addBot(world: World, bot: BotRecord, retryMs: number): void {
  const queue = new UpdateQueue(world.clock, 100_000_001 + world.updates.size * 1_000_000);
  queue.onPoll = () => world.journal.touch();
  world.updates.set(bot.user.id, queue);
  world.webhooks.set(bot.user.id, new Webhook(queue, world.clock, retryMs));
}
