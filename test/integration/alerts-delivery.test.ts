import * as fc from "fast-check";
import { Api } from "grammy";
import type { Message } from "grammy/types";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { BotConfig } from "../../src/app/config.ts";
import { createCardKinds } from "../../src/bot/cards/index.ts";
import { Delivery } from "../../src/bot/delivery.ts";
import { isOpen } from "../../src/core/incident.ts";
import type { TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import type { BackupOrders } from "../../src/services/backup/orders.ts";
import {
  type AlertsSettings,
  type AlertsWorld,
  alertsWorld,
  allIncidents,
  titleOf,
  whereIs,
} from "../support/alerts.ts";
import { ALERTS_TOPIC, ALICE, BOT, FORUM_ID, testSandbox } from "../support/sandbox.ts";
import { operator, signal, signals } from "../support/signals.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;

interface DeliveredWorld extends AlertsWorld {
  readonly sandbox: TelegramSandbox;
  deliver(): Promise<void>;
  /** One call to Telegram at most. */
  step(): Promise<unknown>;
  /** Lets the clock run second by second, and everybody do what is due. */
  run(ms: number, stepMs?: number): Promise<void>;
  /** The bot's messages whose first line names this. */
  messages(name: string): Message[];
  /** What was put into the chat so far. */
  calls(): { method: string; text: string; silent: boolean; thread: unknown }[];
}

async function deliveredWorld(alerts: AlertsSettings = {}): Promise<DeliveredWorld> {
  const sandbox = await testSandbox({ now: { manual: true, start: new Date("2026-03-01T12:00:00Z") }, keep: 50_000 });
  const clock = { now: () => sandbox.now(), advance: (ms: number) => sandbox.advance(ms) };
  const telegram = {
    token: BOT.token,
    apiRoot: sandbox.apiRoot,
    chats: { ops: { id: FORUM_ID, topics: { alerts: ALERTS_TOPIC } } },
    users: [{ id: ALICE.id, name: "alice", role: "admin" }],
  };
  const world = alertsWorld(fixture, alerts, clock, telegram);
  const config = { ...world.config, timezone: "UTC", locale: "en" } as BotConfig;
  const delivery = new Delivery({
    config,
    clock,
    logger: pino({ level: "silent" }),
    cards: world.cards,
    kinds: createCardKinds({
      ...world,
      config,
      orders: {} as BackupOrders,
      catalogue: {} as never,
      pruneQuestions: {} as never,
      verificationOrders: {} as never,
      drillOrders: {} as never,
      approvals: {} as never,
      approvalStates: {} as never,
      restorations: {} as never,
      powerOrders: {} as never,
    }),
    api: new Api(BOT.token, { apiRoot: sandbox.apiRoot }),
  });
  const deliver = async (): Promise<void> => {
    while ((await delivery.step()) === 0);
  };
  const mine = (): Message[] => sandbox.messages(FORUM_ID).filter(({ from }) => from?.username === BOT.username);
  return {
    ...world,
    sandbox,
    deliver,
    step: async () => await delivery.step(),
    run: async (ms, stepMs = 1000) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await world.pass(stepMs);
        await deliver();
      }
    },
    messages: (name) => mine().filter(({ text = "" }) => text.split("\n")[0]?.includes(name)),
    calls: () =>
      sandbox
        .calls()
        .filter(({ method }) => /^(send|edit)/.test(method))
        .map(({ method, params }) => ({
          method,
          text: typeof params["text"] === "string" ? params["text"] : "",
          silent: String(params["disable_notification"]) === "true",
          thread: params["message_thread_id"],
        })),
  };
}

const hasButtons = (message: Message | undefined): boolean =>
  (message?.reply_markup?.inline_keyboard ?? []).flat().some(({ text }) => text === "Acknowledge");

test("a critical overtakes 500 warnings that wait to be shown", async () => {
  const world = await deliveredWorld({ storm: { incidents: 1000 } });
  await world.alerts.receive(signals("n", 500));
  await world.deliver();
  expect(world.calls()).toHaveLength(15);
  await world.alerts.receive([signal("urgent", { severity: "critical" })]);
  await world.deliver();
  expect(world.messages("urgent is down")).toHaveLength(1);
  expect(world.calls()).toHaveLength(16);
  expect(await world.cards.backlog()).toBe(485);
});

