/** How urgent a card's news is. Lower goes first; `critical` and `reply` may use the reserve of a chat's budget, `critical` all of it. */
export const urgencies = { critical: 0, reply: 1, normal: 2, progress: 3, quiet: 4 } as const;
export type Urgency = keyof typeof urgencies;

/** Milliseconds between two edits of one placement, so that progress, and more so what goes to and fro, leaves room for others. */
export const editInterval: Readonly<Record<Urgency, number>> = {
  critical: 0,
  reply: 0,
  normal: 1000,
  progress: 4000,
  quiet: 60_000,
};

/** A chat, and in a forum the topic. Ids are Telegram's. */
export interface ChatTarget {
  readonly chatId: number;
  readonly threadId?: number;
}

/**
 * How many sends and edits together fit into a chat in a sliding window, how many of them are kept back for what is
 * urgent, and how many of these for criticals alone: whatever people press, the next critical is seen at once.
 */
export interface ChatBudget {
  readonly limit: number;
  readonly reserve: number;
  readonly critical: number;
  readonly windowMs: number;
}

/** Telegram: "about 20 per minute" to a group, edits counted; about one a second to a person, short bursts allowed. */
export function chatBudget(chatId: number): ChatBudget {
  return { limit: 20, reserve: 5, critical: 3, windowMs: chatId < 0 ? 60_000 : 20_000 };
}

/** Wait before the next attempt of a delivery that failed for a passing reason, in milliseconds. */
export function deliveryBackoff(failures: number): number {
  return Math.min(1000 * 2 ** Math.min(failures, 6), 60_000);
}
