import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { alertsTopic, intoAlertsTopic, type Reporter, reporterOf } from "../support/alerts-chat.ts";
import { aMinuteOfSilence, answerTo, becomes, eventually, now, shown } from "../support/chat.ts";
import { dataOf } from "../support/delivery.ts";
import {
  alice,
  bob,
  botId,
  mallory,
  opsChat,
  type RunningProcess,
  type Stack,
  startStack,
  vera,
} from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess;
let alerts: Reporter;

beforeAll(async () => {
  stack = await startStack({
    chatOnly: true,
    configure: (config) => {
      config["alerts"] = { routes: intoAlertsTopic, storm: { incidents: 100 } };
    },
  });
  alerts = reporterOf(stack);
  bot = await stack.startBot();
  // The last thing that a bot says unasked when it starts.
  await stack.sandbox.waitForCall("setMyCommands", (call) => JSON.stringify(call.params).includes(`:${vera.id}`));
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => {
  await alerts?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** Something fires; resolves with its card. */
async function card(title: string, change: Parameters<Reporter["fire"]>[1] = {}): Promise<Message> {
  await alerts.fire(title, change);
  return await stack.message(new RegExp(`^[^\\n]* ${title}\\n`));
}

const rows = (message: Message): string[][] =>
  (message.reply_markup?.inline_keyboard ?? []).map((row) => row.map(({ text }) => text));

/** What was said in reply to a message. */
async function replyTo(message: Message, pattern: RegExp): Promise<Message> {
  return await stack.sandbox.waitForMessage(
    opsChat,
    (candidate) =>
      candidate.reply_to_message?.message_id === message.message_id &&
      pattern.test(`${candidate.text ?? ""}${candidate.caption ?? ""}${candidate.document?.file_name ?? ""}`),
    { timeoutMs: 60_000, what: `a reply like ${pattern}` },
  );
}

describe("the card of an incident", () => {
  test("appears in its route's topic and changes with what happens to it", async () => {
    const message = await card("Disk full", { labels: { instance: "web-1", env: "prod" } });
    expect(message.message_thread_id).toBe(alertsTopic);
    expect(message.text).toContain("Critical, firing since");
    expect(message.text).toContain("instance web-1 · env prod");
    expect(rows(message)).toEqual([["Acknowledge"], ["Silence 1h", "Silence 8h"], ["Choose…", "Close", "Details"]]);
    expect((await stack.press(bob.id, message, "Acknowledge")).toast).toBe("Acknowledged");
    const taken = await becomes(stack, message, /👤 Acknowledged by bob/);
    expect(rows(taken)[0]).toEqual(["Silence 1h", "Silence 8h"]);
    // Pressed a second time, before the phone has shown the new buttons.
    expect((await stack.press(alice.id, message, "Acknowledge")).toast).toBe(
      "Already acknowledged by bob. Nothing was done.",
    );
    await alerts.resolve("Disk full");
    const over = await becomes(stack, message, /^✅ Disk full\nCritical, resolved/);
    expect(rows(over)).toEqual([["Details"]]);
    expect((await stack.press(bob.id, message, "Close")).toast).toBe("Already resolved. Nothing was done.");
  });

  test("answers with the details once, however often that is pressed at a time", async () => {
    const runbook = `https://wiki.example.org/run?book=${"%7B".repeat(20)}`;
    const message = await card("Fan stopped", { links: [{ kind: "runbook", url: runbook }] });
    const toasts: (string | undefined)[] = [];
    for (const who of [vera, vera, bob]) toasts.push((await stack.press(who.id, message, "Details")).toast);
    expect(toasts).toEqual(["See below", "The answer is below already", "The answer is below already"]);
    const details = await replyTo(message, /Links\nRunbook\n/);
    expect(details.entities).toContainEqual(expect.objectContaining({ type: "text_link", url: runbook }));
  });

  test("obeys nobody without the role", async () => {
    const message = await card("Queue stuck");
    expect((await stack.press(mallory.id, message, "Acknowledge")).toast).toBe(
      "You are not on the list, so this does nothing.",
    );
    for (const label of ["Acknowledge", "Silence 1h", "Choose…", "Close"])
      expect((await stack.press(vera.id, message, label)).toast).toBe(
        "That takes the role operator. Nothing was done.",
      );
    expect((await stack.press(vera.id, message, "Details")).toast).toBe("See below");
    const details = await replyTo(message, /Where it comes from/);
    expect(details.message_thread_id).toBe(alertsTopic);
    expect(details.text).toMatch(/Labels\nalertname = Queuestuck\nenv = prod/);
    expect(details.text).toMatch(/History\n.*: began/);
    expect(now(stack, message).text).toBe(message.text);
  });

  test("pressed twice at the same time is taken once", async () => {
    const message = await card("Two thumbs");
    const toasts = await Promise.all([alice, bob].map(({ id }) => stack.press(id, message, "Acknowledge")));
    const [first, second] = toasts.map(({ toast = "" }) => toast).toSorted();
    expect(first).toBe("Acknowledged");
    expect(second).toMatch(/^Already acknowledged by (?:alice|bob)\. Nothing was done\.$/);
    await becomes(stack, message, /Acknowledged by (?:alice|bob)/);
    const [known] = (await alerts.deps.incidents.open()).filter(({ title }) => title === "Two thumbs");
    expect(known?.history.filter(({ event }) => event === "acknowledged")).toHaveLength(1);
  });

  test("is closed by hand, says when its source goes on, and begins anew when that begins anew", async () => {
    const startsAt = new Date(Date.now() - 60_000).toISOString();
    const message = await card("Job failed", { startsAt });
    expect((await stack.press(bob.id, message, "Close")).toast).toBe("Closed");
    await becomes(stack, message, /^☑️ Job failed\nCritical, closed by bob/);
    await alerts.fire("Job failed", { startsAt });
    await becomes(stack, message, /still reported by its source/);
    await alerts.fire("Job failed", { startsAt: new Date().toISOString() });
    // Posted anew below, so that it rings.
    const again = await stack.message(/^🔴 Job failed\nCritical, firing again/);
    expect(again.message_id).toBeGreaterThan(message.message_id);
    await stack.sandbox.waitFor(() => rows(now(stack, message)).length === 0 || undefined, {
      what: "old buttons gone",
    });
  });

  test("works after the bot was killed, and is posted anew when somebody has deleted it", async () => {
    const posted = await card("Certificate expires", { severity: "warning" });
    await bot.kill();
    bot = await stack.startBot();
    const first = await stack.press(bob.id, posted, "Acknowledge");
    // A bot that is killed before it has noted the message leaves it to the next one to post it again.
    const isOld = first.toast?.startsWith("This is an old copy") === true;
    const message = isOld ? await stack.message(/Certificate expires/) : posted;
    const { toast } = isOld ? await stack.press(bob.id, message, "Acknowledge") : first;
    expect(toast).toBe("Acknowledged");
    await becomes(stack, message, /Acknowledged by bob/);
    stack.sandbox.deleteAsUser(opsChat, message.message_id, alice.id);
    await alerts.resolve("Certificate expires");
    const anew = await stack.message(/^✅ Certificate expires/);
    expect(anew.message_id).toBeGreaterThan(message.message_id);
    expect(anew.message_thread_id).toBe(alertsTopic);
  });

  test("whose text no message can hold has the whole of it in a file, once", async () => {
    const message = await card("Long story", { text: `${"line <of> the log\n".repeat(400)}the end` });
    expect(message.text).toContain("The rest is in the file below.");
    const file = await replyTo(message, /incident-.*\.txt/);
    expect(stack.sandbox.file(file.document?.file_id ?? "").data.toString()).toContain("the end");
    await stack.press(bob.id, message, "Acknowledge");
    await becomes(stack, message, /Acknowledged by bob/);
    await alerts.resolve("Long story");
    await becomes(stack, message, /^✅/);
    const files = stack.sandbox
      .messages(opsChat)
      .filter(({ document }) => document?.file_name === file.document?.file_name);
    expect(files).toHaveLength(1);
  });

  test("is said in the chat's language to the chat and in the presser's to the presser", async () => {
    await alerts.deps.languages.write(bob.id, "ru");
    const message = await card("Switch down");
    expect((await stack.press(bob.id, message, "Acknowledge")).toast).toBe("Принято");
    await becomes(stack, message, /Acknowledged by bob/);
    await alerts.deps.languages.write(bob.id, "en");
  });
});

describe("a silence", () => {
  test("of an hour is one press, shows on the card, and is ended by one", async () => {
    const message = await card("Noisy host");
    expect((await stack.press(bob.id, message, "Silence 1h")).toast).toBe("Silenced for 1h");
    const quiet = await becomes(stack, message, /^🔕 Noisy host[\s\S]*🔕 Silenced until .* by bob/);
    expect((await stack.press(alice.id, message, "Silence 8h")).toast).toBe(
      "Already silenced by bob. Nothing was done.",
    );
    expect((await stack.press(alice.id, quiet, "End silence")).toast).toBe("The silence is over");
    await stack.message(/^🔴 Noisy host\n/);
  });

  test("is chosen step by step: what, how long, Confirm; by whoever has asked", async () => {
    const server = { alertname: "LoadHigh", instance: "db-7" };
    const message = await card("Load high", { labels: server });
    const other = await card("Swap used", { labels: { alertname: "SwapUsed", instance: "db-7" } });
    await stack.press(bob.id, message, "Choose…");
    const dialog = await replyTo(message, /What shall be silent/);
    expect(rows(dialog)).toEqual([
      ["✓ this alert only"],
      ["every LoadHigh"],
      ["everything on db-7"],
      ["30m", "1h", "4h"],
      ["8h", "1d", "3d"],
      ["Cancel"],
    ]);
    expect((await stack.press(alice.id, dialog, "4h")).toast).toBe("This dialog belongs to bob. Nothing was done.");
    await stack.press(bob.id, dialog, "everything on db-7");
    const chosen = await becomes(stack, dialog, /What shall be silent/).then(async () =>
      stack.sandbox.waitFor(() => {
        const current = now(stack, dialog);
        return shown(current).buttons.includes("✓ everything on db-7") ? current : undefined;
      }),
    );
    await stack.press(bob.id, chosen, "4h");
    const ready = await becomes(stack, dialog, /Silence everything on db-7 for 4h\?/);
    await Promise.all([stack.press(bob.id, ready, "Confirm"), stack.press(bob.id, ready, "Confirm")]);
    const done = await becomes(stack, dialog, /🔕 instance=db-7\nuntil .*, by bob\n2 open alerts/);
    expect(rows(done)).toEqual([]);
    await becomes(stack, message, /^🔕/);
    await becomes(stack, other, /^🔕/);
    expect((await stack.press(bob.id, ready, "Confirm")).toast).toBe("Already confirmed. It was carried out once.");
    const silences = (await alerts.deps.silences.all()).filter(({ matchers }) => matchers[0]?.label === "instance");
    expect(silences).toHaveLength(1);
  });

  test("by command: what it covers, until when, by whom, why; in the list, with a button to end it", async () => {
    const message = await card("Disk slow", { labels: { alertname: "DiskSlow", env: "stage" } });
    const said = stack.say(bob.id, "/silence env=stage alertname=~“Disk.*” 2h deploying");
    const answer = await answerTo(
      stack,
      said,
      /🔕 env=stage alertname=~Disk\.\*\nuntil .*, by bob: deploying\n1 open alert/,
    );
    await becomes(stack, message, /^🔕 Disk slow[\s\S]*by bob: deploying/);
    const list = await answerTo(stack, stack.say(vera.id, "/silence"), /🔕 Silences: \d/);
    expect(list.text).toContain("env=stage alertname=~Disk.*");
    expect((await stack.press(vera.id, answer, "End silence")).toast).toBe(
      "That takes the role operator. Nothing was done.",
    );
    expect((await stack.press(alice.id, answer, "End silence")).toast).toBe("The silence is over");
    expect(rows(await becomes(stack, answer, /🔔 This silence is over/))).toEqual([]);
    await stack.message(/^🔴 Disk slow\n/);
  });

  test("of many is shown with what it covers before a card's button ends it; one that goes on is told", async () => {
    const shop = { env: "shop", alertname: "Pay" };
    const message = await card("Pay slow", { labels: shop });
    const other = await card("Pay down", { labels: shop });
    await answerTo(stack, stack.say(bob.id, "/silence env=shop 2h planned work"), /2 open alerts/);
    const quiet = await becomes(stack, message, /^🔕 Pay slow[\s\S]*by bob: planned work/);
    const pressed = await stack.press(alice.id, quiet, "End silence");
    expect(pressed.toast).toBe("This silence covers more than this alert: see below");
    const view = await replyTo(message, /🔕 env=shop\nuntil .* by bob: planned work\n2 open alerts/);
    expect(shown(now(stack, other)).text).toMatch(/^🔕/);
    expect((await stack.press(alice.id, view, "End silence")).toast).toBe("The silence is over");
    await stack.message(/^🔴 Pay slow\n/);
    await stack.message(/^🔴 Pay down\n/);
  });

  test("can be made longer, not shorter; of two that cover the same one ends", async () => {
    const message = await card("Pay late", { labels: { env: "shop" } });
    await alerts.deps.alerts.silence({
      by: { id: bob.id, name: "bob" },
      durationMs: 7_200_000,
      matchers: [{ label: "env", operator: "=", value: "shop" }],
    });
    const quiet = await becomes(stack, message, /^🔕 Pay late/);
    await stack.press(bob.id, quiet, "Longer…");
    const dialog = await replyTo(message, /What shall be silent/);
    await stack.press(bob.id, dialog, "1h");
    const ready = await becomes(stack, dialog, /Silence this alert only for 1h\?/);
    expect((await stack.press(bob.id, ready, "Confirm")).toast).toMatch(/^Already silenced until .* by bob\. Nothing/);
    await stack.press(bob.id, ready, "8h");
    const longer = await becomes(stack, dialog, /Silence this alert only for 8h\?/);
    await stack.press(bob.id, longer, "Confirm");
    await becomes(stack, dialog, /🔕 only “Pay late”/);
    const doubly = await becomes(stack, message, /^🔕 Pay late/);
    const pressed = await stack.press(alice.id, doubly, "End silence");
    expect(pressed.toast).toMatch(/^This silence is over\. Another one, by bob, goes on until/);
  });

  test("is not begun for what somebody has closed meanwhile, which the toast says", async () => {
    const message = await card("Gone by hand");
    await stack.press(bob.id, message, "Choose…");
    const dialog = await replyTo(message, /What shall be silent/);
    await stack.press(bob.id, dialog, "1h");
    const ready = await becomes(stack, dialog, /Silence this alert only for 1h\?/);
    await stack.press(alice.id, message, "Close");
    await becomes(stack, message, /closed by alice/);
    expect((await stack.press(bob.id, ready, "Confirm")).toast).toBe("Already closed by alice. Nothing was done.");
  });

  test("is listed by /silence list as well", async () => {
    const list = await answerTo(stack, stack.say(vera.id, "/silence list"), /./);
    expect(list.text).toMatch(/Silences: \d|Nothing is silenced/);
  });

  test.for([
    ["/silence deploying 2h", /A condition on a label is missing\.\nFor example: \/silence/],
    ["/silence env=prod", /A duration is missing/],
    ["/silence env=~( 1h", /is not a regular expression/],
  ] as const)("%s is refused in one line with an example", async ([text, pattern]) => {
    const answer = await answerTo(stack, stack.say(bob.id, text), /./);
    expect(answer.text).toMatch(pattern);
  });

  test("takes an operator", async () => {
    const answer = await answerTo(stack, stack.say(vera.id, "/silence env=prod 2h"), /./);
    expect(answer.text).toBe("That takes the role operator.");
  });

  test("of everything is asked for once more, and does nothing when cancelled", async () => {
    const before = (await alerts.deps.silences.all()).length;
    const question = await answerTo(
      stack,
      stack.say(bob.id, "/silence alertname=~.* 8h"),
      /This silences almost every alert[\s\S]*Of \d+ open alerts it would silence \d+ now/,
    );
    await stack.press(bob.id, question, "Cancel");
    await becomes(stack, question, /Cancelled, nothing was silenced/);
    expect((await stack.press(bob.id, question, "Confirm")).toast).toBe("Already cancelled. Nothing was done.");
    expect(await alerts.deps.silences.all()).toHaveLength(before);
  });

  test("that waited for more than two minutes is asked for once more", async () => {
    const said = stack.sandbox.sendAsUser(opsChat, {
      from: bob.id,
      text: "/silence env=late 2h nightly",
      message_thread_id: alertsTopic,
      date: Math.floor(Date.now() / 1000) - 300,
    });
    const question = await answerTo(
      stack,
      said,
      /This order reached me 5m.*Is it still wanted\?[\s\S]*env=late\nfor 2h: nightly/,
    );
    expect((await alerts.deps.silences.all()).some(({ reason }) => reason === "nightly")).toBe(false);
    await stack.press(bob.id, question, "Confirm");
    await becomes(stack, question, /🔕 env=late\nuntil/);
    expect((await alerts.deps.silences.all()).some(({ reason }) => reason === "nightly")).toBe(true);
  });
});

describe("/alerts", () => {
  beforeAll(async () => {
    for (const { id } of await alerts.deps.incidents.open())
      await alerts.deps.alerts.close(id, { id: 1, name: "tidy" });
    for (const silence of await alerts.deps.silences.all())
      await alerts.deps.alerts.endSilence(silence.id, { id: 1, name: "tidy" });
    for (let n = 0; n < 9; n++)
      await alerts.fire(`Slow page ${n}`, { severity: "warning", labels: { job: "web", server: `web-${n}` } });
    await alerts.fire("Database down", { labels: { job: "db", server: "db-1" } });
  });

  test("lists what is open, most urgent first, in pages", async () => {
    const list = await answerTo(stack, stack.say(vera.id, "/alerts"), /^Open alerts: 10/);
    const lines = (list.text ?? "").split("\n").filter((line) => /^\d+\./.test(line));
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/^1\. 🔴 Database down · .* · db-1$/);
    expect(lines[1]).toMatch(/^2\. 🟠 Slow page 8 · .* · web-8$/);
    expect(list.text).toMatch(/page 1 of 2$/);
    expect(rows(list)).toEqual([
      ["1", "2", "3", "4"],
      ["5", "6", "7", "8"],
      ["▶", "↻ Refresh"],
    ]);
    await stack.press(vera.id, list, "▶");
    const second = await becomes(stack, list, /page 2 of 2$/);
    expect(second.text).toMatch(/^9\. 🟠 Slow page 1[\s\S]*^10\. 🟠 Slow page 0/m);
    // Whoever has the role may use it, also after a restart.
    await bot.stop();
    bot = await stack.startBot();
    await stack.press(bob.id, second, "◀");
    await becomes(stack, list, /page 1 of 2$/);
  });

  test("shows one of them with its actions, and what was done elsewhere", async () => {
    const list = await answerTo(stack, stack.say(vera.id, "/alerts"), /^Open alerts: 10/);
    await stack.press(vera.id, list, "1");
    const one = await becomes(stack, list, /^🔴 Database down/);
    expect(rows(one).at(-1)).toEqual(["◀ Back", "↻ Refresh"]);
    expect((await stack.press(vera.id, one, "Acknowledge")).toast).toBe(
      "That takes the role operator. Nothing was done.",
    );
    expect((await stack.press(bob.id, one, "Acknowledge")).toast).toBe("Acknowledged");
    await becomes(stack, list, /Acknowledged by bob/);
    // The alert's own card says so as well.
    await stack.sandbox.waitFor(
      () =>
        stack.sandbox
          .messages(opsChat)
          .some(
            ({ message_id: id, text = "" }) =>
              id !== list.message_id && /^🔴 Database down[\s\S]*Acknowledged by bob/.test(text),
          ) || undefined,
      { what: "the own card acknowledged" },
    );
    await stack.press(vera.id, one, "◀ Back");
    await becomes(stack, list, /1\. 🔴 Database down · .* · db-1 · 👤 bob/);
  });

  test("is filtered by severity and labels", async () => {
    const critical = await answerTo(stack, stack.say(vera.id, "/alerts critical"), /^Open alerts: 1\nOnly: critical/);
    expect(critical.text).toContain("Database down");
    await answerTo(stack, stack.say(vera.id, "/alerts job=web server=~web-[12]"), /^Open alerts: 2\nOnly: job=web/);
    await answerTo(stack, stack.say(vera.id, "/alerts env=none"), /Nothing open matches/);
    await answerTo(stack, stack.say(vera.id, "/alerts what"), /I do not understand what\. For example/);
    const lookahead = stack.say(vera.id, "/alerts job=~(?=web).*");
    await answerTo(stack, lookahead, /job=~\(\?=web\)\.\* is not a regular expression that I can use/);
  });

  test("tells of what has ended: when, how long it took, who closed it", async () => {
    const ended = await answerTo(stack, stack.say(vera.id, "/alerts history 1h"), /^Ended in the last 1h: \d+/);
    expect(ended.text).toMatch(/1\. ☑️ .* · .* · .* · 👤 tidy/);
  });

  test("expires, and says so to a late press", async () => {
    const list = await answerTo(stack, stack.say(vera.id, "/alerts"), /^Open alerts/);
    const id = /^v:([^:]+):/.exec(dataOf(list))?.[1] ?? "";
    const key = `stack:v1:view:${id}`;
    await eventually("on record", async () => ((await stack.client.get(key)) ?? "").includes('"messageId"'));
    const view = JSON.parse((await stack.client.get(key)) ?? "{}");
    await stack.client.set(key, JSON.stringify({ ...view, expiresAt: Date.now() - 1 }));
    expect((await stack.press(vera.id, list, "2")).toast).toBe(
      "This has expired; /alerts shows it anew. Nothing was done.",
    );
    await eventually("without buttons", () => rows(now(stack, list)).length === 0);
  });
});

test("the bot has said nothing that Telegram refused", () => {
  const refused = stack.sandbox.calls().filter((call) => (call.error_code ?? 0) === 400);
  const expected = /message to (?:edit|be replied) not found|query is too old|message is not modified/;
  expect(refused.filter(({ description = "" }) => !expected.test(description))).toEqual([]);
  expect(stack.sandbox.calls().some(({ params }) => params["chat_id"] === botId)).toBe(false);
});
