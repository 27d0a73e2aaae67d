/**
 * Draws the pictures of `docs/images` anew, from the demo's own chat on a phone: `node scripts/pictures.ts [folder] [--only
 * backup|backups|restore|alert|servers|storm]`. To be run when the wording of a card changes; takes Chromium and a few minutes: a storm waits for room in the chat.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Message } from "@grammyjs/types";
import { type Browser, chromium, type Page } from "playwright-core";
import { botMessage, button } from "../src/demo/story.ts";
import { alertsTopic, alice, backupsTopic, type DemoWorld, opsChat, startWorld } from "../src/demo/world.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: "string" } } });
const folder = positionals[0] ?? join(import.meta.dirname, "../docs/images");
/** Milliseconds after which a page is still: its animations are over. */
const stillMs = 1500;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const world = await startWorld({ port: 0, say: print });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const pictures = {
    backup: backupPicture,
    backups: backupsPicture,
    restore: restorePicture,
    alert: alertPicture,
    servers: serverPictures,
    storm: stormPicture,
  };
  for (const [name, draw] of Object.entries(pictures)) {
    if (values.only === undefined || values.only === name) await draw(world, browser);
  }
} finally {
  await browser.close();
  await world.stop();
}

/** The dialog, the run, and its end: three phones beside each other. */
async function backupPicture(demo: DemoWorld, by: Browser): Promise<void> {
  await lookedAt(demo);
  say(demo, "/backup shop");
  const dialog = await botMessage(demo, (message) => button(message, "Confirm") !== undefined, "the dialog");
  const phones = [await phone(demo, by, "light", backupsTopic)];
  // Else it is over before anybody has seen it run.
  const calm = beBusy();
  const running = await open(demo, by, "light", backupsTopic);
  await press(demo, dialog, "Confirm");
  await running.locator("article", { hasText: /Read: [\d.]+ MB/ }).waitFor();
  phones.push(await running.screenshot());
  await running.context().close();
  await calm();
  await newest(demo, dialog, /is done/);
  phones.push(await phone(demo, by, "dark", backupsTopic));
  await save(by, "webchat.png", await besideEachOther(by, phones));
}

/** Of one backup everything that is known, and the overview. */
async function backupsPicture(demo: DemoWorld, by: Browser): Promise<void> {
  say(demo, "/backups");
  const view = await botMessage(demo, (message) => message.text?.startsWith("Backups:") === true, "the overview");
  const phones = [await phone(demo, by, "light", backupsTopic)];
  await press(demo, view, /shop/);
  await press(demo, await newest(demo, view, /newest first/), "1");
  await press(demo, await newest(demo, view, /^shop, /), "Verify");
  const question = await botMessage(demo, ({ text = "" }) => text.includes("How deep?"), "the question");
  await press(demo, question, "Test-restore");
  // By itself, when the verification has ended.
  await newest(demo, view, /^shop, [\s\S]*🔎/);
  phones.push(await oneMessage(demo, by, view));
  await save(by, "backups.png", await besideEachOther(by, phones));
}

/** What would happen; and the end of it. */
async function restorePicture(demo: DemoWorld, by: Browser): Promise<void> {
  const asked = say(demo, "/restore shop");
  const dialog = await botMessage(demo, (message) => message.message_id > asked.message_id, "the dialog");
  await press(demo, dialog, "1");
  await press(demo, await newest(demo, dialog, /Where to/), "In place");
  const card = await newest(demo, dialog, /Restore shop\?/);
  const phones = [await oneMessage(demo, by, card, "light")];
  await press(demo, card, "Confirm");
  const question = await botMessage(
    demo,
    ({ text = "" }) => /reply to this message with the name/.test(text),
    "the name",
  );
  const { message_id: id } = question;
  demo.sandbox.sendAsUser(opsChat, {
    from: alice,
    text: "shop",
    reply_to_message_id: id,
    message_thread_id: backupsTopic,
  });
  const done = await botMessage(demo, ({ text = "" }) => text.includes("shop is restored"), "the end");
  phones.push(await oneMessage(demo, by, done));
  await save(by, "restore.png", await besideEachOther(by, phones));
}

