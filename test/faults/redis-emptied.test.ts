import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerTo } from "../support/chat.ts";
import { vera } from "../support/stack.ts";
import { startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;

beforeAll(async () => {
  stack = await startWorkerStack({ configure: (config) => (config["backups"][0].schedule = "0 3 * * *") });
  await stack.startOurWorker();
});

afterAll(async () => await stack?.[Symbol.asyncDispose]());

const keyOf = (name: string): string => `stack:v1:${name}`;

/** What nothing but a start, a run or a look writes. */
async function state(): Promise<Record<string, unknown>> {
  const { client } = stack;
  const looks = Object.keys(await client.hgetall(keyOf("catalogue-looks"))).filter((key) => key.endsWith(":shop"));
  return {
    schedulers: await client.zrange("stack:clock:repeat", "0", "-1"),
    looks: looks.toSorted(),
    local: await client.hlen(keyOf("catalogue:local:shop")),
    offsite: await client.hlen(keyOf("catalogue:offsite:shop")),
  };
}

describe("a Redis that has lost its data under a bot and a worker", { timeout: 180_000 }, () => {
  test("has all of it again without a restart: the clock, the catalogue, who is alive; the chat never says that there is no backup", async () => {
    await stack.ended(await stack.order());
    const whole = { schedulers: ["tick"], looks: ["local:shop", "offsite:shop"], local: 1, offsite: 1 };
    const isWhole = async (): Promise<boolean> => JSON.stringify(await state()) === JSON.stringify(whole);
    await until(isWhole);
    await stack.client.flushall();
    const status = await answerTo(stack, stack.say(vera.id, "/status"), /Status/);
    expect(status.text).not.toMatch(/never backed up/);
    await until(isWhole);
    const alive = async () => (await stack.deps.presences.alive(new Date(), 20_000)).map(({ role }) => role).toSorted();
    await until(async () => (await alive()).join() === "bot,worker");
    const page = await answerTo(stack, stack.say(vera.id, "/backups shop"), /shop/);
    expect(page.text).toMatch(
      /🟡 shop: never proven\nLast good: .* ago, [\d.]+ MB\n✓ local@test-host · ✓ offsite\nNext: /,
    );
    const after = await answerTo(stack, stack.say(vera.id, "/status"), /Status/);
    expect(after.text).toMatch(/🟢 bot on test-host.*\n🟢 worker on test-host/);
    // It goes on: the next one is made, and known.
    await stack.ended(await stack.order());
    expect((await stack.sound()).size).toBe(4);
    await until(async () => (await stack.client.hlen(keyOf("catalogue:offsite:shop"))) === 2);
  });
});
