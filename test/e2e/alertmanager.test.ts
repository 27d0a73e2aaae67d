import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aMinuteOfSilence, becomes, shown } from "../support/chat.ts";
import { freePort, MovedClock, startBotInProcess } from "../support/in-process.ts";
import {
  type Alertmanager,
  type Exporter,
  postsAgain,
  privateAlertmanager,
  startExporter,
  startPrometheus,
} from "../support/prometheus.ts";
import { botId, opsChat, type RunningProcess, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/state.ts";

const token = "a-token-for-alertmanager-0123456789";
let stack: Stack;
let bot: RunningProcess;
let exporter: Exporter;
let prometheus: AsyncDisposable;
let alertmanager: Alertmanager;
let second: Alertmanager;

beforeAll(async () => {
  const port = await freePort();
  [stack, exporter] = await Promise.all([
    startStack({ chatOnly: true, configure: (config) => Object.assign(config["http"], { port, token }) }),
    startExporter(),
  ]);
  const options = { url: `http://127.0.0.1:${port}/hooks/alertmanager`, token };
  [alertmanager, second] = [await privateAlertmanager(options), await privateAlertmanager(options)];
  await alertmanager.start();
  prometheus = await startPrometheus(exporter, [alertmanager.address, second.address]);
  bot = await stack.startBot();
});
afterAll(async () => {
  for (const part of [prometheus, alertmanager, second, exporter, stack]) await part?.[Symbol.asyncDispose]();
});

/** The messages of the bot about a disk. */
function messagesAbout(disk: string): Message[] {
  const about = new RegExp(`Disk ${disk} is full`);
  return stack.sandbox.messages(opsChat).filter(({ from, text }) => from?.id === botId && about.test(text ?? ""));
}

async function cardOf(disk: string): Promise<Message> {
  return await stack.message(new RegExp(`Disk ${disk} is full`));
}

/** Everything that was put into the chat about a disk: its card and each change of it. */
function writesAbout(disk: string): number {
  return stack.sandbox
    .calls()
    .filter(
      ({ method, params }) => /^(send|edit)/.test(method) && JSON.stringify(params).includes(`Disk ${disk} is full`),
    ).length;
}

test("what fires together is a card each, and each changes when it is over", async () => {
  exporter.set("a", true);
  exporter.set("b", true);
  const [a, b] = [await cardOf("a"), await cardOf("b")];
  expect(a.text).toContain("Nothing can be written any more.");
  expect(shown(a).buttons).toContain("Acknowledge");
  exporter.set("a", false);
  const resolved = await becomes(stack, a, /Resolved/i);
  expect(shown(resolved).buttons).not.toContain("Acknowledge");
  expect(messagesAbout("a")).toHaveLength(1);
  expect(messagesAbout("b")).toHaveLength(1);
  expect(shown(b).text).not.toMatch(/Resolved/i);
});

test("what is sent again and again is said once", async () => {
  await aMinuteOfSilence(stack);
  await cardOf("b");
  const before = writesAbout("b");
  await postsAgain([alertmanager], 3);
  expect(writesAbout("b")).toBe(before);
  expect(messagesAbout("b")).toHaveLength(1);
});

test("an Alertmanager that is restarted repeats itself, and nothing is said twice", async () => {
  const before = writesAbout("b");
  await alertmanager.stop();
  await alertmanager.start();
  exporter.set("c", true);
  await cardOf("c");
  await postsAgain([alertmanager], 2);
  expect(writesAbout("b")).toBe(before);
  expect(messagesAbout("c")).toHaveLength(1);
});

test("what fires while the bot is away is there as soon as it is back", async () => {
  await aMinuteOfSilence(stack);
  await bot.kill();
  exporter.set("d", true);
  exporter.set("c", false);
  const failures = /^alertmanager_notification_requests_failed_total\{.*integration="webhook"/;
  await until(async () => (await alertmanager.metric(failures)) > 0, "an attempt that failed");
  bot = await stack.startBot();
  await cardOf("d");
  await becomes(stack, await cardOf("c"), /Resolved/i);
  expect(messagesAbout("d")).toHaveLength(1);
  expect(messagesAbout("c")).toHaveLength(1);
});

test("two Alertmanagers that hear of each other, and two that do not, are one voice", async () => {
  await aMinuteOfSilence(stack);
  await second.start([alertmanager.clusterAddress]);
  const members = /^alertmanager_cluster_members/;
  await until(async () => (await second.metric(members)) === 2, "a cluster of two");
  exporter.set("e", true);
  await cardOf("e");
  await postsAgain([alertmanager, second], 2);
  // Each on its own now: both tell everything.
  await Promise.all([alertmanager.stop(), second.stop()]);
  await Promise.all([alertmanager.start([]), second.start([])]);
  exporter.set("f", true);
  await cardOf("f");
  await Promise.all([postsAgain([alertmanager], 2), postsAgain([second], 2)]);
  exporter.set("e", false);
  exporter.set("f", false);
  await becomes(stack, await cardOf("e"), /Resolved/i);
  await becomes(stack, await cardOf("f"), /Resolved/i);
  await Promise.all([postsAgain([alertmanager], 1), postsAgain([second], 1)]);
  for (const disk of ["e", "f"]) {
    expect(messagesAbout(disk)).toHaveLength(1);
    expect(writesAbout(disk)).toBe(2);
  }
});

test("what is called resolved because Prometheus was cut off, and goes on as before, fires again", async () => {
  await aMinuteOfSilence(stack);
  await bot.stop();
  const clock = new MovedClock();
  const moved = await startBotInProcess(stack, { clock });
  try {
    const startsAt = new Date(Date.now() - 60_000);
    const name = { disk: "g", severity: "critical" };
    // As Prometheus says it: it fires, and has ended when nothing more is heard until `ms` from now.
    const report = async (ms: number): Promise<void> => await alertmanager.report(name, startsAt, ms);
    await report(1500);
    const card = await cardOf("g");
    await becomes(stack, card, /Resolved/i);
    clock.advance(60_000);
    await report(60_000);
    const again = await stack.message(/^🔴 Disk g is full/);
    expect(again.text).not.toMatch(/Resolved/i);
    await report(-1);
    await becomes(stack, again, /Resolved/i);
  } finally {
    await moved.stop();
  }
});
