import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { encodePin, pinFile } from "../../src/core/proof.ts";
import { storageOf } from "../support/backup.ts";
import { launchBrowser, openPage, PHONE } from "../support/browser.ts";
import { dailyManifest, idOf, putBackup, signal } from "../support/catalogue.ts";
import { aMinuteOfSilence, answerTo, becomes, eventually, shown } from "../support/chat.ts";
import { alice, bob, mallory, type RunningProcess, type Stack, startStack, vera } from "../support/stack.ts";

let stack: Stack;
let bot: RunningProcess;
let worker: RunningProcess;

const older = 15;
const hostile = `<b>"eve" & \u202E co</b>`;

beforeAll(async () => {
  stack = await startStack({
    configure: (config) => {
      config["backups"][0].schedule = "0 3 * * *";
      config["backups"].push({ ...config["backups"][0], name: "never-made", schedule: undefined });
    },
  });
  const local = storageOf("local", { kind: "local", path: stack.localFolder });
  const newest = new Date(Date.now() - 86_400_000).toISOString();
  for (let index = 0; index < older; index++) {
    const bytes = 1000 + ((index * 37) % 11) * 300;
    const manifest = dailyManifest(index, { name: "shop", newest, id: `abc${idOf(index)}`, bytes, host: hostile });
    const folder = await putBackup(local, manifest);
    if (index === 2)
      await local.put(
        `${folder}${pinFile}`,
        encodePin({ version: 1, at: newest, by: hostile, reason: hostile }),
        signal,
      );
  }
  [bot, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /Backup shop is done/);
}, 180_000);
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Whether the newest backup has a pin in a storage; the server of the bucket keeps more than one file for an object. */
const isPinned = (storage: "local" | "offsite"): boolean => {
  const cwd = storage === "local" ? stack.localFolder : join(stack.s3.folder, "buckets", stack.s3.bucket, "objects");
  const [newest] = globSync("**/manifest.json*", { cwd }).toSorted().toReversed();
  return globSync(`${dirname(newest ?? "none")}/${pinFile}*`, { cwd }).length > 0;
};

/** The newest backup's own page, opened by way of the overview. */
async function details(from: number, where: "topic" | "private"): Promise<Message> {
  const list = await answerTo(stack, stack.say(from, "/backups", where), /Backups: 🔴 1 · /);
  await stack.press(from, list, /shop/);
  const name = await becomes(stack, list, /16 kept, newest first/);
  await stack.press(from, name, "1");
  return await becomes(stack, list, /^shop, .* ago\)/);
}

test("/backups tells how each stands, worst first, and leads to one backup and back", async () => {
  const known = async (storage: string) => await stack.client.hlen(`stack:v1:catalogue:${storage}:shop`);
  await eventually("the catalogue", async () => (await known("local")) === older + 1 && (await known("offsite")) === 1);
  const list = await answerTo(stack, stack.say(vera.id, "/backups"), /Backups/);
  const text = list.text ?? "";
  expect(text).toMatch(/^Backups: 🔴 1 · 🟡 1\n\n🔴 never-made: none was ever made\n/);
  expect(text).toMatch(/🟡 shop: never proven\nLast good: .* ago, [\d.]+ kB\n✓ local@test-host · ✓ offsite\nNext: /);
  expect(text).toMatch(/Size [▁▂▃▄▅▆▇]{14} [\d.]+ kB\nTime [▁▂▃▄▅▆▇]{14} /);
  await stack.press(vera.id, list, /shop/);
  const name = await becomes(stack, list, /16 kept, newest first/);
  expect(name.text).toMatch(/1\. ▫️ .* · [\d.]+ kB · local, offsite\n/);
  expect(name.text).toMatch(/4\. ▫️ .* 📌/);
  await stack.press(vera.id, name, "▶");
  const second = await becomes(stack, list, /\n9\. /);
  expect(second.text).toMatch(/page 2 of 2/i);
  await stack.press(vera.id, second, "◀");
  await stack.press(vera.id, await becomes(stack, list, /\n4\. /), "4");
  const pinned = await becomes(stack, list, /📌 Pinned by/);
  // Others' words break nothing.
  expect(pinned.text).toContain(`Took 1m on \u2068<b>"eve" &  co</b>\u2069`);
  expect(pinned.text).toMatch(/stays: everything is kept, pinned/);
  expect(pinned.text).toContain("✗ offsite: not there");
  await stack.press(vera.id, pinned, "◀ Back");
  await stack.press(vera.id, await becomes(stack, list, /newest first/), "◀ Back");
  await becomes(stack, list, /^Backups: /);
  const filtered = await answerTo(stack, stack.say(vera.id, "/backups EVER"), /Filter: ever/);
  expect(shown(filtered).buttons).toEqual(["🔴 never-made", "↻ Refresh"]);
  expect((await answerTo(stack, stack.say(vera.id, "/backups <nothing>"), /No backup is called so/)).text).toContain(
    "Filter: <nothing>",
  );
});

