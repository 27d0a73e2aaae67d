import { readFile } from "node:fs/promises";
import { Bot, InlineKeyboard, InputFile } from "grammy";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { DESKTOP, faintTexts, launchBrowser, openPage, PHONE, startRelay } from "../support/browser.ts";
import {
  ALERTS_TOPIC,
  ALICE,
  BACKUPS_TOPIC,
  BOB,
  BOT,
  BOT_ID,
  EVE,
  FORUM_ID,
  GROUP_ID,
  SUPERGROUP_ID,
  testSandbox,
} from "../support/sandbox.ts";

const LOG = "pg_dump: error: connection to server failed\n".repeat(40);
const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;
/** The smallest valid PNG: one transparent pixel. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** A bot with one command per thing that the page must show. */
async function startBot(sandbox: TelegramSandbox): Promise<Bot> {
  const bot = new Bot(BOT.token, { client: { apiRoot: sandbox.apiRoot } });
  bot.command("backup", (ctx) =>
    ctx.reply("Back up <b>app</b>?", {
      parse_mode: "HTML",
      reply_markup: new InlineKeyboard()
        .text("Confirm", "confirm")
        .success()
        .text("Cancel", "cancel")
        .danger()
        .row()
        .text("Explain", "explain")
        .primary()
        .url("Manual", "https://example.org/manual"),
    }),
  );
  bot.callbackQuery("confirm", async (ctx) => {
    await ctx.answerCallbackQuery("Backup started");
    await ctx.editMessageText("Backing up: 42 %", { reply_markup: new InlineKeyboard().text("Stop", "stop") });
  });
  bot.callbackQuery("explain", (ctx) => ctx.answerCallbackQuery({ text: "It copies everything", show_alert: true }));
  bot.command("log", (ctx) => ctx.replyWithDocument(new InputFile(Buffer.from(LOG), "backup.log"), { caption: "Log" }));
  bot.command("chart", (ctx) => ctx.replyWithPhoto(new InputFile(PIXEL, "chart.png"), { caption: "Load" }));
  bot.command("restore", (ctx) =>
    ctx.reply("Type the name of the database", {
      reply_parameters: { message_id: ctx.msgId },
      reply_markup: { force_reply: true, selective: true, input_field_placeholder: "name of the database" },
    }),
  );
  bot.on("message:text", (ctx, next) =>
    ctx.message.reply_to_message?.from?.id === BOT_ID ? ctx.reply(`You typed ${ctx.message.text}`) : next(),
  );
  void bot.start();
  onTestFinished(() => bot.stop());
  return bot;
}

interface Scene {
  readonly sandbox: TelegramSandbox;
  readonly page: Page;
  /** Opens another address of the same page. */
  readonly go: (query: string) => Promise<void>;
}

/** A sandbox and its web chat in a browser, without errors on the page when the test is over. */
async function scene(query: string, options: Parameters<typeof openPage>[2] = PHONE): Promise<Scene> {
  const sandbox = await testSandbox({ limits: { enforce: false } });
  const { page, errors, close } = await openPage(browser, `${sandbox.url}/${query}`, options);
  onTestFinished(async () => {
    await close();
    expect(errors).toEqual([]);
  });
  await connected(page);
  const go = async (next: string): Promise<void> => {
    await page.goto(`${sandbox.url}/${next}`);
    await connected(page);
  };
  return { sandbox, page, go };
}

const connected = (page: Page): Promise<unknown> => page.waitForSelector('html[data-connected="true"]');
const input = (page: Page): Locator => page.getByRole("textbox", { name: "Message" });
const message = (page: Page, text: string): Locator => page.locator("article[data-message-id]", { hasText: text });
const button = (page: Page, label: string): Locator => page.locator(`[data-button="${label}"]`);

async function say(page: Page, text: string): Promise<void> {
  await input(page).fill(text);
  await input(page).press("Enter");
}

