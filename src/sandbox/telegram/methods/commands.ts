import type { BotCommand } from "@grammyjs/types";
import { findChat } from "../access.ts";
import { badRequest } from "../errors.ts";
import { characters, Params } from "../params.ts";
import { type Answer, type Call, type Methods, TRUE } from "./types.ts";

const SIMPLE_SCOPES = new Set(["default", "all_private_chats", "all_group_chats", "all_chat_administrators"]);
const CHAT_SCOPES = new Set(["chat", "chat_administrators", "chat_member"]);
/** Limits of the bot's own texts, in characters. */
const TEXT_LIMITS = { name: 64, description: 512, short_description: 120 } as const;

type TextName = keyof typeof TEXT_LIMITS;

export const commandMethods: Methods = {
  setMyCommands(call) {
    const list = call.params.json("commands", "commands");
    if (!Array.isArray(list)) throw badRequest("can't parse commands list: expected an Array of BotCommand");
    if (list.length > 100) throw badRequest("BOT_COMMANDS_TOO_MUCH");
    const commands = list.map((item: Partial<Record<string, unknown>>) => readCommand(item));
    call.world.journal.emit(commandsChanged(call, () => call.bot.commands.set(commandKey(call), commands)));
    return TRUE;
  },
  getMyCommands: (call) => ({ result: call.bot.commands.get(commandKey(call)) ?? [] }),
  deleteMyCommands(call) {
    call.world.journal.emit(commandsChanged(call, () => call.bot.commands.delete(commandKey(call))));
    return TRUE;
  },
  setMyName: (call) => setText(call, "name"),
  getMyName: (call) => getText(call, "name", call.bot.user.first_name),
  setMyDescription: (call) => setText(call, "description"),
  getMyDescription: (call) => getText(call, "description", ""),
  setMyShortDescription: (call) => setText(call, "short_description"),
  getMyShortDescription: (call) => getText(call, "short_description", ""),
  setChatMenuButton: () => TRUE,
  getChatMenuButton: () => ({ result: { type: "default" } }),
  setMyDefaultAdministratorRights: () => TRUE,
};

function readCommand(item: Partial<Record<string, unknown>>): BotCommand {
  const { command, description } = item;
  if (typeof command !== "string") throw badRequest(`can't parse BotCommand: Can't find field "command"`);
  if (typeof description !== "string") throw badRequest(`can't parse BotCommand: Can't find field "description"`);
  const name = command.replace(/^\//, "");
  if (!/^[a-z0-9_]{1,32}$/.test(name)) throw badRequest("BOT_COMMAND_INVALID");
  if (description.trim() === "") throw badRequest("command description must be non-empty");
  if (description.length > 256) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
  return { command: name, description };
}

/** The key under which commands are kept: the scope as JSON and, when given, the language. */
function commandKey(call: Call): string {
  const language = call.params.text("language_code");
  if (language !== "" && !/^[a-z]{2}$/.test(language)) throw badRequest("invalid language_code specified");
  const scope = readScope(call);
  return language === "" ? JSON.stringify(scope) : `${JSON.stringify(scope)}${language}`;
}

function readScope(call: Call): Record<string, unknown> {
  const raw = call.params.json("scope", "BotCommandScope");
  if (raw === undefined) return { type: "default" };
  if (typeof raw !== "object" || raw === null) throw badRequest("can't parse BotCommandScope: expected an Object");
  const { type, chat_id, user_id } = raw as Partial<Record<string, unknown>>;
  if (typeof type !== "string") throw badRequest(`can't parse BotCommandScope: Can't find field "type"`);
  if (SIMPLE_SCOPES.has(type)) return { type };
  if (!CHAT_SCOPES.has(type)) throw badRequest("can't parse BotCommandScope: unsupported type specified");
  const params = new Params();
  params.set("chat_id", chat_id);
  const { chat } = findChat(call.world, call.bot, params, "read");
  if (type !== "chat_member") return { type, chat_id: chat.id };
  if (typeof user_id !== "number") throw badRequest(`can't parse BotCommandScope: Can't find field "user_id"`);
  return { type, chat_id: chat.id, user_id };
}

function commandsChanged(call: Call, change: () => void): { type: "commands"; bot_id: number } {
  change();
  return { type: "commands", bot_id: call.bot.user.id };
}

function setText(call: Call, name: TextName): Answer {
  const text = call.params.text(name);
  if (characters(text) > TEXT_LIMITS[name]) throw badRequest(`${name.toUpperCase()}_TOO_LONG`);
  call.bot.texts.set(`${name}:${call.params.text("language_code")}`, text);
  return TRUE;
}

function getText(call: Call, name: TextName, fallback: string): Answer {
  const language = call.params.text("language_code");
  return {
    result: { [name]: call.bot.texts.get(`${name}:${language}`) ?? call.bot.texts.get(`${name}:`) ?? fallback },
  };
}
