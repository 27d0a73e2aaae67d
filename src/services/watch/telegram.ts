import type { Contact, TelegramContact } from "../../state/contact.ts";
import { foldBacklog } from "../alerts/backlog.ts";
import type { KeeperDeps } from "../alerts/keeper.ts";
import type { WatchCheck } from "./types.ts";

export interface TelegramCheckDeps extends KeeperDeps {
  readonly contact: TelegramContact;
  /** Asks Telegram for anything. Rejects when it gives no answer. */
  readonly probe: () => Promise<unknown>;
  /** Aborted when the process ends: what is broken off then says nothing about Telegram. */
  readonly signal?: AbortSignal;
}

/** Telegram is away when no bot got an answer for so long; milliseconds. */
const awayAfterMs = 60_000;

/** When nobody has heard of Telegram for so long it is asked; milliseconds. */
const askAfterMs = 30_000;

/** Since when Telegram is away, or undefined when it is not, or not for long enough. */
export function awaySince({ failedSince }: Contact, now: Date): Date | undefined {
  return failedSince && now.getTime() - failedSince.getTime() >= awayAfterMs ? failedSince : undefined;
}

/** Whether an outage that began at `since` is over. */
export function isBack({ okAt }: Contact, since: Date): boolean {
  return okAt !== undefined && okAt.getTime() > since.getTime();
}

/**
 * Whether Telegram can be reached. While it cannot, nothing is delivered; when it is back, what has gathered is put
 * together before the first of it is delivered, so that the chat gets a digest instead of hundreds of cards. The
 * outage is on record in Redis: whichever bot lives goes on with it.
 */
export function telegramCheck(deps: TelegramCheckDeps): WatchCheck {
  const { cards, contact, clock } = deps;
  let isOver = false;
  const ask = async (now: Date): Promise<void> => {
    try {
      await deps.probe();
      await contact.ok(now);
    } catch (error) {
      if (!deps.signal?.aborted) await contact.failed(now, error instanceof Error ? error.name : "error");
    }
  };
  const finding = (since: Date) => ({
    fingerprint: "telegram",
    severity: "critical" as const,
    title: { key: "watch-telegram" },
    text: { key: "watch-telegram-text" },
    since,
  });
  return {
    name: "telegram",
    look: async ({ now, awakeSince }) => {
      let state = await contact.read();
      const paused = await cards.pausedSince();
      // Who has just woken up waits for what is heard anyway.
      const silent = now.getTime() - Math.max(state.okAt?.getTime() ?? 0, awakeSince.getTime());
      if (paused || state.failedSince || silent > askAfterMs || silent < 0) {
        await ask(now);
        state = await contact.read();
      }
      const away = paused ?? awaySince(state, clock.now());
      if (!away) return [];
      await cards.pause(away);
      if (!isBack(state, away)) return [finding(away)];
      await foldBacklog(deps, away);
      isOver = true;
      return [];
    },
    reported: async () => {
      if (isOver) await cards.resume();
      isOver = false;
    },
  };
}
