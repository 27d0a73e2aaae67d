import { createReadStream, statSync } from "node:fs";
import { extname, join, normalize, sep } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";

const ROOT = join(import.meta.dirname, "webchat");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** `GET /` and `GET /webchat/*`: the page that looks like a chat. */
export function chatRoutes(server: FastifyInstance, _options: unknown, done: () => void): void {
  server.get("/", (_request, reply) => sendFile(reply, "index.html"));
  server.get("/webchat/*", (request, reply) => sendFile(reply, (request.params as { "*": string })["*"]));
  done();
}

/** Files of the folder only: a path that leads out of it, or is none of a file, is 404. */
function sendFile(reply: FastifyReply, path: string): FastifyReply {
  const file = normalize(join(ROOT, path));
  const type = TYPES[extname(file)];
  const inside = file.startsWith(ROOT + sep);
  if (!inside || type === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
    return reply.code(404).type("text/plain").send("not found\n");
  }
  return reply.type(type).header("cache-control", "no-cache").send(createReadStream(file));
}
