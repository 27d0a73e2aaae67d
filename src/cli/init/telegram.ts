import { AppError } from "../../core/errors.ts";
import { registerSecret } from "../../lib/redaction.ts";
import {
  asSignal,
  probeBot,
  probeUpdates,
  telegramApi,
  telegramError,
  telegramFailure,
} from "../../services/probes/telegram.ts";
import { type InitContext, say, tellFinding } from "./context.ts";
import type { Answers } from "./files.ts";
import { codeLifetimeMs, type Expectation, newCode, type Pairing, PairingListener } from "./pairing.ts";

interface Bot {
  readonly token: string;
  readonly apiRoot: string;
  readonly username: string;
}

/** Asks for the token until Telegram knows it and nobody else gets the bot's updates. */
export async function askBot(context: InitContext, apiRoot: string): Promise<Bot> {
  const { prompter, signal } = context;
  prompter.tell(say(context, "init-bot-hint"));
  for (;;) {
    const token = await prompter.secret({
      message: say(context, "init-bot-token"),
      validate: (text) => (/^\d+:[\w-]+$/.test(text) ? undefined : say(context, "config-problem-bot-token")),
    });
    registerSecret(token);
    const access = { token, apiRoot };
    const found = await prompter.during(say(context, "init-trying"), () => probeBot(access, signal));
    signal.throwIfAborted();
    tellFinding(context, found);
    if (found.status !== "ok" || found.username === undefined) continue;
    const updates = await probeUpdates({ ...access, mode: "polling", chats: {}, users: [] }, signal);
    if (updates.status !== "ok") tellFinding(context, updates);
    else if (!(await othersPoll(context, access))) return { ...access, username: found.username };
  }
}

/** Seconds in which another program that fetches the updates comes back after our call has pushed it out. */
const rivalSeconds = 3;

/** True when another program fetches the updates; says so. Nothing is confirmed: what waits goes on waiting. */
async function othersPoll(context: InitContext, access: { token: string; apiRoot: string }): Promise<boolean> {
  const { prompter, signal } = context;
  try {
    const poll = () => telegramApi(access).getUpdates({ limit: 1, timeout: rivalSeconds }, asSignal(signal));
    await prompter.during(say(context, "init-looking-for-rivals"), poll);
    return false;
  } catch (error) {
    signal.throwIfAborted();
    tellFinding(context, telegramFailure(error, access.apiRoot));
    return true;
  }
}

/** Finds out the first admin and the chat by one-time codes. */
export async function pairPeople(context: InitContext, bot: Bot): Promise<Pick<Answers, "admin" | "chat">> {
  const { prompter, clock, signal } = context;
  const api = telegramApi(bot);
  const listener = new PairingListener({ api, apiRoot: bot.apiRoot, username: bot.username, clock, signal });
  const person = await pair(context, listener, bot, { where: "private" });
  if (!person) throw new AppError("cancelled", "nobody was paired");
  await api.sendMessage(person.chat.id, say(context, "init-reply-admin"));
  prompter.tell(say(context, "init-paired-admin", { name: person.user.name, id: String(person.user.id) }), "success");
  const group = await pairGroup(context, listener, bot, person.user.id);
  await listener.finish();
  const { threadId } = group ?? {};
  return {
    admin: person.user,
    chat: group ? { id: group.chat.id, ...(threadId === undefined ? {} : { threadId }) } : { id: person.chat.id },
  };
}

/** The group or topic for the cards; without one they come into the private chat. */
async function pairGroup(context: InitContext, listener: PairingListener, bot: Bot, admin: number) {
  const { prompter } = context;
  const choices = [
    { value: "group", label: say(context, "init-place-group") },
    { value: "private", label: say(context, "init-place-private") },
  ] as const;
  let place: "group" | "private" = await prompter.choose(say(context, "init-place"), choices, "group");
  while (place === "group") {
    const group = await pair(context, listener, bot, { where: "group", from: admin });
    if (!group) return undefined;
    try {
      const thread = group.threadId === undefined ? {} : { message_thread_id: group.threadId };
      await telegramApi(bot).sendMessage(group.chat.id, say(context, "init-reply-group"), thread);
      prompter.tell(say(context, "init-paired-group", { title: group.chat.title }), "success");
      return group;
    } catch (error) {
      const { message } = telegramError(error, bot.apiRoot);
      prompter.tell(say(context, "doctor-chat-unreachable", { reason: message }), "error");
      place = await prompter.choose(say(context, "init-place"), choices, "group");
    }
  }
  return undefined;
}

/** Shows a code and waits for it; a new one for as long as the person wants. */
async function pair(
  context: InitContext,
  listener: PairingListener,
  bot: Bot,
  expectation: Pick<Expectation, "where" | "from">,
): Promise<Pairing | undefined> {
  const { prompter } = context;
  for (;;) {
    const code = newCode();
    const { where } = expectation;
    // "startgroup" lets one choose a group, adds the bot and sends the command there.
    const link = `https://t.me/${bot.username}?${where === "private" ? "start" : "startgroup"}=${code}`;
    const command = where === "private" ? `/start ${code}` : `/start@${bot.username} ${code}`;
    prompter.tell(say(context, `init-pair-${where}`, { username: bot.username, command, link }));
    const minutes = codeLifetimeMs / 60_000;
    const onRefused: Expectation["onRefused"] = (reason) => {
      prompter.tell(say(context, `init-refused-${reason}`), "warning");
    };
    const waiting = say(context, "init-pair-waiting", { minutes });
    const wait = () => listener.wait({ ...expectation, code, onRefused });
    const found = await prompter.during(waiting, wait).catch((error: unknown) => {
      const rival = error instanceof AppError && error.context.code === 409;
      throw rival ? new AppError("telegram", say(context, "doctor-telegram-conflict"), { cause: error }) : error;
    });
    if (found) return found;
    prompter.tell(say(context, "init-pair-expired"), "warning");
    if (!(await prompter.confirm(say(context, "init-pair-again"), true))) return undefined;
  }
}
