import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../../core/errors.ts";
import type { Ping } from "../../core/heartbeat.ts";
import { redact } from "../../lib/redaction.ts";
import { answerFailure, type InboundDoor, type InboundRoutes } from "../inbound.ts";

/** The last bytes of a body that are kept: the end of a log tells what went wrong. */
const keptBytes = 1000;

/** What a program writes to colour its lines. */
const terminalColours = /\p{Cc}\[[0-9;]*[A-Za-z]/gu;

const methods = ["GET", "HEAD", "POST"] as const;

/** `/ping/<key>` and what may follow it, as Healthchecks has it. Whoever knows the key needs no token. */
export function pingRoutes(routes: InboundRoutes, door: InboundDoor): FastifyPluginAsync {
  return async (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", async (_request: FastifyRequest, body: AsyncIterable<Buffer>) => {
      return await tailOf(body);
    });
    server.addHook("onResponse", async (request, reply) => door.answered(request.routeOptions.url, reply.statusCode));
    server.setErrorHandler(async (error, _request, reply) => await answerFailure(error, reply, door));
    for (const url of ["/ping/:key", "/ping/:key/:end"]) {
      server.route({
        method: [...methods],
        url,
        // A log of whatever length must not keep the sign of life from counting.
        bodyLimit: Number.MAX_SAFE_INTEGER,
        handler: async (request, reply) => await ping(routes, door, request, reply),
      });
      server.route({
        method: ["PUT", "PATCH", "DELETE"],
        url,
        handler: async (_request, reply) =>
          await reply.status(405).header("allow", methods.join(", ")).send({ error: "method not allowed" }),
      });
    }
  };
}

/** The end of a body of whatever length; only so much of it is held. */
async function tailOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  let tail = Buffer.alloc(0);
  for await (const chunk of body) {
    // Some more than is kept: a secret that begins before it is still known as one.
    tail = Buffer.concat([tail, chunk]).subarray(-10 * keptBytes);
  }
  return tail;
}

async function ping(
  routes: InboundRoutes,
  door: InboundDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { key = "", end } = request.params as { key?: string; end?: string };
  const said = readPing(end, request.query as { rid?: unknown }, request.body);
  if (!said) return await reply.status(404).send({ error: "not found" });
  const place = door.enter(reply, true);
  place.resize(0);
  const isKnown = await door.persist(place, async () => await routes.heartbeats.ping(key, said));
  if (!isKnown) return await reply.status(404).send({ error: "no heartbeat has this key" });
  return await reply.type("text/plain; charset=utf-8").send("OK");
}

/** Undefined for an address that does not exist. @throws AppError `http`. */
function readPing(end: string | undefined, { rid }: { rid?: unknown }, body: unknown): Ping | undefined {
  if (rid !== undefined && (typeof rid !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(rid)))
    throw new AppError("http", "rid: expected an id such as a UUID");
  const output = Buffer.isBuffer(body) ? lastWords(body) : "";
  const about = { ...(rid === undefined ? {} : { run: rid }), ...(output === "" ? {} : { output }) };
  if (end === undefined) return { kind: "success", ...about };
  if (end === "start" || end === "fail" || end === "log") return { kind: end, ...about };
  if (!/^\d{1,3}$/.test(end) || Number(end) > 255) return undefined;
  const exit = Number(end);
  return exit === 0 ? { kind: "success", ...about } : { kind: "fail", exit, ...about };
}

function lastWords(body: Buffer): string {
  const text = redact(body.toString("utf8"))
    .replaceAll(terminalColours, "")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .trim();
  return text.length > keptBytes ? `…${text.slice(-keptBytes).toWellFormed()}` : text;
}
