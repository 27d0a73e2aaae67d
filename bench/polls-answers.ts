import { setTimeout as sleep } from "node:timers/promises";
import type { TelegramSandbox } from "../src/sandbox/telegram/index.ts";
import { person } from "./polls-world.ts";

/** Between two questions: below every budget for one chat; milliseconds. */
const pauseMs = 1200;

/** How long the bot takes to answer `/stats` in a private chat, so many times, in their order; milliseconds. */
export async function answerTimes(telegram: TelegramSandbox, times: number): Promise<number[]> {
  await telegram.waitFor(() => telegram.isPolled(), { timeoutMs: 30_000, what: "the bot's first poll" });
  const result: number[] = [];
  // The first one opens connections and compiles what was never needed before.
  for (let round = 0; round <= times; round++) {
    const before = performance.now();
    const asked = telegram.sendAsUser(person.id, { from: person.id, text: "/stats" });
    await telegram.waitForMessage(
      person.id,
      (message) => message.from?.is_bot === true && message.message_id > asked.message_id,
      { timeoutMs: 30_000, what: "the answer to /stats" },
    );
    if (round > 0) result.push(performance.now() - before);
    await sleep(pauseMs);
  }
  return result;
}
