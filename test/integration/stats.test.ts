import type { Message } from "@grammyjs/types";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { statsView } from "../../src/bot/views/stats.ts";
import type { MetricValues } from "../../src/core/metric.ts";
import { messagesOf } from "../../src/messages/index.ts";
import type { ApiCall } from "../../src/sandbox/telegram/api.ts";
import { type BotWorld, startWholeBot } from "../support/bot.ts";
import { noServers } from "../support/no-servers.ts";
import { ALICE, BOB, BOT_ID, EVE, GROUP_ID } from "../support/sandbox.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const minuteMs = 60_000;

const server = (name: string, labels: Record<string, string> = {}) => ({
  name,
  provider: "timeweb",
  kind: "timeweb",
  labels,
  config: {},
});

const rules = [{ name: "disk", when: "disk > 85", severity: "warning" }];

/** A look that was taken so many minutes ago. */
async function looked(deps: Deps, name: string, metrics: MetricValues, minutes = 1): Promise<void> {
  const at = new Date(deps.clock.now().getTime() - minutes * minuteMs);
  const bootedAt = new Date(at.getTime() - 5 * 24 * 60 * minuteMs);
  await deps.serverStates.note({ name, reading: { at, status: "on", metrics, bootedAt }, tookMs: 5 }, at);
}

/** Its values of so many hours, one every five minutes. */
async function history(deps: Deps, name: string, hours: number): Promise<void> {
  const now = deps.clock.now();
  const values = Array.from({ length: hours * 12 }, (_, index) => index).map(async (index) => {
    const at = new Date(now.getTime() - (index + 1) * 5 * minuteMs);
    const metrics = { cpu: 20 + (index % 30), memory: 60, disk: 88 - index * 0.02, network_in: 1e6, network_out: 3e5 };
    await deps.serverHistory.append(name, { at, metrics }, now);
  });
  await Promise.all(values);
}

