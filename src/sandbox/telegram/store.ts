import type { BotCommand, Chat, Message, User, UserFromGetMe } from "@grammyjs/types";
import type { SandboxUser } from "./api.ts";
import type { ClientMarkup } from "./markup.ts";
import type { BotOptions, ChatOptions } from "./options.ts";

export type MemberStatus = "creator" | "administrator" | "member" | "left" | "kicked";

export interface Topic {
  readonly message_thread_id: number;
  name: string;
  readonly iconColor: number;
  closed: boolean;
}

/** A message as the Bot API shows it, and what the Bot API does not show. */
export interface StoredMessage {
  message: Message;
  /** The bot that sent it; undefined for people and service messages. */
  readonly botId: number | undefined;
  /** Force-reply or reply keyboard that it was sent with. */
  readonly client: ClientMarkup | undefined;
  readonly service: boolean;
  /** Milliseconds on the sandbox's clock. */
  readonly sentAt: number;
}

export interface ChatRecord {
  /** Unique in the sandbox; differs from the chat id only in private chats with a second bot. */
  readonly key: string;
  chat: Chat;
  /** The bot of a private chat. */
  readonly botId: number | undefined;
  readonly members: Map<number, MemberStatus>;
  readonly topics: Map<number, Topic>;
  readonly messages: Map<number, StoredMessage>;
  readonly pinned: number[];
  readonly instance: string;
  /** Private chats: whether the person has ever written. */
  started: boolean;
  migratedTo: number | undefined;
  lastMessageId: number;
}

export interface BotRecord {
  readonly token: string;
  readonly user: UserFromGetMe;
  readonly privacyMode: boolean;
  /** Commands by scope and language, key as `commandKey` makes it. */
  readonly commands: Map<string, readonly BotCommand[]>;
  /** Texts of setMyName, setMyDescription and setMyShortDescription by `<what>:<language>`. */
  readonly texts: Map<string, string>;
}

export interface FileRecord {
  readonly fileId: string;
  readonly uniqueId: string;
  readonly kind: "photo" | "document";
  readonly fileName: string;
  readonly mimeType: string;
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Sender of what an anonymous administrator writes. */
export const ANONYMOUS_ADMIN: User = {
  id: 1087968824,
  is_bot: true,
  first_name: "Group",
  username: "GroupAnonymousBot",
};

const IN_CHAT = new Set<MemberStatus | undefined>(["creator", "administrator", "member"]);

/** Everything that the sandbox knows: bots, people, chats with their messages, files. */
export class Store {
  readonly bots = new Map<number, BotRecord>();
  readonly users = new Map<number, SandboxUser>();
  readonly chats = new Map<string, ChatRecord>();
  readonly files = new Map<string, FileRecord>();
  /** Private chats and basic groups number their messages together, as an account's mailbox does. */
  #lastMailboxId = 0;
  #instances = 0;

  addBot(options: BotOptions): BotRecord {
    const id = options.id ?? Number(options.token.split(":")[0]);
    if (!Number.isSafeInteger(id) || id <= 0)
      throw new Error(`bot ${options.username}: the token must begin with its id, as in 123456:...`);
    const privacyMode = options.privacyMode ?? true;
    const bot: BotRecord = {
      token: options.token,
      privacyMode,
      commands: new Map(),
      texts: new Map(),
      user: {
        id,
        is_bot: true,
        first_name: options.first_name,
        username: options.username,
        can_join_groups: true,
        can_read_all_group_messages: !privacyMode,
        supports_guest_queries: false,
        supports_inline_queries: false,
        can_connect_to_business: false,
        has_main_web_app: false,
        has_topics_enabled: false,
        allows_users_to_create_topics: false,
        can_manage_bots: false,
        supports_join_request_queries: false,
      },
    };
    this.bots.set(id, bot);
    return bot;
  }

  addChat(options: ChatOptions): ChatRecord {
    const id = options.id ?? this.#freeChatId(options.type);
    if (options.type === "private") {
      const user = this.users.get(id);
      const bot = [...this.bots.keys()].find((botId) => options.members.includes(botId)) ?? [...this.bots.keys()][0];
      if (!user || bot === undefined) throw new Error(`private chat ${id}: its id must be the id of a user`);
      const chat = this.privateChat(bot, user);
      chat.started = true;
      return chat;
    }
    const title = options.title ?? `Chat ${id}`;
    const chat: Chat =
      options.type === "group"
        ? { id, type: "group", title }
        : {
            id,
            type: "supergroup",
            title,
            ...(options.forum ? { is_forum: true as const } : {}),
            ...(options.username ? { username: options.username } : {}),
          };
    const record = this.#record(`${id}`, chat, undefined);
    for (const member of options.members) record.members.set(member, "member");
    for (const admin of options.administrators ?? []) record.members.set(admin, "administrator");
    return record;
  }

  /** The private chat of a person with a bot, made when it does not exist. */
  privateChat(botId: number, user: User): ChatRecord {
    const first = [...this.bots.keys()][0];
    const key = botId === first ? `${user.id}` : `${user.id}@${botId}`;
    const known = this.chats.get(key);
    if (known) return known;
    const chat: Chat.PrivateChat = { id: user.id, type: "private", first_name: user.first_name };
    if (user.last_name !== undefined) chat.last_name = user.last_name;
    if (user.username !== undefined) chat.username = user.username;
    const record = this.#record(key, chat, botId);
    record.members.set(user.id, "member").set(botId, "member");
    return record;
  }

  #record(key: string, chat: Chat, botId: number | undefined): ChatRecord {
    if (this.chats.has(key)) throw new Error(`chat ${key} exists twice`);
    this.#instances += 1;
    const record: ChatRecord = {
      key,
      chat,
      botId,
      members: new Map(),
      topics: new Map(),
      messages: new Map(),
      pinned: [],
      instance: `${-4_000_000_000_000_000_000n + BigInt(this.#instances) * 7_919n}`,
      started: false,
      migratedTo: undefined,
      lastMessageId: 0,
    };
    this.chats.set(key, record);
    return record;
  }

  /** An id in Telegram's range for the type that no chat has yet. */
  #freeChatId(type: ChatOptions["type"]): number {
    const base = type === "supergroup" ? -1_001_000_000_000 : -4_000_000;
    let id = base - 1;
    while (this.chats.has(`${id}`)) id -= 1;
    return id;
  }

  nextMessageId(record: ChatRecord): number {
    if (record.chat.type === "supergroup") record.lastMessageId += 1;
    else {
      this.#lastMailboxId += 1;
      record.lastMessageId = this.#lastMailboxId;
    }
    return record.lastMessageId;
  }

  /** The person, bot or anonymous administrator with this id. */
  user(id: number): User | undefined {
    const bot = this.bots.get(id);
    if (bot) return botUser(bot);
    const person = this.users.get(id);
    if (person) return publicUser(person);
    return id === ANONYMOUS_ADMIN.id ? ANONYMOUS_ADMIN : undefined;
  }

  isMember(record: ChatRecord, userId: number): boolean {
    return IN_CHAT.has(record.members.get(userId));
  }

  isAdministrator(record: ChatRecord, userId: number): boolean {
    const status = record.members.get(userId);
    return status === "administrator" || status === "creator";
  }
}

/** A bot as it appears in messages: without the fields that only getMe returns. */
export function botUser(bot: BotRecord): User {
  return { id: bot.user.id, is_bot: true, first_name: bot.user.first_name, username: bot.user.username };
}

/** A person without the sandbox's own label. */
export function publicUser(user: SandboxUser): User {
  const { label: _label, ...rest } = user;
  return rest;
}
