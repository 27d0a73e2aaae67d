/** Which commands a bot offers to a person in a chat: Telegram's order of scopes, narrowest first. */
/** @import { BotCommand, Chat } from "@grammyjs/types" */

/**
 * @typedef {object} Scope
 * @property {string} type
 * @property {number | string | undefined} [chat_id]
 * @property {number | undefined} [user_id]
 */

/**
 * Reads a key of `SandboxBot.commands`: a scope's JSON, before or after it a language code.
 * @param {string} key
 * @returns {{ scope: Scope, language: string }}
 */
export function parseScopeKey(key) {
  const start = key.indexOf("{");
  const end = key.lastIndexOf("}");
  if (start < 0 || end < start) return { scope: { type: "default" }, language: letters(key) };
  /** @type {Scope & { language_code?: string }} */
  const scope = JSON.parse(key.slice(start, end + 1));
  return { scope, language: scope.language_code ?? letters(key.slice(0, start) + key.slice(end + 1)) };
}

/** @param {string} text */
function letters(text) {
  return text.replace(/[^a-z]/giu, "").toLowerCase();
}

/**
 * The list of the narrowest scope that has one, a list in the person's language before the one for everybody.
 * @param {Readonly<Record<string, readonly BotCommand[]>>} lists
 * @param {{ chat: Chat, userId: number, language: string, administrator: boolean }} where
 * @returns {readonly BotCommand[]}
 */
export function commandsFor(lists, where) {
  const parsed = Object.entries(lists).map(([key, commands]) => ({ ...parseScopeKey(key), commands }));
  for (const matches of scopesFor(where)) {
    for (const language of [where.language, ""]) {
      const found = parsed.find((entry) => entry.language === language && matches(entry.scope));
      if (found && found.commands.length > 0) return found.commands;
    }
  }
  return [];
}

/**
 * @param {{ chat: Chat, userId: number, administrator: boolean }} where
 * @returns {((scope: Scope) => boolean)[]}
 */
function scopesFor({ chat, userId, administrator }) {
  const here = (/** @type {Scope} */ scope) =>
    String(scope.chat_id) === String(chat.id) || ("username" in chat && scope.chat_id === `@${chat.username}`);
  /** @type {(type: string, admin?: boolean) => (scope: Scope) => boolean} */
  const of =
    (type, admin = false) =>
    (scope) =>
      scope.type === type && (!admin || administrator);
  /** @type {(type: string, admin?: boolean) => (scope: Scope) => boolean} */
  const ofHere =
    (type, admin = false) =>
    (scope) =>
      of(type, admin)(scope) && here(scope);
  if (chat.type === "private") return [ofHere("chat"), of("all_private_chats"), of("default")];
  return [
    (scope) => ofHere("chat_member")(scope) && scope.user_id === userId,
    ofHere("chat_administrators", true),
    ofHere("chat"),
    of("all_chat_administrators", true),
    of("all_group_chats"),
    of("default"),
  ];
}