test("/status shows the same in one glance", async () => {
  const status = await answerTo(stack, stack.say(vera.id, "/status"), /Status/);
  expect(status.text).toMatch(
    /Backups: 🔴 1 · 🟡 1\n🔴 never-made: never backed up\n🟡 shop: .* · never proven · next /,
  );
  expect(status.text).toContain("/backups");
});

test("one backup: pinned by an admin in every storage, also when the worker is killed; old messages outlive a restart", async () => {
  const message = await details(bob.id, "topic");
  expect(message.text).toMatch(/Counted: 2,200 rows in 2 tables/);
  expect(message.text).toMatch(
    /✓ local@test-host .*\nstays: everything is kept.*\n✓ offsite s3:.*\nSTANDARD · stays: /,
  );
  expect(message.text).toContain("▫️ Not proven yet");
  expect(shown(message).buttons).toEqual(["Verify", "📌 Pin", "⏮ Restore", "⬇ Download link", "◀ Back", "↻ Refresh"]);
  expect((await stack.press(bob.id, message, "📌 Pin")).toast).toMatch(/admin/);
  expect((await stack.press(vera.id, message, "Verify")).toast).toMatch(/operator/);
  expect((await stack.press(mallory.id, message, "📌 Pin")).toast).toMatch(/not on the list/);
  expect([isPinned("local"), isPinned("offsite")]).toEqual([false, false]);
  await Promise.all([bot.kill(), worker.kill()]);
  bot = await stack.startBot();
  expect((await stack.press(alice.id, message, "📌 Pin")).toast).toMatch(/kept from now on/);
  const waiting = await becomes(stack, message, /alice pins it .* still to be written: local@test-host, offsite/);
  expect(shown(waiting).buttons).toContain("Unpin");
  worker = await stack.startWorker();
  await eventually("pins", () => isPinned("local") && isPinned("offsite"));
  // Nobody presses anything: the message follows what the jobs do.
  const pinned = await becomes(stack, message, /📌 Pinned by alice/);
  expect(shown(pinned).buttons).toContain("Unpin");
  await stack.press(alice.id, pinned, "Unpin");
  await eventually("unpinned", () => !isPinned("local") && !isPinned("offsite"));
  expect((await becomes(stack, message, /^(?![\s\S]*📌)/)).text).toContain("▫️ Not proven yet");
  await stack.press(bob.id, message, "Verify");
  await stack.press(bob.id, await stack.message(/How deep\?/), "Read back");
  await becomes(stack, message, /^(?![\s\S]*▫️ Not proven yet)/);
}, 180_000);

