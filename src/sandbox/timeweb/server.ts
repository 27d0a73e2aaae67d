import { randomUUID } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { adminRoutes } from "./admin.ts";
import { apiRoutes } from "./api.ts";
import type { SandboxControl } from "./control.ts";
import { ApiError } from "./errors.ts";
import { before, errorBody, losesAnswer } from "./fault-answer.ts";
import type { Fault } from "./faults.ts";
import type { SeenRequest } from "./requests.ts";
import type { World } from "./world.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The fault that meets it. */
    fault?: Fault | undefined;
    seen?: SeenRequest | undefined;
  }
}

/** What answers requests: the API, and the sandbox's own surface. Not listening; `routing` takes requests. */
export async function createApp(world: World, control: SandboxControl): Promise<FastifyInstance> {
  const app = fastify({ genReqId: () => randomUUID(), forceCloseConnections: true });
  // An order without a body may come with a type all the same.
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body as string) as unknown);
    } catch {
      done(new ApiError(400, "bad_request", "the body is no JSON"));
    }
  });
  await app.register((api, _options, done) => {
    guard(api, world);
    apiRoutes(api, world);
    done();
  });
  await app.register((surface, _options, done) => {
    adminRoutes(surface, control);
    done();
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody(404, "not_found", `no route ${request.method} ${request.url}`, request.id)),
  );
  await app.ready();
  return app;
}

/** What comes before and after every request to the API: its count, faults, the token, the limit. */
function guard(api: FastifyInstance, world: World): void {
  api.addHook("onRequest", async (request, reply) => {
    // The answer's time is the sandbox's, whatever the machine's is.
    reply.header("date", new Date(world.clock.now()).toUTCString());
    const endpoint = `${request.method} ${request.routeOptions.url ?? request.url}`;
    const { seen, limited } = world.requests.note(request.method, request.url, endpoint);
    request.seen = seen;
    request.fault = world.faults.take(request.method, request.url);
    if (request.fault && (await before(request.fault, request, reply))) return reply;
    if (!world.tokens.has(tokenOf(request))) return reply.code(401).send();
    if (limited) return reply.code(429).send(errorBody(429, "too_many_requests", "Too Many Requests", request.id));
    return;
  });
  api.addHook("onSend", async (request, reply, payload) => {
    if (losesAnswer(request.fault, reply)) reply.hijack();
    return payload;
  });
  api.addHook("onResponse", async (request, reply) => {
    if (request.seen) request.seen.status = reply.statusCode;
  });
  api.setErrorHandler((error: Error & { statusCode?: number }, request, reply: FastifyReply) => {
    const known = error instanceof ApiError ? error : new ApiError(error.statusCode ?? 500, "internal", error.message);
    return reply.code(known.status).send(errorBody(known.status, known.code, known.message, request.id));
  });
}

function tokenOf({ headers }: FastifyRequest): string {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
}
