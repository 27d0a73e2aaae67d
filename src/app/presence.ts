import { tmpdir } from "node:os";
import { readDisks } from "../services/watch/disks.ts";
import type { Disk, Presence } from "../state/presence.ts";
import type { Deps } from "./deps.ts";

/** Milliseconds between two signs of life. */
const everyMs = 5000;

/** The disks are looked at with every so many signs of life. */
const disksEvery = 6;

/** Folders that a process writes to: its own, those for temporary files, and the local storages of a worker's host. */
export function ownFolders({ config, host }: Pick<Deps, "config" | "host">, role: Presence["role"]): string[] {
  const storages = role === "worker" ? Object.values(config.storages) : [];
  const local = storages.flatMap((storage) =>
    storage.kind === "local" && (storage.host ?? host) === host ? [storage.path] : [],
  );
  return [...local, process.cwd(), tmpdir()];
}

/** Writes this process down as alive until stopped, with the room on its disks. */
export function startPresence(deps: Deps, role: Presence["role"], state: () => string): { stop(): Promise<void> } {
  const startedAt = deps.clock.now().toISOString();
  const folders = ownFolders(deps, role);
  let disks: readonly Disk[] = [];
  let writes = 0;
  const presence = (): Presence => ({
    role,
    host: deps.host,
    pid: process.pid,
    version: deps.version,
    startedAt,
    state: state(),
    seenAt: deps.clock.now().toISOString(),
    disks,
  });
  const write = async (): Promise<void> => {
    if (writes++ % disksEvery === 0)
      disks = await readDisks(folders).catch((error: unknown) => {
        deps.logger.debug({ error: String(error) }, "disks");
        return disks;
      });
    await deps.presences.write(presence());
  };
  let writing = Promise.resolve();
  const writeNow = (): void => {
    writing = write().catch((error: unknown) => deps.logger.debug({ error: String(error) }, "presence"));
  };
  writeNow();
  const timer = setInterval(writeNow, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      // What is under way would write it down once more.
      await writing;
      await deps.presences.remove(presence());
    },
  };
}
