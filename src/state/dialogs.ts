import type { Locale } from "../messages/index.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** A dialog in a chat: a view with buttons for one person, which expires. */
export interface Dialog {
  readonly id: string;
  /** What it is about: "backup". */
  readonly kind: string;
  readonly chatId: number;
  /** In a forum: the topic. */
  readonly threadId?: number;
  readonly userId: number;
  readonly userName: string;
  readonly locale: Locale;
  /** The command that begins it anew: "/backup app". */
  readonly command: string;
  /** The conversation's arguments (JSON), to begin it anew. */
  readonly args: string;
  readonly messageId?: number;
  /** Absolute, milliseconds since 1970. */
  readonly expiresAt: number;
  readonly status: "open" | "done" | "cancelled" | "expired" | "replaced";
}

/** Kept after their end for so long that a late press still gets its reason. */
const keepMs = 7 * 86_400_000;

/** A press comes again at most for so long after a bot was killed while it worked on it; housekeeping only. */
const answeredMs = 600_000;

const closeScript = new Script(`
local json = redis.call('HGET', KEYS[1], ARGV[1])
if not json then return '' end
local dialog = cjson.decode(json)
if dialog.status ~= 'open' then return dialog.status end
dialog.status = ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(dialog))
if ARGV[2] ~= 'open' then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 'closed'`);

/** Open and recently closed dialogs. */
export class Dialogs {
  readonly #redis: Redis;
  readonly #all: string;
  readonly #open: string;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#all = keys.of("dialogs");
    this.#open = keys.of("dialogs-open");
  }

  async save(dialog: Dialog): Promise<void> {
    await this.#redis
      .multi()
      .hset(this.#all, dialog.id, JSON.stringify(dialog))
      .zadd(this.#open, dialog.expiresAt, dialog.id)
      .exec();
  }

  async read(id: string): Promise<Dialog | undefined> {
    const json = await this.#redis.hget(this.#all, id);
    return json === null ? undefined : (JSON.parse(json) as Dialog);
  }

  /** Ends an open dialog. True for the one caller that ended it. */
  async close(id: string, status: Exclude<Dialog["status"], "open">): Promise<boolean> {
    return (await closeScript.run(this.#redis, [this.#all, this.#open], [id, status])) === "closed";
  }

  /** Dialogs whose time is over, oldest first, still open. */
  async overdue(now: Date): Promise<Dialog[]> {
    const ids = await this.#redis.zrangebyscore(this.#open, "-inf", now.getTime(), "LIMIT", 0, 20);
    const dialogs = await Promise.all(ids.map((id) => this.read(id)));
    return dialogs.filter((dialog): dialog is Dialog => dialog !== undefined);
  }

  /** Ends the other open dialogs of the same person in the same place; returns those that this call ended. */
  async replaceOthers(dialog: Pick<Dialog, "id" | "chatId" | "threadId" | "userId">): Promise<Dialog[]> {
    const ids = await this.#redis.zrange(this.#open, "0", "-1");
    const replaced: Dialog[] = [];
    for (const id of ids) {
      if (id === dialog.id) continue;
      const other = await this.read(id);
      if (other?.chatId !== dialog.chatId || other.threadId !== dialog.threadId || other.userId !== dialog.userId)
        continue;
      if (await this.close(id, "replaced")) replaced.push(other);
    }
    return replaced;
  }

  /** Remembers that a press was answered in time: should it come again after a kill, answering fails, but it counts. */
  async markAnswered(queryId: string): Promise<void> {
    await this.#redis.set(this.#keys.of("answered", queryId), "1", "PX", answeredMs);
  }

  /** True when this press was answered in time before. */
  async wasAnswered(queryId: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.of("answered", queryId))) === 1;
  }

  /** Forgets dialogs that ended long ago. */
  async prune(now: Date): Promise<void> {
    const all = await this.#redis.hgetall(this.#all);
    const old = Object.entries(all).filter(
      ([, json]) => (JSON.parse(json) as Dialog).expiresAt < now.getTime() - keepMs,
    );
    if (old.length > 0) await this.#redis.hdel(this.#all, ...old.map(([id]) => id));
  }

  /** The plugin's state of a person's dialog in a place; the key is chat:topic:user. */
  async readConversation(key: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#keys.of("conversation", key))) ?? undefined;
  }

  async writeConversation(key: string, json: string): Promise<void> {
    await this.#redis.set(this.#keys.of("conversation", key), json, "PX", keepMs);
  }

  async deleteConversation(key: string): Promise<void> {
    await this.#redis.del(this.#keys.of("conversation", key));
  }
}
