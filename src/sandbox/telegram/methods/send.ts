import type { LinkPreviewOptions, Message } from "@grammyjs/types";
import { answerWith, findChat, findReply, findThread } from "../access.ts";
import { CAPTION_RULES, readText, TEXT_RULES } from "../entities.ts";
import { badRequest } from "../errors.ts";
import { documentContent, photoContent, readFile } from "../files.ts";
import { checkLink } from "../links.ts";
import { readMarkup } from "../markup.ts";
import { postMessage } from "../messages.ts";
import { botUser, type ChatRecord, type StoredMessage } from "../store.ts";
import type { Answer, Call, Methods } from "./types.ts";

const PREVIEW_FLAGS = ["is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"] as const;
const ACTIONS = new Set([
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_voice",
  "upload_voice",
  "record_audio",
  "upload_audio",
  "upload_document",
  "choose_sticker",
  "find_location",
  "record_video_note",
  "upload_video_note",
]);

export const sendMethods: Methods = {
  sendMessage(call) {
    const { text, entities } = readText(call.params, TEXT_RULES, (id) => call.world.store.user(id));
    const preview = readPreview(call);
    return { result: answerWith(send(call, { text, ...(entities.length > 0 ? { entities } : {}), ...preview })) };
  },
  sendPhoto(call) {
    return sendMedia(call, "photo");
  },
  sendDocument(call) {
    return sendMedia(call, "document");
  },
  copyMessage(call) {
    const source = sourceMessage(call);
    const { text, entities, caption, caption_entities, photo, document } = source.message;
    const content: Partial<Message> = definedOnly({ text, entities, caption, caption_entities, photo, document });
    if (content.text === undefined && !content.photo && !content.document) throw badRequest("message can't be copied");
    if (call.params.has("caption")) Object.assign(content, readCaption(call));
    return { result: { message_id: send(call, content).message.message_id } };
  },
  forwardMessage(call) {
    const { message } = sourceMessage(call);
    const { text, entities, caption, caption_entities, photo, document } = message;
    if (text === undefined && !photo && !document) throw badRequest("message can't be forwarded");
    const origin: Message["forward_origin"] =
      message.forward_origin ??
      (message.sender_chat
        ? { type: "chat", sender_chat: message.sender_chat, date: message.date }
        : { type: "user", sender_user: message.from ?? botUser(call.bot), date: message.date });
    return {
      result: answerWith(
        send(call, {
          forward_origin: origin,
          ...definedOnly({ text, entities, caption, caption_entities, photo, document }),
        }),
      ),
    };
  },
  sendChatAction(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    findThread(call.world, record, call.bot, call.params);
    const action = call.params.text("action").toLowerCase();
    if (!ACTIONS.has(action)) throw badRequest("wrong parameter action in request");
    call.world.journal.emit({ type: "chat_action", chat_id: record.chat.id, action });
    return { result: true };
  },
};

/** Checks where a new message goes, takes it from the budget, and posts it. */
function send(call: Call, content: Partial<Message>): StoredMessage {
  const { world, bot, params } = call;
  const markup = readMarkup(params);
  const record = findChat(world, bot, params, "write");
  const threadId = findThread(world, record, bot, params);
  const reply = findReply(record, params, threadId);
  world.limits.spend(bot.user.id, record);
  return postMessage(world, record, {
    from: botUser(bot),
    botId: bot.user.id,
    content: {
      ...content,
      ...(markup.inline ? { reply_markup: markup.inline } : {}),
      ...(params.flag("protect_content") ? { has_protected_content: true as const } : {}),
    },
    ...(markup.client ? { client: markup.client } : {}),
    // as on Telegram, a reply to a message of a topic goes into that topic
    ...optionalThread(threadId ?? reply?.message.message_thread_id),
    ...(reply ? { replyTo: reply.message.message_id } : {}),
  });
}

function optionalThread(threadId: number | undefined): { threadId?: number } {
  return threadId === undefined ? {} : { threadId };
}

function sendMedia(call: Call, kind: "photo" | "document"): Answer {
  const caption = readCaption(call);
  const file = readFile(call.world, call.params, kind);
  const media = kind === "photo" ? photoContent(file) : documentContent(file);
  return { result: answerWith(send(call, { ...media, ...caption })) };
}

/** `caption` and `caption_entities` of a call, {} when there is no caption. */
export function readCaption(call: Call): Partial<Message> {
  const { text, entities } = readText(call.params, CAPTION_RULES, (id) => call.world.store.user(id));
  if (text === "") return {};
  return { caption: text, ...(entities.length > 0 ? { caption_entities: entities } : {}) };
}

/** `link_preview_options` as they are kept in the message. */
export function readPreview(call: Call): Partial<Message> {
  const raw = call.params.json("link_preview_options", "link preview options");
  if (raw === undefined)
    return call.params.flag("disable_web_page_preview") ? { link_preview_options: { is_disabled: true } } : {};
  if (typeof raw !== "object" || raw === null) throw badRequest("object expected as link preview options");
  const options = raw as Partial<Record<string, unknown>>;
  const kept: LinkPreviewOptions = {};
  for (const flag of PREVIEW_FLAGS) {
    if (options[flag] !== undefined && typeof options[flag] !== "boolean")
      throw badRequest(`field "${flag}" must be of type Boolean`);
    if (options[flag] === true) kept[flag] = true;
  }
  if (typeof options.url === "string" && options.url !== "") {
    if (!checkLink(options.url).ok) throw badRequest("WEBPAGE_URL_INVALID");
    kept.url = options.url;
  }
  return Object.keys(kept).length > 0 ? { link_preview_options: kept } : {};
}

function sourceMessage(call: Call): StoredMessage {
  const record: ChatRecord = findChat(call.world, call.bot, call.params, "read", "from_chat_id");
  const stored = record.messages.get(call.params.integer("message_id"));
  if (!stored)
    throw badRequest(
      call.params.integer("message_id") === 0 ? "message identifier is not specified" : "message to copy not found",
    );
  return stored;
}

function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(structuredClone(value)).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
