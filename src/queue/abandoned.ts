import { randomUUID } from "node:crypto";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { hasEnded } from "../lib/process-identity.ts";

/** Milliseconds for handing one job back. */
const handoverMs = 5000;

/**
 * Puts jobs back into the queue whose worker was killed on this machine, so that a restarted worker goes on at once
 * instead of waiting for their locks to expire. Workers must be named by their process identity. Returns the job ids.
 */
export async function reclaimAbandoned(queue: Queue, redis: Redis): Promise<string[]> {
  const reclaimed: string[] = [];
  for (const { id } of await queue.getActive()) {
    if (id === undefined) continue;
    const lock = queue.toKey(`${id}:lock`);
    // The lock before the owner: it is then the dead worker's, or older still.
    const held = await redis.get(lock);
    const job = await queue.getJob(id);
    if (job?.processedBy === undefined || !hasEnded(job.processedBy)) continue;
    const token = held ?? (await lockNow(redis, lock));
    if (token === undefined) continue;
    // Moved in the name of the dead worker. Fails when somebody was faster: then it is in good hands.
    const moved = await job.moveToWait(token).then(
      () => true,
      () => false,
    );
    if (moved) reclaimed.push(id);
  }
  return reclaimed;
}

/** The dead worker's lock has expired: one of our own for a moment, so that nobody else does the same. */
async function lockNow(redis: Redis, lock: string): Promise<string | undefined> {
  const token = randomUUID();
  return (await redis.set(lock, token, "PX", handoverMs, "NX")) === "OK" ? token : undefined;
}
