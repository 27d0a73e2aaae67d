import { afterAll, beforeAll, expect, test } from "vitest";
import { alertsTopic, intoAlertsTopic, type Reporter, reporterOf } from "../support/alerts-chat.ts";
import { answerTo, becomes, becomesUnlimited, now, shown } from "../support/chat.ts";
import { alice, bob, mallory, opsChat, type Stack, startStack, vera } from "../support/stack.ts";

let stack: Stack;
let alerts: Reporter;

beforeAll(async () => {
  stack = await startStack({
    chatOnly: true,
    sandbox: { limits: { enforce: false } },
    configure: (config) => {
      config["alerts"] = { routes: intoAlertsTopic, storm: { incidents: 5, within: "30s" } };
    },
  });
  alerts = reporterOf(stack);
  await stack.startBot();
  await stack.sandbox.waitForCall("setMyCommands", (call) => JSON.stringify(call.params).includes(`:${vera.id}`));
});
afterAll(async () => {
  await alerts?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

test("many alerts at once become one card that counts them, lists them, and acts on all and on each of them", {
  timeout: 120_000,
}, async () => {
  const labels = (n: number) => ({ job: "web", server: `web-${n}` });
  for (let n = 1; n <= 40; n++) await alerts.fire(`Page ${n} is slow`, { severity: "warning", labels: labels(n) });
  const card = await becomesUnlimited(stack, await stack.message(/^⛈ \d+ firing/), /^⛈ 35 firing, 0 resolved\n/);
  expect(card.message_thread_id).toBe(alertsTopic);
  expect(card.text).toContain("40 alerts so far.\n5 of them have cards of their own, 5 of those fire.");
  expect(card.text).toContain("Most often: job=web × 35");
  expect(card.text).toContain("First: Page 6 is slow");
  expect(shown(card).buttons).toEqual(["Acknowledge all", "Full list", "Alerts"]);
  // The five before it have cards of their own.
  const own = stack.sandbox.messages(opsChat).filter(({ text = "" }) => /^🟠 Page \d/.test(text));
  expect(
    own.map(({ text = "" }) => /Page \d+/.exec(text)?.[0]).toSorted((a = "", b = "") => a.localeCompare(b)),
  ).toEqual(["Page 1", "Page 2", "Page 3", "Page 4", "Page 5"]);

  for (const { id, toast } of [
    { id: mallory.id, toast: "You are not on the list, so this does nothing." },
    { id: vera.id, toast: "That takes the role operator. Nothing was done." },
  ])
    expect((await stack.press(id, card, "Acknowledge all")).toast).toBe(toast);

  await stack.press(vera.id, card, "Full list");
  const list = await stack.sandbox.waitForMessage(
    opsChat,
    ({ document }) => document?.file_name?.startsWith("storm-") === true,
  );
  expect(list.caption).toBe("All 35 alerts on this card, critical ones first.");
  const text = stack.sandbox.file(list.document?.file_id ?? "").data.toString();
  expect(text.match(/^\d+\. 🟠 Page \d+ is slow$/gm)).toHaveLength(35);

  // Members are acted on one by one through the view.
  await stack.press(bob.id, card, "Alerts");
  const view = await answerTo(stack, card, /^Open alerts: 40/);
  await stack.press(bob.id, view, "▶");
  const second = await becomes(stack, view, /^9\. 🟠 Page 32 is slow/m);
  await stack.press(bob.id, second, "9");
  const one = await becomes(stack, view, /^🟠 Page 32 is slow/);
  await stack.press(bob.id, one, "Close");
  await becomes(stack, view, /^☑️ Page 32 is slow\nWarning, closed by bob/);
  await becomesUnlimited(stack, card, /^⛈ 34 firing, 0 resolved, 1 closed/);

  for (let n = 10; n <= 19; n++) await alerts.resolve(`Page ${n} is slow`, { labels: labels(n) });
  await becomesUnlimited(stack, card, /^⛈ 24 firing, 10 resolved, 1 closed/);
  expect((await stack.press(alice.id, card, "Acknowledge all")).toast).toBe("Acknowledging all that fire…");
  await answerTo(stack, card, /👤 alice has acknowledged 24 alerts\./);
  const open = await alerts.deps.incidents.open();
  expect(open.filter(({ acknowledged }) => acknowledged).length).toBe(24);

  for (let n = 1; n <= 40; n++) await alerts.resolve(`Page ${n} is slow`, { labels: labels(n) });
  const over = await becomesUnlimited(stack, card, /^⛈ 0 firing, 34 resolved, 1 closed/);
  expect(shown(over).buttons).toEqual(["Full list", "Alerts"]);
  expect((await stack.press(alice.id, card, "Acknowledge all")).toast).toBe(
    "Nothing of it fires any more. Nothing was done.",
  );
  expect(now(stack, card).text).toMatch(/^5 of them have cards of their own\.$/m);
});
