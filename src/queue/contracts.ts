import { z } from "zod";

interface JobContract {
  /**
   * `work`: any worker takes it. `host`: it goes to `work@<host>` when a host is given. `clock`: any worker takes it,
   * beside all its work: the clock does not stop because everybody is busy. `polls`: likewise, many at a time: what only
   * waits for answers from elsewhere; `polls@<host>` when a host is given.
   */
  readonly queue: "work" | "host" | "clock" | "polls";
  readonly payload: z.ZodType;
  readonly attempts: number;
  /** First wait between attempts, doubled each time; milliseconds. */
  readonly backoffMs: number;
}

/** Every job there is. `jobs/<name>.ts` runs it; its payload is checked on both sides of Redis. */
export const contracts = {
  /** Looks at the clock and enqueues whatever is due. */
  tick: { queue: "clock", payload: z.object({}), attempts: 1, backoffMs: 0 },
  /** Looks at servers of one provider. `turn`: nobody else looks at these meanwhile; `at`: when it was begun, milliseconds. */
  poll: {
    queue: "polls",
    payload: z.object({ provider: z.string(), servers: z.array(z.string()), turn: z.string(), at: z.number() }),
    attempts: 1,
    backoffMs: 0,
  },
  /** Works on a backup run from wherever it stands. */
  backup: { queue: "host", payload: z.object({ runId: z.string() }), attempts: 1, backoffMs: 0 },
  /** Makes up a missing copy from an existing one; it hands itself back until that has worked or makes no sense. */
  upload: {
    queue: "host",
    payload: z.object({ runId: z.string(), storage: z.string() }),
    attempts: 1,
    backoffMs: 0,
  },
  /** Looks into a storage, for one backup name or for all, and brings the cached catalogue up to date. */
  catalogue: {
    queue: "host",
    payload: z.object({ storage: z.string(), name: z.string().optional() }),
    attempts: 1,
    backoffMs: 0,
  },
  /**
   * Removes from a storage what the retention of a name no longer keeps. `question`: what a person has agreed to.
   * Without a name: unfinished pieces of nobody.
   */
  prune: {
    queue: "host",
    payload: z.object({ storage: z.string(), name: z.string().optional(), question: z.string().optional() }),
    attempts: 6,
    backoffMs: 30_000,
  },
  /** Writes or removes a backup's pin in one storage, as `order` says. */
  pin: {
    queue: "host",
    payload: z.object({ order: z.string(), folder: z.string(), storage: z.string() }),
    attempts: 6,
    backoffMs: 5000,
  },
  /** Makes download links. */
  link: { queue: "host", payload: z.object({ id: z.string() }), attempts: 3, backoffMs: 2000 },
  /** Looks at a copy of a backup as deep as was ordered, from wherever that stands. */
  verify: { queue: "host", payload: z.object({ verificationId: z.string() }), attempts: 1, backoffMs: 0 },
  /**
   * Looks at what a restore will find, at what taking one back would lose, or drops what one has left aside, as it stands.
   */
  restore: { queue: "host", payload: z.object({ restorationId: z.string() }), attempts: 1, backoffMs: 0 },
  /** Takes a drill one step further: `clock`, since it only looks after verifications, which need the places for work. */
  drill: { queue: "clock", payload: z.object({ drillId: z.string() }), attempts: 1, backoffMs: 0 },
  /** Puts the daily heads of the audit log up to that of `date` into a storage, as `host` reaches it. */
  "audit-head": {
    queue: "host",
    payload: z.object({ storage: z.string(), date: z.iso.date(), host: z.string().optional() }),
    attempts: 6,
    backoffMs: 60_000,
  },
  /**
   * Asks a provider for what an account has, what it knows of a server or of a managed database ("<account>/<id>"), or
   * takes an ordered backup of one a step further.
   */
  inventory: {
    queue: "polls",
    payload: z.object({ kind: z.enum(["account", "server", "database", "order"]), id: z.string() }),
    attempts: 1,
    backoffMs: 0,
  },
  /** Looks at a server whose power was asked for, before it is ordered and until it is back. */
  power: { queue: "polls", payload: z.object({ orderId: z.string() }), attempts: 1, backoffMs: 0 },
  /** Carries out what people have approved, from wherever that stands. */
  approval: { queue: "host", payload: z.object({ approvalId: z.string() }), attempts: 1, backoffMs: 0 },
} as const satisfies Record<string, JobContract>;

export type JobName = keyof typeof contracts;
export type JobPayload<N extends JobName> = z.output<(typeof contracts)[N]["payload"]>;

/** What a handler is given beside its payload. */
export interface JobContext {
  /** Aborted when the worker shuts down: stop, clean up and throw, the job is handed back. */
  readonly signal: AbortSignal;
  readonly jobId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** How a job ended. `later` hands it back to the queue without counting as an attempt. */
export type JobOutcome = { readonly done: Readonly<Record<string, unknown>> } | { readonly later: number };

export type JobHandler<N extends JobName> = (payload: JobPayload<N>, context: JobContext) => Promise<JobOutcome>;

export type JobHandlers = { readonly [N in JobName]: JobHandler<N> };

/** The queue's name: BullMQ forbids ":" in it. */
export function queueName(name: JobName, host?: string): string {
  const { queue } = contracts[name];
  if (queue === "clock") return queue;
  if (queue === "polls") return host === undefined ? queue : `polls@${host}`;
  return queue === "host" && host !== undefined ? `work@${host}` : "work";
}
