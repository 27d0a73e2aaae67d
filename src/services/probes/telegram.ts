import { Api, GrammyError, HttpError } from "grammy";
import type { TelegramConfig } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

export type BotAccess = Pick<TelegramConfig, "token" | "apiRoot">;

/** Seconds for one call: longer than Telegram ever takes when it can be reached. */
const timeoutSeconds = 15;

/** Milliseconds that this machine's clock may differ from Telegram's before orders and schedules suffer. */
const skewWarningMs = 5000;
const skewFailureMs = 60_000;

export function telegramApi({ token, apiRoot }: BotAccess): Api {
  return new Api(token, { apiRoot, timeoutSeconds });
}

/** Telegram's refusal or the network's failure as an error of ours, with what to do. Never holds the token. */
export function telegramError(error: unknown, apiRoot: string): AppError {
  if (error instanceof GrammyError) {
    const { error_code: code, description, parameters } = error;
    const context = { code, retryAfter: parameters.retry_after };
    return new AppError("telegram", description, { permanent: code < 500 && code !== 429, context, cause: error });
  }
  if (error instanceof HttpError) {
    const host = URL.parse(apiRoot)?.host ?? "";
    return new AppError("telegram", `cannot reach ${host}`, { permanent: false, context: { host }, cause: error });
  }
  throw error;
}

/** A failed call as a finding. */
export function telegramFailure(error: unknown, apiRoot: string): Finding {
  const { context, message } = telegramError(error, apiRoot);
  switch (context.code) {
    case undefined:
      return failed("doctor-telegram-unreachable", { host: String(context.host) });
    case 401:
    case 404:
      return failed("doctor-telegram-token");
    case 409:
      return failed("doctor-telegram-conflict");
    default:
      return failed("doctor-telegram-refused", { reason: message });
  }
}

/** Is the token good, and whose is it? */
export async function probeBot(
  access: BotAccess,
  signal: AbortSignal,
): Promise<Finding & { readonly username?: string }> {
  try {
    const me = await telegramApi(access).getMe(asSignal(signal));
    return { ...ok("doctor-telegram-ok", { username: me.username, name: me.first_name }), username: me.username };
  } catch (error) {
    return telegramFailure(error, access.apiRoot);
  }
}

/** Does the way in which updates arrive fit the configured one? */
export async function probeUpdates(config: TelegramConfig, signal: AbortSignal): Promise<Finding> {
  try {
    const info = await telegramApi(config).getWebhookInfo(asSignal(signal));
    const url = info.url ?? "";
    if (config.mode === "polling") {
      return url === "" ? ok("doctor-updates-polling") : failed("doctor-updates-webhook-set", { host: hostOf(url) });
    }
    if (url === "") return failed("doctor-updates-webhook-unset");
    if (url !== config.webhook?.url) return failed("doctor-updates-webhook-other", { host: hostOf(url) });
    if (info.last_error_message !== undefined) {
      return warning("doctor-updates-webhook-error", { reason: info.last_error_message });
    }
    return ok("doctor-updates-webhook", { pending: info.pending_update_count });
  } catch (error) {
    return telegramFailure(error, config.apiRoot);
  }
}

const hostOf = (url: string) => URL.parse(url)?.host ?? url;

/** Can the bot write into this chat and into each of its topics? Nobody sees a message: it only shows "typing". */
export async function probeChat(
  access: BotAccess,
  chat: TelegramConfig["chats"][string],
  signal: AbortSignal,
): Promise<Finding> {
  const api = telegramApi(access);
  let topic = "";
  try {
    const { title, first_name: firstName } = await api.getChat(chat.id, asSignal(signal));
    const topics = Object.entries(chat.topics);
    if (topics.length === 0) await api.sendChatAction(chat.id, "typing", {}, asSignal(signal));
    for (const [name, thread] of topics) {
      topic = name;
      await api.sendChatAction(chat.id, "typing", { message_thread_id: thread }, asSignal(signal));
    }
    return ok("doctor-chat-ok", { title: title ?? firstName ?? "", topics: topics.length });
  } catch (error) {
    const { context, message } = telegramError(error, access.apiRoot);
    if (context.code === undefined || context.code === 401) return telegramFailure(error, access.apiRoot);
    if (topic !== "") return failed("doctor-chat-topic", { topic, reason: message });
    return failed("doctor-chat-unreachable", { reason: message });
  }
}

/** How far this machine's clock is from Telegram's, by the Date header of any answer. */
export async function probeClock(apiRoot: string, now: () => Date, signal: AbortSignal): Promise<Finding> {
  try {
    const before = now().getTime();
    const response = await fetch(apiRoot, { method: "HEAD", redirect: "manual", signal });
    const middle = (before + now().getTime()) / 2;
    const theirs = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(theirs)) return { status: "skipped", key: "doctor-clock-unknown", args: {} };
    // The header has whole seconds: on the average it is half a second behind.
    const skew = Math.abs(middle - (theirs + 500));
    const seconds = Math.round(skew / 1000);
    if (skew > skewFailureMs) return failed("doctor-clock-skew", { seconds });
    return skew > skewWarningMs ? warning("doctor-clock-skew", { seconds }) : ok("doctor-clock-ok");
  } catch {
    return failed("doctor-telegram-unreachable", { host: hostOf(apiRoot) });
  }
}

type GrammySignal = Parameters<Api["getMe"]>[0];

/** grammY declares the signal of the package it once used; the platform's own is the same thing. */
export function asSignal(signal: AbortSignal): NonNullable<GrammySignal> {
  return signal as NonNullable<GrammySignal>;
}
