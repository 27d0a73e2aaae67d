import type { Api } from "grammy";
import type { BotDeps } from "./context.ts";
import { expireDialogs } from "./dialog.ts";
import { refreshViews } from "./views/live.ts";
import { expireViews } from "./views/views.ts";

/** A chat that refused us is tried again so often; milliseconds. */
const secondChanceMs = 3_600_000;

/** Milliseconds between two looks at the workers. */
const workersMs = 5000;

type Deps = Pick<
  BotDeps,
  "dialogs" | "views" | "viewKinds" | "messages" | "clock" | "logger" | "cards" | "runs" | "orders" | "workers"
>;

/** What the bot does by the clock. */
export class Housekeeping {
  readonly #deps: Deps;
  readonly #api: Pick<Api, "editMessageText" | "editMessageReplyMarkup">;
  #workersAt = 0;
  #enabledAt: number;
  /** Queued runs, and whether a worker was there for them. */
  #served = new Map<string, boolean>();

  constructor(deps: Deps, api: Pick<Api, "editMessageText" | "editMessageReplyMarkup">) {
    this.#deps = deps;
    this.#api = api;
    this.#enabledAt = deps.clock.now().getTime();
  }

  /** Does what is due: called about once a second. */
  async step(): Promise<void> {
    await expireDialogs(this.#deps, async ({ chatId, messageId }, html) => {
      if (messageId !== undefined) await this.#api.editMessageText(chatId, messageId, html, { parse_mode: "HTML" });
    });
    await expireViews(this.#deps, async (chatId, messageId) => {
      await this.#api.editMessageReplyMarkup(chatId, messageId, { reply_markup: { inline_keyboard: [] } });
    });
    const now = this.#deps.clock.now().getTime();
    if (now - this.#enabledAt >= secondChanceMs) {
      this.#enabledAt = now;
      await this.enableChats();
    }
    if (now - this.#workersAt >= workersMs) {
      this.#workersAt = now;
      await this.#lookForWorkers();
    }
    await refreshViews(this.#deps, this.#api);
  }

  /** Tries the chats again that Telegram has refused. */
  async enableChats(): Promise<void> {
    for (const chat of (await this.#deps.cards.disabledChats()).keys()) await this.#deps.cards.enableChat(chat);
  }

  /** The card of a run that waits says whether a worker is there: nothing else would have it looked at again. */
  async #lookForWorkers(): Promise<void> {
    const { runs, orders, cards, clock } = this.#deps;
    const waiting = (await runs.active()).filter((run) => run.status === "queued");
    const served = new Map<string, boolean>();
    if (waiting.length > 0) {
      const hosts = await this.#deps.workers();
      for (const run of waiting) served.set(run.id, orders.isServed(run, hosts, clock.now()));
    }
    for (const [id, isServed] of served)
      if (isServed !== (this.#served.get(id) ?? true)) await cards.touch(runs.ref(id), "reply", clock.now());
    this.#served = served;
  }
}