describe("in the chat", () => {
  const configured = [
    server("web-1", { env: "prod" }),
    server("web-2", { env: "test" }),
    server("db-1", { env: "prod" }),
  ];

  async function world(servers: readonly object[] = configured) {
    const started = await startWholeBot(fixture, GROUP_ID, {
      config: { servers, rules },
      sandbox: { limits: { enforce: false } },
      users: [{ id: BOB.id, name: "bob", role: "viewer" }],
    });
    const { deps } = started;
    await looked(deps, "web-1", { cpu: 37.4, memory: 64, disk: 88, disk_free: 12e9, load: 0.52 });
    await looked(deps, "db-1", { cpu: 5, memory: 30, disk: 40 });
    for (let look = 0; look < 3; look++)
      await deps.serverStates.note(
        {
          name: "web-2",
          failure: "unreachable",
          reason: { key: "error-tool-slow", args: { step: "x", seconds: 5 } },
          tookMs: 5,
        },
        new Date(deps.clock.now().getTime() - (30 - look) * minuteMs),
      );
    return started;
  }

  /** The answer to a command: the next message of the bot that is no card of an incident. */
  async function ask({ sandbox }: BotWorld, text: string, from = ALICE.id): Promise<Message> {
    const said = sandbox.sendAsUser(GROUP_ID, { from, text });
    return await sandbox.waitForMessage(
      GROUP_ID,
      (message) =>
        message.from?.id === BOT_ID && message.message_id > said.message_id && !/firing since/.test(message.text ?? ""),
      { timeoutMs: 30_000, what: `an answer to ${text}` },
    );
  }

  const buttons = (message: Message) => (message.reply_markup?.inline_keyboard ?? []).flat();
  const labels = (message: Message): string[] => buttons(message).map(({ text }) => text);

  async function press({ sandbox }: BotWorld, message: Message, label: string, from = ALICE.id) {
    const button = buttons(message).find(({ text }) => text === label);
    const data = button && "callback_data" in button ? (button.callback_data ?? "") : "";
    expect([label, data === ""]).toEqual([label, false]);
    return await sandbox.press(GROUP_ID, { from, message_id: message.message_id, data, waitMs: 10_000 });
  }

  /** The first call of a method after what `work` does. */
  async function callAfter({ sandbox }: BotWorld, method: string, work: () => Promise<unknown>): Promise<ApiCall> {
    const since = sandbox.calls().at(-1)?.seq ?? 0;
    await work();
    return await sandbox.waitFor(() => sandbox.calls(since).find((call) => call.method === method), {
      timeoutMs: 30_000,
      what: method,
    });
  }

  const current = ({ sandbox }: BotWorld, { message_id: id }: Message): Message =>
    sandbox.messages(GROUP_ID).find((message) => message.message_id === id) ?? expect.unreachable();

  test("the fleet is a table, red ones first, with what is asked for alone", async () => {
    const bot = await world();
    const table = await ask(bot, "/stats");
    const [summary = "", head = "", ...lines] = (table.text ?? "").split("\n");
    expect(summary).toBe("3 servers · 2 on · 1 silent · oldest reading 1m");
    expect(head).toBe("   server      CPU  MEM  DSK   LD");
    expect(lines[0]).toBe("🔴 web-2       no answer 30m");
    expect(lines[1]).toMatch(/^🟢 db-1 +5 +30 +40 +–$/);
    expect(lines[2]).toMatch(/^🟢 web-1 +37 +64 +88 +0\.5$/);
    expect(labels(table)).toEqual(["🔴 web-2", "🟢 db-1", "🟢 web-1", "↻ Refresh"]);
    expect((await ask(bot, "/stats env=prod")).text).toContain("2 servers");
    expect((await ask(bot, "/stats WEB")).text).toMatch(/2 servers[\s\S]*Filter: web[\s\S]*web-2[\s\S]*web-1/);
    expect((await ask(bot, "/stats web1")).text).toBe("No server is called “web1”. Is it web-1?");
    expect((await ask(bot, "/stats web 24h")).text).toContain("These fit: web-1, web-2.");
    expect((await ask(bot, "/stats web-1 1s")).text).toContain("“1s” is no time for a chart");
    expect((await ask(bot, "/stats web-1 yesterday")).text).toContain("“yesterday” is no time for a chart");
  });

  test("a server that turns red while the table is open is shown so without a press", async () => {
    const bot = await world();
    const table = await ask(bot, "/stats");
    const now = bot.deps.clock.now().toISOString();
    const labelsOf = { server: "db-1" };
    await bot.deps.alerts.receive([
      {
        source: "rule",
        fingerprint: "cpu:db-1",
        status: "firing",
        severity: "critical",
        title: "db-1 is busy",
        labels: labelsOf,
        startsAt: now,
      } as never,
    ]);
    bot.clock.advance(20_000);
    await expect.poll(() => current(bot, table).text, { timeout: 30_000 }).toContain("🔴 db-1");
  });

  test("a server is a picture whose buttons draw it anew in the same message", async () => {
    const bot = await world();
    await history(bot.deps, "web-1", 26);
    const picture = await ask(bot, "/stats web-1");
    expect(picture.photo?.at(-1)).toMatchObject({ width: 1080 });
    expect(picture.caption).toMatch(
      /^🟢 web-1 · on · up 5d 1m\nCPU 37% · memory 64% · disk 88% \(12 GB free\) · load 0\.52\n/,
    );
    expect(labels(picture)).toEqual(["1h", "• 24h", "7d", "30d", "↻ Refresh", "☀️", "🔄 Reboot…"]);
    let before = picture.photo?.at(-1)?.file_unique_id;
    for (const [label, marked] of [
      ["1h", "• 1h"],
      ["7d", "• 7d"],
      ["30d", "• 30d"],
      ["24h", "• 24h"],
    ] as const) {
      const call = await callAfter(bot, "editMessageMedia", async () => await press(bot, current(bot, picture), label));
      expect(call).toMatchObject({ ok: true, params: { message_id: picture.message_id } });
      expect(JSON.stringify(call.params)).toContain(`"file_name":"web-1-${label}.png"`);
      const shown = current(bot, picture);
      expect(labels(shown)).toContain(marked);
      expect(shown.photo?.at(-1)?.file_unique_id).not.toBe(before);
      before = shown.photo?.at(-1)?.file_unique_id;
    }
    await callAfter(bot, "editMessageMedia", async () => await press(bot, current(bot, picture), "↻ Refresh"));
    const { answer } = await press(bot, current(bot, picture), "☀️");
    expect(answer?.text).toBe("Light");
    await bot.sandbox.waitFor(() => labels(current(bot, picture)).includes("🌙") || undefined, { timeoutMs: 30_000 });
    // Whoever has chosen a theme has it from then on; others have theirs.
    expect(labels(await ask(bot, "/stats web-1 1h"))).toContain("🌙");
    expect(labels(await ask(bot, "/stats web-1 1h", BOB.id))).toContain("☀️");
  });

  test("a silent server says since when and why, an incident is counted and leads to the list", async () => {
    const bot = await world();
    // As Prometheus calls it.
    const labelsOf = { instance: "web-2" };
    await bot.deps.alerts.receive([
      {
        source: "rule",
        fingerprint: "disk:web-2",
        status: "firing",
        severity: "warning",
        title: "web-2 runs full",
        labels: labelsOf,
        startsAt: bot.deps.clock.now().toISOString(),
      } as never,
    ]);
    const table = await ask(bot, "/stats web-2=x");
    expect(table.text).toContain("0 servers");
    const picture = await ask(bot, "/stats web-2 24h");
    expect(picture.caption).toMatch(/^🔴 web-2 · no answer 30m\nx did not finish within 5 s\n🟠 web-2 runs full · /);
    expect(picture.caption).not.toContain("%");
    expect(labels(picture)).toContain("1 incident");
    const list = await callAfter(bot, "sendMessage", async () => await press(bot, picture, "1 incident"));
    expect(JSON.stringify(list.params)).toContain("web-2 runs full");
  });

  test("a press in the table opens the picture; strangers get nothing", async () => {
    const bot = await world();
    const table = await ask(bot, "/stats");
    const opened = await callAfter(bot, "sendPhoto", async () => await press(bot, table, "🟢 db-1"));
    expect(opened).toMatchObject({ ok: true });
    bot.sandbox.setMember(GROUP_ID, EVE.id, "member");
    const picture = current(bot, opened.result as Message);
    expect((await press(bot, picture, "🔄 Reboot…", BOB.id)).answer?.text).toMatch(/operator/);
    const asked = await callAfter(bot, "sendMessage", async () => await press(bot, picture, "🔄 Reboot…"));
    expect(JSON.stringify(asked.params)).toContain("db-1");
    const since = bot.sandbox.calls().at(-1)?.seq ?? 0;
    bot.sandbox.sendAsUser(GROUP_ID, { from: EVE.id, text: "/stats" });
    await press(bot, table, "🟢 web-1", EVE.id);
    await ask(bot, "/whoami");
    expect(bot.sandbox.calls(since).filter(({ method }) => method === "sendPhoto")).toEqual([]);
  });

  test("a picture that Telegram refuses to edit is said in one line, and a picture that is gone is left alone", async () => {
    const bot = await world();
    const picture = await ask(bot, "/stats db-1 1h");
    bot.sandbox.addFault({ kind: "status", status: 400, methods: ["editMessageMedia"], times: 1 });
    const said = await callAfter(bot, "sendMessage", async () => await press(bot, picture, "7d"));
    expect(JSON.stringify(said.params)).toContain("That did not work");
    bot.sandbox.deleteAsUser(GROUP_ID, picture.message_id, ALICE.id);
    expect((await ask(bot, "/stats db-1 1h")).photo).toBeDefined();
  });

  test("a server that has left the configuration leaves its picture, with what has become of it", async () => {
    const servers = [...configured];
    const bot = await world(servers);
    const picture = await ask(bot, "/stats db-1 1h");
    servers.pop();
    await callAfter(bot, "editMessageCaption", async () => await press(bot, picture, "7d"));
    const shown = current(bot, picture);
    expect(shown.caption).toBe("Server db-1 is not in the configuration any more.");
    expect([shown.photo?.length, labels(shown)]).toEqual([1, []]);
  });

  test("with no server configured it is said what to do", async () => {
    const bot = await startWholeBot(fixture, GROUP_ID);
    expect((await ask(bot, "/stats")).text).toBe(
      "No servers are configured: name them under servers in the configuration.",
    );
  });
});

