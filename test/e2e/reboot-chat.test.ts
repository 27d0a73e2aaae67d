import { afterAll, beforeAll, expect, test } from "vitest";
import { startTimewebSandbox, type TimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { reporterOf } from "../support/alerts-chat.ts";
import { aMinuteOfSilence, answerTo, becomes, eventually, shown } from "../support/chat.ts";
import { alice, bob, mallory, opsChat, type RunningProcess, type Stack, startStack, vera } from "../support/stack.ts";

let stack: Stack;
let timeweb: TimewebSandbox;
let worker: RunningProcess;

beforeAll(async () => {
  timeweb = await startTimewebSandbox({
    servers: [
      { id: 101, name: "web-one", addresses: ["203.0.113.7"] },
      { id: 102, name: "db-one" },
    ],
    durations: { goingDown: 12_000, hardGoingDown: 2000, down: 1000, booting: 2000 },
    stepMs: 1000,
  });
  stack = await startStack({
    chatOnly: true,
    configure: (config) => {
      config["backups"] = [];
      config["storages"] = {};
      config["providers"] = { timeweb: { token: timeweb.token, apiUrl: timeweb.url, rate: 50, burst: 50 } };
      config["servers"] = [
        { name: "web-1", provider: "timeweb", id: 101 },
        { name: "db-1", provider: "timeweb", id: 102 },
        { name: "here", provider: "local" },
      ];
    },
  });
  [, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
}, 120_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await timeweb?.close();
});

const posts = () => timeweb.requests().filter(({ method }) => method === "POST").length;
const cardOf = async (pattern: RegExp) => await stack.message(pattern, { where: opsChat, timeoutMs: 60_000 });

test("/reboot is asked for, confirmed, carried out once by whichever worker lives, and followed until the server is back", {
  timeout: 180_000,
}, async () => {
  const refused = await answerTo(stack, stack.say(vera.id, "/reboot"), /operator/i);
  expect(refused.text).toMatch(/operator/i);
  const none = await answerTo(stack, stack.say(bob.id, "/reboot here"), /cannot be switched/);
  expect(none.text).toContain("local");
  const dialog = await answerTo(stack, stack.say(bob.id, "/reboot"), /Which server is to be rebooted/);
  expect(shown(dialog).buttons).toEqual(["web-1", "db-1", "Cancel"]);
  await stack.press(bob.id, dialog, "web-1");
  const how = await becomes(stack, dialog, /how is it to be rebooted/);
  expect(shown(how).buttons).toEqual(["Soft reboot", "Hard reboot…", "Cancel"]);
  await stack.press(bob.id, how, "Soft reboot");
  const ready = await cardOf(/web-1: reboot: to be confirmed/);
  expect(ready.text).toContain("203.0.113.7");
  expect(ready.text).toContain("Nothing of Vakhta is under way there.");
  expect(ready.text).toContain("No open incidents.");
  expect(shown(ready).buttons).toEqual(["Confirm", "Cancel", "Look again"]);
  await stack.press(mallory.id, ready, "Confirm").catch(() => undefined);
  expect((await stack.press(vera.id, ready, "Confirm")).toast).toMatch(/operator/i);
  expect(posts()).toBe(0);
  await stack.press(bob.id, ready, "Confirm");
  await eventually("the order", () => posts() === 1);
  await worker.kill();
  worker = await stack.startWorker();
  await aMinuteOfSilence(stack);
  const done = await cardOf(/web-1: reboot: done/);
  expect(done.text).toMatch(/✔ \d\d:\d\d:\d\d ordered/);
  expect(done.text).toMatch(/✔ \d\d:\d\d:\d\d answering\n✔ \d\d:\d\d:\d\d checks green/);
  expect(shown(done).buttons).toEqual([]);
  expect(posts()).toBe(1);
  const log = await answerTo(stack, stack.say(alice.id, "/audit"), /reboot web-1/);
  expect(log.text).toMatch(/bob/i);
});

test("Reboot… stands on the server's incidents; a hard reboot wants the name typed", { timeout: 120_000 }, async () => {
  await aMinuteOfSilence(stack);
  await using reporter = reporterOf(stack);
  await reporter.fire("the shop is slow", { labels: { server: "web-1" } });
  const alert = await cardOf(/the shop is slow/);
  expect(shown(alert).buttons).toContain("Reboot…");
  expect((await stack.press(vera.id, alert, "Reboot…")).toast).toMatch(/operator/i);
  await stack.press(bob.id, alert, "Reboot…");
  const opened = await cardOf(/web-1: how is it to be rebooted/);
  expect(opened.reply_to_message?.message_id).toBe(alert.message_id);
  timeweb.hang(102);
  const before = posts();
  const dialog = await answerTo(stack, stack.say(bob.id, "/reboot db-1"), /how is it to be rebooted/);
  await stack.press(bob.id, dialog, "Hard reboot…");
  const ready = await cardOf(/db-1: hard reboot: to be confirmed/);
  expect(ready.text).toContain("As if the plug were pulled");
  await stack.press(bob.id, ready, "Confirm");
  const question = await stack.message(/reply to this message with the name db-1/, { where: opsChat });
  expect(posts()).toBe(before);
  const { message_id, message_thread_id } = question;
  const inTopic = message_thread_id === undefined ? {} : { message_thread_id };
  stack.sandbox.sendAsUser(opsChat, { from: bob.id, text: "db-1", ...inTopic, reply_to_message_id: message_id });
  await eventually("the order", () => posts() === before + 1);
  expect(timeweb.counts()["POST /api/v1/servers/:id/hard-reboot"]).toBe(1);
});