/** The fleet and a day of one server; a reboot under way, and its end. */
async function serverPictures(demo: DemoWorld, by: Browser): Promise<void> {
  const after = (asked: Message) => (message: Message) => message.message_id > asked.message_id;
  const asked = say(demo, "/stats");
  const fleet = await botMessage(
    demo,
    // By itself, when this machine has been looked at too.
    (message) => after(asked)(message) && /web-1/.test(message.text ?? "") && !/not looked at/.test(message.text ?? ""),
    "the table",
  );
  const phones = [await oneMessage(demo, by, fleet, "light")];
  const wanted = say(demo, "/stats web-2 24h");
  const chart = await botMessage(demo, (message) => after(wanted)(message) && message.photo !== undefined, "the chart");
  phones.push(await oneMessage(demo, by, chart, "dark"));
  await save(by, "stats.png", await besideEachOther(by, phones));
  const order = say(demo, "/reboot web-2");
  const dialog = await botMessage(
    demo,
    (message) => after(order)(message) && button(message, "Soft reboot") !== undefined,
    "the choice",
  );
  await press(demo, dialog, "Soft reboot");
  const card = await botMessage(
    demo,
    (message) => after(dialog)(message) && button(message, "Confirm") !== undefined,
    "the question",
  );
  const reboot = [await oneMessage(demo, by, card, "light")];
  await press(demo, card, "Confirm");
  await newest(demo, card, /✔.*going down/);
  reboot.push(await oneMessage(demo, by, card, "light"));
  const isEnd = ({ text = "" }: Message) => text.startsWith("✅") && text.includes("checks green");
  const end = await botMessage(demo, (message) => after(card)(message) && isEnd(message), "the end");
  reboot.push(await oneMessage(demo, by, end, "dark"));
  await save(by, "reboot.png", await besideEachOther(by, reboot));
}

async function alertPicture(demo: DemoWorld, by: Browser): Promise<void> {
  const title = "PostgreSQL of db-2 does not answer";
  const labels = { alertname: "PostgresDown", severity: "critical", server: "db-2", env: "prod" };
  const runbook = { runbook_url: "https://runbooks.example.org/postgres" };
  await post(demo, [
    {
      labels,
      annotations: {
        summary: title,
        description: "No connection for 2 minutes; the shop takes no orders.",
        ...runbook,
      },
    },
  ]);
  await save(by, "alert.png", await card(demo, by, title));
}

/** Three hundred warnings and more criticals than get cards of their own; a few of them are over already. */
async function stormPicture(demo: DemoWorld, by: Browser): Promise<void> {
  const alertOf = (alertname: string, severity: string, summary: string, more: object): object => ({
    labels: { alertname, severity, env: "prod", ...more },
    annotations: { summary },
  });
  const many = (count: number, make: (number: number) => object): object[] =>
    Array.from({ length: count }, (_, index) => make(index + 1));
  const expired = (n: number): object =>
    alertOf("CertExpired", "critical", "Certificate has expired", { server: `web-${n}` });
  const stopped = (n: number): object =>
    alertOf("ReplicationStopped", "critical", "Replication has stopped", { server: `db-${n}` });
  // Those that make the storm and as many afterwards have cards of their own: the rest of them is on its card.
  const servers = [...many(39, expired), ...many(3, stopped), ...many(4, (n) => expired(39 + n))];
  const targets = many(300, (n) =>
    alertOf("TargetDown", "warning", `Target ${n} is down`, { job: `exporter-${n % 9}`, instance: `t-${n}` }),
  );
  await post(demo, [...servers, ...targets]);
  await post(demo, targets.slice(0, 12), "resolved");
  // The chat's budget has it wait for the cards of the first criticals.
  const isStorm = ({ text = "" }: Message): boolean => /12 resolved/.test(text) && /critical/.test(text);
  const storm = await demo.sandbox.waitForMessage(opsChat, isStorm, { timeoutMs: 400_000, what: "the storm" });
  await save(by, "storm.png", await card(demo, by, (storm.text ?? "").split("\n", 1)[0] ?? ""));
}

/** Keeps every processor busy until called off. */
function beBusy(): () => Promise<void> {
  const workers = Array.from({ length: 4 * availableParallelism() }, () => new Worker("for (;;);", { eval: true }));
  return async () => {
    for (const worker of workers) await worker.terminate();
  };
}

function say(demo: DemoWorld, text: string): Message {
  return demo.sandbox.sendAsUser(opsChat, { from: alice, text, message_thread_id: backupsTopic });
}

async function press({ sandbox }: DemoWorld, message: Message, label: string | RegExp): Promise<void> {
  const found = message.reply_markup?.inline_keyboard
    .flat()
    .find(({ text }) => (typeof label === "string" ? text === label : label.test(text)));
  const data = found && "callback_data" in found ? found.callback_data : "";
  await sandbox.press(opsChat, { from: alice, message_id: message.message_id, data, waitMs: 10_000 });
}

