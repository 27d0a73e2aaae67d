import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../../core/errors.ts";
import type { Signal } from "../../core/signal.ts";
import { hookKinds, partOf } from "../../hooks/index.ts";
import type { HookKind, HookRequest, Proof } from "../../hooks/types.ts";
import { turns } from "../../lib/turns.ts";
import { givenToken, sameSecret } from "../auth.ts";
import { answerFailure, type InboundDoor, type InboundRoutes } from "../inbound.ts";
import { readJson } from "../json.ts";
import type { Place } from "../overload.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Its place among those under way. */
    place?: Place;
    hasToken?: boolean;
    /** The kind of what has been let in. */
    hook?: string;
  }
}

const everyMethod = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** What a refused sender is told, by what its signature is. */
const refusals: Readonly<Record<Exclude<Proof, "proven">, string>> = {
  none: "a token is needed: as a bearer, or as the password of basic authentication",
  wrong: "the signature is not that of this body",
  expired: "the signature is too old, or a clock is wrong",
};

/** `/hooks/<kind>` and `/hooks/<kind>/<variant>`: persist, then 200; whatever fails on our side is 503, never 429. */
export function hookRoutes(routes: InboundRoutes, door: InboundDoor): FastifyPluginAsync {
  return async (server) => {
    // The bytes as they came, whatever they are called: signatures are over them, and curl calls everything a form.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: door.limits.body }, (_request, body, done) => {
      done(null, body);
    });
    server.addHook("onResponse", async (request, reply) => door.answered(request.routeOptions.url, reply.statusCode));
    server.setErrorHandler(async (error, request, reply) => {
      const lost = (reason: string): void => {
        if (request.hook !== undefined) routes.inbound.unreadable(request.hook, request.ip, reason);
      };
      return await answerFailure(error, reply, door, lost);
    });
    for (const kind of hookKinds.values()) {
      const part = partOf(routes.hooks, kind);
      for (const variant of [undefined, ...(kind.variants?.(part) ?? [])]) {
        const hook: Hook = { kind, part, variant, routes, door };
        const url = `/hooks/${kind.kind}${variant === undefined ? "" : `/${variant}`}`;
        server.route({
          method: [...kind.methods],
          url,
          bodyLimit: door.limits.body,
          onRequest: async (request, reply) => await enter(hook, request, reply),
          preParsing: async (request, _reply, body) => {
            const isDeclared = request.headers["content-length"] !== undefined;
            return isDeclared || !request.place ? body : door.counted(body, request.place);
          },
          handler: async (request, reply) => await receive(hook, request, reply),
        });
        server.route({
          method: everyMethod.filter((method) => !kind.methods.some((own) => own === method)),
          url,
          handler: async (_request, reply) =>
            await reply.status(405).header("allow", kind.methods.join(", ")).send({ error: "method not allowed" }),
        });
      }
    }
  };
}

interface Hook {
  readonly kind: HookKind;
  readonly part: unknown;
  readonly variant: string | undefined;
  readonly routes: InboundRoutes;
  readonly door: InboundDoor;
}

/** Before the body is read: whoever has no token and cannot prove anything else sends none. */
async function enter(hook: Hook, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { token } = hook.routes;
  request.hasToken = token !== undefined && sameSecret(givenToken(request.headers.authorization), token);
  const isSigned = hook.kind.signed?.(hook.part, hook.variant) ?? false;
  if (!request.hasToken && !isSigned) return await refuse(hook, "none", request, reply);
  request.place = hook.door.enter(reply, request.hasToken);
  request.hook = hook.kind.kind;
  return undefined;
}

async function receive(hook: Hook, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { kind, part, variant, routes, door } = hook;
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const arrived: HookRequest = { headers: request.headers, raw, now: routes.clock.now(), variant };
  if (!request.hasToken) {
    const proof = kind.authenticate?.(arrived, part) ?? "none";
    if (proof !== "proven") return await refuse(hook, proof, request, reply);
  }
  const place = request.place ?? door.enter(reply, true);
  place.resize(raw.length);
  const signals = await readSignals(hook, arrived);
  await door.persist(place, async (moved) => await routes.inbound.accept(signals, moved));
  return await reply.send({ accepted: signals.length });
}

/** All of them before the first is persisted: of a body with a mistake nothing is taken. @throws AppError `http`. */
async function readSignals({ kind, part, door }: Hook, arrived: HookRequest): Promise<Signal[]> {
  const signals: Signal[] = [];
  const turn = turns();
  try {
    for (const signal of kind.parse(readJson(arrived.raw), arrived, part).signals) {
      signals.push(signal);
      await turn();
    }
    return signals;
  } catch (error) {
    if (error instanceof AppError) throw error;
    // Whatever a body can do to us, its sender would repeat it for ever.
    const isTooDeep = error instanceof RangeError;
    if (!isTooDeep) door.logger.error({ err: error, hook: kind.kind }, "a body that could not be read");
    throw isTooDeep
      ? new AppError("http", "the body is nested too deeply", { cause: error })
      : new AppError("http", "the body is not what was expected", { cause: error });
  }
}

async function refuse(
  { kind, routes }: Hook,
  proof: Exclude<Proof, "proven">,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  routes.inbound.refused(kind.kind, request.ip);
  const isOpen = routes.token !== undefined || proof !== "none";
  const error = isOpen ? refusals[proof] : "nobody gets in yet: set http.token in the configuration";
  return await reply.status(401).header("www-authenticate", 'Bearer, Basic realm="vakhta"').send({ error });
}
