import { z } from "zod";
import { Arrivals } from "./arrivals.ts";
import { type Beginning, readLists, restoreBeginning, writeList } from "./beginning.ts";
import { type Finish, finishesOf, isRight, needsOrder } from "./contents.ts";
import { countRows, type Filled } from "./counts.ts";
import { restoreError } from "./errors.ts";
import { quoteLiteral } from "./names.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "./session.ts";
import { isNoConnection, sideBySide } from "./side-by-side.ts";
import type { Site } from "./site.ts";
import { type Filling, rowsOf } from "./streams.ts";

/** On so many connections is made what comes after the rows. */
const lastJobs = 2;

/** While rows come there is hardly a core to spare: a process by itself takes less of it than several that work together. */
const byItself = "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0";

/**
 * Fills an empty database: the rows come in one stream or in two, and on another connection is made of each table whose
 * rows are there its indexes, its count and its statistics, while the rows of the next ones come; then what is left, of
 * several tables at a time, and rights last, as pg_restore does. Not in one transaction: what a failure leaves is for the
 * caller to drop.
 */
export async function fillInStages(site: Site, database: string, filling: Filling): Promise<Filled> {
  const { beginning, args } = filling;
  const made = new Set<number>();
  const filled = { counted: new Map<string, number>(), analyzed: new Set<string>() };
  let isAlone = false;
  const [{ all, data, post }] = await Promise.all([
    readLists(site, beginning),
    restoreBeginning(site, beginning, [...args, "--section=pre-data", "--no-privileges"]),
  ]);
  const arrived = new Arrivals();
  const rows = await rowsOf(filling, data, arrived);
  const finishing = async (own: Site): Promise<void> => {
    const finishes = finishesOf(beginning.entries, post);
    await arrived.begun;
    // With the settings that it is to have: not every pooler lets a session bring its own.
    const aside = withOptions(own, byItself);
    const room = !arrived.isOver && (await hasRoom(aside, database));
    // Of how many there were with a connection that has ended meanwhile nobody knows.
    isAlone ||= !room || arrived.isOver;
    if (isAlone) return;
    for await (const names of arrived) {
      const its = names.flatMap((name) => finishes.get(name) ?? []);
      await finish(aside, database, its, { args, beginning, made, filled });
    }
  };
  const works = [...rows, finishing].map((work) => async (own: Site) => {
    try {
      await work(own);
    } catch (error) {
      // Where it is made again after all there is one connection at a time.
      isAlone = true;
      throw error;
    }
  });
  await sideBySide(site, works);
  const rest = all.filter((each) => (post.has(each.id) || isRight(each)) && !made.has(each.id));
  // The rows may have taken hours, and others what was free before.
  isAlone ||= needsOrder(beginning.entries) || !(await hasRoom(site, database));
  if (rest.length > 0) {
    const list = await writeList(beginning, "rest", rest);
    await restoreBeginning(site, beginning, [...args, list, `--jobs=${isAlone ? 1 : lastJobs}`]);
  }
  return filled;
}

/** Whether there are as many connections, besides those that fill while they do, as the last stage may need. */
async function hasRoom(site: Site, database: string): Promise<boolean> {
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "finish");
  const sessions = Array.from({ length: lastJobs }, () => new PsqlSession(command, site.signal));
  try {
    await Promise.all(sessions.map((session) => session.query("SELECT 1")));
    return true;
  } catch (error) {
    if (isNoConnection(restoreError(error))) return false;
    throw error;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

interface Work {
  readonly args: readonly string[];
  readonly beginning: Beginning;
  /** What was made. */
  readonly made: Set<number>;
  readonly filled: { readonly counted: Map<string, number>; readonly analyzed: Set<string> };
}

/** The same with settings for all sessions. */
function withOptions(site: Site, options: string): Site {
  const command: Site["tools"]["command"] = (...call) => {
    const { env, ...rest } = site.tools.command(...call);
    return { ...rest, env: { ...env, PGOPTIONS: options } };
  };
  return { ...site, tools: { ...site.tools, command } };
}

/** Makes what follows the rows of these tables, on one connection at a time. */
async function finish(site: Site, database: string, finishes: readonly Finish[], work: Work): Promise<void> {
  const { args, beginning, made, filled } = work;
  if (finishes.length === 0) return;
  // A table comes twice where the name of another one, with a line's end in it, reads like a line about it.
  const wanted = new Set(finishes.flatMap(({ entries }) => entries).filter((id) => !made.has(id)));
  if (wanted.size > 0) {
    const lines = beginning.entries.filter(({ id }) => wanted.has(id)).map(({ id }) => ({ line: `${id};` }));
    await restoreBeginning(site, beginning, [...args, await writeList(beginning, "finish", lines)]);
  }
  for (const id of wanted) made.add(id);
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "finish");
  const session = new PsqlSession(command, site.signal);
  try {
    // Rows that a policy hides must not pass for rows that are not there.
    await session.query(`${unhurried}; SET row_security = off`);
    const found = await lookUp(session, finishes);
    const names = found.map(({ name }) => name);
    const { tables } = await countRows(session, names);
    for (const [name, rows] of Object.entries(tables)) filled.counted.set(name, rows);
    // There are statistics of a table over its children too, whose rows may come later.
    const whole = names.filter((_, index) => finishes[index]?.whole && !found[index]?.isParent);
    for (const name of whole) await session.query(`ANALYZE ${name}`);
    for (const name of whole) filled.analyzed.add(name);
  } finally {
    await session.close();
  }
}

/** Tables as the server knows them: their names as it quotes them. */
async function lookUp(
  session: PsqlSession,
  finishes: readonly Finish[],
): Promise<{ readonly name: string; readonly isParent: boolean }[]> {
  const questions = finishes.map(({ table: { schema, name } }) => {
    const quoted = `format('%I.%I', ${quoteLiteral(schema)}, ${quoteLiteral(name)})`;
    const isParent = `EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = ${quoted}::regclass)`;
    return `SELECT json_build_object('name', ${quoted}, 'isParent', ${isParent})`;
  });
  return (await session.query(questions.join(";\n"))).map((line) => tableSchema.parse(JSON.parse(line)));
}

const tableSchema = z.object({ name: z.string(), isParent: z.boolean() });
