import { BotApiError, badRequest } from "./errors.ts";

/** A file of a multipart request. */
export interface Upload {
  readonly field: string;
  readonly fileName: string;
  readonly mimeType: string;
  readonly data: Buffer;
}

const TRUE_WORDS = new Set(["true", "yes", "1"]);
const LOGGED_AS_NUMBER = /^(chat_id|from_chat_id|message_id|message_thread_id|user_id|offset|limit|timeout)$/;

/**
 * The parameters of one call, wherever they came from (query, form, JSON, multipart).
 * As on the real server each is a string first: a JSON body may say `"5"` or `5`, a form may carry JSON text.
 */
export class Params {
  readonly #values = new Map<string, string>();
  readonly #raw = new Map<string, unknown>();
  readonly #files = new Map<string, Upload>();

  /** Adds one parameter; `null` and `undefined` count as absent. Throws 400 on text that is not valid Unicode. */
  set(name: string, value: unknown): void {
    if (value === null || value === undefined) return;
    const text =
      typeof value === "string"
        ? value
        : typeof value === "object"
          ? JSON.stringify(value)
          : `${value as number | boolean}`;
    requireUnicode(value);
    this.#values.set(name, text);
    this.#raw.set(name, value);
  }

  addFile(upload: Upload): void {
    this.#files.set(upload.field, upload);
  }

  file(field: string): Upload | undefined {
    return this.#files.get(field);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The parameter as text, "" when absent. */
  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** The parameter as an integer; 0 when absent or unreadable, as the real server reads it. */
  integer(name: string): number {
    const text = this.text(name).trim();
    return /^-?\d{1,16}$/.test(text) ? Number(text) : 0;
  }

  flag(name: string): boolean {
    return TRUE_WORDS.has(this.text(name).trim().toLowerCase());
  }

  /** The parameter read as JSON, undefined when absent or empty; `what` names it in the error. */
  json(name: string, what: string): unknown {
    const text = this.text(name);
    if (text === "" || text === "null") return undefined;
    const parsed = parseJson(text);
    if (!parsed) throw badRequest(`can't parse ${what} JSON object`);
    requireUnicode(parsed.value);
    return parsed.value;
  }

  /** For the call log: JSON texts opened, ids as numbers, files as name and size. */
  toLog(): Record<string, unknown> {
    const log: Record<string, unknown> = {};
    for (const [name, value] of this.#raw) log[name] = readable(name, value);
    for (const [field, file] of this.#files)
      log[field] = { file_name: file.fileName, mime_type: file.mimeType, bytes: file.data.length };
    return log;
  }
}

/** Half of a surrogate pair, as from a text cut inside an emoji, is no valid UTF-8: refused wherever it stands. */
function requireUnicode(value: unknown): void {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw badRequest("strings must be encoded in UTF-8");
  } else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) requireUnicode(part);
  }
}

function readable(name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (LOGGED_AS_NUMBER.test(name) && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (!/^[[{]/.test(value) || name === "text" || name === "caption") return value;
  return (parseJson(value) ?? { value }).value;
}

/** The value of a JSON text, undefined when it is none. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Length in characters as Telegram counts short texts: code points, not UTF-16 units. */
export function characters(text: string): number {
  return Array.from(text).length;
}

/** Reads a JSON body's top level into `params`; anything but an object is refused as the real server does. */
export function readJsonBody(params: Params, body: unknown): void {
  if (body === null || body === undefined) return;
  if (typeof body !== "object" || Array.isArray(body)) {
    throw new BotApiError(400, "Bad Request: can't parse JSON object: expected an object");
  }
  for (const [name, value] of Object.entries(body)) params.set(name, value);
}
