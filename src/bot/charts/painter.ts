import { createHash } from "node:crypto";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import { AppError, toAppError } from "../../core/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Conversation, converse } from "../../lib/process.ts";
import { Answers } from "./painter-answers.ts";
import type { Chart } from "./types.ts";

/** What the program is given. */
export interface PainterOrder {
  readonly id: number;
  readonly chart: Chart;
}

/** What it says: a picture of so many bytes follows, or why there is none. */
export type PainterAnswer =
  | { readonly id: number; readonly bytes: number }
  | { readonly id: number; readonly problem: string };

export interface PainterOptions {
  /** The program, and the some 130 MB that it has, go when nothing was drawn for so long; milliseconds. */
  readonly idleMs?: number;
  /** Pictures that may be waited for at a time, the one being drawn among them. */
  readonly mostWaiting?: number;
  /** A picture that takes longer is given up, and the program with it; milliseconds. */
  readonly limitMs?: number;
}

interface Waiting {
  readonly order: PainterOrder;
  readonly done: (png: Uint8Array) => void;
  readonly failed: (error: AppError) => void;
}

/** A program that draws, and what ends it. */
interface Running extends Pick<Conversation, "stdin" | "pid"> {
  readonly end: AbortController;
  readonly ended: Promise<void>;
}

/** Pictures that were drawn lately are given once more without drawing. */
const mostRemembered = 12;
const heapMegabytes = 192;
const program = fileURLToPath(new URL("./painter-program.ts", import.meta.url));

/**
 * Draws pictures in a process of its own, one after the other. It starts with the first picture and ends when none was
 * wanted for a while; when it breaks down, the next picture starts another one.
 */
export class ChartPainter {
  readonly #logger: Pick<Logger, "warn">;
  readonly #options: Required<PainterOptions>;
  readonly #queue: Waiting[] = [];
  readonly #drawn = new Map<string, Promise<Uint8Array>>();
  #running: Running | undefined;
  #current: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(logger: Pick<Logger, "warn">, options: PainterOptions = {}) {
    this.#logger = logger;
    this.#options = { idleMs: 60_000, mostWaiting: 8, limitMs: 15_000, ...options };
  }

  /** Of the program, while it runs. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** The picture as PNG. The same is drawn once. @throws AppError busy, internal, interrupted */
  async paint(chart: Chart): Promise<Uint8Array> {
    const key = createHash("sha256").update(JSON.stringify(chart)).digest("base64");
    const known = this.#drawn.get(key);
    if (known) return await known;
    const picture = this.#order(chart);
    this.#drawn.set(key, picture);
    for (const oldest of [...this.#drawn.keys()].slice(0, -mostRemembered)) this.#drawn.delete(oldest);
    // Whoever has ordered it hears of a failure; nobody is given it a second time.
    picture.catch(() => this.#drawn.delete(key));
    return await picture;
  }

  /** Ends the program; what is waited for fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const over = new AppError("interrupted", "the program is ending");
    for (const { failed } of this.#queue.splice(0)) failed(over);
    await this.#end(over);
  }

  async #order(chart: Chart): Promise<Uint8Array> {
    if (this.#isClosed) throw new AppError("interrupted", "the program is ending");
    if (this.#queue.length + (this.#current ? 1 : 0) >= this.#options.mostWaiting)
      throw new AppError("busy", "too many pictures are being drawn", {
        permanent: false,
        text: { key: "chart-busy" },
      });
    this.#lastId += 1;
    const order = { id: this.#lastId, chart };
    return await new Promise<Uint8Array>((done, failed) => {
      this.#queue.push({ order, done, failed });
      this.#next();
    });
  }

  #next(): void {
    if (this.#current) return;
    clearTimeout(this.#timer);
    const next = this.#queue.shift();
    if (!next) {
      this.#timer = setTimeout(() => void this.#sleep(), this.#options.idleMs).unref();
      return;
    }
    this.#current = next;
    const { limitMs } = this.#options;
    const late = (): AppError => broken(`a picture took longer than ${limitMs} ms`);
    this.#timer = setTimeout(() => void this.#end(late()), limitMs);
    this.#running ??= this.#start();
    this.#running.stdin.write(`${JSON.stringify(next.order)}\n`);
  }

  #start(): Running {
    const end = new AbortController();
    const cache = getCompileCacheDir();
    const command = {
      argv: [process.execPath, `--max-old-space-size=${heapMegabytes}`, program],
      step: "the program that draws charts",
      ...(cache === undefined ? {} : { env: { NODE_COMPILE_CACHE: cache } }),
    };
    const { stdin, stdout, pid, done } = converse(command, { signal: end.signal });
    const answers = new Answers((answer, png) => this.#answered(answer, png));
    stdout.on("data", (chunk: Buffer) => answers.add(chunk));
    stdout.on("error", () => undefined);
    const over = (reason: string): void => {
      if (this.#running === running) this.#drop(broken(reason));
    };
    const ended = done.then(
      () => over("the program that draws charts has ended"),
      (error: unknown) => over(toAppError(error).message),
    );
    const running: Running = { stdin, pid, end, ended };
    return running;
  }

  #answered(answer: PainterAnswer, png: Uint8Array): void {
    const current = this.#current;
    if (!current || current.order.id !== answer.id) return;
    this.#current = undefined;
    if ("bytes" in answer) current.done(png);
    else this.#fail(current, broken(answer.problem));
    this.#next();
  }

  async #sleep(): Promise<void> {
    this.#drawn.clear();
    await this.#end();
  }

  /** Ends the program. What it was drawing fails with `error`; the rest goes on in a new one. */
  async #end(error?: AppError): Promise<void> {
    const running = this.#drop(error);
    running?.stdin.end();
    running?.end.abort(error ?? new AppError("interrupted", "nothing is to be drawn"));
    await running?.ended;
  }

  /** Has nothing to do with the program any more, which is over or about to be. */
  #drop(error?: AppError): Running | undefined {
    clearTimeout(this.#timer);
    const [running, current] = [this.#running, this.#current];
    this.#running = undefined;
    this.#current = undefined;
    if (current && error) this.#fail(current, error);
    if (!this.#isClosed && this.#queue.length > 0) this.#next();
    return running;
  }

  #fail(waiting: Waiting, error: AppError): void {
    if (error.code !== "interrupted") this.#logger.warn({ error: error.message }, "a chart could not be drawn");
    waiting.failed(error);
  }
}

function broken(reason: string): AppError {
  return new AppError("internal", reason, { permanent: false, text: { key: "chart-failed" } });
}
