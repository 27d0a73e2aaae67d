import { isDeepStrictEqual } from "node:util";
import type { Message } from "@grammyjs/types";
import { findChat, findEditable } from "../access.ts";
import { CAPTION_RULES, EDITED_TEXT_RULES, readText } from "../entities.ts";
import { badRequest } from "../errors.ts";
import { documentContent, photoContent, readFile } from "../files.ts";
import { readMarkup } from "../markup.ts";
import { editMessage } from "../messages.ts";
import { Params } from "../params.ts";
import type { ChatRecord, StoredMessage } from "../store.ts";
import { readPreview } from "./send.ts";
import type { Answer, Call, Methods } from "./types.ts";

type Content = { [K in keyof Message]?: Message[K] | undefined };

export const editMethods: Methods = {
  editMessageText(call) {
    const { text, entities } = readText(call.params, EDITED_TEXT_RULES, (id) => call.world.store.user(id));
    const [record, stored] = target(call);
    if (stored.message.text === undefined) throw badRequest("there is no text in the message to edit");
    const preview = readPreview(call);
    return edit(call, record, stored, {
      text,
      entities: listOrNone(entities),
      link_preview_options: preview.link_preview_options,
      ...keyboard(call),
    });
  },
  editMessageCaption(call) {
    const { text, entities } = readText(call.params, CAPTION_RULES, (id) => call.world.store.user(id));
    const [record, stored] = target(call);
    if (!stored.message.photo && !stored.message.document)
      throw badRequest("there is no caption in the message to edit");
    return edit(call, record, stored, {
      caption: text === "" ? undefined : text,
      caption_entities: listOrNone(entities),
      ...keyboard(call),
    });
  },
  editMessageMedia(call) {
    const media = call.params.json("media", "InputMedia");
    if (typeof media !== "object" || media === null) throw badRequest("media not found");
    const { type, media: reference, caption, parse_mode, caption_entities } = media as Partial<Record<string, unknown>>;
    if (type !== "photo" && type !== "document")
      throw badRequest(`can't parse InputMedia: type "${type as string}" is not supported here`);
    const inner = new Params();
    for (const [name, value] of Object.entries({ caption, parse_mode, caption_entities })) inner.set(name, value);
    const { text, entities } = readText(inner, CAPTION_RULES, (id) => call.world.store.user(id));
    const [record, stored] = target(call);
    const file = readFile(call.world, call.params, type, `${(reference ?? "") as string}`);
    return edit(call, record, stored, {
      text: undefined,
      entities: undefined,
      photo: undefined,
      document: undefined,
      link_preview_options: undefined,
      ...(type === "photo" ? photoContent(file) : documentContent(file)),
      caption: text === "" ? undefined : text,
      caption_entities: listOrNone(entities),
      ...keyboard(call),
    });
  },
  editMessageReplyMarkup(call) {
    const [record, stored] = target(call);
    return edit(call, record, stored, keyboard(call));
  },
};

function target(call: Call): [ChatRecord, StoredMessage] {
  if (call.params.text("chat_id") === "" && call.params.text("inline_message_id") !== "")
    throw badRequest("MESSAGE_ID_INVALID");
  const record = findChat(call.world, call.bot, call.params, "write");
  return [record, findEditable(record, call.bot, call.params)];
}

/** The keyboard of the edited message; an edit that names none removes it. */
function keyboard(call: Call): Content {
  return { reply_markup: readMarkup(call.params, true).inline };
}

function listOrNone<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function edit(call: Call, record: ChatRecord, stored: StoredMessage, content: Content): Answer {
  const before = stored.message as unknown as Record<string, unknown>;
  const same = Object.entries(content).every(([key, value]) => isDeepStrictEqual(before[key], value));
  if (same) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  call.world.limits.spend(call.bot.user.id, record);
  return { result: structuredClone(editMessage(call.world, record, stored, content)) };
}