test("a resolve edits the card, and is said in a reply when the card is old", async () => {
  const world = await deliveredWorld({ resolved: { replyAfter: "10m" } });
  await world.alerts.receive([signal("young"), signal("old")]);
  await world.deliver();
  await world.run(minute, 10_000);
  await world.alerts.receive([signal("young", { status: "resolved" })]);
  await world.run(10 * minute, minute);
  await world.alerts.receive([signal("old", { status: "resolved" })]);
  await world.run(2000);
  expect(world.calls().map(({ method }) => method)).toEqual([
    "sendMessage",
    "sendMessage",
    "editMessageText",
    "editMessageText",
    "sendMessage",
  ]);
  const [card, reply] = world.messages("old is down");
  expect(reply?.reply_to_message?.message_id).toBe(card?.message_id);
  expect(card?.text).toMatch(/resolved/i);
  expect(hasButtons(card)).toBe(false);
});

test("what rings again is posted anew, and the old message loses its buttons", async () => {
  const world = await deliveredWorld({ routes: [{ match: {}, topic: "alerts", repeat: "1h" }] });
  await world.alerts.receive([signal("a")]);
  await world.deliver();
  await world.run(61 * minute, minute);
  const [first, second, ...others] = world.messages("a is down");
  expect(others).toEqual([]);
  expect([hasButtons(first), hasButtons(second)]).toEqual([false, true]);
  const sent = world.calls().filter(({ method }) => method === "sendMessage");
  expect(sent.map(({ silent, thread }) => [silent, Number(thread)])).toEqual([
    [false, ALERTS_TOPIC],
    [false, ALERTS_TOPIC],
  ]);
  // Taken on: no more of it.
  const [incident] = await allIncidents(world);
  await world.alerts.acknowledge(incident?.id ?? "", operator);
  await world.run(3 * 60 * minute, 5 * minute);
  expect(world.messages("a is down")).toHaveLength(2);
});

test("of a card that rings again and again in a moment only the newest message keeps its buttons", async () => {
  const world = await deliveredWorld();
  await world.alerts.receive([signal("a")]);
  await world.step();
  for (const time of [1, 2, 3]) {
    if (time > 1) await world.alerts.receive([signal("a", { severity: "critical", status: "resolved" })]);
    await world.alerts.receive([signal("a", { severity: "critical" })]);
    await world.step();
  }
  expect(world.messages("a is down")).toHaveLength(4);
  await world.run(10_000);
  expect(world.messages("a is down").map((message) => hasButtons(message))).toEqual([false, false, false, true]);
  expect(world.calls()).toHaveLength(4 + 3);
});

test("what becomes critical goes on where its route leads then; the old message says so and has no buttons", async () => {
  const world = await deliveredWorld({ routes: [{ match: { severity: "critical" }, topic: "alerts" }] });
  await world.alerts.receive([signal("a"), signal("b")]);
  await world.deliver();
  await world.alerts.receive([signal("a", { severity: "critical" })]);
  await world.run(3000);
  const [old, card, ...others] = world.messages("a is down");
  expect(others).toEqual([]);
  expect([old?.message_thread_id, card?.message_thread_id]).toEqual([undefined, ALERTS_TOPIC]);
  expect(old?.text).toBe("⤵ a is down: goes on here");
  const chat = String(FORUM_ID).slice(4);
  expect(old?.entities).toContainEqual(
    expect.objectContaining({ type: "text_link", url: `https://t.me/c/${chat}/${card?.message_id}` }),
  );
  expect([hasButtons(old), hasButtons(card)]).toEqual([false, true]);
  expect(world.calls().at(-2)).toMatchObject({ method: "sendMessage", silent: false });
  const [incident] = await allIncidents(world);
  expect(await whereIs(world, incident?.id ?? "")).toBe("card");
  // Back again, before anybody could see it elsewhere.
  await world.alerts.receive([signal("a"), signal("b", { severity: "critical" }), signal("b")]);
  await world.run(3000);
  expect(world.messages("a is down").map((message) => hasButtons(message))).toEqual([false, false, true]);
  expect(world.messages("b is down").map((message) => hasButtons(message))).toEqual([false, true]);
  expect(await world.cards.backlog()).toBe(0);
});

test("what other labels lead elsewhere is new there, and heard", async () => {
  const world = await deliveredWorld({ routes: [{ match: { team: "ru" }, topic: "alerts" }] });
  await world.alerts.receive([signal("a")]);
  await world.deliver();
  await world.alerts.receive([signal("a", { labels: { alertname: "Down", instance: "a", team: "ru" } })]);
  await world.run(5000);
  expect(world.calls().map(({ method, silent, thread }) => [method, silent, Number(thread)])).toEqual([
    ["sendMessage", false, Number.NaN],
    ["sendMessage", false, ALERTS_TOPIC],
    ["editMessageText", false, Number.NaN],
  ]);
});

