import type { Params } from "../params.ts";
import type { BotRecord } from "../store.ts";
import type { World } from "../world.ts";

/** One call of one bot. */
export interface Call {
  readonly world: World;
  readonly bot: BotRecord;
  readonly params: Params;
  /** Aborted when the client closes the connection. */
  readonly signal: AbortSignal;
}

/** What a method answers; `description` goes beside the result where the real server adds one. */
export interface Answer {
  readonly result: unknown;
  readonly description?: string;
}

export type Method = (call: Call) => Answer | Promise<Answer>;

/** Methods by their exact name; the server compares names without case. */
export type Methods = Readonly<Record<string, Method>>;

export const TRUE: Answer = { result: true };
