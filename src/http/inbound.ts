import { type Readable, Transform } from "node:stream";
import type { FastifyReply } from "fastify";
import { Counter, type Registry } from "prom-client";
import { AppError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { HooksConfig } from "../hooks/index.ts";
import type { Logger } from "../lib/logger.ts";
import type { Heartbeats } from "../services/heartbeats.ts";
import type { Inbound } from "../services/inbound.ts";
import { Gate, type Place, StalledError, whileMoving } from "./overload.ts";

/** What the webhooks and pings need. */
export interface InboundRoutes {
  readonly hooks: HooksConfig;
  /** Without it only signed messages get in. */
  readonly token?: string | undefined;
  readonly inbound: Pick<Inbound, "accept" | "refused" | "unreadable">;
  readonly heartbeats: Pick<Heartbeats, "ping">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<InboundLimits>;
}

/** All in bytes, milliseconds and counts. */
export interface InboundLimits {
  /** Of one body. */
  readonly body: number;
  /** Requests under way with the token, and pings. */
  readonly requests: number;
  /** Their bodies together. */
  readonly bytes: number;
  /** Requests under way whose signature is still to be looked at. */
  readonly unproven: number;
  /** How long Redis may do nothing. */
  readonly patienceMs: number;
}

const mebibyte = 1024 * 1024;

export const inboundLimits: InboundLimits = {
  body: 8 * mebibyte,
  requests: 256,
  bytes: 32 * mebibyte,
  unproven: 8,
  patienceMs: 3000,
};

/** Seconds until a sender should come again: when there is no room, and when Redis does not answer. */
const retryAfter = { busy: 1, redis: 5 } as const;

/** What the routes share: the limits, and who is inside. */
export class InboundDoor {
  readonly limits: InboundLimits;
  readonly logger: Logger;
  readonly #proven: Gate;
  readonly #unproven: Gate;
  readonly #requests: Counter<"hook" | "status">;

  constructor(routes: InboundRoutes, registry: Registry) {
    this.#requests = new Counter({
      name: "vakhta_hook_requests_total",
      help: "Requests to /hooks and /ping by hook and status of the answer",
      labelNames: ["hook", "status"],
      registers: [registry],
    });
    this.logger = routes.logger;
    this.limits = { ...inboundLimits, ...routes.limits };
    const { requests, bytes, unproven, body } = this.limits;
    this.#proven = new Gate({ requests, bytes });
    this.#unproven = new Gate({ requests: unproven, bytes: 2 * body });
  }

  /** Counts an answer. `url`: the route's, without its parameters. */
  answered(url: string | undefined, status: number): void {
    const [, hook = "?"] = /^\/(?:hooks\/)?([^:]+?)(?:\/:.*)?$/.exec(url ?? "") ?? [];
    this.#requests.inc({ hook, status });
  }

  /** A place for a request, left by itself when it is answered or broken off. @throws Busy without room. */
  enter(reply: FastifyReply, isProven: boolean): Place {
    // Of a body that does not say how large it becomes, what has come is counted; one that is too large is refused elsewhere.
    const declared = Number(reply.request.headers["content-length"] ?? 0);
    const place = (isProven ? this.#proven : this.#unproven).enter(Math.min(declared, this.limits.body));
    if (!place) throw busy();
    const held = new HeldPlace(place);
    reply.raw.once("close", () => held.answered());
    reply.raw.once("finish", () => held.answered());
    return held;
  }

  /** The body of a request, which finds no more room than its place can get while it grows. */
  counted(body: Readable, place: Place): Readable {
    let bytes = 0;
    const { limits } = this;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes > limits.body || place.grow(bytes)) {
          done(null, chunk);
          return;
        }
        // Read to its end, so that the answer arrives.
        body.unpipe(this).resume();
        done(busy());
      },
    });
    body.once("error", (error) => counted.destroy(error));
    return body.pipe(counted);
  }

  /** Does what has to be in Redis before the answer. Its place is kept until it ends, whoever has given up waiting. */
  async persist<T>(place: Place, work: (moved: () => void) => Promise<T>): Promise<T> {
    const { logger } = this;
    try {
      return await whileMoving(this.limits.patienceMs, (moved) => {
        const done = work(moved);
        if (place instanceof HeldPlace) place.keepFor(done);
        return done;
      });
    } catch (error) {
      if (error instanceof StalledError) logger.warn("Redis does not answer: senders are told to come again");
      else logger.error({ err: error }, "what arrived could not be persisted: its sender is told to come again");
      throw new Unavailable("it could not be persisted", { afterSeconds: retryAfter.redis, cause: error });
    }
  }
}

function busy(): Unavailable {
  return new Unavailable("too many requests are under way", { afterSeconds: retryAfter.busy });
}

/** Left when the request is answered and its work has ended. */
class HeldPlace implements Place {
  readonly #place: Place;
  #isAnswered = false;
  #working = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  resize(bytes: number): void {
    this.#place.resize(bytes);
  }

  grow(bytes: number): boolean {
    return this.#place.grow(bytes);
  }

  keepFor(work: Promise<unknown>): void {
    this.#working += 1;
    const end = (): void => {
      this.#working -= 1;
      this.leave();
    };
    work.then(end, end);
  }

  answered(): void {
    this.#isAnswered = true;
    this.leave();
  }

  leave(): void {
    if (this.#isAnswered && this.#working === 0) this.#place.leave();
  }
}

/** Come again later: the only refusal that loses no alert. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly afterSeconds: number;

  constructor(message: string, options: ErrorOptions & { readonly afterSeconds: number }) {
    super(message, options);
    this.afterSeconds = options.afterSeconds;
  }
}

/** A body that is larger than `limits.body`. */
export function tooLarge({ body }: Pick<InboundLimits, "body">): Error {
  return Object.assign(new Error(`the body is larger than ${body} bytes`), { statusCode: 413 });
}

/**
 * Answers what went wrong with one line; what nobody expected is left to the server's own handler. `lost` is called with
 * the line when what has arrived is refused for good.
 */
export async function answerFailure(
  error: unknown,
  reply: FastifyReply,
  { limits, logger }: { readonly limits: InboundLimits; readonly logger: Logger },
  lost: (reason: string) => void = () => undefined,
): Promise<unknown> {
  if (error instanceof Unavailable)
    return await reply.status(503).header("retry-after", error.afterSeconds).send({ error: error.message });
  const isTooLarge = error instanceof Error && (error as { statusCode?: number }).statusCode === 413;
  if (!isTooLarge && !(error instanceof AppError && error.code === "http")) throw error;
  // The line names places, never what stands there.
  const reason = isTooLarge ? tooLarge(limits).message : error.message;
  logger.warn({ url: reply.request.routeOptions.url, reason }, "what arrived can not be read");
  lost(reason);
  return await reply.status(isTooLarge ? 413 : 400).send({ error: reason });
}
