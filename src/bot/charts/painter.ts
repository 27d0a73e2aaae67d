import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PainterAnswer, PainterOrder } from "./painter-thread.ts";
import type { Chart } from "./types.ts";

export interface PainterOptions {
  /** The thread, and the some 60 MB that it has, go when nothing was drawn for so long; milliseconds. */
  readonly idleMs?: number;
  /** Pictures that may be waited for at a time, the one being drawn among them. */
  readonly mostWaiting?: number;
  /** A picture that takes longer is given up, and the thread with it; milliseconds. */
  readonly limitMs?: number;
}

interface Waiting {
  readonly order: PainterOrder;
  readonly done: (png: Uint8Array) => void;
  readonly failed: (error: AppError) => void;
}

/** Pictures that were drawn lately are given once more without drawing. */
const mostRemembered = 12;

/**
 * Draws pictures in a thread of its own, one after the other, so that the bot goes on answering meanwhile. The thread
 * starts with the first picture and ends when none was wanted for a while.
 */
export class ChartPainter {
  readonly #logger: Logger;
  readonly #options: Required<PainterOptions>;
  readonly #queue: Waiting[] = [];
  readonly #drawn = new Map<string, Promise<Uint8Array>>();
  #thread: Worker | undefined;
  #current: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(logger: Logger, options: PainterOptions = {}) {
    this.#logger = logger;
    this.#options = { idleMs: 60_000, mostWaiting: 8, limitMs: 15_000, ...options };
  }

  /** Whether there is a thread now. */
  get isAwake(): boolean {
    return this.#thread !== undefined;
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

  /** Ends the thread; what is waited for fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end(new AppError("interrupted", "the program is ending"));
    this.#giveUp();
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
    const next = this.#queue.shift();
    clearTimeout(this.#timer);
    if (!next) {
      this.#timer = setTimeout(() => void this.#sleep(), this.#options.idleMs).unref();
      return;
    }
    this.#current = next;
    const { limitMs } = this.#options;
    this.#timer = setTimeout(() => void this.#end(broken(`a picture took longer than ${limitMs} ms`)), limitMs).unref();
    this.#wake().postMessage(next.order);
  }

  #wake(): Worker {
    if (this.#thread) return this.#thread;
    const thread = new Worker(new URL("./painter-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 192 },
    });
    thread.on("message", (answer: PainterAnswer) => this.#answered(answer));
    thread.on(
      "error",
      (error) => void this.#end(broken(error instanceof Error ? error.message : String(error)), thread),
    );
    thread.on("exit", () => void this.#end(broken("the thread that draws pictures has ended"), thread));
    // Nothing is waited for when the program ends.
    thread.unref();
    this.#thread = thread;
    return thread;
  }

  #answered(answer: PainterAnswer): void {
    const current = this.#current;
    if (!current || current.order.id !== answer.id) return;
    this.#current = undefined;
    if ("png" in answer) current.done(answer.png);
    else current.failed(broken(answer.problem));
    this.#next();
  }

  async #sleep(): Promise<void> {
    this.#drawn.clear();
    await this.#end();
  }

  /** Ends the thread (or, with `only`, that one if it is still ours); what it was drawing fails, the rest goes on in a new one. */
  async #end(error?: AppError, only?: Worker): Promise<void> {
    const thread = this.#thread;
    if (!thread || (only && only !== thread)) return;
    this.#thread = undefined;
    clearTimeout(this.#timer);
    const current = this.#current;
    this.#current = undefined;
    if (current && error) {
      this.#logger.warn({ error: error.message }, "a picture could not be drawn");
      current.failed(error);
    }
    const ended = thread.terminate();
    if (!this.#isClosed && this.#queue.length > 0) this.#next();
    await ended;
  }

  #giveUp(): void {
    clearTimeout(this.#timer);
    for (const { failed } of this.#queue.splice(0)) failed(new AppError("interrupted", "the program is ending"));
  }
}

function broken(reason: string): AppError {
  return new AppError("internal", reason, { permanent: false, text: { key: "chart-failed" } });
}
