import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { ReplacementJournal } from "../../../core/replacement.ts";
import type { RestoreGoal } from "../target.ts";
import { follows, holdsOf, lost, putBack, release, type TakeoverFacts, untilLoaded } from "./takeover.ts";

const factsSchema = z.object({
  address: z.string(),
  port: z.string(),
  replication: z.string().min(1),
  runId: z.string(),
  was: z.string(),
  keys: z.string(),
  auth: z.enum(["own", "set"]),
  readOnly: z.enum(["yes", "no", ""]),
  tls: z.enum(["yes", "no", ""]),
}) satisfies z.ZodType<TakeoverFacts>;

/** A journal of a takeover of which the end was not recorded. */
export interface Begun {
  readonly step: "swap" | "undo";
  readonly facts: TakeoverFacts;
}

export function isBegun(journal: ReplacementJournal | undefined): journal is ReplacementJournal & Begun {
  return (journal?.step === "swap" || journal?.step === "undo") && factsSchema.safeParse(journal.facts).success;
}

interface Work {
  readonly goal: RestoreGoal;
  readonly facts: TakeoverFacts;
  /** Lets the live server take the same over once more; undefined where its snapshot is not on this machine. */
  readonly again: (() => Promise<TakeoverFacts>) | undefined;
  /** Gives it the data from before; undefined where that backup can not be read. */
  readonly former: (() => Promise<TakeoverFacts>) | undefined;
}

/** What the live server has: `restored` is its former data too, but as the backup made before has them. */
export interface Finished {
  readonly holds: "new" | "former" | "restored";
  readonly facts: TakeoverFacts;
}

/**
 * After a kill the private server is gone with its process. Whether the live one is still its replica, and whose data it
 * carries, is told by the live one itself. Only when it has neither the one nor the other is anything lost, and then the
 * backup made before is what there is.
 */
export async function finish({ goal, facts, again, former }: Work): Promise<Finished> {
  const info = await untilLoaded(goal.within(3_600_000));
  const isReplica = follows(info, facts);
  if (!isReplica && info.get("role") === "slave")
    throw foreign(`${info.get("master_host")}:${info.get("master_port")}`);
  const isCutOff = isReplica && holdsOf(info, facts) !== "new";
  if (isCutOff && again !== undefined) return { holds: "new", facts: await again() };
  if (isReplica) await release(goal, facts);
  else await goal.ask(putBack(facts).concat("PING"));
  const holds = holdsOf(await goal.info(), facts);
  if (holds === "new" || holds === "former") return { holds, facts };
  // Taken over once more it has them in any case.
  if (again !== undefined) return { holds: "new", facts: await again() };
  if (holds === "unknown") return { holds: "former", facts };
  if (former !== undefined) return { holds: "restored", facts: await former() };
  throw lost(undefined);
}

/** Somebody else has made it a replica meanwhile. */
function foreign(master: string): AppError {
  return new AppError("conflict", `the live Redis is a replica of ${master} now: it is left alone`, {
    context: { step: "recover" },
    text: { key: "error-replace-redis-foreign", args: { master } },
  });
}
