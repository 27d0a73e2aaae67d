import type { Update } from "@grammyjs/types";
import type { SandboxClock } from "./clock.ts";
import { conflict } from "./errors.ts";

export type UpdateType = Exclude<keyof Update, "update_id">;

/** How long Telegram keeps what a bot has not fetched. */
const KEEP_MS = 24 * 60 * 60 * 1000;
const NOT_BY_DEFAULT = new Set<string>(["chat_member", "message_reaction", "message_reaction_count"]);

interface Pending {
  readonly update: Update;
  readonly at: number;
}

interface Poll {
  readonly resolve: (updates: Update[]) => void;
  readonly reject: (error: Error) => void;
  readonly limit: number;
  readonly timer: NodeJS.Timeout;
}

export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  /** Seconds of real time to wait for the first update. */
  readonly timeout: number;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

/** Updates that wait for one bot, fetched by long polling or taken by its webhook. */
export class UpdateQueue {
  readonly #clock: SandboxClock;
  #pending: Pending[] = [];
  #poll: Poll | undefined;
  #nextId: number;
  #allowed: ReadonlySet<string> | undefined;
  /** Called when something was added. */
  onPush: () => void = () => undefined;
  /** Called when a poll begins to wait. */
  onPoll: () => void = () => undefined;

  constructor(clock: SandboxClock, firstId: number) {
    this.#clock = clock;
    this.#nextId = firstId;
  }

  /** Types the bot asked for, undefined for the default ones. */
  get allowed(): readonly string[] | undefined {
    return this.#allowed && [...this.#allowed];
  }

  /** Sets `allowed_updates`; an empty list means the default. Updates that wait already are not touched. */
  allow(types: readonly string[]): void {
    this.#allowed = types.length === 0 ? undefined : new Set(types);
  }

  wants(type: UpdateType): boolean {
    return this.#allowed ? this.#allowed.has(type) : !NOT_BY_DEFAULT.has(type);
  }

  /** Adds an update; `at` (milliseconds) is when Telegram got it. The payload is copied. */
  push<T extends UpdateType>(type: T, payload: NonNullable<Update[T]>, at: number): void {
    if (!this.wants(type)) return;
    this.#pending.push({ update: structuredClone({ update_id: this.#nextId, [type]: payload }), at });
    this.#nextId += 1;
    this.#wake();
    this.onPush();
  }

  count(): number {
    this.#forgetOld();
    return this.#pending.length;
  }

  drop(): void {
    this.#pending = [];
  }

  /** The oldest waiting update, for the webhook. */
  first(): Update | undefined {
    this.#forgetOld();
    return this.#pending[0]?.update;
  }

  confirm(updateId: number): void {
    this.#pending = this.#pending.filter((item) => item.update.update_id > updateId);
  }

  /** Long polling. A new call ends the one that still waits, whose client gets 409. */
  poll(request: PollRequest): Promise<Update[]> {
    this.interrupt(conflict("terminated by other getUpdates request; make sure that only one bot instance is running"));
    this.#forgetOld();
    if (request.offset < 0) this.#pending = this.#pending.slice(request.offset);
    else this.#pending = this.#pending.filter((item) => item.update.update_id >= request.offset);
    if (this.#pending.length > 0 || request.timeout <= 0) return Promise.resolve(this.#head(request.limit));
    return new Promise<Update[]>((resolve, reject) => {
      const timer = setTimeout(() => this.#end((poll) => poll.resolve([])), request.timeout * 1000);
      const poll: Poll = { resolve, reject, limit: request.limit, timer };
      this.#poll = poll;
      this.onPoll();
      request.signal.addEventListener(
        "abort",
        () => {
          if (this.#poll === poll) this.#end((gone) => gone.resolve([]));
        },
        { once: true },
      );
    });
  }

  /** Whether a poll waits. */
  get polled(): boolean {
    return this.#poll !== undefined;
  }

  /** Ends a waiting poll with an error; does nothing when none waits. */
  interrupt(error: Error): void {
    this.#end((poll) => poll.reject(error));
  }

  #wake(): void {
    this.#end((poll) => poll.resolve(this.#head(poll.limit)));
  }

  #end(finish: (poll: Poll) => void): void {
    const poll = this.#poll;
    if (!poll) return;
    this.#poll = undefined;
    clearTimeout(poll.timer);
    finish(poll);
  }

  #head(limit: number): Update[] {
    return this.#pending.slice(0, limit).map((item) => item.update);
  }

  #forgetOld(): void {
    const oldest = this.#clock.now() - KEEP_MS;
    this.#pending = this.#pending.filter((item) => item.at > oldest);
  }
}