test("a command through the composer is answered with buttons; a press shows its toast and the message changes in place", async () => {
  const { sandbox, page } = await scene(`?chat=${ALICE.id}&as=${ALICE.id}`);
  await startBot(sandbox);
  await say(page, "/backup");
  const card = message(page, "Back up app?");
  await card.waitFor();
  expect(await message(page, "/backup").first().getAttribute("class")).toContain("out");
  expect(await card.locator("strong").textContent()).toBe("app");
  expect(await button(page, "Confirm").getAttribute("class")).toContain("style-success");
  expect(await button(page, "Cancel").getAttribute("class")).toContain("style-danger");
  expect(await button(page, "Manual").getAttribute("href")).toBe("https://example.org/manual");
  expect(await input(page).inputValue()).toBe("");
  const id = await card.getAttribute("data-message-id");

  await button(page, "Confirm").click();
  await page.locator("[data-toast]", { hasText: "Backup started" }).waitFor();
  const edited = message(page, "Backing up: 42 %");
  await edited.waitFor();
  expect(await edited.getAttribute("data-message-id")).toBe(id);
  expect(await edited.locator("[data-edited]").textContent()).toBe("edited");
  expect(await button(page, "Confirm").count()).toBe(0);
});

test("a button shows a spinner until the bot answers, and an alert must be confirmed", async () => {
  const { sandbox, page } = await scene(`?chat=${ALICE.id}&as=${ALICE.id}`);
  const bot = await startBot(sandbox);
  await say(page, "/backup");
  await button(page, "Explain").waitFor();
  await bot.stop();
  await button(page, "Explain").click();
  await page.locator('[data-button="Explain"][aria-busy="true"]').waitFor();
  void bot.start();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("It copies everything").waitFor();
  expect(await button(page, "Explain").getAttribute("aria-busy")).toBe("false");
  await dialog.getByRole("button", { name: "OK" }).click();
  await dialog.waitFor({ state: "detached" });
});