test("a download link comes to an admin in a private chat only, works, and is neither kept nor logged", async () => {
  const group = await details(alice.id, "topic");
  expect((await stack.press(alice.id, group, "⬇ Download link")).toast).toMatch(/only given in a private chat/);
  expect((await stack.press(bob.id, group, "⬇ Download link")).toast).toMatch(/admin/);
  const own = await details(alice.id, "private");
  expect((await stack.press(alice.id, own, "⬇ Download link")).toast).toMatch(/in a moment/);
  const message = await stack.message(/the links work until/, { where: alice.id });
  expect(message.text).toContain("docs/restore-without-vakhta.md");
  expect(message.text).toContain("not encrypted");
  const links = (message.entities ?? []).flatMap((entity) => (entity.type === "text_link" ? [entity] : []));
  const files = new Map(
    links.map(({ offset, length, url }) => [(message.text ?? "").slice(offset, offset + length), url]),
  );
  const manifest = JSON.parse(await (await fetch(files.get("manifest.json") ?? "")).text());
  for (const { file, sha256 } of manifest.parts) {
    const bytes = new Uint8Array(await (await fetch(files.get(file) ?? "")).arrayBuffer());
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
  }
  await eventually("forgotten", async () => (await stack.client.hlen("stack:v1:links")) === 0);
  const kept: string[] = [];
  for (const key of await stack.client.keys("*")) {
    const dump = (await stack.client.dumpBuffer(key))?.toString("latin1") ?? "";
    if (dump.includes("X-Amz-Signature")) kept.push(key);
  }
  expect(kept).toEqual([]);
  expect(bot.log() + worker.log()).not.toContain("X-Amz-Signature");
  expect(worker.log()).toContain("download link made");
  // What lies on workers' disks alone has none.
  await stack.press(alice.id, own, "◀ Back");
  await stack.press(alice.id, await becomes(stack, own, /newest first/), "2");
  const localOnly = await becomes(stack, own, /✗ offsite: not there/);
  expect((await stack.press(alice.id, localOnly, "⬇ Download link")).toast).toMatch(/only on workers' own disks/);
  // Nobody answers: that is told, too.
  await worker.kill();
  await stack.press(alice.id, localOnly, "◀ Back");
  await stack.press(alice.id, await becomes(stack, own, /newest first/), "1");
  await stack.press(alice.id, await becomes(stack, own, /^shop, .* ago\)/), "⬇ Download link");
  await eventually("asked", async () => (await stack.client.hlen("stack:v1:links")) === 1);
  const [[id, order] = ["", "{}"]] = Object.entries(await stack.client.hgetall("stack:v1:links"));
  const long = { ...JSON.parse(order), at: new Date(Date.now() - 120_000).toISOString() };
  await stack.client.hset("stack:v1:links", id, JSON.stringify(long));
  await stack.message(/No download link for shop.*no worker that reaches/, { where: alice.id });
  await eventually("forgotten", async () => (await stack.client.hlen("stack:v1:links")) === 0);
}, 180_000);

test("on a phone every line fits, in both languages", async () => {
  worker = await stack.startWorker();
  const browser = await launchBrowser();
  try {
    for (const [person, language] of [
      [alice, "en"],
      [bob, "ru"],
    ] as const) {
      await answerTo(stack, stack.say(person.id, `/language ${language}`, "private"), /./);
      await answerTo(stack, stack.say(person.id, "/status", "private"), /🔴 1/);
      const list = await answerTo(stack, stack.say(person.id, "/backups", "private"), /[▁-▇]{14}/);
      const url = `${stack.sandbox.url}/?chat=${person.id}&as=${person.id}`;
      const { page, errors } = await openPage(browser, url, PHONE);
      const card = page.locator(`article[data-message-id="${list.message_id}"]`);
      const look = async (text: RegExp, name: string): Promise<void> => {
        await card.getByText(text).first().waitFor();
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        expect(wide).toBeLessThanOrEqual(0);
        const folder = process.env["PICTURES"];
        if (folder !== undefined) await page.screenshot({ path: join(folder, `backups-${name}-${language}.png`) });
      };
      await look(/[▁-▇]{14}/, "all");
      const element = `document.querySelector('article[data-message-id="${list.message_id}"]')`;
      expect(await page.evaluate<number>(`(${linesOfChart})(${element})`)).toBe(1);
      await stack.press(person.id, list, /shop/);
      await look(/1\. \p{So}/u, "name");
      await stack.press(person.id, await becomes(stack, list, /1\. \p{So}/u), "1");
      await look(/2[,\u00a0]200/, "one");
      expect(errors).toEqual([]);
    }
  } finally {
    await browser.close();
  }
}, 180_000);

/** Runs in the page, hence as text: on how many lines the first chart is. */
const linesOfChart = `(card) => {
  const walk = document.createTreeWalker(card, 4);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const at = node.data.search(/[\\u2581-\\u2587]{14}/);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 14);
    return range.getClientRects().length;
  }
  return 0;
}`;
