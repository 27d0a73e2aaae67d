import { setImmediate as nextTurn } from "node:timers/promises";
import { BotApiError } from "./errors.ts";
import { findMethod } from "./methods/index.ts";
import type { Answer } from "./methods/types.ts";
import type { Params } from "./params.ts";
import type { BotRecord } from "./store.ts";
import type { World } from "./world.ts";

/** What a call answers: the HTTP status and Telegram's JSON. */
export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Carries out one method call and records it. Never throws: mistakes of the sandbox itself are answered with 500. */
export async function dispatch(
  world: World,
  bot: BotRecord,
  method: string,
  params: Params,
  signal: AbortSignal,
): Promise<Reply> {
  const found = findMethod(method);
  const record = { bot_id: bot.user.id, method: found?.name ?? method, params: params.toLog() };
  try {
    if (!found) throw new BotApiError(404, "Not Found");
    const answer: Answer = await found.run({ world, bot, params, signal });
    // a poll whose client has gone was given nothing
    if (signal.aborted && found.name === "getUpdates") return { status: 200, body: {} };
    world.journal.call({ ...record, ok: true, result: answer.result });
    return {
      status: 200,
      body: {
        ok: true,
        result: answer.result,
        ...(answer.description === undefined ? {} : { description: answer.description }),
      },
    };
  } catch (error) {
    if (found?.name === "getUpdates" && (await hasGone(signal))) return { status: 200, body: {} };
    const failure =
      error instanceof BotApiError ? error : new BotApiError(500, `Internal Server Error: ${String(error)}`);
    world.journal.call({ ...record, ok: false, error_code: failure.code, description: failure.description });
    return errorReply(failure);
  }
}

/**
 * Whether nobody is there any more to be answered. A busy process may read the next poll before it sees that the client
 * of the one before was killed: what the kernel knows by now is looked at first.
 */
async function hasGone(signal: AbortSignal): Promise<boolean> {
  for (let turn = 0; turn < turnsUntilClosed && !signal.aborted; turn++) await nextTurn();
  return signal.aborted;
}

/** Turns of the event loop from the end of a connection to the end of its request, and some more. */
const turnsUntilClosed = 8;

/** Records a call that a fault kept from being carried out; without a reply nothing was answered. */
export function recordRefusal(world: World, bot: BotRecord, method: string, params: Params, reply?: Reply): void {
  const { error_code, description } = (reply?.body ?? { description: "(no answer)" }) as Partial<ErrorBody>;
  world.journal.call({
    bot_id: bot.user.id,
    method,
    params: params.toLog(),
    ok: false,
    ...(error_code === undefined ? {} : { error_code }),
    ...(description === undefined ? {} : { description }),
  });
}

interface ErrorBody {
  readonly error_code: number;
  readonly description: string;
}

/** The HTTP answer of an error. */
export function errorReply(error: BotApiError): Reply {
  const parameters = error.parameters ? { parameters: error.parameters } : {};
  return {
    status: error.code,
    body: { ok: false, error_code: error.code, description: error.description, ...parameters },
  };
}
