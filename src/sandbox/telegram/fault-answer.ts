import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { Fault } from "./api.ts";
import { errorReply, type Reply } from "./dispatch.ts";
import { BotApiError, tooManyRequests } from "./errors.ts";

/** What a call comes to under a fault. */
export interface FaultedAnswer {
  /** Undefined when the connection is kept silent or cut. */
  readonly reply: Reply | undefined;
  /** The page of an edge, sent instead of the reply's JSON. */
  readonly html?: string;
  /** Whether the call was carried out. */
  readonly done: boolean;
}

/** Carries out a call (`run`) as the fault lets it; without a fault simply so. */
export async function answerWithFault(
  fault: Fault | undefined,
  reply: FastifyReply,
  run: () => Promise<Reply>,
): Promise<FaultedAnswer> {
  switch (fault?.kind) {
    case undefined:
      return { reply: await run(), done: true };
    case "blackhole":
      reply.hijack();
      return { reply: undefined, done: false };
    case "reset":
      reply.hijack();
      reply.raw.socket?.resetAndDestroy();
      return { reply: undefined, done: false };
    case "lost-answer":
      reply.hijack();
      await run();
      reply.raw.socket?.resetAndDestroy();
      return { reply: undefined, done: true };
    case "retry-after":
      return { reply: errorReply(tooManyRequests(fault.retryAfter ?? 5)), done: false };
    case "slow": {
      const answer = await run();
      await delay(fault.delayMs ?? 1000, reply);
      return { reply: answer, done: true };
    }
    case "status": {
      const status = fault.status ?? 502;
      const text = STATUS_CODES[status] ?? "Error";
      const answer = errorReply(new BotApiError(status, text));
      return { reply: answer, done: false, ...(fault.html ? { html: edgePage(status, text) } : {}) };
    }
  }
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

function edgePage(status: number, text: string): string {
  const title = `${status} ${text}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
}
