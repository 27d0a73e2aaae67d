import type { Message } from "@grammyjs/types";
import type {
  ApiCall,
  Fault,
  PressAsUser,
  PressResult,
  SandboxChat,
  SandboxState,
  SandboxTopic,
  SendAsUser,
  TranscriptEntry,
} from "./api.ts";
import { SandboxError } from "./errors.ts";
import type { ActiveFault } from "./faults.ts";
import { changeMember, changeTopic, migrate, openTopic } from "./groups.ts";
import type { NumberedEvent } from "./journal.ts";
import { forViewers } from "./messages.ts";
import { chatByKey, deleteAsUser, sendAsUser } from "./people.ts";
import { findButton, press } from "./presses.ts";
import type { ChatRecord, FileRecord, MemberStatus } from "./store.ts";
import { transcriptText } from "./transcript.ts";
import { waitFor } from "./wait.ts";
import type { World } from "./world.ts";

/** How many of a chat's messages the state shows. */
const STATE_MESSAGES = 200;
const FAULT_KINDS = new Set<string>(["blackhole", "reset", "lost-answer", "status", "retry-after", "slow"]);

export type ChatKey = number | string;

/**
 * Everything a test, a demo or the web chat can do to a sandbox, without HTTP.
 * A chat is named by its id; a person's id is their private chat with the first bot, `<user>@<bot>` with another one.
 * Methods throw `SandboxError` on unknown ids and on what a real client would not let people do.
 */
export interface SandboxControl {
  /** The chats, people, bots and newest messages. */
  state(): SandboxState;
  /** A person writes; resolves to the message as sent. */
  sendAsUser(chat: ChatKey, message: SendAsUser): Message;
  /** A person presses an inline button. */
  press(chat: ChatKey, press: PressAsUser): Promise<PressResult>;
  /** A person presses the newest button with this label; options as for `press`. */
  pressButton(
    chat: ChatKey,
    from: number,
    label: string,
    options?: Pick<PressAsUser, "ageMs" | "waitMs">,
  ): Promise<PressResult>;
  deleteAsUser(chat: ChatKey, messageId: number, from: number): void;
  /** Changes somebody's membership; "kicked" of the bot in a private chat blocks it. */
  setMember(chat: ChatKey, userId: number, status: MemberStatus): void;
  /** The group becomes a supergroup; returns the new id. */
  migrate(chat: ChatKey): number;
  openTopic(chat: ChatKey, name: string): SandboxTopic;
  changeTopic(chat: ChatKey, threadId: number, change: { closed: boolean } | "deleted"): void;
  /** What happened, of one chat or of all. */
  transcript(chat?: ChatKey): TranscriptEntry[];
  transcriptText(chat?: ChatKey): string;
  /** The messages that are in the chat now, oldest first. */
  messages(chat: ChatKey): Message[];
  /** Bot API calls, all or those after the given sequence number. */
  calls(since?: number): ApiCall[];
  /** Returns the fault's id. */
  addFault(fault: Fault): string;
  removeFault(id: string): void;
  clearFaults(): void;
  faults(): ActiveFault[];
  now(): Date;
  /** Moves the clock forward; returns the new time. */
  advance(ms: number): Date;
  setTime(now: Date): Date;
  /** Updates of the bot (default: the first) that wait to be fetched. */
  pendingUpdates(botId?: number): number;
  /** Whether the bot (default: the first) waits in getUpdates at this moment; `waitFor` can wait for it. */
  isPolled(botId?: number): boolean;
  file(fileId: string): Readonly<FileRecord>;
  /** Calls the listener with every new event; returns how to stop. */
  onEvent(listener: (event: NumberedEvent) => void): () => void;
  eventsAfter(seq: number): NumberedEvent[];
  /**
   * Resolves with the first value that `probe` returns that is neither undefined, null nor false; it is asked now and after each change.
   * Rejects after `timeoutMs` of real time (default 5000) with the transcript in the message.
   */
  waitFor<T>(
    probe: () => T | undefined | null | false,
    options?: { readonly timeoutMs?: number; readonly what?: string },
  ): Promise<T>;
  /** Waits for a message that is in the chat and satisfies the predicate; the newest such. */
  waitForMessage(
    chat: ChatKey,
    predicate: (message: Message) => boolean,
    options?: { readonly timeoutMs?: number; readonly what?: string },
  ): Promise<Message>;
  /** Waits for a Bot API call of this method, recorded after `since`. */
  waitForCall(
    method: string,
    predicate?: (call: ApiCall) => boolean,
    options?: { readonly timeoutMs?: number; readonly since?: number },
  ): Promise<ApiCall>;
}

