import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerTo, lastCall, settled } from "../support/chat.ts";
import { alice, type RunningProcess } from "../support/stack.ts";
import { lockTable, startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

/** Container engines kill after ten seconds. */
const endMs = 6000;
let stack: WorkerStack;

beforeAll(async () => {
  stack = await startWorkerStack({
    configure: (config) => {
      config["worker"].lease = "2s";
    },
  });
});

afterEach(async () => await stack.reset());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

const freeze = (signal: "SIGSTOP" | "SIGCONT"): boolean => process.kill(stack.redis.pid(), signal);

/** How Redis goes away, and how it comes back. */
const outages = [
  ["was killed", () => stack.redis.kill(), () => stack.redis.restart()],
  ["stands still", () => freeze("SIGSTOP"), () => freeze("SIGCONT")],
] as const;

/** Asks it to end; it does, in time, and without noise. */
async function expectEnd(ending: RunningProcess): Promise<void> {
  const before = ending.log().length;
  const askedAt = performance.now();
  expect(await ending.stop()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(endMs);
  const log = ending.log().slice(before);
  expect(log).toMatch(/Redis gives no answer: the end does not wait for it[\s\S]*(bot|worker) stopped/);
  expect(log).not.toMatch(/"level":[56]0|"stack"/);
}

describe.each(outages)("while Redis %s", { timeout: 120_000 }, (_how, goAway, comeBack) => {
  test("SIGTERM ends a bot within seconds, and what it was asked and could not do is done by the next one", async () => {
    const bot = stack.bot();
    await settled(stack);
    await goAway();
    const before = lastCall(stack);
    const asked = stack.say(alice.id, "/help", "private");
    // It does not wait for news while it works on something.
    const isAtIt = () => stack.sandbox.calls(before).some(({ params }) => Number(params["timeout"]) === 0);
    await until(() => isAtIt() || undefined, { timeoutMs: 20_000, what: () => bot.log() });
    await expectEnd(bot);
    await comeBack();
    await stack.startBot();
    await answerTo(stack, asked, /\/backup/);
  });

  test("SIGTERM ends a worker and its programs within seconds, and the next one makes the backup", async () => {
    const worker = await stack.startOurWorker();
    const unlock = await lockTable(stack.postgres, "shop", "blobs");
    const id = await stack.order();
    await stack.runUntil(id, ({ phase }) => phase === "dump");
    await until(() => stack.children().length > 0 || undefined);
    await goAway();
    await expectEnd(worker);
    expect(stack.children()).toEqual([]);
    await unlock();
    await comeBack();
    await stack.startOurWorker();
    const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "dump" });
    const found = await stack.sound();
    expect([...found.keys()]).toEqual([`local ${run.folder}`, `offsite ${run.folder}`]);
  });
});
