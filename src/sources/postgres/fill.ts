import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../../lib/process.ts";
import { type Archive, streamArchive } from "./archive.ts";
import { Arrivals } from "./arrivals.ts";
import { type Beginning, type Finish, finishesOf, isRight, type Listed, needsOrder, parseList } from "./contents.ts";
import { countRows, type Filled } from "./counts.ts";
import { restoreError } from "./errors.ts";
import { halvesOf, type Progress, progressOfHalves } from "./halves.ts";
import { quoteLiteral } from "./names.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "./session.ts";
import { isNoConnection, sideBySide } from "./side-by-side.ts";
import type { Site } from "./site.ts";
import { Spool } from "./spool.ts";
import { hasRoomFor } from "./unpacked.ts";

/** Milliseconds for a program that nobody waits for longer: the longest that a timer takes is 24 days. */
const programTimeoutMs = 20 * 86_400_000;

/** On so many connections is made what comes after the rows. */
const lastJobs = 2;

/** While rows come there is one core to spare: a process by itself takes less of it than several that work together. */
const byItself = "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0";

export interface Filling {
  readonly archive: Archive;
  readonly beginning: Beginning;
  /** What all of pg_restore's runs are told: how it restores, and where. */
  readonly args: readonly string[];
  readonly progress?: Progress | undefined;
}

/**
 * Fills an empty database from a stream, or from two of a half each, and makes on another connection of each table whose
 * rows are there its indexes, its count and its statistics, while the rows of the next ones come; then what is left, of
 * several tables at a time, and rights last, as pg_restore does. Not in one transaction: what a failure leaves is for the
 * caller to drop.
 */
export async function fillInStages(
  site: Site,
  database: string,
  { archive, beginning, args, progress }: Filling,
): Promise<Filled> {
  const done = new Set<number>();
  const filled = { counted: new Map<string, number>(), analyzed: new Set<string>() };
  let isAlone = false;
  const [{ lines, data, post }] = await Promise.all([
    readLists(site, beginning),
    restoreFile(site, beginning, [...args, "--section=pre-data", "--no-privileges"]),
  ]);
  const { streams, spool } = await streamsOf({ archive, beginning, args, progress }, data);
  const arrived = new Arrivals(streams.length);
  const filling = streams.map((stream, index) => async (own: Site): Promise<void> => {
    const listener = arrived.listeners[index];
    let isWhole = false;
    try {
      const command = own.tools.command("pg_restore", stream.args);
      const listening = { ...command, onLine: (line: string) => listener?.hear(line) ?? true };
      const { isPart: part } = stream;
      await streamArchive({ ...stream.archive, signal: own.signal }, listening, stream.progress, { part });
      isWhole = true;
    } finally {
      listener?.end(isWhole);
    }
    stream.end?.();
  });
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
      await finish(aside, database, its, { args, beginning, done, filled });
    }
  };
  const works = [...filling, finishing].map((work) => async (own: Site) => {
    try {
      await work(own);
    } catch (error) {
      // Where it is made again after all there is one connection at a time.
      isAlone = true;
      throw error;
    }
  });
  const fetching = spool && ((own: Site) => spool.fill({ ...archive, signal: own.signal }));
  await sideBySide(site, fetching ? [...works, fetching] : works);
  const rest = lines.filter((each) => (post.has(each.id) || isRight(each)) && !done.has(each.id));
  // The rows may have taken hours, and others what was free before.
  isAlone ||= needsOrder(beginning.entries) || !(await hasRoom(site, database));
  await restoreListed(site, beginning, "list", rest, [...args, `--jobs=${isAlone ? 1 : lastJobs}`]);
  return filled;
}

/** Rows on one connection. */
interface Stream {
  readonly archive: Archive;
  readonly args: readonly string[];
  readonly progress?: Progress | undefined;
  /** It ends before the archive does. */
  readonly isPart: boolean;
  /** Told when all of it is there. */
  readonly end?: () => void;
}