/** A message, as soon as it reads so. */
async function newest(demo: DemoWorld, { message_id: id }: Message, text: RegExp): Promise<Message> {
  return await botMessage(demo, (message) => message.message_id === id && text.test(message.text ?? ""), String(text));
}

/** Until all storages were looked at nobody says that there is no backup. */
async function lookedAt(demo: DemoWorld): Promise<void> {
  for (;;) {
    const asked = demo.sandbox.sendAsUser(alice, { from: alice, text: "/status" });
    const { text = "" } = await demo.sandbox.waitForMessage(
      alice,
      (message) => message.from?.is_bot === true && message.message_id > asked.message_id,
      { timeoutMs: 60_000, what: "the status" },
    );
    if (/shop: never backed up/.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, stillMs));
  }
}

async function post({ hooks }: DemoWorld, alerts: readonly object[], status = "firing"): Promise<void> {
  const endsAt = status === "resolved" ? new Date().toISOString() : "0001-01-01T00:00:00Z";
  const startsAt = new Date(Date.now() - 60_000).toISOString().replace(/\d\d\.\d{3}Z$/, "00.000Z");
  const generatorURL = "http://prometheus.example.org:9090/graph";
  const body = {
    version: "4",
    groupKey: "{}",
    status,
    receiver: "vakhta",
    externalURL: "http://alertmanager.example.org:9093",
    alerts: alerts.map((alert) => ({ ...alert, status, startsAt, endsAt, generatorURL })),
  };
  const headers = { authorization: `Bearer ${hooks.token}`, "content-type": "application/json" };
  const answer = await fetch(`${hooks.url}/hooks/alertmanager`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the webhook answers ${answer.status}: ${await answer.text()}`);
}

/** The chat's newest messages on a phone. */
async function open(demo: DemoWorld, by: Browser, theme: string, topic: number, height = 760): Promise<Page> {
  const context = await by.newContext({ viewport: { width: 390, height }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(`${demo.sandbox.url}/?chat=${opsChat}&thread=${topic}&as=${alice}&theme=${theme}`);
  await page.locator("article").last().waitFor();
  await page.waitForTimeout(stillMs);
  return page;
}

async function phone(demo: DemoWorld, by: Browser, theme: "light" | "dark", topic: number): Promise<Buffer> {
  const page = await open(demo, by, theme, topic);
  const picture = await page.screenshot();
  await page.context().close();
  return picture;
}

/** One message alone. */
async function oneMessage(
  demo: DemoWorld,
  by: Browser,
  { message_id: id }: Message,
  theme: "light" | "dark" = "dark",
): Promise<Buffer> {
  const page = await open(demo, by, theme, backupsTopic, 1600);
  const picture = await page.locator(`article[data-message-id="${id}"]`).screenshot();
  await page.context().close();
  return picture;
}

/** The card alone that has this title. */
async function card(demo: DemoWorld, by: Browser, title: string): Promise<Buffer> {
  await botMessage(demo, ({ text = "" }) => text.includes(title), title);
  // High enough for a card whole.
  const page = await open(demo, by, "light", alertsTopic, 1400);
  const picture = await page.locator("article", { hasText: title }).last().screenshot();
  await page.context().close();
  return picture;
}

async function besideEachOther(by: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await by.newPage({ viewport: { width: 40 + pictures.length * 510, height: 900 }, deviceScaleFactor: 1 });
  const images = pictures.map((bytes) => `<img src="data:image/png;base64,${bytes.toString("base64")}">`).join("");
  await page.setContent(`<style>
    body { margin: 0; padding: 25px; display: inline-flex; align-items: flex-start; gap: 25px; background: #fff }
    img { width: 480px; border-radius: 24px; box-shadow: 0 1px 8px #0005 }
  </style>${images}`);
  const picture = await page.locator("body").screenshot();
  await page.close();
  return picture;
}

/** With fewer shades, which nobody sees and which makes a file half as large. */
async function save(by: Browser, name: string, picture: Buffer): Promise<void> {
  const page = await by.newPage();
  const source = `data:image/png;base64,${picture.toString("base64")}`;
  const data = await page.evaluate<string>(`(async () => {
    const image = new Image();
    image.src = ${JSON.stringify(source)};
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = Math.min(255, Math.round(pixels.data[i] / 8) * 8);
    context.putImageData(pixels, 0, 0);
    return canvas.toDataURL("image/png");
  })()`);
  await page.close();
  writeFileSync(join(folder, name), Buffer.from(data.slice(data.indexOf(",") + 1), "base64"));
  print(join(folder, name));
}
