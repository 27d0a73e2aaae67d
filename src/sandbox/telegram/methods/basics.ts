import { findChat } from "../access.ts";
import { badRequest, conflict } from "../errors.ts";
import { DOWNLOAD_LIMIT, filePath } from "../files.ts";
import { nameOf, removeMessage } from "../messages.ts";
import { characters } from "../params.ts";
import type { ChatRecord } from "../store.ts";
import { type Call, type Methods, TRUE } from "./types.ts";

/** How long after a press `answerCallbackQuery` still works, in milliseconds. */
const CALLBACK_LIFE_MS = 15_000;
const DELETE_LIFE_MS = 48 * 60 * 60 * 1000;
const WEBHOOK_PORTS = new Set(["", "443", "80", "88", "8443"]);

export const basicMethods: Methods = {
  getMe: ({ bot }) => ({ result: bot.user }),
  logOut: () => TRUE,
  close: () => TRUE,
  async getUpdates({ world, bot, params, signal }) {
    const queue = world.updates.get(bot.user.id);
    if (world.webhooks.get(bot.user.id)?.url) {
      throw conflict(
        "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    readAllowed({ world, bot, params, signal });
    const limit = params.integer("limit");
    const timeout = Math.min(50, Math.max(0, params.integer("timeout")));
    const request = {
      offset: params.integer("offset"),
      limit: limit > 0 && limit < 100 ? limit : 100,
      timeout,
      signal,
    };
    return { result: (await queue?.poll(request)) ?? [] };
  },
  setWebhook(call) {
    const { world, bot, params } = call;
    const url = params.text("url").trim();
    if (url === "") return removeWebhook(call);
    checkWebhookUrl(url);
    const secret = params.text("secret_token");
    if (secret.length > 256) throw badRequest("secret token is too long");
    if (!/^[A-Za-z0-9_-]*$/.test(secret)) throw badRequest("secret token contains unallowed characters");
    readAllowed(call);
    const queue = world.updates.get(bot.user.id);
    if (params.flag("drop_pending_updates")) queue?.drop();
    queue?.interrupt(conflict("terminated by setWebhook request"));
    const webhook = world.webhooks.get(bot.user.id);
    const description = webhook?.url === url ? "Webhook is already set" : "Webhook was set";
    webhook?.set(url, secret, params.integer("max_connections"));
    return { result: true, description };
  },
  deleteWebhook: removeWebhook,
  getWebhookInfo: ({ world, bot }) => ({ result: world.webhooks.get(bot.user.id)?.info() }),
  getFile({ world, params }) {
    const id = params.text("file_id");
    if (id === "") throw badRequest("file_id not specified");
    const file = world.store.files.get(id);
    if (!file) throw badRequest("invalid file_id");
    if (file.data.length > DOWNLOAD_LIMIT) throw badRequest("file is too big");
    return {
      result: {
        file_id: file.fileId,
        file_unique_id: file.uniqueId,
        file_size: file.data.length,
        file_path: filePath(file),
      },
    };
  },
  deleteMessage(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    const id = call.params.integer("message_id");
    if (id === 0) throw badRequest("message identifier is not specified");
    checkDeletable(call, record, id);
    removeMessage(call.world, record, id, nameOf(call.bot.user));
    return TRUE;
  },
  deleteMessages(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    const ids = call.params.json("message_ids", "message identifiers");
    if (!Array.isArray(ids)) throw badRequest("message identifiers are not specified");
    if (ids.length > 100) throw badRequest("too many message identifiers specified");
    const present = ids.map(Number).filter((id) => record.messages.has(id));
    for (const id of present) checkDeletable(call, record, id);
    for (const id of present) removeMessage(call.world, record, id, nameOf(call.bot.user));
    return TRUE;
  },
  answerCallbackQuery({ world, bot, params }) {
    const id = params.text("callback_query_id");
    const query = world.queries.get(id);
    const late = query !== undefined && world.clock.now() - query.askedAt > CALLBACK_LIFE_MS;
    if (!query || query.botId !== bot.user.id || query.answered || late) {
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    }
    const text = params.text("text");
    if (characters(text) > 200) throw badRequest("MESSAGE_TOO_LONG");
    const url = params.text("url");
    // only games and links back into Telegram can be opened
    if (url !== "" && !/^(?:https:\/\/)?(?:t\.me|telegram\.me)\/|^tg:\/\//i.test(url)) throw badRequest("URL_INVALID");
    query.answered = true;
    const alert = params.flag("show_alert");
    const answer = {
      ...(text === "" ? {} : { text }),
      ...(alert ? { show_alert: true } : {}),
      ...(url === "" ? {} : { url }),
    };
    world.journal.emit({
      type: "callback_answer",
      chat_id: query.chatId,
      message_id: query.messageId,
      user_id: query.userId,
      callback_query_id: id,
      answer,
    });
    if (text !== "") {
      world.journal.write({
        kind: "toast",
        chat_id: query.chatId,
        message_id: query.messageId,
        by: nameOf(bot.user),
        ...(query.threadId === undefined ? {} : { message_thread_id: query.threadId }),
        text,
        alert,
      });
    }
    return TRUE;
  },
};

function readAllowed({ world, bot, params }: Call): void {
  const allowed = params.json("allowed_updates", "allowed_updates");
  if (allowed === undefined) return;
  if (!Array.isArray(allowed)) throw badRequest("can't parse allowed_updates: expected an Array of String");
  world.updates.get(bot.user.id)?.allow(allowed.map((type: unknown) => `${type as string}`.toLowerCase()));
}

function removeWebhook({ world, bot, params }: Call): { result: true; description: string } {
  const webhook = world.webhooks.get(bot.user.id);
  const description = webhook?.url ? "Webhook was deleted" : "Webhook is already deleted";
  if (params.flag("drop_pending_updates")) world.updates.get(bot.user.id)?.drop();
  webhook?.set("", "", 0);
  return { result: true, description };
}

/** Telegram's own rules, and as a self-hosted server with --local: plain http on this machine, any port. */
function checkWebhookUrl(text: string): void {
  const url = URL.parse(text);
  if (!url) throw badRequest("bad webhook: Invalid URL");
  if (url.hostname === "127.0.0.1" || url.hostname === "localhost" || url.hostname === "[::1]") return;
  if (url.protocol !== "https:") throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  if (!WEBHOOK_PORTS.has(url.port))
    throw badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443");
}

function checkDeletable({ world, bot }: Call, record: ChatRecord, id: number): void {
  const stored = record.messages.get(id);
  if (!stored) throw badRequest("message to delete not found");
  if (world.clock.now() - stored.sentAt > DELETE_LIFE_MS) throw badRequest("message can't be deleted for everyone");
  const own = stored.botId === bot.user.id;
  if (!own && record.chat.type !== "private" && !world.store.isAdministrator(record, bot.user.id)) {
    throw badRequest("message can't be deleted for everyone");
  }
}