test("a document can be downloaded and a photo enlarged", async () => {
  const { sandbox, page } = await scene(`?chat=${ALICE.id}&as=${ALICE.id}`);
  await startBot(sandbox);
  await say(page, "/log");
  const file = page.locator('[data-document="backup.log"]');
  await file.waitFor();
  expect(await file.textContent()).toContain("1.7 KB");
  const [download] = await Promise.all([page.waitForEvent("download"), file.click()]);
  expect(download.suggestedFilename()).toBe("backup.log");
  expect(await readFile(await download.path(), "utf8")).toBe(LOG);

  await say(page, "/chart");
  await page.locator("[data-photo]").click();
  await page.getByRole("dialog").getByText("Load").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("the speaker can be changed: sides, private chats and membership follow", async () => {
  const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  await say(page, "I am on watch");
  await page.locator("article.out", { hasText: "I am on watch" }).waitFor();

  await page.locator(`[data-speaker="${BOB.id}"]`).click();
  const seen = page.locator("article.in", { hasText: "I am on watch" });
  await seen.waitFor();
  expect(await seen.locator(".name").textContent()).toBe("Alice");
  await say(page, "Thanks");
  await page.locator("article.out", { hasText: "Thanks" }).waitFor();
  expect(sandbox.messages(SUPERGROUP_ID).map((sent) => [sent.from?.id, sent.text])).toEqual([
    [ALICE.id, "I am on watch"],
    [BOB.id, "Thanks"],
  ]);

  await page.locator(`[data-speaker="${EVE.id}"]`).click();
  await page.getByText("Eve is not a member of this group").waitFor();
  expect(await input(page).isVisible()).toBe(false);
  await page.getByRole("button", { name: "Back to the chats" }).click();
  expect(await page.locator("[data-chat-row]").count()).toBe(1);
  await page.locator(`[data-chat-row="${EVE.id}"]`).click();
  await say(page, "let me in");
  await message(page, "let me in").waitFor();
  expect(page.url()).toContain(`as=${EVE.id}`);
  await page.locator(`[data-speaker="${ALICE.id}"]`).click();
  await message(page, "let me in").waitFor({ state: "detached" });
  expect(page.url()).toContain(`chat=${ALICE.id}`);
});

test("after a broken connection the page says so, connects again and shows what it missed", async () => {
  const sandbox = await testSandbox();
  const relay = await startRelay(sandbox.port);
  onTestFinished(() => relay.close());
  const { page, close } = await openPage(browser, `${relay.url}/?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  onTestFinished(close);
  await connected(page);
  const early = sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: "before" });
  await message(page, "before").waitFor();

  relay.cut();
  await page.locator("#chat-status", { hasText: "reconnecting…" }).waitFor();
  await say(page, "hello?");
  await page.getByRole("alert").getByText("Not sent: The sandbox cannot be reached").waitFor();
  expect(await input(page).inputValue()).toBe("hello?");
  sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: "meanwhile" });
  sandbox.deleteAsUser(SUPERGROUP_ID, early.message_id, BOB.id);

  relay.mend();
  await message(page, "meanwhile").waitFor();
  await connected(page);
  expect(await message(page, "before").count()).toBe(0);
  sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: "live again" });
  await message(page, "live again").waitFor();
  expect(await message(page, "meanwhile").count()).toBe(1);
});

test("what happens while the page loads chats and members anew is not lost", async () => {
  const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  /** Holds the next answer back, which was given before what follows. */
  const holdState = async (): Promise<{ asked: Promise<void>; release: () => void }> => {
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await page.route(
      "**/sandbox/state",
      async (route) => {
        const response = await route.fetch();
        asked.resolve();
        await released.promise;
        await route.fulfill({ response });
      },
      { times: 1 },
    );
    return { asked: asked.promise, release: released.resolve };
  };

  const first = await holdState();
  sandbox.setMember(SUPERGROUP_ID, EVE.id, "member");
  await first.asked;
  sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: "said meanwhile" });
  await message(page, "said meanwhile").waitFor();
  first.release();
  await page.locator("#chat-status", { hasText: "4 members" }).waitFor();
  expect(await message(page, "said meanwhile").count()).toBe(1);

  const second = await holdState();
  sandbox.setMember(SUPERGROUP_ID, BOB.id, "left");
  await second.asked;
  sandbox.setMember(SUPERGROUP_ID, EVE.id, "left");
  second.release();
  await page.locator("#chat-status", { hasText: "2 members" }).waitFor();
});

test("mark-up in texts, names and buttons stays text", async () => {
  const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  const bot = new Bot(BOT.token, { client: { apiRoot: sandbox.apiRoot } });
  await say(page, EVIL);
  await bot.api.sendMessage(SUPERGROUP_ID, EVIL, { reply_markup: new InlineKeyboard().text(EVIL, "x") });
  await bot.api.sendDocument(SUPERGROUP_ID, new InputFile(Buffer.from("x"), `<img onerror=1>.txt`), { caption: EVIL });
  await page.locator("[data-document]").waitFor();
  expect(await page.locator("[data-text]").first().textContent()).toContain(EVIL);
  expect(await page.locator("#messages :is(img, script)").count()).toBe(0);
  expect(await page.evaluate("window.hacked")).toBe(undefined);
  const link = { type: "text_link", offset: 0, length: 5, url: "tg://user?id=1" } as const;
  await bot.api.sendMessage(SUPERGROUP_ID, "press me", { entities: [link] });
  await message(page, "press me").waitFor();
  expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
});

test("entities look like themselves: nested, hidden, folded; a command in a text can be clicked", async () => {
  const { sandbox, page } = await scene(`?chat=${ALICE.id}&as=${ALICE.id}`);
  const bot = await startBot(sandbox);
  const html =
    "<b>bold <i>both</i></b> <u>u</u> <s>s</s> <code>code</code> <tg-spoiler>secret</tg-spoiler>\n" +
    `<pre><code class="language-sql">select 1;</code></pre>\n<blockquote expandable>${"line\n".repeat(9)}end</blockquote>\n` +
    `<a href="https://example.org/">site</a> 👍🏽 /backup`;
  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
  await bot.api.sendMessage(ALICE.id, html, { parse_mode: "HTML" });
  const text = message(page, "bold both").locator("[data-text]");
  await text.waitFor();
  expect(await text.locator("strong em").textContent()).toBe("both");
  expect(await text.locator("pre code").textContent()).toBe("select 1;");
  expect(await text.locator('a[href="https://example.org/"]').getAttribute("rel")).toBe("noopener noreferrer");
  const quote = text.locator("blockquote");
  expect(await quote.getAttribute("aria-expanded")).toBe("false");
  await quote.click();
  expect(await quote.getAttribute("aria-expanded")).toBe("true");
  await text.getByRole("button", { name: "Hidden text" }).press("Enter");
  expect(await text.locator(".spoiler.revealed").textContent()).toBe("secret");
  await text.locator('[data-command="/backup"]').click();
  await message(page, "Back up app?").waitFor();
});

test("a bot that asks for a reply gets one; one can reply to, edit and delete messages", async () => {
  const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  await startBot(sandbox);
  await say(page, "/restore");
  await page.locator("#mode", { hasText: "Reply to Watch" }).waitFor();
  expect(await input(page).getAttribute("placeholder")).toBe("name of the database");
  await say(page, "app");
  await message(page, "You typed app").waitFor();
  expect(await page.locator("#mode").isVisible()).toBe(false);
  const question = await page.locator("article.in", { hasText: "Type the name" }).getAttribute("data-message-id");
  await page.locator(`article.out [data-reply-to="${question}"]`).waitFor();

  await message(page, "You typed app").dblclick();
  await page.locator("#mode", { hasText: "You typed app" }).waitFor();
  await say(page, "indeed");
  const mine = page.locator("article.out", { hasText: "indeed" });
  await mine.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Edit" }).click();
  expect(await input(page).inputValue()).toBe("indeed");
  await say(page, "certainly");
  await page.locator("article", { hasText: "certainly" }).locator("[data-edited]").waitFor();
  await message(page, "certainly").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await message(page, "certainly").waitFor({ state: "detached" });
});

test("commands are offered for chat and speaker, completed while typing, and sent from the menu", async () => {
  const { sandbox, page, go } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  const bot = await startBot(sandbox);
  const command = (name: string): { command: string; description: string } => ({ command: name, description: name });
  await bot.api.setMyCommands([command("backup"), command("backups"), command("log")]);
  await bot.api.setMyCommands([command("group")], { scope: { type: "chat", chat_id: SUPERGROUP_ID } });
  const onlyBob = { type: "chat_member", chat_id: SUPERGROUP_ID, user_id: BOB.id } as const;
  await bot.api.setMyCommands([command("bob")], { scope: onlyBob });
  const offered = (): Promise<(string | null)[]> =>
    page.getByRole("option").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-command")));

  await page.getByRole("button", { name: "Commands of the bot" }).click();
  await page.locator('[data-command="group"]').waitFor();
  expect(await offered()).toEqual(["group"]);
  await page.keyboard.press("Escape");
  await page.locator(`[data-speaker="${BOB.id}"]`).click();
  await page.getByRole("button", { name: "Commands of the bot" }).click();
  expect(await offered()).toEqual(["bob"]);

  await go(`?chat=${ALICE.id}&as=${ALICE.id}`);
  await input(page).pressSequentially("/ba");
  expect(await offered()).toEqual(["backup", "backups"]);
  await input(page).press("Tab");
  expect(await input(page).inputValue()).toBe("/backup ");
  await input(page).fill("/");
  await input(page).press("ArrowDown");
  await input(page).press("Enter");
  await message(page, "Back up app?").waitFor();
});

test("topics are apart, what was not read is counted, and one press leads to the newest message", async () => {
  const { sandbox, page } = await scene(`?chat=${FORUM_ID}&thread=${BACKUPS_TOPIC}&as=${ALICE.id}`);
  for (let index = 1; index <= 30; index += 1) {
    sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: `backup no. ${index};`, message_thread_id: BACKUPS_TOPIC });
  }
  await message(page, "backup no. 30;").waitFor();
  await say(page, "seen");
  await message(page, "seen").waitFor();
  expect(sandbox.messages(FORUM_ID).at(-1)?.message_thread_id).toBe(BACKUPS_TOPIC);

  await page.locator("#scroller").evaluate((element) => element.scrollTo({ top: 0 }));
  const jump = page.getByRole("button", { name: "To the newest message" });
  await jump.waitFor();
  sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: "one more", message_thread_id: BACKUPS_TOPIC });
  sandbox.sendAsUser(FORUM_ID, { from: BOB.id, text: "an alert", message_thread_id: ALERTS_TOPIC });
  await jump.getByText("1").waitFor();
  await page.locator(`[data-thread-id="${ALERTS_TOPIC}"] .badge`, { hasText: "1" }).waitFor();
  expect(await page.title()).toContain("(2)");
  await jump.click();
  await jump.waitFor({ state: "hidden" });

  await page.getByRole("tab", { name: "alerts" }).click();
  await message(page, "an alert").waitFor();
  expect(await message(page, "backup no. 30;").count()).toBe(0);
  await page.locator(`[data-thread-id="${ALERTS_TOPIC}"] .badge`).waitFor({ state: "detached" });
});

test("what the bot is doing is shown until it writes; a group that becomes a supergroup is followed", async () => {
  const { sandbox, page } = await scene(`?chat=${GROUP_ID}&as=${ALICE.id}`);
  const bot = await startBot(sandbox);
  const status = page.locator("#chat-status");
  await status.getByText("3 members").waitFor();
  await bot.api.sendChatAction(GROUP_ID, "typing");
  await status.getByText("typing…").waitFor();
  await bot.api.sendMessage(GROUP_ID, "done");
  await message(page, "done").waitFor();
  await status.getByText("3 members").waitFor();

  const next = sandbox.migrate(GROUP_ID);
  await page.locator("[data-service]", { hasText: "The supergroup was created from a group" }).waitFor();
  expect(page.url()).toContain(`chat=${next}`);
  await say(page, "here now");
  expect((await sandbox.waitForMessage(next, (sent) => sent.text === "here now")).from?.id).toBe(ALICE.id);
  await page.getByRole("button", { name: "Back to the chats" }).click();
  expect(await page.locator(`[data-chat-row="${GROUP_ID}"]`).count()).toBe(0);
});

test("the theme follows the system until it is chosen, and the choice is kept", async () => {
  const { page, go } = await scene(`?as=${ALICE.id}`, { ...PHONE, colorScheme: "dark" });
  const ground = (): Promise<string> => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  const dark = await ground();
  await page.getByRole("button", { name: "Light theme" }).click();
  expect(await ground()).not.toBe(dark);
  await go(`?as=${ALICE.id}`);
  expect(await ground()).not.toBe(dark);
  await page.getByRole("button", { name: "Dark theme" }).click();
  expect(await ground()).toBe(dark);
});

test("what a person cannot send is said, and the text stays; Shift+Enter begins a line", async () => {
  const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}`);
  await input(page).pressSequentially("one");
  await input(page).press("Shift+Enter");
  await input(page).pressSequentially("two");
  await input(page).press("Enter");
  await message(page, "one").waitFor();
  expect(sandbox.messages(SUPERGROUP_ID).at(-1)?.text).toBe("one\ntwo");
  await say(page, "x".repeat(5000));
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").textContent()).toMatch(/^Not sent: /u);
  expect((await input(page).inputValue()).length).toBe(5000);
});

test.each([
  ["light", "a phone", PHONE],
  ["dark", "a phone", PHONE],
  ["light", "a desktop", DESKTOP],
  ["dark", "a desktop", DESKTOP],
] as const)(
  "in the %s theme on %s every text can be read and nothing is wider than the window",
  async (theme, _, size) => {
    const { sandbox, page } = await scene(`?chat=${SUPERGROUP_ID}&as=${ALICE.id}&theme=${theme}`, size);
    const bot = await startBot(sandbox);
    const long = "x".repeat(300);
    await bot.api.sendMessage(
      SUPERGROUP_ID,
      `<pre>${long}</pre><code>${long}</code> <a href="https://a.b">${long}</a>`,
      {
        parse_mode: "HTML",
      },
    );
    const first = sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: long });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: BOB.id, text: "/log", reply_to_message_id: first.message_id });
    sandbox.sendAsUser(SUPERGROUP_ID, { from: ALICE.id, text: "/backup", reply_to_message_id: first.message_id });
    sandbox.setMember(SUPERGROUP_ID, BOT_ID, "administrator");
    const pinned = await bot.api.sendMessage(
      SUPERGROUP_ID,
      "<blockquote>quoted</blockquote>@alice https://example.org",
      {
        parse_mode: "HTML",
      },
    );
    await bot.api.pinChatMessage(SUPERGROUP_ID, pinned.message_id);
    await page.locator("[data-service]").waitFor();
    await page.locator('[data-document="backup.log"]').waitFor();
    await message(page, "quoted").dblclick();
    expect(await faintTexts(page)).toEqual([]);
    const wide = "[document.documentElement.scrollWidth - innerWidth, scroller.scrollWidth - scroller.clientWidth]";
    expect(await page.evaluate(wide)).toEqual([0, 0]);
  },
);