/**
 * One for all rows, or two for a half each where the manifest tells how large they are. These read the same bytes twice:
 * those of this host as they are; what comes from elsewhere comes once, into a file, where there is room for it.
 */
async function streamsOf(
  { archive, beginning, args, progress }: Filling,
  data: readonly Listed[],
): Promise<{ readonly streams: readonly Stream[]; readonly spool?: Spool }> {
  const rows = [...args, "--section=data", "--no-privileges", "--verbose"];
  const { part, reader } = archive;
  const halves = halvesOf(data, beginning.entries, part.tableBytes);
  const isLocal = reader.local === true;
  if (halves === undefined || !(isLocal || (await hasRoomFor(beginning.folder, part.bytes))))
    return { streams: [{ archive, args: rows, progress, isPart: false }] };
  const spool = isLocal ? undefined : new Spool(join(beginning.folder, "stored"));
  const twice = spool ? { ...archive, reader: { ...reader, open: async () => spool.read() } } : archive;
  const { first, second, end } = progressOfHalves(part.bytes, halves, progress);
  const [begin, rest] = await Promise.all(
    halves.map(async ({ lines }, index) => [...rows, await writeList(beginning, `half${index}`, lines)]),
  );
  const streams = [
    { archive: twice, args: begin ?? rows, progress: first, isPart: true, end },
    { archive: twice, args: rest ?? rows, progress: second, isPart: false },
  ];
  return { streams, ...(spool && { spool }) };
}

interface Lists {
  /** Everything, in the order in which it is restored. */
  readonly lines: readonly Listed[];
  /** The rows. */
  readonly data: readonly Listed[];
  /** What comes after the rows. */
  readonly post: ReadonlySet<number>;
}

async function readLists(site: Site, { path }: Beginning): Promise<Lists> {
  const list = async (...sections: readonly string[]) => {
    const command = site.tools.command("pg_restore", ["--list", ...sections, path]);
    return parseList((await run(command, { signal: site.signal, maxOutput: 256 * 1024 * 1024 })).stdout);
  };
  const [lines, data, post] = await Promise.all([list(), list("--section=data"), list("--section=post-data")]);
  return { lines, data, post: new Set(post.map(({ id }) => id)) };
}

/** Whether there are as many connections, besides the one that fills while it does, as the last stage may need. */
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

/** Restores what stands in a list, of an archive of which only the beginning is there: nothing with rows. */
async function restoreListed(
  site: Site,
  beginning: Beginning,
  name: string,
  lines: readonly Pick<Listed, "line">[],
  args: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  await restoreFile(site, beginning, [...args, await writeList(beginning, name, lines)]);
}

/** Writes a list into a file of this name. Resolves with what pg_restore is told of it. */
async function writeList({ folder }: Beginning, name: string, lines: readonly Pick<Listed, "line">[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, lines.map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
  return `--use-list=${path}`;
}

async function restoreFile(site: Site, { path }: Beginning, args: readonly string[]): Promise<void> {
  const command = site.tools.command("pg_restore", [...args, path]);
  await run(command, { signal: site.signal, timeoutMs: programTimeoutMs }).catch((error: unknown) => {
    throw restoreError(error);
  });
}

interface Work {
  readonly args: readonly string[];
  readonly beginning: Beginning;
  /** What was made. */
  readonly done: Set<number>;
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
  const { args, beginning, done, filled } = work;
  if (finishes.length === 0) return;
  // A table comes twice where the name of another one, with a line's end in it, reads like a line about it.
  const wanted = new Set(finishes.flatMap(({ entries }) => entries).filter((id) => !done.has(id)));
  const lines = beginning.entries.filter(({ id }) => wanted.has(id)).map(({ id }) => ({ line: `${id};` }));
  await restoreListed(site, beginning, "finish", lines, args);
  for (const id of wanted) done.add(id);
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
