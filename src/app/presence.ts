import type { Presence } from "../state/presence.ts";
import type { Deps } from "./deps.ts";

/** Milliseconds between two signs of life. */
const everyMs = 5000;

/** Writes this process down as alive until stopped. */
export function startPresence(deps: Deps, role: "bot" | "worker", state: () => string): { stop(): Promise<void> } {
  const startedAt = deps.clock.now().toISOString();
  const presence = (): Presence => ({
    role,
    host: deps.host,
    pid: process.pid,
    version: deps.version,
    startedAt,
    state: state(),
    seenAt: deps.clock.now().toISOString(),
  });
  const write = (): void =>
    void deps.presences
      .write(presence())
      .catch((error: unknown) => deps.logger.debug({ error: String(error) }, "presence"));
  write();
  const timer = setInterval(write, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await deps.presences.remove(presence());
    },
  };
}
