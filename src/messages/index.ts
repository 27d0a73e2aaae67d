import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { AppError } from "../core/errors.ts";
import type { Moment, Text } from "../core/text.ts";
import { formatTime } from "./format.ts";

export const locales = ["en", "ru"] as const;
export type Locale = (typeof locales)[number];

/** Telegram knows four named entities; `'` needs none. Half a surrogate pair would make it refuse the whole text. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** What a text is about. Texts and points in time among them are rendered in the same language. */
export type MessageArgs = Readonly<Record<string, string | number | Text | Moment | undefined>>;

/** Texts of one language. `t` gives HTML with every string argument escaped; `plain` gives plain text (buttons, toasts, terminal). */
export interface Messages {
  readonly locale: Locale;
  t(key: string, args?: MessageArgs): string;
  plain(key: string, args?: MessageArgs): string;
  /** True when the key exists: for keys that are composed, such as `error-<code>`. */
  has(key: string): boolean;
}

/** Every `.ftl` file of a language's folder, in name order. */
export function messageFiles(locale: Locale): string[] {
  const folder = join(import.meta.dirname, locale);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ftl"))
    .sort()
    .map((file) => join(folder, file));
}

function loadBundle(locale: Locale): FluentBundle {
  const bundle = new FluentBundle(locale, { useIsolating: false });
  for (const file of messageFiles(locale)) {
    const errors = bundle.addResource(new FluentResource(readFileSync(file, "utf8")));
    if (errors.length > 0) throw new AppError("internal", `${file}: ${errors[0]?.message ?? "cannot be read"}`);
  }
  return bundle;
}

function createMessages(locale: Locale): Messages {
  const bundle = loadBundle(locale);
  const format = (key: string, args: MessageArgs, escaped: boolean): string => {
    const message = bundle.getMessage(key);
    if (!message?.value) throw new AppError("internal", `no message ${key} in ${locale}`);
    const variables: Record<string, FluentVariable> = {};
    for (const [name, value] of Object.entries(args)) variables[name] = variable(value, escaped);
    const errors: Error[] = [];
    const text = bundle.formatPattern(message.value, variables, errors);
    if (errors[0]) throw new AppError("internal", `message ${key} in ${locale}: ${errors[0].message}`);
    return text;
  };
  const variable = (value: MessageArgs[string], escaped: boolean): FluentVariable => {
    if (typeof value === "number") return value;
    if (typeof value === "object" && "moment" in value)
      return formatTime(new Date(value.moment), locale, value.timezone);
    if (typeof value === "object") return format(value.key, value.args ?? {}, escaped);
    return escaped ? escapeHtml(value ?? "") : (value ?? "");
  };
  return {
    locale,
    t: (key, args = {}) => format(key, args, true),
    plain: (key, args = {}) => format(key, args, false),
    has: (key) => bundle.hasMessage(key),
  };
}

const loaded = new Map<Locale, Messages>();

/** The texts of a language; loaded once per process. */
export function messagesOf(locale: Locale): Messages {
  let messages = loaded.get(locale);
  if (!messages) {
    messages = createMessages(locale);
    loaded.set(locale, messages);
  }
  return messages;
}

/** Why something failed, for a reader: the error's own sentence, or the English line of an error that has none. */
export function reasonOf(error: { readonly message: string; readonly text?: Text | undefined }): Text | string {
  return error.text ?? error.message;
}

/** The same as plain text. */
export function reasonText(error: Parameters<typeof reasonOf>[0], messages: Messages): string {
  return error.text ? messages.plain(error.text.key, error.text.args) : error.message;
}
