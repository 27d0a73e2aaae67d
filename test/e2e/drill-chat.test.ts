import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { launchBrowser, openPage, PHONE } from "../support/browser.ts";
import { aMinuteOfSilence, answerTo, becomes, eventually, shown } from "../support/chat.ts";
import { alice, bob, opsChat, type RunningProcess, type Stack, startStack, vera } from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess;
let worker: RunningProcess;

const numbers = {
  kind: "command",
  argv: ["seq", "1", "2000"],
  file: "numbers.txt",
  testRestore: ["sh", "-c", "test $(wc -l) = 2000"],
};
const words = { kind: "command", argv: ["echo", "words"], file: "words.txt" };

beforeAll(async () => {
  stack = await startStack({
    configure: (config) => {
      config["backups"].push(
        { name: "notes", source: numbers, storages: ["local"], keep: { local: "all" } },
        { name: "words", source: words, storages: ["offsite"], keep: { offsite: "all" } },
      );
      config["drill"] = { backups: ["shop"] };
    },
  });
  await start();
  for (const name of ["shop", "notes"]) {
    const dialog = await answerTo(stack, stack.say(alice.id, `/backup ${name}`), /Back up .* now/);
    await stack.press(alice.id, dialog, "Confirm");
    await becomes(stack, dialog, /Backup \w+ is done/);
  }
}, 180_000);
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

async function start(): Promise<void> {
  [bot, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
}

/** Ids of the drills' cards in the chat, oldest first. */
const cards = (where = opsChat) =>
  stack.sandbox.messages(where).filter(({ text = "" }) => /^. ?.?Recovery drill/u.test(text));

test("a drill that was missed is made up for: one card, with both times and what was counted", {
  timeout: 180_000,
}, async () => {
  // Nobody was there for eight days.
  await stack.client.hset("stack:v1:drill-due", "drill", Date.now() - 8 * 86_400_000);
  const card = await stack.message(/Recovery drill passed/, { timeoutMs: 90_000 });
  expect(card.text).toMatch(
    /^✅ Recovery drill passed: 1 backup was restored from elsewhere and compared\n\n✅ shop: RTO [\d.]+s, RPO [\d.]+s · 2,200 rows · [\d.]+ kB from offsite\n/,
  );
  expect(card.text).toContain("Limits: RTO 2h");
  expect(card.text).toContain("By schedule, ");
  expect(shown(card).buttons).toEqual(["Drill again"]);
  // The test-restore has left its proof, and no card of its own.
  expect(stack.sandbox.messages(opsChat).filter(({ text = "" }) => /Backup of shop holds/.test(text))).toEqual([]);
  await eventually("the metrics", async () => {
    const url = /"url":"(http:[^"]+)"/.exec(bot.log())?.[1] ?? "";
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.includes('vakhta_drill_success{backup="shop",role="bot"} 1');
  });
  expect((await stack.press(vera.id, card, "Drill again")).toast).toMatch(/operator/i);
  await stack.press(bob.id, card, "Drill again");
  await becomes(stack, card, /Drilled again by bob/);
  const second = await stack.message(
    /Recovery drill passed[\s\S]*RTO [\d.]+s, [\d.]+s [↑↓→]\n[\s\S]*Asked for by bob/,
    {
      timeoutMs: 90_000,
    },
  );
  expect(second.message_id).not.toBe(card.message_id);
});

test("/drill: operators only; what lies nowhere else fails it and is an incident until that is mended", {
  timeout: 180_000,
}, async () => {
  expect((await answerTo(stack, stack.say(vera.id, "/drill"), /./)).text).toMatch(/operator/i);
  await Promise.all([bot.stop(), worker.stop()]);
  stack.configure((config) => {
    config["drill"] = {};
  });
  await start();
  const before = cards().length;
  stack.say(bob.id, "/drill");
  const card = await stack.message(/Recovery drill failed/, { timeoutMs: 90_000 });
  expect(cards()).toHaveLength(before + 1);
  expect(card.text).toMatch(
    /^❌ Recovery drill failed: 1 of 2 could not be recovered\n\n❌ notes: could not be recovered\. All its copies lie on the disks of workers/,
  );
  expect(card.text).toMatch(/✅ shop: RTO .* · 2,200 rows/);
  expect(card.text).toMatch(/➖ words: left out\. Only a program knows/);
  const incident = await stack.message(/notes could not be recovered after the loss of a server/, {
    timeoutMs: 90_000,
  });
  expect(incident.text).toContain("Add a storage elsewhere");
  await photographed(card, /Recovery drill failed/, "failed");
  // Mended: a copy in the bucket, and another drill.
  await Promise.all([bot.stop(), worker.stop()]);
  stack.configure((config) => {
    config["backups"][1].storages = ["local", "offsite"];
    config["backups"][1].keep = { local: "all", offsite: "all" };
  });
  await start();
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup notes"), /Back up notes now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup notes is done/);
  await aMinuteOfSilence(stack);
  await stack.press(bob.id, card, "Drill again");
  await stack.message(/Recovery drill passed: 2 backups/, { timeoutMs: 90_000 });
  await becomes(stack, incident, /It was so from/, 90_000);
  // In private and in Russian.
  await answerTo(stack, stack.say(bob.id, "/language ru", "private"), /./);
  stack.say(bob.id, "/drill", "private");
  const passed = /Учебное восстановление прошло: 2 копии[\s\S]*RTO .*; .* [↑↓→]/;
  await photographed(await stack.message(passed, { where: bob.id, timeoutMs: 90_000 }), /Учебное/, "passed-ru");
});

/** The card on a phone, without anything beside it to scroll to; `PICTURES` names a folder for the picture. */
async function photographed(
  { chat, message_id, message_thread_id }: Message,
  text: RegExp,
  name: string,
): Promise<void> {
  const browser = await launchBrowser();
  try {
    const thread = message_thread_id === undefined ? "" : `&thread=${message_thread_id}`;
    const { page, errors } = await openPage(
      browser,
      `${stack.sandbox.url}/?chat=${chat.id}${thread}&as=${bob.id}`,
      PHONE,
    );
    const card = page.locator(`article[data-message-id="${message_id}"]`);
    await card.getByText(text).first().waitFor();
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    const folder = process.env["PICTURES"];
    if (folder !== undefined) await card.screenshot({ path: join(folder, `drill-${name}.png`) });
    expect(errors).toEqual([]);
  } finally {
    await browser.close();
  }
}