export function createControl(world: World): SandboxControl {
  const { clock, journal, faults } = world;
  const chat = (key: ChatKey): ChatRecord => chatByKey(world, key);
  const transcript = (key?: ChatKey): TranscriptEntry[] =>
    journal.transcript(key === undefined ? undefined : chat(key).chat.id);
  const text = (key?: ChatKey): string => transcriptText(world.store, transcript(key));
  const messages = (key: ChatKey): Message[] => [...chat(key).messages.values()].map(forViewers);
  const waitOptions = { journal, report: () => text() };

  const control: SandboxControl = {
    state: () => stateOf(world),
    sendAsUser: (key, message) => sendAsUser(world, chat(key), message),
    press: async (key, input) => press(world, chat(key), input),
    pressButton: async (key, from, label, options) =>
      press(world, chat(key), { ...options, from, ...findButton(chat(key), label) }),
    deleteAsUser: (key, messageId, from) => deleteAsUser(world, chat(key), messageId, from),
    setMember: (key, userId, status) => changeMember(world, chat(key), userId, status),
    migrate: (key) => migrate(world, chat(key)),
    openTopic: (key, name) => openTopic(world, chat(key), name),
    changeTopic: (key, threadId, change) => changeTopic(world, chat(key), threadId, change),
    transcript,
    transcriptText: text,
    messages,
    calls: (since) => journal.calls(since),
    addFault(fault) {
      if (!FAULT_KINDS.has(fault.kind))
        throw new SandboxError(
          `fault kind ${JSON.stringify(fault.kind)} is unknown; there are ${[...FAULT_KINDS].join(", ")}`,
        );
      return faults.add(fault);
    },
    removeFault(id) {
      if (!faults.remove(id)) throw new SandboxError(`fault ${id} is unknown`, 404);
    },
    clearFaults: () => faults.clear(),
    faults: () => faults.list(),
    now: () => new Date(clock.now()),
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0)
        throw new SandboxError("advanceMs must be a number of milliseconds, 0 or more");
      clock.advance(ms);
      journal.emit({ type: "clock", now: clock.iso() });
      return new Date(clock.now());
    },
    setTime(now) {
      if (Number.isNaN(now.getTime())) throw new SandboxError("now must be a date in ISO 8601");
      clock.set(now);
      journal.emit({ type: "clock", now: clock.iso() });
      return new Date(clock.now());
    },
    pendingUpdates: (botId = [...world.updates.keys()][0] ?? 0) => world.updates.get(botId)?.count() ?? 0,
    isPolled: (botId = [...world.updates.keys()][0] ?? 0) => world.updates.get(botId)?.polled ?? false,
    file(fileId) {
      const file = world.store.files.get(fileId);
      if (!file) throw new SandboxError(`file ${fileId} is unknown`, 404);
      return file;
    },
    onEvent: (listener) => journal.onEvent(listener),
    eventsAfter: (seq) => journal.eventsAfter(seq),
    waitFor: (probe, options) => waitFor(probe, { ...waitOptions, ...options }),
    waitForMessage: (key, predicate, options) =>
      waitFor(() => newestMessage(chat(key), predicate), {
        ...waitOptions,
        what: `a message in chat ${key}`,
        ...options,
      }),
    waitForCall: (method, predicate = () => true, options = {}) =>
      waitFor(() => journal.calls(options.since).find((call) => call.method === method && predicate(call)), {
        ...waitOptions,
        what: `a call of ${method}`,
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      }),
  };
  return control;
}

function newestMessage(record: ChatRecord, predicate: (message: Message) => boolean): Message | undefined {
  // copied only when found: this is asked after every change
  const found = [...record.messages.values()].findLast((stored) =>
    predicate(stored.client ? forViewers(stored) : stored.message),
  );
  return found && forViewers(found);
}

function stateOf(world: World): SandboxState {
  const records = [...world.store.chats.values()];
  return {
    now: world.clock.iso(),
    users: [...world.store.users.values()],
    bots: [...world.store.bots.values()].map((bot) => ({
      user: bot.user,
      privacyMode: bot.privacyMode,
      commands: Object.fromEntries(bot.commands),
    })),
    chats: records.map((record) => chatState(world, record)),
    messages: Object.fromEntries(
      records.map((record) => [record.key, [...record.messages.values()].slice(-STATE_MESSAGES).map(forViewers)]),
    ),
    seq: world.journal.seq,
  };
}

function chatState(world: World, record: ChatRecord): SandboxChat {
  const members = [...record.members.keys()].filter((id) => world.store.isMember(record, id));
  return {
    chat: record.chat,
    topics: [...record.topics.values()].map(({ message_thread_id, name, closed }) => ({
      message_thread_id,
      name,
      ...(closed ? { closed } : {}),
    })),
    members,
    administrators: members.filter((id) => world.store.isAdministrator(record, id)),
  };
}
