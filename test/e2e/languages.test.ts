import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, eventually, shown } from "../support/chat.ts";
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

const basicGroup = -4_000_555;
const viewers = ["alerts", "silence", "stats", "servers", "backups", "status", "help", "language", "whoami"];
const admins = [
  "alerts",
  "silence",
  "stats",
  "servers",
  "backup",
  "backups",
  "verify",
  "restore",
  "drill",
  "reboot",
  "shutdown",
  "startserver",
  "status",
  "audit",
  "help",
  "language",
  "whoami",
];
let stack: Stack;
let bot: RunningProcess;

beforeAll(async () => {
  stack = await startStack({
    rows: 50,
    sandbox: {
      chats: [
        { id: opsChat, type: "group", title: "Ops", members: [alice.id, bob.id, botId] },
        { id: basicGroup, type: "group", title: "Вахта", members: [alice.id, bob.id, mallory.id, botId] },
      ],
    },
    configure: (config) => {
      config["telegram"].chats = { ops: { id: opsChat }, russian: { id: basicGroup, locale: "ru" } };
      config["telegram"].users[1].locale = "ru";
      config["telegram"].users.push({ id: 4444, name: "never-wrote", role: "admin" });
    },
  });
  // Telegram knows the private chats of those who wrote to the bot before.
  stack.say(vera.id, "hello", "private");
  [bot] = await Promise.all([stack.startBot(), stack.startWorker()]);
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

const privately = async (from: number, text: string, pattern: RegExp) =>
  await answerTo(stack, stack.say(from, text, "private"), pattern);

/** The menu of a chat as the sandbox keeps it: names and descriptions. */
async function menuOf(chatId: number, first: RegExp): Promise<{ command: string; description: string }[]> {
  return await stack.sandbox.waitFor(
    () => {
      const all = stack.sandbox.state().bots[0]?.commands ?? {};
      const [, menu] = Object.entries(all).find(([scope]) => scope.includes(`"chat_id":${chatId}`)) ?? [];
      return menu?.some(({ description }) => first.test(description)) ? [...menu] : undefined;
    },
    { what: `a menu for ${chatId} like ${first}` },
  );
}

test("a stranger's press is answered in the chat's language", async () => {
  const asked = stack.sandbox.sendAsUser(basicGroup, { from: bob.id, text: "/backup shop" });
  const dialog = await answerTo(stack, asked, /./);
  const label = dialog.reply_markup?.inline_keyboard[0]?.[0]?.text ?? "";
  expect((await stack.press(mallory.id, dialog, label)).toast).toBe("Вас нет в списке, поэтому ничего не происходит.");
});

test("/start greets by name and role, in the person's language", async () => {
  expect((await privately(alice.id, "/start", /Hello/)).text).toBe(
    "Hello, alice. I keep watch here; you are listed as admin. /help shows what I can do.",
  );
  expect((await privately(bob.id, "/start", /Здравствуйте/)).text).toContain("ваша роль – оператор");
});

test("/help lists the commands with their meaning", async () => {
  const help = await privately(alice.id, "/help", /What I can do for you/);
  for (const command of ["/backup – Back up now", "/status –", "/language –", "/whoami –"])
    expect(help.text).toContain(command);
  expect((await privately(bob.id, "/help", /Что я могу/)).text).toContain("/backup – Сделать резервную копию");
});

test("/whoami tells the ids that the configuration wants", async () => {
  expect((await privately(vera.id, "/whoami", /vera/)).text).toBe("vera: id 333, role viewer; chat 333");
  const inGroup = stack.sandbox.sendAsUser(opsChat, { from: alice.id, text: "/whoami" });
  expect((await answerTo(stack, inGroup, /alice/)).text).toBe(`alice: id 111, role admin; chat ${opsChat}`);
});

test("/status tells which processes live and how the backups stand", async () => {
  const before = await privately(alice.id, "/status", /Status/);
  expect(before.text).toMatch(/🟢 bot on test-host, up \d/);
  expect(before.text).toMatch(/🟢 worker on test-host, up \d/);
  await eventually("all storages were looked at", async () => {
    const { text } = await privately(alice.id, "/status", /Status/);
    return text?.includes("🔴 shop: never backed up") === true;
  });
  const dialog = await privately(alice.id, "/backup", /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  await becomes(stack, dialog, /is done/);
  expect((await privately(alice.id, "/status", /Status/)).text).toMatch(
    /🟡 shop: [\d.]+s ago, [\d.]+ kB · never proven/,
  );
  expect((await privately(bob.id, "/status", /Состояние/)).text).toMatch(/🟡 shop: [\d,]+.с назад, /);
});

test("/language changes the replies and the menu of that person, and outlives the bot", async () => {
  expect((await privately(vera.id, "/language", /I answer you in/)).text).toBe(
    "I answer you in English. To change it, send:\n/language en – English\n/language ru – Русский",
  );
  expect((await menuOf(vera.id, /What is alive/)).map(({ command }) => command)).toEqual(viewers);
  expect((await privately(vera.id, "/language ru", /по-русски/)).text).toBe("Теперь я отвечаю вам по-русски.");
  await menuOf(vera.id, /Что работает/);
  await privately(vera.id, "/backup", /Для этого нужна роль оператор/);
  await privately(vera.id, "/language klingon", /Язык моих ответов вам: Русский/);
  await bot.stop();
  bot = await stack.startBot();
  await privately(vera.id, "/whoami", /роль наблюдатель/);
  expect((await privately(vera.id, "/language EN", /in English/)).text).toBe("From now on I answer you in English.");
});

test("a command that changes something and reached the bot late is not carried out; one that only answers is", async () => {
  const late = (text: string) =>
    stack.sandbox.sendAsUser(vera.id, { from: vera.id, text, date: Math.floor(Date.now() / 1000) - 7200 });
  const refusal = await answerTo(stack, late("/language ru"), /reached me/);
  expect(refusal.text).toMatch(/^⏳ \/language reached me 2h.* after it was sent, so I have not carried it out\./);
  expect((await answerTo(stack, late("/whoami"), /vera/)).text).toBe("vera: id 333, role viewer; chat 333");
});

test.for(["/WHOAMI", "/WhoAmI@watch_bot"])("%s is understood in any case", async (text) => {
  expect((await privately(vera.id, text, /./)).text).toContain("vera: id 333");
});

test("the menu of each person has what the role may use; the groups' has everything", async () => {
  await privately(alice.id, "/start", /Hello/);
  await privately(bob.id, "/start", /Здравствуйте/);
  expect((await menuOf(alice.id, /Back up now/)).map(({ command }) => command)).toEqual(admins);
  await menuOf(bob.id, /Сделать резервную копию/);
  expect((await menuOf(vera.id, /./)).map(({ command }) => command)).toEqual(viewers);
  await menuOf(opsChat, /Back up now/);
  await menuOf(basicGroup, /Сделать резервную копию/);
});

test("/backup with nothing configured says how to begin", async () => {
  let backups: unknown;
  stack.configure((config) => {
    backups = config["backups"];
    config["backups"] = [];
  });
  await bot.stop();
  bot = await stack.startBot();
  await privately(alice.id, "/backup", /No backup is configured yet\. vakhta\.example\.yaml shows how\./);
  const { text } = await privately(alice.id, "/backup shop", /No backup is configured yet/);
  expect(text).not.toContain("There are");
  stack.configure((config) => {
    config["backups"] = backups;
  });
  await bot.stop();
  bot = await stack.startBot();
});

test("a card in a private chat is in the language that the person has chosen", async () => {
  await privately(alice.id, "/language ru", /по-русски/);
  const dialog = await privately(alice.id, "/backup", /Сделать копию shop сейчас/);
  await stack.press(alice.id, dialog, "Подтвердить");
  const card = await becomes(stack, dialog, /Копия shop готова/);
  expect(card.text).toMatch(/Заняло [\d,]+.с/);
  await privately(alice.id, "/language en", /in English/);
});

test("a dialog is in the language of who asks, its card in the chat's", async () => {
  const said = stack.sandbox.sendAsUser(basicGroup, { from: alice.id, text: "/backup shop" });
  const dialog = await answerTo(stack, said, /Back up shop now\?/);
  await stack.press(alice.id, dialog, "Confirm");
  const card = await becomes(stack, dialog, /Копия shop готова/);
  expect(card.text).toMatch(/Размер: [\d,]+ кБ, из [\d,]+ кБ/);
  expect(card.text).toContain("Посчитано: 55 строк в 2 таблицах");
  const inRussian = stack.sandbox.sendAsUser(opsChat, { from: bob.id, text: "/backup shop" });
  const russian = await answerTo(stack, inRussian, /Сделать копию shop сейчас\?/);
  expect(shown(russian).buttons).toEqual(["Подтвердить", "Отмена"]);
  await stack.press(bob.id, russian, "Подтвердить");
  await becomes(stack, russian, /Backup shop is done/);
});