test("a message that is under way while its card moves is an old one as well", async () => {
  const world = await deliveredWorld({ routes: [{ match: { severity: "critical" }, topic: "alerts" }] });
  await world.alerts.receive([signal("a")]);
  const claim = await world.cards.take(world.clock.now());
  if (!("placement" in claim)) throw new Error("nothing to deliver");
  await world.alerts.receive([signal("a", { severity: "critical" })]);
  const token = await world.cards.buttonToken(claim.placement, "acknowledge");
  expect(await world.cards.press(token, FORUM_ID, 77, world.clock.now())).toBe("stray");
  await world.cards.done(claim, { messageId: 77, hash: "x", spent: true }, world.clock.now());
  await world.run(3000);
  expect(world.calls().map(({ method, thread }) => [method, Number(thread)])).toEqual([
    ["sendMessage", ALERTS_TOPIC],
    ["editMessageText", Number.NaN],
  ]);
  expect(await world.cards.press(token, FORUM_ID, 77, world.clock.now())).toBe("unknown");
  expect(await fixture.redis.exists(world.keys.of("placement", claim.placement))).toBe(0);
});

test("a storm whose members are silent has no sound, not even when it is over", async () => {
  const world = await deliveredWorld({ storm: { incidents: 3 }, routes: [{ match: {}, silent: true, repeat: "5m" }] });
  await world.alerts.receive(signals("n", 10));
  await world.run(4 * minute, 10_000);
  const sent = world.calls().filter(({ method }) => method === "sendMessage");
  expect(sent.filter(({ text }) => text.includes("The storm is over"))).toHaveLength(1);
  expect(sent.map(({ silent }) => silent)).toEqual([true, true, true, true, true]);
});

test("a storm's card is posted anew when its members ring", async () => {
  const world = await deliveredWorld({ storm: { incidents: 3 }, routes: [{ match: {}, repeat: "30m" }] });
  await world.alerts.receive(signals("n", 10));
  await world.run(29 * minute, minute);
  expect(world.messages("7 firing")).toHaveLength(1);
  await world.run(3 * minute, 10_000);
  const [second, ...others] = world.messages("7 firing");
  expect(others).toEqual([]);
  const [first] = world.messages("⤵ ⛈ Storm of ");
  expect(first?.text).toMatch(/: goes on here$/);
  const buttons = (message: Message | undefined): number => message?.reply_markup?.inline_keyboard.length ?? 0;
  expect([buttons(first), buttons(second)]).toEqual([0, 2]);
  const posted = world.calls().filter(({ method, text }) => method === "sendMessage" && text.includes("7 firing"));
  expect(posted.map(({ silent }) => silent)).toEqual([false, false]);
});

test("silent hours make no sound, criticals by another route do", async () => {
  const world = await deliveredWorld({
    routes: [{ match: { severity: "critical" } }, { match: {}, silent: "22:00-08:00" }],
  });
  const at = async (time: string, name: string): Promise<boolean[]> => {
    world.sandbox.setTime(new Date(time));
    const before = world.calls().length;
    await world.alerts.receive([signal(name), signal(`${name}-critical`, { severity: "critical" })]);
    await world.deliver();
    return world
      .calls()
      .slice(before)
      .map(({ silent }) => silent);
  };
  expect(await at("2026-03-01T21:59:00Z", "evening")).toEqual([false, false]);
  expect(await at("2026-03-02T01:00:00Z", "night")).toEqual([false, true]);
  expect(await at("2026-03-02T08:00:00Z", "morning")).toEqual([false, false]);
});

test("what flaps is one quiet card whose changes leave the chat's room to others", async () => {
  const world = await deliveredWorld();
  for (let round = 0; round < 60; round++) {
    const startsAt = world.clock.now().toISOString();
    await world.alerts.receive([signal("a", { severity: "critical", startsAt })]);
    await world.run(2000);
    await world.alerts.receive([signal("a", { severity: "critical", startsAt, status: "resolved" })]);
    await world.run(2000);
  }
  // Two beginnings rang before it was known to flap.
  expect(world.calls().filter(({ method, silent }) => method === "sendMessage" && !silent)).toHaveLength(3);
  // Ten until it was known to flap, which is told at once; then one in a minute.
  expect(world.calls().length).toBeLessThan(16);
  expect(world.messages("a is down").at(-1)?.text).toContain("Flapping, ");
  await world.alerts.receive([signal("b")]);
  await world.run(5000);
  expect(world.messages("b is down")).toHaveLength(1);
  // Its severity is news all the same, and so is that it is calm.
  const startsAt = world.clock.now().toISOString();
  await world.alerts.receive([signal("a", { severity: "warning", startsAt })]);
  await world.run(2000);
  expect(world.messages("a is down").at(-1)?.text).toMatch(/^🟠/u);
  await world.run(20 * minute, 15_000);
  expect(world.messages("a is down").at(-1)?.text).not.toContain("Flapping");
});

