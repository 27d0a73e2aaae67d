import { once } from "node:events";
import { createServer } from "node:net";
import { pino } from "pino";
import type { BotConfig } from "../../src/app/config.ts";
import { loadConfig } from "../../src/app/config.ts";
import { createDeps } from "../../src/app/deps.ts";
import { type RunningBot, runBot } from "../../src/app/run-bot.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { Stack } from "./stack.ts";

/** A clock that runs with the machine's and can be moved ahead. */
export class MovedClock implements Clock {
  #aheadMs = 0;
  #stoppedAt: number | undefined;

  now(): Date {
    return new Date((this.#stoppedAt ?? Date.now()) + this.#aheadMs);
  }

  /** From here on it only goes where it is moved to: for what depends on how much time has passed, and on no more. */
  stop(): void {
    this.#stoppedAt ??= Date.now();
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** The bot within the test's own process, so that its clock can be moved. `change` gets the validated configuration. */
export async function startBotInProcess(
  stack: Stack,
  options: { clock?: Clock; change?: (config: BotConfig) => BotConfig } = {},
): Promise<RunningBot> {
  const { config: loaded } = loadConfig({ path: stack.configFile, env: {}, requires: ["telegram", "redis"] });
  const config = options.change?.(loaded) ?? loaded;
  const logger = pino({ level: "silent" });
  const { deps, close } = createDeps({ config, logger, clock: options.clock ?? new MovedClock(), role: "bot" });
  return await runBot({ ...deps, config }, close);
}

/** A port of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
