import type { Message } from "@grammyjs/types";
import { AppError } from "../core/errors.ts";
import { type Manifest, manifestFile, manifestSchema } from "../core/manifest.ts";
import { verifyReadable, verifyStored } from "../services/backup/verify.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";
import { alice, backupsTopic, type DemoWorld, opsChat } from "./world.ts";

/** What the story has shown, for the terminal. */
export interface StoryStep {
  readonly step:
    | "asked"
    | "confirmed"
    | "done"
    | "listed"
    | "stored"
    | "readable"
    | "alerted"
    | "fired"
    | "acknowledged"
    | "resolved"
    | "measured"
    | "drawn"
    | "rebooting"
    | "back";
  readonly detail: string;
}

const patienceMs = 120_000;

/**
 * The main job without a person: asks for a backup in the chat, confirms it, waits for the card, finds the backup in S3
 * by listing it there, reads every byte back and has the archive read to its end.
 * @throws AppError with the step that failed.
 */
export async function playStory(world: DemoWorld, name: string, tell: (step: StoryStep) => void): Promise<void> {
  const { sandbox, config, logger } = world;
  sandbox.sendAsUser(opsChat, { from: alice, text: `/backup ${name}`, message_thread_id: backupsTopic });
  const dialog = await botMessage(world, (message) => button(message, "Confirm") !== undefined, "the dialog");
  tell({ step: "asked", detail: `/backup ${name}` });
  const data = button(dialog, "Confirm");
  await sandbox.press(opsChat, { from: alice, message_id: dialog.message_id, data: data ?? "", waitMs: 10_000 });
  tell({ step: "confirmed", detail: "Confirm" });
  const card = await botMessage(
    world,
    (message) => message.message_id === dialog.message_id && isEnd(message),
    "the end of the run",
  );
  const first = card.text?.split("\n", 1)[0] ?? "";
  if (!first.startsWith("✅")) throw new AppError("internal", `the run did not succeed: ${card.text}`);
  tell({ step: "done", detail: first });
  const settings = config.storages["offsite"];
  if (!settings) throw new AppError("config", "the demo has no storage called offsite");
  const storage = createStorage("offsite", settings, { logger, host: config.worker.host });
  try {
    const { manifest, objects } = await findBackup(storage, name);
    tell({ step: "listed", detail: objects.join("\n") });
    await verifyStored(storage, manifest);
    tell({
      step: "stored",
      detail: manifest.parts.map((part) => `${part.file} ${part.bytes} bytes, SHA-256 ${part.sha256}`).join("\n"),
    });
    await verifyReadable(storage, manifest, manifest.encryption ? { identity: world.identity } : {});
    tell({ step: "readable", detail: manifest.parts.map((part) => part.file).join(", ") });
  } finally {
    await storage.close();
  }
}

/** The newest state of a message of the bot, as soon as it is like this. @throws when it does not become so in time. */
export async function botMessage(
  world: DemoWorld,
  matches: (message: Message) => boolean,
  what: string,
): Promise<Message> {
  return await world.sandbox.waitForMessage(opsChat, (message) => message.from?.is_bot === true && matches(message), {
    timeoutMs: patienceMs,
    what,
  });
}

/** What a button of this label sends. */
export function button(message: Message, label: string): string | undefined {
  const found = message.reply_markup?.inline_keyboard.flat().find((candidate) => candidate.text === label);
  return found && "callback_data" in found ? found.callback_data : undefined;
}

function isEnd(message: Message): boolean {
  return /^(✅|⚠️|❌|🚫)/u.test(message.text ?? "");
}

async function findBackup(storage: Storage, name: string): Promise<{ manifest: Manifest; objects: string[] }> {
  const objects: string[] = [];
  let manifestKey: string | undefined;
  for await (const object of storage.list(`${name}/`)) {
    objects.push(`${object.key} ${object.bytes} bytes`);
    if (object.key.endsWith(`/${manifestFile}`)) manifestKey = object.key;
  }
  if (manifestKey === undefined) throw new AppError("manifest", `no manifest below ${name}/ in ${storage.location}`);
  const chunks: Buffer[] = [];
  for await (const chunk of await storage.read(manifestKey)) chunks.push(chunk as Buffer);
  return { manifest: manifestSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8"))), objects };
}
