import { GrammyError } from "grammy";
import { pino } from "pino";
import { expect, test } from "vitest";
import { refreshViews } from "../../src/bot/views/live.ts";
import type { ViewKind } from "../../src/bot/views/types.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { type View, Views } from "../../src/state/views.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();

interface Page {
  readonly page: string;
}

/** A page that shows a counter, which changes without a press; the page "still" shows nothing of the kind. */
async function open() {
  const clock = new ManualClock("2026-03-01T12:00:00Z");
  const keys = fixture.keys();
  const views = new Views(fixture.redis, keys);
  const world = { counter: 0, renders: 0, edits: [] as string[], meanwhile: async (): Promise<void> => undefined };
  const kind = {
    kind: "counter",
    render: async ({ page }: Page) => {
      world.renders += 1;
      return { html: `${page} ${world.counter}`, rows: [[{ what: "x", label: "x" }]] };
    },
    pulse: async ({ page }: Page) => (page.startsWith("still") ? undefined : String(world.counter)),
  } as unknown as ViewKind<object>;
  const deps = {
    views,
    clock,
    viewKinds: new Map([["counter", kind]]),
    messages: messagesOf,
    logger: pino({ level: "silent" }),
  };
  const api = {
    editMessageText: async (chatId: number, messageId: number, text: string): Promise<true> => {
      const before = world.meanwhile;
      world.meanwhile = async () => undefined;
      await before();
      world.edits.push(`${chatId}/${messageId}: ${text}`);
      return true;
    },
  };
  const view: View = {
    id: "one",
    kind: "counter",
    state: { page: "live" } satisfies Page,
    chatId: -1001,
    messageId: 7,
    userId: 111,
    userName: "alice",
    locale: "en",
    expiresAt: clock.now().getTime() + 60_000,
    pulse: "0",
  };
  await views.save(view, clock.now());
  const claim = keys.of("view-claim", view.id);
  return { ...deps, view, world, claim, step: async () => await refreshViews(deps, api) };
}

const failing = (description: string, code = 400): Error =>
  new GrammyError("edit", { ok: false, error_code: code, description }, "editMessageText", {});

test("an open view is edited when what it shows has changed, by one of several bots, and once", async () => {
  const { world, step } = await open();
  await step();
  expect(world.edits).toEqual([]);
  world.counter = 1;
  await Promise.all([step(), step(), step()]);
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1"]);
});

test("a view that was turned to another page, is over or has no message is left alone", async () => {
  const { world, step, views, view, clock } = await open();
  world.counter = 1;
  const { pulse: _, messageId: __, ...rest } = view;
  for (const change of [
    { ...rest, messageId: 7, state: { page: "still" } },
    { ...rest, pulse: "0" },
    { ...view, expiresAt: clock.now().getTime() },
  ]) {
    await views.save(change, clock.now());
    await step();
  }
  await views.save(view, clock.now());
  await views.settle(view.id);
  await step();
  expect(world.edits).toEqual([]);
});

test("what is pressed while the edit is under way has the last word", async () => {
  const { world, step, views, view, clock } = await open();
  world.counter = 1;
  world.meanwhile = async () => await views.save({ ...view, state: { page: "other" }, pulse: "1" }, clock.now());
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1", "-1001/7: other 1"]);
  expect(await views.read(view.id)).toMatchObject({ state: { page: "other" }, pulse: "1" });
});

test("nor does an edit that comes after a press's own leave the old page above one that nothing changes on", async () => {
  const { world, step, views, view, clock } = await open();
  world.counter = 1;
  const { pulse: _, ...rest } = view;
  const still = { ...rest, state: { page: "still" } };
  world.meanwhile = async () => await views.save(still, clock.now());
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1", "-1001/7: still 1"]);
  expect(await views.read(view.id)).toEqual(still);
  await views.save(view, clock.now());
  world.meanwhile = async () => {
    await views.save(still, clock.now());
    world.meanwhile = async () => await views.save({ ...rest, state: { page: "still two" } }, clock.now());
  };
  await step();
  expect(world.edits.slice(2)).toEqual(["-1001/7: live 1", "-1001/7: still 1", "-1001/7: still two 1"]);
});

