import { STATUS_CODES } from "node:http";
import multipart from "@fastify/multipart";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { adminRoutes } from "./admin.ts";
import type { SandboxControl } from "./control.ts";
import { dispatch, errorReply, recordRefusal } from "./dispatch.ts";
import { BotApiError } from "./errors.ts";
import { answerWithFault } from "./fault-answer.ts";
import { filePath, UPLOAD_LIMIT } from "./files.ts";
import { findMethod } from "./methods/index.ts";
import { Params, readJsonBody } from "./params.ts";
import { chatRoutes } from "./static.ts";
import type { BotRecord } from "./store.ts";
import type { World } from "./world.ts";

/** Routes have none here: the compilers for them are a hundred modules, which every start would load. */
const noSchemas = () => (): never => {
  throw new Error("routes have no JSON schemas here");
};

/** The HTTP server: Bot API, file downloads, the sandbox's own surface and the web chat. Not yet listening. */
export async function createServer(world: World, control: SandboxControl): Promise<FastifyInstance> {
  const server = fastify({
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    forceCloseConnections: true,
    bodyLimit: UPLOAD_LIMIT + 1_048_576,
    routerOptions: { maxParamLength: 300 },
  });
  await server.register(multipart, { limits: { fileSize: UPLOAD_LIMIT, fieldSize: 1_048_576, files: 20 } });
  server.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body as string)));
  });
  server.removeContentTypeParser("application/json");
  server.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if ((body as string).trim() === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body as string) as unknown);
    } catch {
      done(new BotApiError(400, "Bad Request: can't parse JSON object"));
    }
  });
  // anything else carries no parameters, as on the real server
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, _body, done) => done(null, undefined));
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(errorReply(new BotApiError(404, "Not Found")).body),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const failure = error instanceof BotApiError ? error : failureOf(error);
    return reply.code(failure.code).send(errorReply(failure).body);
  });
  server.route({
    method: ["GET", "POST"],
    url: "/bot:token/:method",
    handler: (request, reply) => botApi(world, request, reply),
  });
  server.get("/file/bot:token/*", (request, reply) => download(world, request, reply));
  await server.register((scope, _options, done) => {
    adminRoutes(scope, control);
    done();
  });
  await server.register(chatRoutes);
  return server;
}

function failureOf(error: { statusCode?: number; message: string }): BotApiError {
  if (error.statusCode === 413) return new BotApiError(413, "Request Entity Too Large");
  const code = error.statusCode ?? 500;
  return new BotApiError(code, `${STATUS_CODES[code] ?? "Error"}: ${error.message}`);
}

/** The bot of a token. Throws as api.telegram.org does: 404 for what has not the form of a token, 401 for a wrong one. */
function authorize(world: World, request: FastifyRequest): BotRecord {
  const { token } = request.params as { token: string };
  if (!/^\d+:[\w-]+$/.test(token)) throw new BotApiError(404, "Not Found");
  const bot = [...world.store.bots.values()].find((candidate) => candidate.token === token);
  if (!bot) throw new BotApiError(401, "Unauthorized");
  return bot;
}

async function botApi(world: World, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const bot = authorize(world, request);
  const { method } = request.params as { method: string };
  const params = await readParams(request);
  const name = findMethod(method)?.name ?? method;
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const chatId = params.integer("chat_id") || undefined;
  const fault = world.faults.take(name, chatId);
  let answer = await answerWithFault(fault, reply, () => dispatch(world, bot, method, params, gone.signal));
  if (!answer.done) recordRefusal(world, bot, name, params, answer.reply);
  // a fault that came while the poll waited hits its answer; the updates stay unconfirmed
  if (name === "getUpdates" && !fault && answer.reply) {
    const poll = answer.reply;
    answer = await answerWithFault(world.faults.take(name, chatId), reply, () => Promise.resolve(poll));
  }
  if (answer.reply === undefined || gone.signal.aborted) return reply;
  if (answer.html !== undefined) return reply.code(answer.reply.status).type("text/html").send(answer.html);
  return reply.code(answer.reply.status).type("application/json").send(answer.reply.body);
}

async function readParams(request: FastifyRequest): Promise<Params> {
  const params = new Params();
  for (const [name, value] of Object.entries(request.query as Record<string, unknown>))
    params.set(name, Array.isArray(value) ? value.at(-1) : value);
  if (!request.isMultipart()) {
    readJsonBody(params, request.body);
    return params;
  }
  for await (const part of request.parts()) {
    if (part.type === "field") params.set(part.fieldname, part.value);
    else if (part.filename === undefined || part.filename === "")
      params.set(part.fieldname, (await part.toBuffer()).toString());
    else
      params.addFile({
        field: part.fieldname,
        fileName: part.filename,
        mimeType: part.mimetype,
        data: await part.toBuffer(),
      });
  }
  return params;
}

async function download(world: World, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  authorize(world, request);
  const path = (request.params as { "*": string })["*"];
  const file = [...world.store.files.values()].find((candidate) => filePath(candidate) === path);
  if (!file) throw new BotApiError(404, "Not Found: file not found");
  return reply.type("application/octet-stream").send(file.data);
}
