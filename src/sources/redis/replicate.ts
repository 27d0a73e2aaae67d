import { setTimeout as delay } from "node:timers/promises";
import { AppError, toAppError } from "../../core/errors.ts";
import { type Info, keyspaceText } from "./info.ts";

/** Without any progress for so long, the replication will not come about. */
const stalledMs = 60_000;
const askEveryMs = 200;

/** What moves while a replica is being filled. */
const moving = [
  "master_link_status",
  "master_sync_in_progress",
  "master_sync_left_bytes",
  "master_sync_read_bytes",
  "loading_loaded_bytes",
  "loading",
];

/** Asks again until an answer satisfies; `timeout` when for a minute nothing has changed between the answers. */
async function until(
  ask: () => Promise<{ readonly satisfied: boolean; readonly state: string }>,
  signal: AbortSignal,
  stalled: () => AppError,
): Promise<void> {
  let state: string | undefined;
  let changedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer.satisfied) return;
    if (answer.state !== state) {
      state = answer.state;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > stalledMs) throw stalled();
    await delay(askEveryMs, undefined, { signal });
  }
}

/**
 * Waits until a replica holds in every database as many keys as its master, over a link that is up, and has followed it to
 * the end of what it has sent.
 */
export async function untilEqual(
  replica: () => Promise<Info>,
  master: () => Promise<Info>,
  signal: AbortSignal,
): Promise<void> {
  await until(
    async () => {
      const info = await replica().catch((error: unknown) => {
        // Too busy for an answer, or just being started anew.
        if (signal.aborted || toAppError(error).permanent) throw error;
        return undefined;
      });
      if (info === undefined) return { satisfied: false, state: "no answer" };
      // Started anew, it follows nobody any more.
      if (info.get("role") === "master") throw notReplicated();
      const keys = keyspaceText(info);
      const isUp = info.get("master_link_status") === "up" && info.get("master_sync_in_progress") === "0";
      const source = isUp && info.get("loading") === "0" ? await master() : undefined;
      const offset = info.get("slave_repl_offset");
      const satisfied =
        source !== undefined && keys === keyspaceText(source) && offset === source.get("master_repl_offset");
      return { satisfied, state: [...moving.map((key) => info.get(key)), keys].join() };
    },
    signal,
    notReplicated,
  );
}

function notReplicated(): AppError {
  return new AppError(
    "source-failed",
    "the target does not take the data over from the private Redis; its log says why",
    {
      permanent: false,
      context: { step: "replicate" },
      text: { key: "error-redis-replication" },
    },
  );
}

/** Waits until an append-only file that the server keeps, and a snapshot that was asked for, are on its disk. */
export async function untilPersisted(server: () => Promise<Info>, signal: AbortSignal): Promise<void> {
  await until(
    async () => {
      const info = await server();
      const busy = ["aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress"];
      const satisfied = busy.every((key) => info.get(key) !== "1");
      const statuses = [info.get("aof_enabled") === "1" ? "aof_last_bgrewrite_status" : "", "rdb_last_bgsave_status"];
      if (satisfied && statuses.some((key) => info.get(key) === "err")) throw notPersisted();
      return { satisfied, state: String(info.get("current_save_keys_processed")) };
    },
    signal,
    notPersisted,
  );
}

function notPersisted(): AppError {
  return new AppError("source-failed", "the data is in the target's memory, and it could not save them to its disk", {
    permanent: false,
    context: { step: "persist" },
    text: { key: "error-redis-persist" },
  });
}
