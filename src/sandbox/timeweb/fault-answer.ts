import { STATUS_CODES } from "node:http";
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Fault } from "./faults.ts";

/** The API's own body of an error. */
export function errorBody(status: number, code: string, message: string, responseId: string): object {
  return { status_code: status, error_code: code, message, response_id: responseId };
}

/**
 * What a fault does before a request is carried out. True: that is all; false: the request is carried out, later or
 * with its answer lost (`afterwards`).
 */
export async function before(fault: Fault, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  switch (fault.kind) {
    case "status": {
      const status = fault.status ?? 500;
      const text = STATUS_CODES[status] ?? "Error";
      if (fault.body === "empty") void reply.code(status).send();
      else if (fault.body === "html") void reply.code(status).type("text/html").send(edgePage(status, text));
      else void reply.code(status).send(errorBody(status, text.toLowerCase().replaceAll(" ", "_"), text, request.id));
      return true;
    }
    case "garbage":
      void reply.type("application/json").send('{"servers": [{"id": 1, "na');
      return true;
    case "form":
      void reply.send({ meta: { total: "many" }, servers: "none", server: 7, cpu: 1, response_id: request.id });
      return true;
    case "endless":
      void reply.type("application/json").send(endless());
      return true;
    case "silent":
      reply.hijack();
      return true;
    case "reset":
      reply.hijack();
      reply.raw.socket?.resetAndDestroy();
      return true;
    case "slow":
      await delay(fault.delayMs ?? 1000, reply);
      return false;
    case "lost-answer":
      return false;
  }
}

/** The connection is closed when the request has been carried out. True: nothing is to be sent. */
export function losesAnswer(fault: Fault | undefined, reply: FastifyReply): boolean {
  if (fault?.kind !== "lost-answer") return false;
  reply.raw.socket?.resetAndDestroy();
  return true;
}

/** Waits in real time, at most until the client has gone. */
function delay(ms: number, reply: FastifyReply): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    reply.raw.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function endless(): Readable {
  const piece = Buffer.from(`{"id": 1, "name": "${"x".repeat(65_000)}"},`);
  let first = true;
  return new Readable({
    read() {
      this.push(first ? '{"servers": [' : piece);
      first = false;
    },
  });
}

function edgePage(status: number, text: string): string {
  const title = `${status} ${text}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
}
