import type { CallbackAnswer, PressAsUser, PressResult } from "./api.ts";
import { SandboxError } from "./errors.ts";
import { nameOf } from "./messages.ts";
import { personIn } from "./people.ts";
import type { ChatRecord, StoredMessage } from "./store.ts";
import type { World } from "./world.ts";

/** A person presses a button. With `waitMs` (real time) the bot's answer is waited for. */
export async function press(world: World, record: ChatRecord, input: PressAsUser): Promise<PressResult> {
  const user = personIn(world, record, input.from);
  const stored = record.messages.get(input.message_id);
  const button = stored && buttonOf(stored, input.data);
  if (!input.force && !stored) throw new SandboxError(`message ${input.message_id} is unknown`, 404);
  if (!input.force && button === undefined)
    throw new SandboxError(`message ${input.message_id} has no button with the data ${JSON.stringify(input.data)}`);
  const botId =
    stored?.botId ?? record.botId ?? [...world.store.bots.keys()].find((id) => world.store.isMember(record, id));
  if (botId === undefined) throw new SandboxError("no bot is in the chat");
  const id = `${BigInt(user.id) * 4_294_967_296n + BigInt(world.queries.size + 1)}`;
  world.queries.set(id, {
    id,
    botId,
    userId: user.id,
    chatId: record.chat.id,
    messageId: input.message_id,
    threadId: stored?.message.message_thread_id,
    askedAt: world.clock.now() - (input.ageMs ?? 0),
    answered: false,
  });
  const thread = stored?.message.message_thread_id;
  world.journal.write({
    kind: "press",
    chat_id: record.chat.id,
    message_id: input.message_id,
    by: nameOf(user),
    button: button ?? input.data,
    ...(thread === undefined ? {} : { message_thread_id: thread }),
  });
  const answered = input.waitMs ? answerWithin(world, id, input.waitMs) : undefined;
  world.updates.get(botId)?.push(
    "callback_query",
    {
      id,
      from: user,
      chat_instance: record.instance,
      data: input.data,
      message: stored ? stored.message : { chat: record.chat, message_id: input.message_id, date: 0 },
    },
    world.clock.now(),
  );
  const answer = await answered;
  return { callback_query_id: id, ...(answer ? { answer } : {}) };
}

/** The newest message of the chat with a button of this label, and the button's data. Throws `SandboxError` when there is none. */
export function findButton(record: ChatRecord, label: string): { message_id: number; data: string } {
  for (const { message } of [...record.messages.values()].reverse()) {
    for (const button of message.reply_markup?.inline_keyboard.flat() ?? []) {
      if (button.text === label && "callback_data" in button)
        return { message_id: message.message_id, data: button.callback_data };
    }
  }
  throw new SandboxError(`no message has the button ${JSON.stringify(label)}`, 404);
}

function buttonOf(stored: StoredMessage, data: string): string | undefined {
  const buttons = stored.message.reply_markup?.inline_keyboard.flat() ?? [];
  return buttons.find((button) => "callback_data" in button && button.callback_data === data)?.text;
}

function answerWithin(world: World, queryId: string, ms: number): Promise<CallbackAnswer | undefined> {
  return new Promise((resolve) => {
    const finish = (answer: CallbackAnswer | undefined): void => {
      clearTimeout(timer);
      stop();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), ms);
    const stop = world.journal.onEvent(({ event }) => {
      if (event.type === "callback_answer" && event.callback_query_id === queryId) finish(event.answer);
    });
  });
}
