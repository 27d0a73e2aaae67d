import type { Changes, Written } from "../../../core/replacement.ts";
import { type Info, keyspace, keyspaceText } from "../info.ts";
import type { RestoreGoal } from "../target.ts";
import type { FolderState } from "./folder.ts";

type Swapped = NonNullable<FolderState["swapped"]>;

/** How the server is right after a swap, to tell later what has changed. */
export async function stateOf(goal: RestoreGoal): Promise<Swapped> {
  const info = await goal.info();
  const writes = await writesOf(goal);
  return {
    runId: info.get("run_id") ?? "",
    keys: keyspaceText(info),
    expired: Number(info.get("expired_keys") ?? 0),
    ...(writes !== undefined && { writes }),
  };
}

/**
 * What was written since. A Redis does not tell which keys are new: keys that are more or fewer than they were, by database,
 * and how many commands that write there were, where the server counts them by kind and was not started anew.
 */
export async function changesSince(goal: RestoreGoal, before: Swapped | undefined, former: string): Promise<Changes> {
  const info = await goal.info();
  const was = parse(before?.keys ?? former);
  const now = keyspace(info);
  const isSame = before !== undefined && before.runId === info.get("run_id");
  const expired = isSame ? Number(info.get("expired_keys") ?? 0) - before.expired : 0;
  const all: Written[] = [];
  for (const database of new Set([...was.keys(), ...now.keys()])) {
    const difference = (now.get(database) ?? 0) - (was.get(database) ?? 0);
    if (difference === 0) continue;
    all.push({ what: `db${database}`, written: Math.max(0, difference), gone: Math.max(0, -difference) });
  }
  all.sort((a, b) => size(b) - size(a));
  const more = all.reduce((sum, { written }) => sum + written, 0);
  const fewer = all.reduce((sum, { gone = 0 }) => sum + gone, 0);
  const writes = isSame ? await writesSince(goal, before, info) : Number(info.get("rdb_changes_since_last_save") ?? 0);
  return {
    changed: all,
    changedTotal: all.length,
    unit: "keys",
    written: Math.max(more, writes),
    // Those whose time has come are no loss.
    gone: Math.max(0, fewer - expired),
  };
}

const size = ({ written, gone = 0 }: Written): number => Math.max(written, gone);

function parse(text: string): Map<number, number> {
  return new Map([...text.matchAll(/\bdb(\d+)=(\d+)/g)].map(([, database, keys]) => [Number(database), Number(keys)]));
}

async function writesSince(goal: RestoreGoal, before: Swapped, info: Info): Promise<number> {
  const writes = await writesOf(goal);
  if (writes !== undefined && before.writes !== undefined && writes >= before.writes) return writes - before.writes;
  return Number(info.get("rdb_changes_since_last_save") ?? 0);
}

/** Calls of commands that write, since the server was started; undefined where it does not say. */
async function writesOf(goal: RestoreGoal): Promise<number | undefined> {
  const names = await goal.ask(["COMMAND LIST FILTERBY ACLCAT write"]).catch(() => []);
  if (names.length < 2) return undefined;
  const writing = new Set(names.map((name) => name.trim().toLowerCase()));
  let calls = 0;
  for (const line of await goal.ask(["INFO commandstats"])) {
    const [, name = "", count] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? [];
    if (writing.has(name.replace("|", " ")) || writing.has(name)) calls += Number(count ?? 0);
  }
  return calls;
}
