import { expect, test } from "vitest";
import type { Signal } from "../../src/core/signal.ts";
import { eventually } from "../support/chat.ts";
import { hooksToken, postAlerts } from "../support/posting.ts";
import { operator, signal } from "../support/signals.ts";
import { bob, botId, opsChat, type Stack, startStack } from "../support/stack.ts";

const names = Array.from({ length: 8 }, (_, index) => `host-${index}`);

/** Messages in their order: groups that begin, get worse, end, begin again and are told twice. */
function script(from: number): Signal[][] {
  const at = (minutes: number): string => new Date(from + minutes * 60_000).toISOString();
  const firing = (name: string, minutes: number, change: Partial<Signal> = {}): Signal =>
    signal(name, { startsAt: at(minutes), severity: "critical", ...change });
  const over = (name: string, minutes: number): Signal =>
    signal(name, { status: "resolved", startsAt: at(minutes), endsAt: at(minutes + 1), severity: "critical" });
  return [
    ...names.map((name) => [firing(name, 0, { severity: "warning" })]),
    names.map((name) => firing(name, 0)),
    names.slice(0, 6).map((name) => over(name, 0)),
    names.slice(0, 6).map((name) => over(name, 0)),
    names.map((name) => firing(name, 0)),
    ...names.slice(0, 3).map((name) => [firing(name, 5, { text: "again" })]),
    [over("host-0", 5), firing("host-1", 5, { text: "again" })],
  ];
}

/** What the chat shows in the end: titles with their states and buttons, without times. */
function shownBy(stack: Stack): string[] {
  return stack.sandbox
    .messages(opsChat)
    .filter(({ from, reply_markup }) => from?.id === botId && (reply_markup?.inline_keyboard.length ?? 0) > 0)
    .map(({ text = "", reply_markup }) => {
      const [title = "", state = ""] = text.split("\n");
      const labels = reply_markup?.inline_keyboard.flat().map((button) => button.text) ?? [];
      return [title, /^\w+, (?:firing|resolved|closed)/.exec(state)?.[0], text.includes("again"), ...labels].join(
        " | ",
      );
    })
    .toSorted();
}

/** Plays the script to so many bots and workers; everything in turn to all of them, a press in between. */
async function play(processes: number): Promise<{ shown: string[]; incidents: unknown[] }> {
  await using stack = await startStack({
    rows: 1,
    sandbox: { limits: { enforce: false } },
    configure: (config) => {
      config["http"]["token"] = hooksToken;
      config["alerts"] = { storm: { incidents: 100 } };
    },
  });
  const bots = await Promise.all(Array.from({ length: processes }, () => stack.startBot()));
  await Promise.all(Array.from({ length: processes }, () => stack.startWorker()));
  const messages = script(Date.now() - 3_600_000);
  for (const [index, message] of messages.entries()) {
    const bot = bots[index % processes];
    if (!bot || (await postAlerts(bot, message)) !== 200) throw new Error("not accepted");
    // The other peer of two Alertmanagers tells it to another bot.
    const other = bots[(index + 1) % processes];
    if (!other || (await postAlerts(other, message)) !== 200) throw new Error("not accepted");
  }
  const card = await stack.message(/host-7 is down/);
  await stack.press(bob.id, card, "Acknowledge", { waitMs: 10_000 });
  // Sending budgets are not what this is about.
  await eventually(
    "everything shown",
    async () => {
      const budgets = await stack.client.keys("stack:v1:budget:*");
      if (budgets.length > 0) await stack.client.del(...budgets);
      const dirty = await stack.client.zcard(`stack:v1:dirty:${opsChat}`);
      return dirty === 0 && shownBy(stack).some((line) => /host-7.*firing/.test(line) && !line.includes("Acknowledge"));
    },
    40_000,
  );
  const bodies = await Promise.all(
    (await stack.client.keys("stack:v1:card:incident:*")).map(async (key) => await stack.client.hget(key, "body")),
  );
  const incidents = bodies
    .map((body) => JSON.parse(body ?? "{}") as Record<string, unknown>)
    .map(({ title, status, severity, times, acknowledged, text }) => ({
      title,
      status,
      severity,
      times,
      text,
      by: (acknowledged as { by?: { name: string } } | undefined)?.by?.name,
    }))
    .toSorted((a, b) => (String(a.title) < String(b.title) ? -1 : 1));
  return { shown: shownBy(stack), incidents };
}

test("three bots and workers end with the same cards in the same states as one of each", {
  timeout: 120_000,
}, async () => {
  const one = await play(1);
  const three = await play(3);
  expect(one.incidents).toHaveLength(names.length);
  expect(one.incidents.at(-1)).toMatchObject({ title: "host-7 is down", status: "firing", by: operator.name });
  expect(one.shown).toHaveLength(names.length);
  expect(three.incidents).toEqual(one.incidents);
  expect(three.shown).toEqual(one.shown);
});
