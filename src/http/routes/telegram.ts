import type { FastifyPluginAsync } from "fastify";
import { z } from "zod";
import { sameSecret } from "../auth.ts";

export interface TelegramWebhook {
  readonly secretToken: string;
  /** Handles one update; Telegram repeats it when this rejects. */
  handle(update: { readonly update_id: number }): Promise<void>;
}

const updateSchema = z.looseObject({ update_id: z.number().int() });

/** `/telegram`: updates in webhook mode, accepted only with the secret token that Telegram was given. */
export function telegramRoutes(webhook: TelegramWebhook): FastifyPluginAsync {
  return async (server) => {
    server.post("/telegram", async (request, reply) => {
      const given = request.headers["x-telegram-bot-api-secret-token"];
      if (!sameSecret(typeof given === "string" ? given : undefined, webhook.secretToken))
        return await reply.status(401).send({ error: "wrong secret token" });
      const update = updateSchema.safeParse(request.body);
      if (!update.success) return await reply.status(400).send({ error: "not an update" });
      await webhook.handle(update.data);
      return await reply.send({ ok: true });
    });
  };
}
