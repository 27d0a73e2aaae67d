/**
 * What becomes of 10,000 alerts within a minute, and how soon one alert is in the chat: see bench/README.md.
 *
 *   node bench/alerts.ts [--alerts <n>] [--seconds <n>] [--single <n>] [--json <file>]
 */
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { alertmanagerBody, type BenchAlert, benchAlerts, benchMessages, namesIn } from "./alert-messages.ts";
import { type AlertsWorld, admin, botId, restChats, startAlertsWorld, stormChat } from "./alerts-world.ts";
import { type Aim, aim, aimTable, markdown, median } from "./report.ts";

const { values } = parseArgs({
  options: {
    alerts: { type: "string", default: "10000" },
    seconds: { type: "string", default: "55" },
    single: { type: "string", default: "120" },
    json: { type: "string" },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** Milliseconds between two alerts at rest: each of the 12 groups gets ten a minute. */
const pauseMs = 500;
/** Posts under way at once, as of so many groups of an Alertmanager. */
const senders = 16;

await using world = await startAlertsWorld();
const loadBefore = loadavg();
const latencies = await measureRest(Number(values.single));
say(`at rest: median ${median(latencies).toFixed(1)} ms, 99th percentile ${percentile(latencies, 0.99).toFixed(1)} ms`);
const memoryAtRest = await world.peakMemory();
const storm = await measureStorm(benchAlerts(Number(values.alerts)), Number(values.seconds) * 1000);
const memoryAfterStorm = await world.peakMemory();
const found = await account(storm.alerts);
await report();

/** Milliseconds from before a webhook is posted until its message is in the chat. */
async function measureRest(count: number): Promise<number[]> {
  const times: number[] = [];
  const warmUp = restChats.length;
  for (let round = 0; round < count + warmUp; round++) {
    const chat = restChats[round % restChats.length]?.name ?? "";
    const alert: BenchAlert = { name: `alert-${90_000 + round}`, severity: "warning" };
    const body = alertmanagerBody([alert], { chat });
    const shown = whenShown(world, alert.name);
    const postedAt = performance.now();
    const status = await world.post("alertmanager", body);
    if (status !== 200) throw new Error(`the bot answered ${status}`);
    // One alert to each group does not count: code is compiled and connections are open then.
    const ms = (await shown) - postedAt;
    if (round >= warmUp) times.push(ms);
    await sleep(pauseMs);
  }
  return times;
}

/** When a message with this name is in a chat, by `performance.now()`. */
async function whenShown({ sandbox }: AlertsWorld, name: string): Promise<number> {
  const shown = Promise.withResolvers<number>();
  const stop = sandbox.onEvent(({ event }) => {
    if (event.type === "message" && event.message.text?.includes(name)) shown.resolve(performance.now());
  });
  const timer = setTimeout(() => shown.reject(new Error(`${name} was not shown within 60 s`)), 60_000);
  try {
    return await shown.promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Posts everything on time; what is answered 503 is posted again, as Alertmanager does. */
async function measureStorm(alerts: readonly BenchAlert[], withinMs: number) {
  const messages = benchMessages(alerts, withinMs);
  const firstCritical = messages.find((message) => message.alerts.some(({ severity }) => severity === "critical"));
  const critical = firstCritical?.alerts.find(({ severity }) => severity === "critical")?.name ?? "";
  say(`${alerts.length} alerts in ${messages.length} messages within ${withinMs / 1000} s`);
  const answers: number[] = [];
  let refused = 0;
  let firstCriticalMs = Number.NaN;
  const begun = performance.now();
  const queue = messages.values();
  const send = async (): Promise<void> => {
    for (const message of queue) {
      await sleep(Math.max(0, begun + message.at - performance.now()));
      const postedAt = performance.now();
      if (message === firstCritical)
        void whenShown(world, critical).then((at) => {
          firstCriticalMs = at - postedAt;
        });
      for (let status = 0; status !== 200; ) {
        status = await world.post("alertmanager", message.body);
        if (status === 200) break;
        if (status !== 503) throw new Error(`the bot answered ${status}`);
        refused += 1;
        await sleep(1000);
      }
      answers.push(performance.now() - postedAt);
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const tookMs = performance.now() - begun;
  say(`posted in ${(tookMs / 1000).toFixed(1)} s; waiting until the chat shows everything`);
  while ((await world.backlog()) > 0) await sleep(500);
  const settledMs = performance.now() - begun;
  return { alerts, messages: messages.length, tookMs, settledMs, answers, refused, firstCriticalMs };
}

/** Where every alert is: on a card of its own, or in the list of the digest. */
async function account(alerts: readonly BenchAlert[]) {
  const shown = world.sandbox.messages(stormChat).filter(({ from }) => from?.id === botId);
  const digests = shown.filter((message) => buttonsOf(message).includes("Full list"));
  const cards = shown.filter((message) => !digests.includes(message)).flatMap(({ text = "" }) => namesIn(text));
  const listed: string[] = [];
  for (const digest of digests) {
    const known = new Set(world.sandbox.messages(stormChat).map(({ message_id }) => message_id));
    const button = digest.reply_markup?.inline_keyboard.flat().find(({ text }) => text === "Full list");
    if (!button || !("callback_data" in button)) throw new Error("the digest has no list");
    const data = button.callback_data;
    await world.sandbox.press(stormChat, { from: admin.id, message_id: digest.message_id, data, waitMs: 10_000 });
    const list = await world.sandbox.waitForMessage(
      stormChat,
      ({ document, message_id }) => document !== undefined && !known.has(message_id),
      { timeoutMs: 60_000, what: "the full list" },
    );
    listed.push(...namesIn(world.sandbox.file(list.document?.file_id ?? "").data.toString()));
  }
  const times = new Map(alerts.map(({ name }) => [name, 0]));
  for (const name of [...cards, ...listed]) times.set(name, (times.get(name) ?? 0) + 1);
  const lost = [...times.values()].filter((count) => count === 0).length;
  const twice = [...times.values()].filter((count) => count > 1).length;
  const criticals = new Set(alerts.filter(({ severity }) => severity === "critical").map(({ name }) => name));
  const named = new Set(digests.flatMap(({ text = "" }) => namesIn(text)));
  return {
    cards: cards.length,
    digests: digests.length,
    digestTexts: digests.map(({ text = "" }) => text.split("\n").slice(0, 4)),
    listed: listed.length,
    lost,
    twice,
    open: await world.redis.zcard("bench:v1:incidents-open"),
    criticalCards: cards.filter((name) => criticals.has(name)).length,
    criticalsNamed: [...criticals].filter((name) => named.has(name) || cards.includes(name)).length,
    tooMany: world.sandbox.calls().filter(({ error_code }) => error_code === 429).length,
  };
}

function buttonsOf(message: { reply_markup?: { inline_keyboard: { text: string }[][] } }): string[] {
  return message.reply_markup?.inline_keyboard.flat().map(({ text }) => text) ?? [];
}

function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

async function report(): Promise<void> {
  const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
  const peak = await world.peakMemory();
  const aims: Aim[] = [
    aim("alerts lost", found.lost, 0),
    aim("alerts shown twice", found.twice, 0),
    aim("answers of 429 by Telegram", found.tooMany, 0),
    aim("posted within (s)", round(storm.tookMs / 1000), 60),
    aim("first critical on screen (s)", round(storm.firstCriticalMs / 1000, 3), 1),
    aim("at rest: webhook to message, median (ms)", round(median(latencies)), 50),
    aim("at rest: webhook to message, 99th percentile (ms)", round(percentile(latencies, 0.99)), 150),
    aim("bot's peak memory (MB)", round(peak / 1e6), 300),
  ];
  const load = (loads: readonly number[]): string => loads.map((value) => value.toFixed(1)).join(" ");
  const beside = [
    ["What", "Value"],
    ["alerts open in Redis", `${found.open}`],
    ["on cards of their own", `${found.cards}, ${found.criticalCards} of them critical`],
    ["in the list of the digest", `${found.listed} of ${found.digests} digests`],
    ["criticals named on a card or in a digest", `${found.criticalsNamed}`],
    ["answers of 503, posted again", `${storm.refused}`],
    [
      "webhook answered: median, 99th percentile (ms)",
      `${round(median(storm.answers))}, ${round(percentile(storm.answers, 0.99))}`,
    ],
    ["everything on screen after (s)", `${round(storm.settledMs / 1000)}`],
    [
      "peak memory before the storm, after it, after the full list (MB)",
      [memoryAtRest, memoryAfterStorm, peak].map((bytes) => round(bytes / 1e6)).join(", "),
    ],
    ["load before, after", `${load(loadBefore)}, ${load(loadavg())}`],
  ];
  process.stdout.write(`\n${aimTable(aims)}\n\n${markdown(beside)}\n\n`);
  const { answers: _answers, alerts: _alerts, ...rest } = storm;
  const json = JSON.stringify(
    { aims, found, storm: rest, latencies: latencies.map((ms) => round(ms, 2)) },
    undefined,
    2,
  );
  if (values.json === undefined) process.stdout.write(`${json}\n`);
  else await writeFile(values.json, `${json}\n`);
}
