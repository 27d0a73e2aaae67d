import { randomBytes } from "node:crypto";
import type { AuditEntry } from "../core/audit.ts";
import { type ChatTarget, chatBudget, editInterval, type Urgency, urgencies } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import { entryText } from "./audit.ts";
import { type CardRef, parseRef } from "./card-ref.ts";
import { addLua, auditedSaveLua, saveLua, touchLua } from "./cards-lua.ts";
import { type Claim, type ClaimAnswer, claimOf, type Delivered } from "./claims.ts";
import { blockLua, doneLua, failLua, migrateLua, pressLua, spendLua, takeLua } from "./deliveries-lua.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** An entity as it is stored: its value and the revision that grows with every change. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: number;
}

/** What a press on a card's button is bound to. */
export interface PressedButton {
  readonly placement: string;
  readonly card: CardRef;
  readonly action: string;
  readonly adopted: boolean;
}

const touchScript = new Script(touchLua);
const saveScript = new Script(saveLua);
const auditedSaveScript = new Script(auditedSaveLua);
const addScript = new Script(addLua);
const takeScript = new Script(takeLua);
const doneScript = new Script(doneLua);
const failScript = new Script(failLua);
const spendScript = new Script(spendLua);
const blockScript = new Script(blockLua);
const migrateScript = new Script(migrateLua);
const pressScript = new Script(pressLua);

/** How long a claim lasts: longer than a call to Telegram usually takes, short enough to go on soon after a kill. */
const claimMs = 5000;

/**
 * Cards (entities with a revision), their placements in chats, and the budget of each chat. All changes are atomic
 * in Redis, so any number of bots and workers may use it at once. `now` is always given by the caller's clock.
 */
export class Cards {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The channel on which "something is dirty" is published. */
  get wakeChannel(): string {
    return this.#keys.of("wake");
  }

