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
  const views = new Views(fixture.redis, fixture.keys());
  const world = { counter: 0, edits: [] as string[], meanwhile: async (): Promise<void> => undefined };
  const kind = {
    kind: "counter",
    render: async ({ page }: Page) => ({ html: `${page} ${world.counter}`, rows: [[{ what: "x", label: "x" }]] }),
    pulse: async ({ page }: Page) => (page === "still" ? undefined : String(world.counter)),
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
  return { ...deps, view, world, step: async () => await refreshViews(deps, api) };
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

test("an edit that fails is made later, and of a message that is gone no more", async () => {
  const { world, step } = await open();
  world.counter = 1;
  world.meanwhile = () => Promise.reject(failing("Bad Gateway", 502));
  await step();
  await step();
  expect(world.edits).toEqual(["-1001/7: live 1"]);
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
