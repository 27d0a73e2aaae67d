import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Incident } from "../../src/core/incident.ts";
import { aMinuteOfSilence, answerTo, becomes, endClaims, eventually, now, shown } from "../support/chat.ts";
import { hooksToken, postAlerts, postUntilAccepted } from "../support/posting.ts";
import { signal } from "../support/signals.ts";
import { alice, bob, botId, mallory, opsChat, type RunningProcess, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess;

beforeAll(async () => {
  stack = await startStack({ chatOnly: true, configure: (config) => (config["http"].token = hooksToken) });
});
beforeEach(async () => {
  await aMinuteOfSilence(stack);
  // Mostly the one that the test before has ended with.
  if (!bot?.isRunning()) await restarted();
});
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** What a dead bot held ends by itself within seconds; here nobody waits for it. */
async function restarted(): Promise<void> {
  const held = await stack.client.keys("stack:v1:lease:*");
  if (held.length > 0) await stack.client.del(...held);
  await endClaims(stack);
  bot = await stack.startBot();
}

async function incident(name: string): Promise<Incident | undefined> {
  for (const key of await stack.client.keys("stack:v1:card:incident:*")) {
    const known = JSON.parse((await stack.client.hget(key, "body")) ?? "{}") as Incident;
    if (known.title === `${name} is down`) return known;
  }
  return undefined;
}

function copiesOf(name: string): Message[] {
  const title = new RegExp(`${name} is down`);
  return stack.sandbox.messages(opsChat).filter(({ from, text = "" }) => from?.id === botId && title.test(text));
}

/** Kills the bot as soon as Redis has got a command like this; `dead` resolves then. */
async function killAt(command: RegExp): Promise<{ dead: Promise<void> }> {
  const socket = connect(stack.redis.port, "127.0.0.1");
  socket.write("MONITOR\r\n");
  const dead = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<void>();
  createInterface(socket).on("line", (line) => {
    if (line === "+OK") listening.resolve();
    if (!command.test(line.replaceAll('"', ""))) return;
    socket.destroy();
    void bot.kill().then(dead.resolve);
  });
  await listening.promise;
  return { dead: dead.promise };
}

/** Kills the bot when its message is in the chat, before it can record that. */
async function killedAfterSending(name: string, act: () => Promise<unknown>): Promise<Message> {
  const sent = new Promise<Message>((resolve) => {
    const stop = stack.sandbox.onEvent(({ event }) => {
      if (event.type !== "message" || !event.message.text?.includes(`${name} is down`)) return;
      stop();
      void bot.kill().then(() => resolve(event.message));
    });
  });
  await act();
  return await sent;
}

test("a bot killed between the send and the record of an incident's card: one more copy, of which the older is refused", async () => {
  const alert = signal("kill-send", { severity: "critical", startsAt: new Date().toISOString() });
  const orphan = await killedAfterSending("kill-send", async () => await postAlerts(bot, [alert]));
  await restarted();
  await postUntilAccepted(() => bot, [alert]);
  const card = await answerTo(stack, orphan, /kill-send is down/);
  const { toast } = await stack.press(bob.id, orphan, "Acknowledge");
  expect(toast).toBe("This is an old copy; the one in force is further down. Nothing was done.");
  await stack.sandbox.waitFor(() => shown(now(stack, orphan)).buttons.length === 0, { what: "buttons taken away" });
  expect((await incident("kill-send"))?.acknowledged).toBeUndefined();
  await stack.press(bob.id, card, "Acknowledge");
  await becomes(stack, card, /Acknowledged by bob/);
  expect(copiesOf("kill-send")).toHaveLength(2);
});

describe("a bot that is killed while it takes an alert, at the moment of", () => {
  test.for([
    ["looking for what is known", /evalsha .*incident-of/],
    ["saving it", /lua.* (?:hset|HSET) stack:v1:incident-of/],
    ["placing its card", /lua.* (?:sadd|SADD) stack:v1:placements:incident/],
    ["telling the others", /lua.* (?:publish|PUBLISH) stack:v1:wake incident/],
  ] as const)("%s: what is sent again is on one card", async ([moment, command]) => {
    const name = `kill-${moment.replaceAll(/\W/g, "-")}`;
    const alert = signal(name, { severity: "critical", startsAt: new Date().toISOString() });
    const killed = await killAt(command);
    const status = await postAlerts(bot, [alert]);
    await killed.dead;
    await restarted();
    // What was answered is there; what was not is sent again.
    const isTaken = (await incident(name))?.status === "firing";
    expect(status !== 200 || isTaken).toBe(true);
    await postUntilAccepted(() => bot, [alert]);
    await postUntilAccepted(() => bot, [alert]);
    const card = await stack.message(new RegExp(`${name} is down`));
    await postUntilAccepted(() => bot, [{ ...alert, status: "resolved", endsAt: new Date().toISOString() }]);
    await eventually("the card resolved", () => copiesOf(name).some(({ text = "" }) => /resolved/.test(text)));
    // Killed in the instant of sending, it may have left an older copy.
    expect(copiesOf(name).length).toBeLessThanOrEqual(2);
    expect(now(stack, card)).toBeDefined();
    expect(await incident(name)).toMatchObject({ status: "resolved", times: 1 });
  });
});

describe("a press on an incident's card", () => {
  test("that was under way when the bot was killed, and again after it, acknowledges once", async () => {
    await postUntilAccepted(() => bot, [signal("tap", { severity: "critical" })]);
    const card = await stack.message(/tap is down/);
    const killed = await killAt(/lua.* (?:hset|HSET) stack:v1:incident-of/);
    await stack.press(bob.id, card, "Acknowledge", { waitMs: 0 });
    await killed.dead;
    await restarted();
    await Promise.all([
      stack.press(bob.id, card, "Acknowledge"),
      stack.press(alice.id, card, "Acknowledge"),
      stack.press(bob.id, card, "Acknowledge"),
    ]);
    await becomes(stack, card, /Acknowledged by bob/);
    const events = (await incident("tap"))?.history.map(({ event }) => event);
    expect(events).toEqual(["opened", "acknowledged"]);
  });

  test("by a stranger changes nothing and is not answered", async () => {
    await postUntilAccepted(() => bot, [signal("stranger", { severity: "critical" })]);
    const card = await stack.message(/stranger is down/);
    for (const label of ["Acknowledge", "Silence 1h", "Close", "Details"])
      expect((await stack.press(mallory.id, card, label, { waitMs: 300 })).toast ?? "").not.toMatch(
        /Acknowledged|Closed/,
      );
    expect((await incident("stranger"))?.history.map(({ event }) => event)).toEqual(["opened"]);
    expect(copiesOf("stranger")).toHaveLength(1);
  });

  test("on a card that still shows what is over says so", async () => {
    await postUntilAccepted(() => bot, [signal("over", { severity: "critical" })]);
    const card = await stack.message(/over is down/);
    // The edit does not get through; the press does.
    const fault = stack.sandbox.addFault({ kind: "status", methods: ["editMessageText"], status: 500 });
    await postUntilAccepted(() => bot, [signal("over", { severity: "critical", status: "resolved" })]);
    const { toast } = await stack.press(bob.id, card, "Acknowledge");
    expect(toast).toMatch(/over|resolved/i);
    expect((await incident("over"))?.acknowledged).toBeUndefined();
    stack.sandbox.removeFault(fault);
    await becomes(stack, card, /resolved/);
  });
});
