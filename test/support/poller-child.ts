import { Api } from "grammy";
import { Redis } from "ioredis";
import { pino } from "pino";
import { Poller } from "../../src/bot/poller.ts";
import { Leases } from "../../src/state/leases.ts";
import { Keys } from "../../src/state/redis.ts";

/** A process that does nothing but poll: it can be frozen and killed. Says what it has got by a line each. */
const [redisUrl = "", prefix = "", apiRoot = "", token = "", mode = ""] = process.argv.slice(2);
const logger = pino({ level: "silent" });
const poller = new Poller({
  api: new Api(token, { apiRoot }),
  leases: new Leases(new Redis(redisUrl, { maxRetriesPerRequest: null }), new Keys(prefix), logger),
  holder: `child ${process.pid}`,
  logger,
  allowedUpdates: ["message"],
  handle: async (update) => {
    process.stdout.write(`got ${update.message?.text ?? ""}\n`);
    if (mode === "hang") await new Promise(() => undefined);
  },
});
poller.start();