describe("of a thousand servers", () => {
  function botOf(servers: readonly object[]): Deps {
    const config = {
      timezone: "UTC",
      locale: "en",
      redis: { url: fixture.server.url, prefix: fixture.keys().root.split(":")[0] },
      worker: { host: "here" },
      alerts: { storm: { incidents: 20, within: 60_000 } },
      ...noServers,
      servers,
      storages: {},
      backups: [],
    } as unknown as Config;
    const clock = new ManualClock("2026-11-22T11:00:00.000Z");
    const { deps, close } = createDeps({ config, logger: pino({ level: "silent" }), clock, role: "test" });
    onTestFinished(close);
    return deps;
  }

  test("every page is made within 500 ms", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `node-${String(index).padStart(4, "0")}`);
    const deps = botOf(names.map((name, index) => server(name, { env: index % 2 === 0 ? "prod" : "test" })));
    const metrics = {
      cpu: 12,
      memory: 40,
      swap: 0,
      disk: 50,
      disk_free: 5e9,
      load: 0.4,
      load_per_core: 0.1,
      network_in: 1e5,
    };
    for (let start = 0; start < names.length; start += 100)
      await Promise.all(names.slice(start, start + 100).map(async (name) => await looked(deps, name, metrics)));
    for (const name of names.slice(0, 20)) await history(deps, name, 24);
    const view = statsView(deps);
    const context = { id: "v", messages: messagesOf("en"), now: deps.clock.now(), isPrivate: true };
    const timed = async (work: () => Promise<{ html: string }>): Promise<number> => {
      const began = performance.now();
      expect((await work()).html).toContain("servers");
      return performance.now() - began;
    };
    const states = [{}, { page: 25 }, { matchers: [{ label: "env", operator: "=" as const, value: "prod" }] }];
    // The best of three: others use this machine as well.
    for (const state of states) {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) times.push(await timed(async () => await view.render(state, context)));
      const best = Math.min(...times);
      process.stdout.write(`/stats ${JSON.stringify(state)} of 1,000 servers: ${Math.round(best)} ms\n`);
      expect(best).toBeLessThan(500);
    }
    const { html, rows } = await view.render({ page: 49 }, context);
    expect(html).toContain("page 50 of 50");
    expect(html).toContain("node-0999");
    expect(rows.flat().every(({ what }) => what.length <= 40)).toBe(true);
    expect(html.length).toBeLessThan(4096);
  });
});
