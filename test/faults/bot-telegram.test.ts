import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, eventually, holdDumps, now, shown } from "../support/chat.ts";
import { alice, botId, opsChat, type Stack, startStack } from "../support/stack.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ rows: 50 });
  await Promise.all([stack.startBot(), stack.startWorker()]);
});
beforeEach(async () => {
  stack.sandbox.clearFaults();
  await aMinuteOfSilence(stack);
});
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** A backup under way, and how to let it come to its end. */
async function runningBackup(): Promise<{ dialog: Message; release: () => Promise<void> }> {
  const release = await holdDumps(stack);
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Phase: dumping/);
  return { dialog, release };
}

/** Statuses of all runs of the backup, as they are recorded. */
async function statuses(): Promise<string[]> {
  const ids = await stack.client.zrange("stack:v1:runs:shop", "0", "-1");
  const bodies = await Promise.all(ids.map((id) => stack.client.hget(`stack:v1:card:backup:${id}`, "body")));
  return bodies.map((body) => (JSON.parse(body ?? "{}") as { status: string }).status);
}

test.for([
  ["cuts every connection", { kind: "reset" }],
  ["answers 502 with an edge's page", { kind: "status", status: 502, html: true }],
  ["answers 500", { kind: "status", status: 500 }],
  ["answers nothing", { kind: "blackhole", methods: ["editMessageText", "sendMessage"] }],
  ["wants everybody to wait", { kind: "retry-after", retryAfter: 2, methods: ["editMessageText", "sendMessage"] }],
] as const)(
  "Telegram %s while a backup runs and ends: afterwards the card tells the truth, once",
  { timeout: 180_000 },
  async ([, fault]) => {
    const { dialog, release } = await runningBackup();
    stack.sandbox.addFault(fault);
    await release();
    await eventually("the run done", async () => (await statuses()).every((status) => status === "succeeded"));
    expect(now(stack, dialog).text).toContain("is running");
    stack.sandbox.clearFaults();
    const done = await becomes(stack, dialog, /Backup shop is done/);
    expect(shown(done).buttons).toEqual(["Verify"]);
    const later = stack.sandbox
      .messages(opsChat)
      .filter(({ message_id, from }) => message_id > dialog.message_id && from?.id === botId);
    expect(later).toEqual([]);
    await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  },
);

test("an edit whose answer is lost is neither repeated as a new message nor forgotten", async () => {
  const { dialog, release } = await runningBackup();
  stack.sandbox.addFault({ kind: "lost-answer", methods: ["editMessageText"], times: 2 });
  await release();
  await becomes(stack, dialog, /Backup shop is done/);
  await answerTo(stack, stack.say(alice.id, "/whoami"), /role admin/);
  const copies = stack.sandbox
    .messages(opsChat)
    .filter(({ text = "", from }) => from?.id === botId && /Run /.test(text));
  expect(copies.filter(({ message_id }) => message_id >= dialog.message_id)).toHaveLength(1);
});

test("a dialog whose answer is lost is sent once more; only the newer copy is in force", async () => {
  stack.sandbox.addFault({ kind: "lost-answer", methods: ["sendMessage"], times: 1 });
  const said = stack.say(alice.id, "/backup shop");
  const lost = await answerTo(stack, said, /Back up shop now/);
  const dialog = await answerTo(stack, lost, /Back up shop now/);
  const { toast } = await stack.press(alice.id, lost, "Confirm");
  await stack.sandbox.waitFor(() => shown(now(stack, lost)).buttons.length === 0, { what: "buttons taken away" });
  expect(toast ?? "This is an old copy").toMatch(/old copy/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup shop is done/);
  expect(now(stack, lost).text).toMatch(/Back up shop now/);
});

test("what was asked during an outage is answered after it", async () => {
  const id = stack.sandbox.addFault({ kind: "reset" });
  const said = stack.say(alice.id, "/whoami");
  await stack.sandbox.waitFor(() => stack.sandbox.faults().some((fault) => fault.id === id && fault.hits > 2), {
    what: "three failed calls",
    timeoutMs: 60_000,
  });
  stack.sandbox.clearFaults();
  expect((await answerTo(stack, said, /role admin/, 25_000)).text).toContain("alice");
});
