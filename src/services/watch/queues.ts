import type { Config } from "../../app/config.ts";
import type { Producer, QueueLook } from "../../queue/producer.ts";
import type { Presences } from "../../state/presence.ts";
import type { Runs } from "../../state/runs.ts";
import type { BackupOrders } from "../backup/orders.ts";
import { presenceWithinMs } from "../status.ts";
import { type Finding, type Look, needsWorker, stamp, type WatchCheck } from "./types.ts";
import { configuredHosts } from "./workers.ts";

interface Deps {
  readonly config: Pick<Config, "backups" | "servers" | "storages" | "timezone">;
  readonly presences: Presences;
  readonly producer: Pick<Producer, "look">;
  readonly runs: Runs;
  readonly orders: Pick<BackupOrders, "hostOf">;
}

/** A job that nobody takes for so long is stuck; milliseconds. */
const stuckAfterMs = 10 * 60_000;

/** A queue with since when the job at its head has been waiting there. */
export interface WaitingQueue extends QueueLook {
  readonly waitingSince?: Date;
}

/**
 * Which queues are stuck: a job waits in them, nobody takes it, and nobody is at work on another one either, since what
 * waits for a busy worker only waits. `hosts`: those on which a worker is alive. Jobs of a host without a worker are
 * told apart, unless no worker is alive at all, which is told by itself.
 */
export function stuckQueues(
  queues: readonly WaitingQueue[],
  hosts: ReadonlySet<string>,
  { now }: Pick<Look, "now">,
  timezone: string,
): Finding[] {
  if (hosts.size === 0) return [];
  return queues.flatMap((queue): Finding[] => {
    const { name, active, waitingSince } = queue;
    const host = name.startsWith("work@") ? name.slice("work@".length) : undefined;
    // What is under way on a host without a worker is so only in the books.
    const isServed = host === undefined || hosts.has(host);
    if (!waitingSince || (active > 0 && isServed) || now.getTime() - waitingSince.getTime() < stuckAfterMs) return [];
    const at = stamp(waitingSince, timezone);
    const base = {
      fingerprint: `queue:${name}`,
      severity: "warning",
      since: waitingSince,
      labels: { queue: name, ...(host === undefined ? {} : { host }) },
    } as const;
    if (host !== undefined && !isServed) {
      const title = { key: "watch-queue-unserved", args: { host } };
      return [{ ...base, title, text: { key: "watch-queue-unserved-text", args: { host, at } } }];
    }
    const title = { key: "watch-queue-stuck", args: { queue: name } };
    return [{ ...base, title, text: { key: "watch-queue-stuck-text", args: { queue: name, at } } }];
  });
}

/** Whether jobs are taken by those who should take them. */
export function queuesCheck({ config, presences, producer, runs, orders }: Deps): WatchCheck {
  /** Which job was seen at the head of a queue, and since when. */
  const heads = new Map<string, { readonly head: string; readonly since: Date }>();
  const waitingSince = ({ name, oldest, next }: QueueLook, now: Date): Date | undefined => {
    const overdue = next && next.dueAt < now ? { id: next.id, addedAt: next.dueAt } : undefined;
    const first: QueueLook["oldest"] = oldest ?? overdue;
    if (!first) {
      heads.delete(name);
      return undefined;
    }
    const head = `${first.id} ${first.takenAt?.getTime() ?? 0}`;
    let known = heads.get(name);
    if (known?.head !== head) {
      // One that was taken before and handed back (it waits for another run) is looked at from now on: how long it
      // has been waiting since then is not recorded.
      known = { head, since: first.takenAt ? now : new Date(Math.min(first.addedAt.getTime(), now.getTime())) };
      heads.set(name, known);
    }
    return known.since;
  };
  return {
    name: "queues",
    everyMs: 30_000,
    look: async (look) => {
      if (!needsWorker(config)) return [];
      const alive = (await presences.alive(look.now, presenceWithinMs)).filter(({ role }) => role === "worker");
      const hosts = new Set(alive.map(({ host }) => host));
      const wanted = (await runs.unsettled()).flatMap((run) => [run.host, orders.hostOf(run.name)]);
      const known = [...wanted.filter((host) => host !== undefined), ...configuredHosts(config), ...hosts];
      const polls = config.servers.length > 0 ? ["polls"] : [];
      const names = ["work", "clock", ...polls, ...[...new Set(known)].map((host) => `work@${host}`)];
      const queues: WaitingQueue[] = [];
      for (const name of names) {
        const queue = await producer.look(name);
        const since = waitingSince(queue, look.now);
        queues.push({ ...queue, ...(since ? { waitingSince: since } : {}) });
      }
      // With no worker at all, what was found before is neither over nor news.
      return hosts.size === 0 ? [...look.open.values()] : stuckQueues(queues, hosts, look, config.timezone);
    },
  };
}