  #cardKey(ref: CardRef): string {
    return this.#keys.of("card", ref.kind, ref.id);
  }

  /** Creates the entity. Returns false, changing nothing, when it exists: orders with a known id are idempotent. */
  async create(
    ref: CardRef,
    value: unknown,
    urgency: Urgency,
    now: Date,
    entries: readonly AuditEntry[] = [],
  ): Promise<boolean> {
    return (await this.#save(ref, value, urgency, now, 0, entries)) > 0;
  }

  async read<T>(ref: CardRef): Promise<Stored<T> | undefined> {
    const [body, revision] = await this.#redis.hmget(this.#cardKey(ref), "body", "rev");
    if (body == null) return undefined;
    return { value: JSON.parse(body) as T, revision: Number(revision) };
  }

  /**
   * Applies `change` to the newest value and marks all placements dirty; repeated when somebody else was faster.
   * `change` returns the same object to say that nothing is to be done. Returns the value in force.
   * @throws AppError not-found when the entity does not exist.
   */
  async update<T>(
    ref: CardRef,
    urgency: Urgency | ((value: T) => Urgency),
    now: Date,
    change: (value: T) => T,
    entries: (value: T) => readonly AuditEntry[] = () => [],
  ): Promise<T> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const stored = await this.read<T>(ref);
      if (!stored)
        throw new AppError("not-found", `${ref.kind} ${ref.id} does not exist`, {
          text: { key: "error-card-unknown", args: { id: ref.id } },
        });
      const value = change(stored.value);
      if (value === stored.value) return value;
      const level = typeof urgency === "function" ? urgency(value) : urgency;
      if ((await this.#save(ref, value, level, now, stored.revision, entries(value))) > 0) return value;
    }
    throw new AppError("conflict", `${ref.kind} ${ref.id} changes too fast`, {
      permanent: false,
      text: { key: "error-card-busy", args: { id: ref.id } },
    });
  }

  async #save(
    ref: CardRef,
    value: unknown,
    urgency: Urgency,
    now: Date,
    expected: number,
    entries: readonly AuditEntry[] = [],
  ): Promise<number> {
    const keys = [this.#cardKey(ref), this.#keys.of("placements", ref.kind, ref.id), this.wakeChannel];
    const args = [
      this.#keys.root,
      JSON.stringify(value),
      urgencies[urgency],
      now.getTime(),
      expected,
      `${ref.kind}/${ref.id}`,
      ...entries.map(entryText),
    ];
    const script = entries.length > 0 ? auditedSaveScript : saveScript;
    return Number(await script.run(this.#redis, keys, args));
  }

  /**
   * Shows the card in a chat. The same card in the same place is one placement. `messageId`: the card takes over this
   * message of ours (the dialog that ordered it). Returns the placement's id.
   */
  async place(
    ref: CardRef,
    target: ChatTarget,
    urgency: Urgency,
    now: Date,
    options: { silent?: boolean; messageId?: number } = {},
  ): Promise<string> {
    const chatId = await this.resolveChat(target.chatId);
    const keys = [this.#cardKey(ref), this.#keys.of("placements", ref.kind, ref.id), this.wakeChannel];
    const id = randomBytes(6).toString("base64url");
    const args = [
      this.#keys.root,
      `${ref.kind}/${ref.id}`,
      id,
      chatId,
      target.threadId ?? "",
      options.silent ? 1 : 0,
      urgencies[urgency],
      now.getTime(),
      options.messageId ?? "",
    ];
    return String(await addScript.run(this.#redis, keys, args));
  }

  /**
   * Claims the most urgent placement that is due and fits into its chat's budget, and spends one of the budget.
   * When there is none, tells after how many milliseconds it is worth asking again (undefined: only after a wake-up).
   */
  async take(now: Date): Promise<Claim | { readonly waitMs: number | undefined }> {
    const group = chatBudget(-1);
    const person = chatBudget(1);
    const claim = randomBytes(6).toString("base64url");
    const args = [
      this.#keys.root,
      now.getTime(),
      claimMs,
      claim,
      group.limit,
      group.reserve,
      group.critical,
      group.windowMs,
      person.limit,
      person.reserve,
      person.critical,
      person.windowMs,
      ...Object.values(editInterval),
    ];
    const answer = (await takeScript.run(this.#redis, [], args)) as ClaimAnswer | readonly ["wait", number | ""];
    if (answer[0] === "wait") return { waitMs: answer[1] === "" ? undefined : Number(answer[1]) };
    return claimOf(answer, claim, now.getTime() + claimMs);
  }

  /**
   * Records what a claim has put into the chat, and clears the mark unless the card has changed meanwhile or there is
   * more to do. Returns the message id in force: another one than ours means that our copy is a duplicate, recorded
   * as a stray one.
   */
  async done(claim: Claim, result: Delivered, now: Date): Promise<number> {
    const args = [
      this.#keys.root,
      claim.placement,
      claim.claim,
      claim.revision,
      result.messageId,
      result.hash,
      now.getTime(),
      result.spent ? 1 : 0,
      result.replaced ? 1 : 0,
      `${claim.card.kind}/${claim.card.id}`,
      result.raised ?? "",
      claim.target.chatId,
      result.more ? 1 : 0,
      result.documentHash ?? "",
      result.stripped ? (claim.stray ?? "") : "",
      result.replied ?? "",
    ];
    return Number(await doneScript.run(this.#redis, [this.wakeChannel], args));
  }

  /** Gives a claim back: `retryAt` for a passing failure; `forget` drops the recorded message (it was deleted by hand), `withoutTopic` the topic, `disable` the whole chat. */
  async fail(
    claim: Claim,
    options: {
      retryAt?: Date;
      forget?: boolean;
      withoutTopic?: boolean;
      drop?: boolean;
      disable?: string;
    },
  ): Promise<void> {
    const args = [
      this.#keys.root,
      claim.placement,
      claim.claim,
      options.retryAt?.getTime() ?? 0,
      options.forget ? 1 : 0,
      options.withoutTopic ? 1 : 0,
      options.drop ? 1 : 0,
      options.disable ?? "",
    ];
    await failScript.run(this.#redis, [this.wakeChannel], args);
  }

  /** Spends one of a chat's budget for a reply, leaving what is kept for criticals. Returns 0, or the milliseconds to wait. */
  async spend(chatId: number, now: Date): Promise<number> {
    const budget = chatBudget(chatId);
    const args = [
      this.#keys.root,
      chatId,
      now.getTime(),
      budget.limit - budget.critical,
      budget.windowMs,
      randomBytes(6).toString("base64url"),
    ];
    return Number(await spendScript.run(this.#redis, [], args));
  }

  /** Telegram said 429: nothing goes into this chat until then. */
  async block(chatId: number, until: Date): Promise<void> {
    await blockScript.run(this.#redis, [], [this.#keys.root, chatId, until.getTime()]);
  }

  /** A group became a supergroup: its placements move, their message ids are void. */
  async migrate(oldChatId: number, newChatId: number): Promise<void> {
    await migrateScript.run(this.#redis, [this.wakeChannel], [this.#keys.root, oldChatId, newChatId]);
  }

  /** The chat's id in force after migrations. */
  async resolveChat(chatId: number): Promise<number> {
    const moved = await this.#redis.hget(this.#keys.of("migrated"), String(chatId));
    return moved === null ? chatId : await this.resolveChat(Number(moved));
  }

  /** Chats that Telegram refuses for good, with the reason. */
  async disabledChats(): Promise<ReadonlyMap<number, string>> {
    const all = await this.#redis.hgetall(this.#keys.of("disabled"));
    return new Map(Object.entries(all).map(([chat, reason]) => [Number(chat), reason]));
  }

  /** Lets a chat be tried again (it wrote to us, or an hour has passed). */
  async enableChat(chatId: number): Promise<void> {
    if ((await this.#redis.hdel(this.#keys.of("disabled"), String(chatId))) > 0)
      await this.#redis.publish(this.wakeChannel, "enabled");
  }

  /** The token of a placement's button: the same one for the same action as long as the placement lives. */
  async buttonToken(placement: string, action: string): Promise<string> {
    const key = this.#keys.of("buttons", placement);
    const fresh = randomBytes(9).toString("base64url");
    await this.#redis.hsetnx(key, action, fresh);
    return `${placement}.${(await this.#redis.hget(key, action)) ?? fresh}`;
  }

  /**
   * Which card and action a token stands for, when it was pressed on the placement's message in its chat. While no
   * message id is recorded the pressed message is adopted. `stray`: a copy that is not the recorded one; it is going
   * to lose its buttons.
   */
  async press(
    token: string,
    chatId: number,
    messageId: number,
    now: Date,
  ): Promise<PressedButton | "unknown" | "stray"> {
    const [placement = "", secret = ""] = token.split(".");
    const args = [this.#keys.root, placement, secret, chatId, messageId, now.getTime()];
    const answer = (await pressScript.run(this.#redis, [this.wakeChannel], args)) as string[];
    const [status = "unknown", card = "", action = ""] = answer;
    if (status === "unknown" || status === "stray") return status;
    return { placement, card: parseRef(card), action, adopted: status === "adopted" };
  }

  /** Forgets a card and its placements; messages stay in the chat, their buttons then answer that they are outdated. */
  async remove(ref: CardRef): Promise<void> {
    for (const placement of await this.placements(ref)) {
      const key = this.#keys.of("placement", placement);
      const chat = await this.#redis.hget(key, "chat");
      const keys = [key, this.#keys.of("buttons", placement)];
      await this.#redis
        .multi()
        .del(...keys)
        .srem(this.#keys.of("chat", chat ?? ""), placement)
        .zrem(this.#keys.of("dirty", chat ?? ""), placement)
        .exec();
    }
    await this.#redis.del(this.#keys.of("placements", ref.kind, ref.id), this.#cardKey(ref));
  }

  /** Ids of the placements of a card. */
  async placements(ref: CardRef): Promise<string[]> {
    return await this.#redis.smembers(this.#keys.of("placements", ref.kind, ref.id));
  }

  /** Which message a placement is; undefined before it is in its chat. */
  async messageOf(placement: string): Promise<{ readonly chatId: number; readonly messageId: number } | undefined> {
    const [chat, message] = await this.#redis.hmget(this.#keys.of("placement", placement), "chat", "messageId");
    return chat == null || message == null ? undefined : { chatId: Number(chat), messageId: Number(message) };
  }

  /** Marks a card's placements dirty without a change, so that they are rendered and compared again. */
  async touch(ref: CardRef, urgency: Urgency, now: Date): Promise<void> {
    const keys = [this.#cardKey(ref), this.#keys.of("placements", ref.kind, ref.id), this.wakeChannel];
    const args = [this.#keys.root, urgencies[urgency], now.getTime(), `${ref.kind}/${ref.id}`];
    await touchScript.run(this.#redis, keys, args);
  }

  /** Holds all deliveries back, because Telegram has been away since then; it stays as it is when they are held back already. */
  async pause(since: Date): Promise<void> {
    await this.#redis.set(this.#keys.of("paused"), since.getTime(), "NX");
  }

  /** Since when deliveries are held back. */
  async pausedSince(): Promise<Date | undefined> {
    const since = await this.#redis.get(this.#keys.of("paused"));
    return since === null ? undefined : new Date(Number(since));
  }

  /** Delivers again. */
  async resume(): Promise<void> {
    if ((await this.#redis.del(this.#keys.of("paused"))) > 0) await this.#redis.publish(this.wakeChannel, "resumed");
  }

  /** Number of placements waiting to be shown. */
  async backlog(): Promise<number> {
    const chats = await this.#redis.smembers(this.#keys.of("dirty-chats"));
    const counts = await Promise.all(chats.map((chat) => this.#redis.zcard(this.#keys.of("dirty", chat))));
    return counts.reduce((sum, count) => sum + count, 0);
  }
}
