/**
 * What the page knows: the sandbox's state, kept current by its events, and what each speaker has read.
 * Messages are replaced, never changed, so that the same object means the same rendering.
 */
/** @import { Message, User } from "@grammyjs/types" */
/** @import { SandboxBot, SandboxChat, SandboxEvent, SandboxState, SandboxUser } from "../api.ts" */

export class Store {
  /** @type {readonly SandboxUser[]} */
  users = [];
  /** @type {readonly SandboxBot[]} */
  bots = [];
  /** @type {Map<number, SandboxChat>} */
  chats = new Map();
  /** @type {Map<number, Map<number, Message>>} Per chat, in the order of message ids. */
  #messages = new Map();
  /** @type {Map<string, number>} Last message id read, per speaker, chat and topic. */
  #read = new Map();
  /** @type {Map<number, number>} Newest message id of a chat when the page first saw it: that much counts as read. */
  #seenAtStart = new Map();
  /** Sandbox clock minus the browser's, in milliseconds. */
  #clockOffset = 0;
  #loaded = false;

  /** The sandbox's clock, Unix milliseconds. */
  get now() {
    return Date.now() + this.#clockOffset;
  }

  /** @param {SandboxState} state */
  load(state) {
    this.#setClock(state.now);
    this.users = state.users;
    this.bots = state.bots;
    // A person's chats with several bots have one id: the page shows the one with the first bot.
    this.chats = new Map(state.chats.toReversed().map((entry) => [entry.chat.id, entry]));
    const earlier = this.#messages;
    this.#messages = new Map();
    for (const [key, list] of Object.entries(state.messages)) {
      const chatId = Number(key);
      if (!Number.isInteger(chatId)) continue;
      const known = earlier.get(chatId);
      this.#messages.set(
        chatId,
        new Map(list.map((message) => [message.message_id, unchanged(known?.get(message.message_id), message)])),
      );
      if (!this.#loaded) this.#seenAtStart.set(chatId, list.at(-1)?.message_id ?? 0);
    }
    this.#loaded = true;
  }

  /** @param {SandboxEvent} event */
  apply(event) {
    switch (event.type) {
      case "message":
      case "edited":
        this.#put(event.message);
        break;
      case "deleted":
        this.#messages.get(event.chat_id)?.delete(event.message_id);
        break;
      case "clock":
        this.#setClock(event.now);
        break;
      default:
        break;
    }
  }

  /** @param {Message} message */
  #put(message) {
    const chatId = message.chat.id;
    const list = this.#messages.get(chatId) ?? new Map();
    this.#messages.set(chatId, list);
    const inOrder = list.has(message.message_id) || message.message_id > ([...list.keys()].at(-1) ?? 0);
    list.set(message.message_id, unchanged(list.get(message.message_id), message));
    if (!inOrder) this.#messages.set(chatId, new Map([...list].sort(([a], [b]) => a - b)));
  }

  /** @param {string} now ISO 8601. */
  #setClock(now) {
    this.#clockOffset = Date.parse(now) - Date.now();
  }

  /**
   * The messages of a chat, oldest first; of one topic when `thread` is given (0 is General).
   * @param {number} chatId
   * @param {number | undefined} [thread]
   * @returns {Message[]}
   */
  messages(chatId, thread) {
    const all = [...(this.#messages.get(chatId)?.values() ?? [])];
    return thread === undefined ? all : all.filter((message) => threadOf(message) === thread);
  }

  /**
   * @param {number} chatId
   * @param {number} messageId
   */
  message(chatId, messageId) {
    return this.#messages.get(chatId)?.get(messageId);
  }

  /**
   * @param {number} userId
   * @returns {SandboxUser | undefined}
   */
  user(userId) {
    return this.users.find((user) => user.id === userId);
  }

  /**
   * The bots that are in a chat; in a private chat that has not begun yet, all bots.
   * @param {number} chatId
   */
  botsOf(chatId) {
    const entry = this.chats.get(chatId);
    return this.bots.filter((bot) => !entry || entry.members.includes(bot.user.id));
  }

  /**
   * The chats that a person sees: groups they are in, and their private chat with the bot, begun or not.
   * A group that moved on to a supergroup is left out.
   * @param {User} speaker
   * @returns {SandboxChat[]} Newest first.
   */
  chatsOf(speaker) {
    const visible = [...this.chats.values()].filter((entry) => {
      if (entry.chat.type === "private") return entry.chat.id === speaker.id;
      return (
        entry.members.includes(speaker.id) &&
        !this.messages(entry.chat.id).some((message) => message.migrate_to_chat_id !== undefined)
      );
    });
    if (this.bots.length > 0 && !visible.some((entry) => entry.chat.id === speaker.id)) visible.push(notBegun(speaker));
    const newest = (/** @type {SandboxChat} */ entry) => this.messages(entry.chat.id).at(-1)?.date ?? 0;
    return visible.sort((a, b) => newest(b) - newest(a));
  }

  /**
   * How many messages of others came in since the speaker last looked.
   * @param {number} speakerId
   * @param {number} chatId
   * @param {number | undefined} [thread] 0 is General; without it, the whole chat.
   */
  unread(speakerId, chatId, thread) {
    return this.messages(chatId, thread).filter(
      (message) =>
        message.from?.id !== speakerId && message.message_id > this.readUpTo(speakerId, chatId, threadOf(message)),
    ).length;
  }

  /**
   * @param {number} speakerId
   * @param {number} chatId
   * @param {number} thread
   * @returns {number} A message id.
   */
  readUpTo(speakerId, chatId, thread) {
    return this.#read.get(`${speakerId}:${chatId}:${thread}`) ?? this.#seenAtStart.get(chatId) ?? 0;
  }

  /**
   * @param {number} speakerId
   * @param {number} chatId
   * @param {number | undefined} thread
   * @returns {boolean} Whether that changed anything.
   */
  markRead(speakerId, chatId, thread) {
    const last = this.messages(chatId, thread).at(-1)?.message_id;
    const topic = thread ?? 0;
    if (last === undefined || last <= this.readUpTo(speakerId, chatId, topic)) return false;
    this.#read.set(`${speakerId}:${chatId}:${topic}`, last);
    return true;
  }
}

/**
 * The topic of a message; 0 for General and for chats without topics.
 * @param {Message} message
 */
export function threadOf(message) {
  const thread = message.is_topic_message || message.forum_topic_created ? (message.message_thread_id ?? 0) : 0;
  return thread === 1 ? 0 : thread;
}

/**
 * The earlier object when both say the same.
 * @param {Message | undefined} earlier
 * @param {Message} next
 */
function unchanged(earlier, next) {
  return earlier && JSON.stringify(earlier) === JSON.stringify(next) ? earlier : next;
}

/**
 * @param {User} speaker
 * @returns {SandboxChat}
 */
function notBegun(speaker) {
  const { id, first_name, last_name, username } = speaker;
  const names = { ...(last_name === undefined ? {} : { last_name }), ...(username === undefined ? {} : { username }) };
  return { chat: { id, type: "private", first_name, ...names }, topics: [], members: [id] };
}
