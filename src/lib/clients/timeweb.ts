import type { IPolicy } from "cockatiel";
import type { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { networkCode, providerQuestion } from "../resilience.ts";
import {
  type Asked,
  garbageError,
  jsonOf,
  networkError,
  notSentError,
  statusError,
  timeoutError,
} from "./timeweb-errors.ts";

/** For one answer, its body included; milliseconds. */
const timeoutMs = 10_000;
/** Larger bodies are not read; bytes. A page of 100 servers has about 200 KB. */
const maxBody = 8 * 2 ** 20;
/**
 * How long nobody asks after the API has said that it was too much, since it does not say how long; milliseconds. Twice
 * as long each time that it says so again, until enough has been answered in between.
 */
const penalty = { firstMs: 500, longestMs: 30_000, forgiven: 0.9 } as const;

export interface TimewebOptions {
  /** The provider's name in the configuration; for errors. */
  readonly account: string;
  /** "https://api.timeweb.cloud" */
  readonly apiUrl: string;
  readonly token: string;
  readonly rate: {
    take(signal: AbortSignal, urgent?: boolean): Promise<void>;
    penalize(ms: number): Promise<void>;
  };
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

export interface AskOptions {
  readonly query?: Readonly<Record<string, string | number>>;
  /** Before what waits for its turn: somebody looks at it. */
  readonly urgent?: boolean;
  /**
   * Asked once: whoever asks will do so again. Only what was no answer at all is asked again: a connection that broke
   * off, and too many requests.
   */
  readonly once?: boolean;
}

/** What an answer says, and the API's own time when it said it. */
export interface Answer<T> {
  readonly data: T;
  /** By the clock of the other side, to the second; undefined when it does not tell. */
  readonly date: Date | undefined;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly date: Date | undefined;
}

/**
 * Requests to the API of Timeweb Cloud, at the pace that `rate` allows. Questions (GET) are repeated when what went
 * wrong may pass; orders are sent once, whatever happens.
 *
 * Rejects with `AppError`: `provider-unreachable` (the network, a timeout, too many requests, something in front of the
 * API), `provider-token`, `provider-failed` (an error of theirs, an answer that can not be read), `not-found` and
 * `provider-refused` (in the API's own words); or with the signal's reason.
 */
export class TimewebClient {
  readonly #options: TimewebOptions;
  readonly #root: string;
  readonly #server: string;
  readonly #timeoutMs: number;
  readonly #questions: IPolicy;
  /** How often it was too much of late. */
  #strikes = 0;

  constructor(options: TimewebOptions) {
    this.#options = options;
    this.#root = options.apiUrl.replace(/\/+$/, "");
    this.#server = new URL(options.apiUrl).host;
    this.#timeoutMs = options.timeoutMs ?? timeoutMs;
    this.#questions = providerQuestion((error) => error instanceof AppError && !error.permanent);
  }

  /** Asks for what changes nothing. */
  async get<T extends z.ZodType>(
    path: string,
    schema: T,
    signal: AbortSignal,
    options: AskOptions = {},
  ): Promise<Answer<z.output<T>>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) query.set(name, String(value));
    const asked = this.#asked("GET", path);
    const url = `${this.#root}${path}${query.size > 0 ? `?${query.toString()}` : ""}`;
    const ask = async (): Promise<Answer<z.output<T>>> => {
      await this.#options.rate.take(signal, options.urgent ?? false);
      const reply = await this.#send(asked, url, undefined, signal);
      return { data: read(asked, reply, schema), date: reply.date };
    };
    try {
      if (options.once) return await onceMore(ask, signal);
      return await this.#questions.execute(ask, signal);
    } catch (error) {
      // Aborted between two attempts, the policy rejects with an error of its own.
      signal.throwIfAborted();
      throw error;
    }
  }

  /**
   * Orders something, once. `surelyNotDone` of the error tells whether it was; when it does not, the order may have
   * been carried out. One whose turn has not come was never sent, and says so instead of the signal's reason. The
   * answer is the body as it was read, undefined for none.
   */
  async order(method: "POST" | "PATCH", path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    const asked = this.#asked(method, path);
    try {
      await this.#options.rate.take(signal, true);
    } catch (error) {
      throw notSentError(asked, error);
    }
    const reply = await this.#send(asked, `${this.#root}${path}`, body, signal, method);
    return jsonOf(reply.body);
  }

  #asked(method: string, path: string): Asked {
    return { account: this.#options.account, server: this.#server, method, path };
  }

  /** Sends what has its turn. */
  async #send(asked: Asked, url: string, body: unknown, signal: AbortSignal, method = "GET"): Promise<Reply> {
    const limit = AbortSignal.timeout(this.#timeoutMs);
    let reply: Reply;
    try {
      const response = await fetch(url, {
        method,
        // A redirect would carry an order elsewhere, or make a question of it.
        redirect: "manual",
        headers: {
          authorization: `Bearer ${this.#options.token}`,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, limit]),
      });
      reply = await receive(asked, response);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError) throw error;
      if (limit.aborted) throw timeoutError(asked, this.#timeoutMs);
      throw brokenOff(asked, error);
    }
    if (reply.status === 429) await this.#slowDown();
    else this.#strikes *= penalty.forgiven;
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw statusError(asked, reply.status, reply.body);
  }

  /** Nobody asks for a while. */
  async #slowDown(): Promise<void> {
    const ms = Math.min(penalty.firstMs * 2 ** Math.round(this.#strikes), penalty.longestMs);
    this.#strikes += 1;
    // Redis being away must not hide what the API has said.
    await this.#options.rate.penalize(ms * (0.75 + Math.random() / 2)).catch(() => undefined);
  }
}

/** Reads a body up to the bound; the rest is given up with its connection. */
async function receive(asked: Asked, response: Response): Promise<Reply> {
  const { status, headers } = response;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > maxBody) throw garbageError(asked, `more than ${maxBody} bytes`, status);
    parts.push(part);
  }
  const date = Date.parse(headers.get("date") ?? "");
  const body = new TextDecoder().decode(Buffer.concat(parts));
  return { status, body, date: Number.isNaN(date) ? undefined : new Date(date) };
}

/** A connection that was kept open may just have been closed by the other side; whoever was too many waits for a turn. */
async function onceMore<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const { why, done } = error instanceof AppError ? error.context : {};
      const isBroken = why === "network" && done !== false && left === 3;
      if (left === 1 || !(isBroken || why === "rate")) throw error;
    }
  }
}

/** What has never had a connection was never sent. */
const beforeSending = new Set(
  ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"].concat("UND_ERR_CONNECT_TIMEOUT"),
);

function brokenOff(asked: Asked, error: unknown): AppError {
  const code = networkCode(error) ?? causeCode(error);
  return networkError(asked, code ?? "the connection broke off", code === undefined || !beforeSending.has(code), error);
}

/** The code of what is beneath fetch's "fetch failed": a certificate's fault, a broken body. */
function causeCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as NodeJS.ErrnoException;
    if (typeof code === "string" && code !== "") return code;
  }
  return undefined;
}

/** The path of what is wrong is told, its value never. */
function read<T extends z.ZodType>(asked: Asked, { status, body }: Reply, schema: T): z.output<T> {
  const json = jsonOf(body);
  if (json === undefined) throw garbageError(asked, body === "" ? "nothing" : "no JSON", status);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw garbageError(asked, `not the expected form at ${issue?.path.map(String).join(".") || "the top"}`, status);
}
