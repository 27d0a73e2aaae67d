import { AppError } from "../../../core/errors.ts";
import type { Recovered, ReplacementJournal } from "../../../core/replacement.ts";
import { quoteIdentifier } from "../names.ts";
import { exchange, markStatement } from "./exchange.ts";
import type { Hold } from "./ground.ts";
import type { Mark, Names } from "./marks.ts";
import { clear } from "./prepare.ts";
import { type Aside, type Seen, see } from "./seen.ts";
import { smokeTest } from "./smoke.ts";

interface Work {
  readonly id: string;
  readonly names: Names;
  readonly journal: ReplacementJournal | undefined;
}

/** Brings what a killed one has left to a state in which something can be done with it, and says which. */
export async function settle(hold: Hold, work: Work): Promise<Recovered> {
  const { names, id, journal } = work;
  const seen = await see(hold, names, id);
  const { before, undone, made } = seen;
  // What was made live since, by another restore or by hand, is not touched.
  const isLive = (oid: string): boolean => seen.live.oid === oid;
  if (undone !== undefined) {
    if (isLive(undone.mark.old)) await reopen(hold, seen);
    await unless(hold, undone, "undone");
    // It was left open to be counted.
    if (undone.open) await hold.query(closing(names.undone));
    return "undone";
  }
  if (before !== undefined) {
    if (!isLive(before.mark.made)) return "swapped";
    await reopen(hold, seen);
    await unless(hold, before, "before");
    if (journal?.step !== "swap") return "swapped";
    return (await confirm(hold, work, before)) === undefined ? "swapped" : "rolled-back";
  }
  if (made !== undefined && isLive(made.mark.old) && ["prepared", "swapping"].includes(made.mark.state)) {
    await reopen(hold, seen);
    await unless(hold, made, "prepared");
    return "prepared";
  }
  if (made === undefined && (seen.unmarked === undefined || journal === undefined)) return "nothing";
  await clear(hold, work, seen);
  return "rolled-back";
}

/** The live one is closed only by a replacement that was cut off by the end of its server. */
async function reopen(hold: Hold, { live, ...aside }: Seen): Promise<void> {
  const states = [aside.made, aside.before, aside.undone].map((each) => each?.mark.state);
  if (live.open || !(states.includes("swapping") || states.includes("undoing"))) return;
  await hold.query(`ALTER DATABASE ${quoteIdentifier(live.name)} ALLOW_CONNECTIONS true`);
}

async function unless(hold: Hold, { name, mark }: Aside, state: Mark["state"]): Promise<void> {
  if (mark.state !== state) await hold.query(markStatement(name, { ...mark, state }));
}

/** The statement that keeps everybody out of a database that is aside. */
export function closing(name: string): string {
  return `ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS false`;
}

/** Tries what was swapped in; where it does not work puts the old one back, and resolves with the reason. */
export async function confirm(
  hold: Hold,
  { names }: Pick<Work, "names">,
  before: Aside,
): Promise<AppError | undefined> {
  try {
    await smokeTest(hold.site, names.live, before.mark.tables);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError) || error.context.step !== "smoke-test") throw error;
    const { mark, oid, name } = before;
    await exchange(hold, {
      out: { name: names.live, oid: mark.made, becomes: names.made },
      in: { name, oid, mark },
      during: "undoing",
      aside: { mark: { ...mark, state: "failed" }, open: false },
      comment: mark.comment,
    });
    return error;
  }
}
