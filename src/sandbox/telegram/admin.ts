import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Fault, PressAsUser, SendAsUser } from "./api.ts";
import type { SandboxControl } from "./control.ts";
import { SandboxError } from "./errors.ts";
import type { NumberedEvent } from "./journal.ts";
import type { MemberStatus } from "./store.ts";

const STATUSES = new Set<unknown>(["member", "left", "kicked", "administrator"]);
/** Keeps proxies and readers from giving up on a silent stream. */
const HEARTBEAT_MS = 15_000;

interface ChatPath {
  Params: { chatId: string };
}

/** The routes of api.ts. */
export function adminRoutes(server: FastifyInstance, control: SandboxControl): void {
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status =
      error instanceof SandboxError
        ? error.status
        : error.statusCode === undefined || error.statusCode >= 500
          ? 400
          : error.statusCode;
    return reply.code(status).send({ ok: false, error: error.message.split("\n")[0] });
  });
  server.get("/sandbox/state", () => control.state());
  server.get("/sandbox/events", (request, reply) => streamEvents(control, request, reply));
  chatRoutes(server, control);
  topicRoutes(server, control);
  server.get<{ Querystring: { since?: string } }>("/sandbox/calls", (request) =>
    control.calls(Number(request.query.since ?? 0) || 0),
  );
  server.post<{ Body: { advanceMs?: number; now?: string } | undefined }>("/sandbox/clock", (request) => {
    const { advanceMs, now } = bodyOf(request);
    const time = now === undefined ? control.advance(Number(advanceMs)) : control.setTime(new Date(now));
    return { now: time.toISOString() };
  });
  server.get("/sandbox/faults", () => control.faults());
  server.post<{ Body: Fault }>("/sandbox/faults", (request) => ({ id: control.addFault(bodyOf(request)) }));
  server.delete("/sandbox/faults", () => {
    control.clearFaults();
    return true;
  });
  server.delete<{ Params: { id: string } }>("/sandbox/faults/:id", (request) => {
    control.removeFault(request.params.id);
    return true;
  });
  server.get<{ Params: { fileId: string } }>("/sandbox/files/:fileId", (request, reply) => {
    const file = control.file(request.params.fileId);
    const disposition = file.kind === "photo" ? "inline" : "attachment";
    return reply
      .type(file.mimeType)
      .header("content-disposition", `${disposition}; filename*=UTF-8''${encodeURIComponent(file.fileName)}`)
      .header("content-security-policy", "sandbox")
      .send(file.data);
  });
}

function chatRoutes(server: FastifyInstance, control: SandboxControl): void {
  server.post<ChatPath & { Body: SendAsUser }>("/sandbox/chats/:chatId/messages", (request) => {
    const body = bodyOf(request);
    if (typeof body.text !== "string") throw new SandboxError("text is missing");
    return control.sendAsUser(request.params.chatId, body);
  });
  server.post<ChatPath & { Body: PressAsUser }>("/sandbox/chats/:chatId/callbacks", (request) => {
    const body = bodyOf(request);
    if (typeof body.data !== "string") throw new SandboxError("data is missing");
    return control.press(request.params.chatId, body);
  });
  server.delete<{ Params: { chatId: string; messageId: string }; Querystring: { from?: string } }>(
    "/sandbox/chats/:chatId/messages/:messageId",
    (request) => {
      control.deleteAsUser(request.params.chatId, Number(request.params.messageId), Number(request.query.from));
      return true;
    },
  );
  server.get<ChatPath & { Querystring: { format?: string } }>("/sandbox/chats/:chatId/transcript", (request, reply) => {
    if (request.query.format === "text")
      return reply.type("text/plain; charset=utf-8").send(control.transcriptText(request.params.chatId));
    return control.transcript(request.params.chatId);
  });
  server.post<ChatPath>("/sandbox/chats/:chatId/migrate", (request) => ({
    newChatId: control.migrate(request.params.chatId),
  }));
  server.post<ChatPath & { Body: { user: number; status: MemberStatus } }>(
    "/sandbox/chats/:chatId/members",
    (request) => {
      const { user, status } = bodyOf(request);
      if (!STATUSES.has(status)) throw new SandboxError(`status must be one of ${[...STATUSES].join(", ")}`);
      control.setMember(request.params.chatId, user, status);
      return true;
    },
  );
}

function topicRoutes(server: FastifyInstance, control: SandboxControl): void {
  type TopicPath = { Params: { chatId: string; threadId: string } };
  server.post<ChatPath & { Body: { name?: string } }>("/sandbox/chats/:chatId/topics", (request) =>
    control.openTopic(request.params.chatId, bodyOf(request).name ?? ""),
  );
  server.patch<TopicPath & { Body: { closed?: boolean } }>("/sandbox/chats/:chatId/topics/:threadId", (request) => {
    control.changeTopic(request.params.chatId, Number(request.params.threadId), {
      closed: bodyOf(request).closed === true,
    });
    return true;
  });
  server.delete<TopicPath>("/sandbox/chats/:chatId/topics/:threadId", (request) => {
    control.changeTopic(request.params.chatId, Number(request.params.threadId), "deleted");
    return true;
  });
}

function bodyOf<T>(request: { readonly body: T }): NonNullable<T> {
  const { body } = request;
  if (typeof body !== "object" || body === null) throw new SandboxError("a JSON object is expected as the body");
  return body;
}

/** Server-Sent Events: what the reader has missed since `Last-Event-ID` (or `?since=`), then everything new. */
function streamEvents(control: SandboxControl, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  const { since } = request.query as { since?: string };
  const last = request.headers["last-event-id"] ?? since;
  reply.raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    connection: "keep-alive",
  });
  const write = ({ seq, event }: NumberedEvent): void => {
    reply.raw.write(`id: ${seq}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  reply.raw.write(": the sandbox's events\n\n");
  if (last !== undefined) control.eventsAfter(Number(last) || 0).forEach(write);
  const stop = control.onEvent(write);
  const heartbeat = setInterval(() => reply.raw.write(": still here\n\n"), HEARTBEAT_MS);
  reply.raw.once("close", () => {
    clearInterval(heartbeat);
    stop();
  });
}