test("a view whose time ends while the edit waits for room loses its buttons all the same", async () => {
  const { world, step, views, view, clock } = await open();
  world.counter = 1;
  world.meanwhile = async () => {
    clock.advance(60_000);
    expect(await views.takeOverdue(clock.now())).toHaveLength(1);
  };
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1"]);
  expect(await views.takeOverdue(clock.now())).toMatchObject([{ id: view.id }]);
  expect(await views.takeOverdue(clock.now())).toEqual([]);
  world.counter = 2;
  await step();
  expect(world.edits).toHaveLength(1);
});

test("a view that is over by the second round is not edited again, and loses its buttons", async () => {
  const { world, step, views, view, clock } = await open();
  world.counter = 1;
  world.meanwhile = async () => {
    await views.save({ ...view, state: { page: "other" } }, clock.now());
    clock.advance(60_000);
    expect(await views.takeOverdue(clock.now())).toHaveLength(1);
  };
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1"]);
  expect(await views.takeOverdue(clock.now())).toMatchObject([{ id: view.id, state: { page: "other" } }]);
});

test("of several views in one chat the one pressed last is brought up to date, beside those of other chats", async () => {
  const { world, step, views, view, clock } = await open();
  clock.advance(1000);
  await views.save({ ...view, id: "two", messageId: 8 }, clock.now());
  await views.save({ ...view, id: "three", chatId: 111, messageId: 9 }, clock.now());
  clock.advance(1000);
  // Over, or not in the chat yet: neither keeps another one from it.
  await views.save({ ...view, id: "four", messageId: 10, expiresAt: clock.now().getTime() }, clock.now());
  const { messageId: _, ...unsent } = view;
  await views.save({ ...unsent, id: "five" }, clock.now());
  world.counter = 1;
  await step();
  expect(world.edits.toSorted()).toEqual(["-1001/8: live 1", "111/9: live 1"]);
});

test("who claimed a view too long ago does not end another one's claim", async () => {
  const { views, view, claim } = await open();
  const first = (await views.claim(view.id)) ?? "";
  await fixture.redis.del(claim);
  const second = (await views.claim(view.id)) ?? "";
  await views.release(view.id, first);
  await views.rest(view.id, first);
  expect(await fixture.redis.get(claim)).toBe(second);
  expect(await fixture.redis.pttl(claim)).toBeGreaterThan(60_000);
  await views.release(view.id, second);
  expect(await fixture.redis.exists(claim)).toBe(0);
});

test.each(["Bad Gateway", "Too Many Requests"])(
  "an edit that fails (%s) is not tried again before half a minute",
  async (description) => {
    const { world, step, claim } = await open();
    world.counter = 1;
    world.meanwhile = () => Promise.reject(failing(description, description === "Bad Gateway" ? 502 : 429));
    await step();
    const before = world.renders;
    await step();
    expect([world.edits, world.renders - before]).toEqual([[], 0]);
    const rest = await fixture.redis.pttl(claim);
    expect(rest).toBeGreaterThan(15_000);
    expect(rest).toBeLessThanOrEqual(30_000);
    // As when it has passed.
    await fixture.redis.del(claim);
    await step();
    expect(world.edits).toEqual(["-1001/7: live 1"]);
  },
);

test("what is shown already is done with, and so is a message that is gone", async () => {
  const { world, step } = await open();
  world.counter = 1;
  await step();
  world.counter = 2;
  world.meanwhile = () => Promise.reject(failing("Bad Request: message is not modified"));
  await step();
  world.counter = 3;
  world.meanwhile = () => Promise.reject(failing("Bad Request: message to edit not found"));
  await step();
  world.counter = 4;
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1"]);
});
