import type {
  ForceReply,
  InlineKeyboardButton,
  InlineKeyboardMarkup,
  ReplyKeyboardMarkup,
  ReplyKeyboardRemove,
} from "@grammyjs/types";
import { badRequest } from "./errors.ts";
import { checkLink, userIdOfLink } from "./links.ts";
import { characters, type Params } from "./params.ts";

/** Mark-up that is no inline keyboard: it goes to the person's client and is not part of the message for the bot. */
export type ClientMarkup = ForceReply | ReplyKeyboardMarkup | ReplyKeyboardRemove;

/** What `reply_markup` held; both absent when there was none. */
export interface ReplyMarkup {
  readonly inline?: InlineKeyboardMarkup;
  readonly client?: ClientMarkup;
}

type Json = Partial<Record<string, unknown>>;

const ACTIONS = [
  "url",
  "callback_data",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
  "disabled",
] as const;
const STYLES = new Set<unknown>(["danger", "success", "primary"]);
const MAX_BUTTONS = 100;
const MAX_PER_ROW = 8;

/** Reads `reply_markup`; throws 400 with Telegram's words. `inlineOnly` for edits. */
export function readMarkup(params: Params, inlineOnly = false): ReplyMarkup {
  const value = params.json("reply_markup", "reply keyboard markup");
  if (value === undefined) return {};
  if (!isObject(value)) throw badRequest("object expected as reply markup");
  if ("inline_keyboard" in value) return readInline(value);
  if (inlineOnly && Object.keys(value).length > 0) throw badRequest("inline keyboard expected");
  return readClient(value);
}

function readInline(value: Json): ReplyMarkup {
  const rows = value.inline_keyboard;
  if (!Array.isArray(rows)) throw badRequest(`field "inline_keyboard" must be of type Array`);
  const keyboard = rows
    .map((row: unknown) => {
      if (!Array.isArray(row)) throw badRequest(`field "inline_keyboard" must be an Array of Arrays`);
      if (row.length > MAX_PER_ROW) throw badRequest("reply markup is too long");
      return row.map((button: unknown) => readButton(button));
    })
    .filter((row) => row.length > 0);
  if (keyboard.flat().length > MAX_BUTTONS) throw badRequest("reply markup is too long");
  return keyboard.length === 0 ? {} : { inline: { inline_keyboard: keyboard } };
}

function readButton(value: unknown): InlineKeyboardButton {
  if (!isObject(value)) throw wrongButton("InlineKeyboardButton must be an Object");
  const { text, style } = value;
  if (text === undefined) throw wrongButton(`Can't find field "text"`);
  if (typeof text !== "string") throw wrongButton(`Field "text" must be of type String`);
  if (text.trim() === "") throw badRequest("inline keyboard button text must be non-empty");
  if (style !== undefined && style !== "" && !STYLES.has(style)) throw wrongButton("invalid button style specified");
  const present = ACTIONS.filter(
    (action) => value[action] !== undefined && value[action] !== "" && value[action] !== false,
  );
  const extra = { text, ...(style ? { style: style as "danger" } : {}) };
  // an empty inline query is an action of its own
  const query = (["switch_inline_query", "switch_inline_query_current_chat"] as const).find(
    (name) => value[name] === "",
  );
  const action = present[0] ?? query;
  if (action === undefined) throw wrongButton("Text buttons are unallowed in the inline keyboard");
  // the real server takes the first and drops the others without a word; a program that sends two has a mistake
  if (present.length > 1) throw wrongButton(`exactly one action expected, found ${present.join(" and ")}`);
  return { ...extra, ...readAction(action, value[action]) } as InlineKeyboardButton;
}

function readAction(action: (typeof ACTIONS)[number], value: unknown): Json {
  switch (action) {
    case "callback_data":
      return { callback_data: readData(value) };
    case "url":
      return { url: readUrl(value) };
    case "web_app":
      return { web_app: { url: readWebApp(value) } };
    case "copy_text":
      return { copy_text: { text: readCopyText(value) } };
    case "callback_game":
    case "pay":
      throw badRequest("BUTTON_TYPE_INVALID");
    case "login_url":
      throw badRequest("BOT_DOMAIN_INVALID");
    default:
      return { [action]: value };
  }
}

function readData(value: unknown): string {
  if (typeof value !== "string") throw wrongButton(`Field "callback_data" must be of type String`);
  if (Buffer.byteLength(value) > 64) throw badRequest("BUTTON_DATA_INVALID");
  return value;
}

function readUrl(value: unknown): string {
  if (typeof value !== "string") throw wrongButton(`Field "url" must be of type String`);
  if (userIdOfLink(value) !== undefined) return value;
  const link = checkLink(value);
  if (!link.ok) throw badRequest(`inline keyboard button ${link.why}`);
  if (link.url.length > 2048) throw badRequest("BUTTON_URL_INVALID");
  return link.url;
}

function readWebApp(value: unknown): string {
  const url = isObject(value) ? value.url : undefined;
  if (typeof url !== "string") throw wrongButton(`Can't find field "url"`);
  if (url.startsWith("https://")) return url;
  throw badRequest(`inline keyboard button Web App URL '${url}' is invalid: Only HTTPS links are allowed`);
}

function readCopyText(value: unknown): string {
  const text = isObject(value) ? value.text : undefined;
  if (typeof text !== "string" || text === "" || characters(text) > 256) throw badRequest("BUTTON_COPY_TEXT_INVALID");
  return text;
}

function wrongButton(why: string): Error {
  return badRequest(`can't parse inline keyboard button: ${why}`);
}

function readClient(value: Json): ReplyMarkup {
  const flags = [
    "force_reply",
    "selective",
    "remove_keyboard",
    "resize_keyboard",
    "one_time_keyboard",
    "is_persistent",
  ] as const;
  for (const flag of flags) {
    if (value[flag] !== undefined && typeof value[flag] !== "boolean")
      throw badRequest(`field "${flag}" must be of type Boolean`);
  }
  const placeholder = value.input_field_placeholder;
  if (placeholder !== undefined && (typeof placeholder !== "string" || placeholder.length > 64)) {
    throw badRequest("REPLY_MARKUP_PLACEHOLDER_INVALID");
  }
  if ("keyboard" in value) {
    if (!Array.isArray(value.keyboard)) throw badRequest(`field "keyboard" must be of type Array`);
    return { client: value as unknown as ReplyKeyboardMarkup };
  }
  if (value.force_reply === true || value.remove_keyboard === true) return { client: value as unknown as ClientMarkup };
  return {};
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