test("a card deleted by hand is posted anew with its next change", async () => {
  const world = await deliveredWorld();
  await world.alerts.receive([signal("a")]);
  await world.deliver();
  world.sandbox.deleteAsUser(FORUM_ID, world.messages("a is down")[0]?.message_id ?? 0, ALICE.id);
  await world.run(2000);
  await world.alerts.receive([signal("a", { severity: "critical" })]);
  await world.run(5000);
  const [card, ...others] = world.messages("a is down");
  expect(others).toEqual([]);
  expect(card?.text).toMatch(/^🔴/u);
});

const names = ["a", "b", "c", "d", "e", "f"];

interface Act {
  readonly world: DeliveredWorld;
  readonly name: string;
  /** Of the open incident of this name. */
  readonly id: string | undefined;
}

const acts = {
  fire: async ({ world, name }: Act) => await world.alerts.receive([signal(name)]),
  resolve: async ({ world, name }: Act) => await world.alerts.receive([signal(name, { status: "resolved" })]),
  worse: async ({ world, name }: Act) => await world.alerts.receive([signal(name, { severity: "critical" })]),
  text: async ({ world, name }: Act) =>
    await world.alerts.receive([signal(name, { text: `measured at ${world.clock.now().getTime()}` })]),
  acknowledge: async ({ world, id }: Act) => id && (await world.alerts.acknowledge(id, operator)),
  close: async ({ world, id }: Act) => id && (await world.alerts.close(id, operator)),
  silence: async ({ world, name }: Act) =>
    await world.alerts.silence({
      by: operator,
      durationMs: 3 * minute,
      matchers: [{ label: "instance", operator: "=", value: name }],
    }),
  wait: async ({ world }: Act) => await world.run(2000),
  minutes: async ({ world }: Act) => await world.run(3 * minute, 30_000),
};

async function perform(world: DeliveredWorld, what: keyof typeof acts, name: string): Promise<void> {
  const open = await world.incidents.open();
  await acts[what]({ world, name, id: open.find(({ title }) => title === `${name} is down`)?.id });
  await world.deliver();
}

/** What the chat does not show as it is: nothing, in the end. Every incident is in exactly one place. */
async function wronglyShown(world: DeliveredWorld): Promise<string[]> {
  const wrong: string[] = [];
  for (const incident of await allIncidents(world)) {
    const place = await whereIs(world, incident.id);
    const inForce = world
      .messages(titleOf(incident))
      .filter((message) => message.reply_markup?.inline_keyboard.length)
      .map(({ text = "" }) => /firing/.test(text.split("\n")[1] ?? ""));
    const firing = inForce.filter(Boolean).length;
    // An earlier incident of the same name has a card as well, which says that it is over.
    const isShown = isOpen(incident) ? firing === 1 : inForce.length > firing;
    // In the end every silence is over.
    const isLost = isOpen(incident) && ["hidden", "nowhere"].includes(place);
    if (isLost || (place === "card" && !isShown))
      wrong.push(`${titleOf(incident)}: ${incident.status}, ${place}, ${inForce.join()}`);
  }
  return wrong;
}

test("whatever happens, in the end the chat shows the state of everything, and Telegram has refused nothing", {
  timeout: 120_000,
}, async () => {
  const act = fc.tuple(fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])), fc.constantFrom(...names));
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (all) => {
      const world = await deliveredWorld({
        storm: { incidents: 3, within: "1m" },
        reopenWithin: "5m",
        resolved: { replyAfter: "2m" },
        flapping: { changes: 4, within: "2m" },
        routes: [
          { match: { severity: "critical" }, topic: "alerts", repeat: "4m" },
          { match: {}, repeat: "4m" },
        ],
      });
      for (const [what, name] of all) await perform(world, what, name);
      await world.run(10 * minute, 15_000);
      // Nobody does anything any more: what is left are old buttons to be taken away.
      for (let second = 0; second < 90 && (await world.cards.backlog()) > 0; second++) {
        world.clock.advance(1000);
        await world.deliver();
      }
      expect(await world.cards.backlog()).toBe(0);
      expect(world.sandbox.calls().filter(({ ok }) => !ok)).toEqual([]);
      expect(await wronglyShown(world)).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
