import type { AddressInfo } from "node:net";
import { createControl, type SandboxControl } from "./control.ts";
import { dispatch } from "./dispatch.ts";
import type { SandboxOptions } from "./options.ts";
import { Params, readJsonBody } from "./params.ts";
import { createServer } from "./server.ts";
import { createWorld, type World } from "./world.ts";

export type { CallbackQuery, Chat, Message, Update, User } from "@grammyjs/types";
export type * from "./api.ts";
export type { ClockOptions } from "./clock.ts";
export type { ChatKey, SandboxControl } from "./control.ts";
export { SandboxError } from "./errors.ts";
export type { ActiveFault } from "./faults.ts";
export type { NumberedEvent } from "./journal.ts";
export type { BotOptions, ChatOptions, LimitOptions, SandboxOptions } from "./options.ts";
export type { MemberStatus } from "./store.ts";

/** A running sandbox. */
export interface TelegramSandbox extends SandboxControl {
  /** Where the web chat and the sandbox's own surface are, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** What to give a bot library as the address of the Bot API. */
  readonly apiRoot: string;
  /** Stops everything; open connections are cut. */
  close(): Promise<void>;
}

/** Starts a local Bot API server with its people and chats. Rejects when the port is taken or the options contradict each other. */
export async function startTelegramSandbox(options: SandboxOptions): Promise<TelegramSandbox> {
  const world = createWorld(options);
  const control = createControl(world);
  const server = await createServer(world, control);
  answerFromWebhooks(world);
  const host = options.host ?? "127.0.0.1";
  await server.listen({ port: options.port ?? 0, host });
  const { port } = server.server.address() as AddressInfo;
  const url = `http://${host}:${port}`;
  return {
    ...control,
    url,
    port,
    apiRoot: url,
    async close() {
      for (const webhook of world.webhooks.values()) webhook.set("", "", 0);
      await server.close();
    },
  };
}

/** A bot may answer an update with a method call instead of making one; its result is not told to the bot. */
function answerFromWebhooks(world: World): void {
  for (const [botId, webhook] of world.webhooks) {
    webhook.onReply = async (body) => {
      const bot = world.store.bots.get(botId);
      const { method, ...rest } = body;
      if (!bot || typeof method !== "string") return;
      const params = new Params();
      readJsonBody(params, rest);
      await dispatch(world, bot, method, params, new AbortController().signal);
    };
  }
}
