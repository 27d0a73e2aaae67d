import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, callsSince, lastCall, now, runCount, shown } from "../support/chat.ts";
import {
  alice,
  backupsTopic,
  bob,
  mallory,
  opsChat,
  type RunningProcess,
  type Stack,
  startStack,
  vera,
} from "../support/stack.ts";

const sites = ["site-1", "site-2", "site-3", "site-4", "site-5", "site-6", "site-7", "site-8"];
let stack: Stack;
let bot: RunningProcess;

beforeAll(async () => {
  stack = await startStack({
    rows: 50,
    configure: (config) => {
      const source = config["backups"][0].source;
      config["backups"] = [
        { name: "shop", source, schedule: "0 3 * * *" },
        ...sites.map((name) => ({ name, source, storages: ["local"] })),
      ];
    },
  });
  [bot] = await Promise.all([stack.startBot(), stack.startWorker()]);
  // The last thing that a bot says unasked when it starts.
  await stack.sandbox.waitForCall("setMyCommands", (call) => JSON.stringify(call.params).includes(`:${vera.id}`));
  await lookedAt();
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** The storages have told what they hold: until then nobody says that there is no backup. */
async function lookedAt(): Promise<void> {
  const wanted = ["offsite:shop", ...["shop", ...sites].map((name) => `local:${name}`)];
  const look = async (): Promise<void> =>
    expect(await stack.client.hkeys("stack:v1:catalogue-looks")).toEqual(expect.arrayContaining(wanted));
  await vi.waitFor(look, { timeout: 60_000, interval: 30 });
}

/** Asks in the topic and waits for the dialog. */
async function ask(from: number, text: string, pattern = /Back up|What shall/): Promise<Message> {
  return await answerTo(stack, stack.say(from, text), pattern);
}

describe("/backup", () => {
  test("lists the targets in pages, one of which is chosen", async () => {
    const dialog = await ask(alice.id, "/backup", /What shall I back up/);
    expect(shown(dialog).buttons).toEqual(["shop", ...sites.slice(0, 7), "▶", "Cancel"]);
    expect(dialog.text).toMatch(/^shop: never backed up$/m);

    await stack.press(alice.id, dialog, "▶");
    const second = await becomes(stack, dialog, /site-8: never backed up/);
    expect(shown(second).buttons).toEqual(["site-8", "◀", "Cancel"]);
    await stack.press(alice.id, second, "◀");
    const first = await becomes(stack, dialog, /site-7: never backed up/);
    await stack.press(alice.id, first, "site-7");

    const plan = await becomes(stack, dialog, /Back up site-7 now\?/);
    expect(shown(plan).buttons).toEqual(["Confirm", "Cancel"]);
    await stack.press(alice.id, plan, "Cancel");
    const cancelled = await becomes(stack, dialog, /Cancelled, nothing was started/);
    expect(shown(cancelled).buttons).toEqual([]);
    expect(await runCount(stack, "site-7")).toBe(0);
    // What is replayed at every press is not said again: one message and four edits.
    expect(await stack.client.zcard(`stack:v1:budget:${opsChat}`)).toBeLessThanOrEqual(5);
  });

  test("shows what will be done, where to, the last backup and the next by schedule", async () => {
    const plan = await ask(alice.id, "/backup shop");
    expect(plan.text).toContain("Back up shop now?");
    expect(plan.text).toContain("PostgreSQL");
    expect(plan.text).toContain(stack.localFolder);
    expect(plan.text).toContain("backups/prod");
    expect(plan.text).toContain("Last backup: never");
    expect(plan.text).toMatch(/Next by schedule: \d+ \w+ \d{4}, 03:00/);
    const styles = plan.reply_markup?.inline_keyboard.flat().map((button) => ("style" in button ? button.style : ""));
    expect(styles?.[0]).toBe("primary");

    await stack.press(alice.id, plan, "Confirm");
    const done = await becomes(stack, plan, /Backup shop is done/);
    const size = /Size: ([\d.]+ \wB)/.exec(done.text ?? "")?.[1] ?? "no size";
    const again = await ask(alice.id, "/backup shop");
    expect(again.text).toMatch(/Last backup: [\d.]+s ago, /);
    expect(again.text).toContain(size);
  });

  test("names the known ones for an unknown name, as text and not as markup", async () => {
    const answer = await ask(alice.id, "/backup <b>shop&", /No backup is called/);
    expect(answer.text).toContain("No backup is called <b>shop&.");
    for (const name of ["shop", ...sites]) expect(answer.text).toContain(name);
    expect(answer.reply_markup).toBeUndefined();
  });

  test("is understood with this bot's name, and left to another bot with that one's", async () => {
    const before = lastCall(stack);
    stack.say(alice.id, "/backup@other_bot shop");
    await ask(alice.id, "/backup@watch_bot shop");
    expect(callsSince(stack, before).filter((call) => call.method === "sendMessage")).toHaveLength(1);
  });

  test.for([
    ["an edited message", true, {}],
    ["a forwarded message", false, { forwarded: true }],
    ["a message of an anonymous administrator", false, { anonymous: true }],
  ] as const)("is no order in %s", async ([, edit, how]) => {
    const text = "/backup shop";
    const first = edit ? stack.say(alice.id, "/whoami") : undefined;
    if (first) await answerTo(stack, first, /role admin/);
    const before = lastCall(stack);
    stack.sandbox.sendAsUser(opsChat, {
      from: alice.id,
      text,
      ...(first ? { edit_message_id: first.message_id } : { message_thread_id: backupsTopic }),
      ...how,
    });
    await ask(bob.id, "/whoami", /bob/);
    expect(callsSince(stack, before).map((call) => call.params["text"])).toEqual([expect.stringMatching(/^bob/)]);
  });
});

describe("a dialog that was broken off", () => {
  test.for([
    ["502", { kind: "status", status: 502 }],
    ["a cut connection", { kind: "reset" }],
  ] as const)("by %s goes on as soon as Telegram does", async ([, fault]) => {
    const dialog = await ask(alice.id, "/backup", /What shall/);
    stack.sandbox.addFault({ ...fault, methods: ["editMessageText"], times: 1 });
    await stack.press(alice.id, dialog, "shop");
    const plan = await becomes(stack, dialog, /Back up shop now/);
    await stack.press(alice.id, plan, "Cancel");
    expect(shown(await becomes(stack, dialog, /Cancelled/)).buttons).toEqual([]);
  });

  test("by an error is said in words for people, and asked anew by the next press", async () => {
    const dialog = await ask(alice.id, "/backup", /What shall/);
    stack.sandbox.addFault({ kind: "status", status: 400, methods: ["editMessageText"], times: 1 });
    await stack.press(alice.id, dialog, "site-1");
    const said = await answerTo(stack, dialog, /did not work/);
    expect(said.text).toMatch(/something broke down on the way\. Send the command again/);
    expect(said.text).not.toMatch(/editMessageText|400/);
    await stack.press(alice.id, dialog, "site-1");
    const again = await answerTo(stack, said, /I lost the thread of this dialog.*Back up site-1 now/s);
    expect(shown(await becomes(stack, dialog, /There is a newer dialog below/)).buttons).toEqual([]);
    await stack.press(alice.id, again, "Cancel");
    await becomes(stack, again, /Cancelled/);
  });

  test("by a new configuration means what it said, not what stands in that place now", async () => {
    const dialog = await ask(alice.id, "/backup", /What shall/);
    let before: unknown[] = [];
    stack.configure((config) => {
      before = config["backups"];
      config["backups"] = before.filter((backup) => (backup as { name: string }).name !== "site-2").toReversed();
    });
    await bot.stop();
    bot = await stack.startBot();
    await stack.press(alice.id, dialog, "site-2");
    const gone = await becomes(stack, dialog, /no longer configured.*What shall I back up/s);
    expect(shown(gone).buttons).toEqual([
      "site-8",
      "site-7",
      "site-6",
      "site-5",
      "site-4",
      "site-3",
      "site-1",
      "shop",
      "Cancel",
    ]);
    await stack.press(alice.id, dialog, "shop");
    const plan = await becomes(stack, dialog, /Back up shop now/);
    stack.configure((config) => {
      config["backups"] = before.filter((backup) => (backup as { name: string }).name !== "shop");
    });
    await bot.stop();
    bot = await stack.startBot();
    await stack.press(alice.id, plan, "Confirm");
    await becomes(stack, dialog, /shop is no longer configured, so nothing was started.*What shall I back up/s);
    stack.configure((config) => {
      config["backups"] = before;
    });
    await bot.stop();
    bot = await stack.startBot();
    expect(await runCount(stack)).toBe(1);
  });
});

describe("an order that waited", () => {
  test("for more than two minutes is asked again, and carried out when confirmed", async () => {
    const said = stack.sandbox.sendAsUser(opsChat, {
      from: alice.id,
      text: "/backup site-1",
      message_thread_id: backupsTopic,
      date: Math.floor(Date.now() / 1000) - 300,
    });
    const dialog = await answerTo(stack, said, /Back up site-1 now/);
    expect(dialog.text).toMatch(/This order reached me 5m.* after it was sent.*Is it still wanted\?/);
    expect(await runCount(stack, "site-1")).toBe(0);
    await stack.press(alice.id, dialog, "Confirm");
    await becomes(stack, dialog, /Backup site-1 is done/);
    expect(await runCount(stack, "site-1")).toBe(1);
  });

  test("for a minute is an ordinary one", async () => {
    const said = stack.sandbox.sendAsUser(opsChat, {
      from: alice.id,
      text: "/backup site-2",
      message_thread_id: backupsTopic,
      date: Math.floor(Date.now() / 1000) - 60,
    });
    expect((await answerTo(stack, said, /Back up site-2 now/)).text).toMatch(/^Back up/);
  });

  test("as a press that Telegram calls too old is not carried out but asked again", async () => {
    const dialog = await ask(alice.id, "/backup site-3");
    const { toast } = await stack.press(alice.id, dialog, "Confirm", { ageMs: 20_000, waitMs: 0 });
    expect(toast).toBeUndefined();
    const again = await answerTo(stack, dialog, /The press reached me too late.*Back up site-3 now/s);
    expect(await runCount(stack, "site-3")).toBe(0);
    const old = await becomes(stack, dialog, /There is a newer dialog below/);
    expect(shown(old).buttons).toEqual([]);
    await stack.press(alice.id, again, "Confirm");
    await becomes(stack, again, /Backup site-3 is done/);
    expect(await runCount(stack, "site-3")).toBe(1);
  });
});

describe("Confirm", () => {
  test("pressed twice starts one run, and the second press is told so", async () => {
    const dialog = await ask(alice.id, "/backup site-4");
    expect((await stack.press(alice.id, dialog, "Confirm")).toast).toBeUndefined();
    expect((await stack.press(alice.id, dialog, "Confirm")).toast).toBe("Already confirmed. It was carried out once.");
    await becomes(stack, dialog, /is done/);
    expect(await runCount(stack, "site-4")).toBe(1);
  });

  test("pressed twenty times at once starts one run", async () => {
    const dialog = await ask(alice.id, "/backup site-5");
    await Promise.all(Array.from({ length: 20 }, () => stack.press(alice.id, dialog, "Confirm")));
    await becomes(stack, dialog, /is done/);
    expect(await runCount(stack, "site-5")).toBe(1);
    expect(stack.sandbox.messages(opsChat).filter((message) => /site-5 is done/.test(message.text ?? ""))).toHaveLength(
      1,
    );
  });

  test.for([
    ["another operator", bob.id, "This dialog belongs to alice. Nothing was done."],
    ["a viewer", vera.id, "This dialog belongs to alice. Nothing was done."],
    ["a stranger", mallory.id, "You are not on the list, so this does nothing."],
  ] as const)("pressed by %s is refused and leaves the dialog as it is", async ([, who, refusal]) => {
    const dialog = await ask(alice.id, "/backup site-6");
    expect((await stack.press(who, dialog, "Confirm")).toast).toBe(refusal);
    expect(shown(now(stack, dialog)).buttons).toEqual(["Confirm", "Cancel"]);
    expect(await runCount(stack, "site-6")).toBe(0);
  });

  test("after Cancel is refused", async () => {
    const dialog = await ask(alice.id, "/backup site-6");
    await stack.press(alice.id, dialog, "Cancel");
    await becomes(stack, dialog, /Cancelled, nothing was started\. \/backup site-6 asks again/);
    expect((await stack.press(alice.id, dialog, "Confirm")).toast).toBe("Already cancelled. Nothing was done.");
    expect(await runCount(stack, "site-6")).toBe(0);
  });

  test("on an older dialog is refused, since the newer one took its place", async () => {
    const older = await ask(alice.id, "/backup site-6");
    const newer = await ask(alice.id, "/backup site-8");
    expect(shown(await becomes(stack, older, /There is a newer dialog below/)).buttons).toEqual([]);
    expect((await stack.press(alice.id, older, "Confirm")).toast).toBe(
      "There is a newer dialog. Nothing was done here.",
    );
    await stack.press(alice.id, newer, "Confirm");
    await becomes(stack, newer, /site-8 is done/);
    expect(await runCount(stack, "site-6")).toBe(0);
  });
});

test("the last backup is what the storages tell, where Redis has lost its data", async () => {
  const dialog = await ask(alice.id, "/backup site-7");
  await stack.press(alice.id, dialog, "Confirm");
  const size = /Size: ([\d.]+ \wB)/.exec((await becomes(stack, dialog, /site-7 is done/)).text ?? "")?.[1] ?? "no size";
  await stack.client.flushall();
  const unknown = await ask(alice.id, "/backup site-7");
  expect(unknown.text).not.toContain("Last backup: never");
  await lookedAt();
  await stack.press(alice.id, unknown, "Cancel");
  const plan = await ask(alice.id, "/backup site-7");
  expect(plan.text).toMatch(/Last backup: [\d.]+s ago, /);
  expect(plan.text).toContain(size);
});
