import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../../lib/process.ts";
import { type Archive, streamArchive } from "./archive.ts";
import { type Beginning, type Finish, finishesOf, isRight, type Listed, needsOrder, parseList } from "./contents.ts";
import { countRows, type Filled } from "./counts.ts";
import { restoreError } from "./errors.ts";
import { quoteLiteral } from "./names.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "./session.ts";
import { isNoConnection, sideBySide } from "./side-by-side.ts";
import type { Site } from "./site.ts";

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
  readonly progress?: ((bytes: number) => void) | undefined;
}

/**
 * Fills an empty database from a stream, and makes on a second connection of each table whose rows are there its indexes,
 * its count and its statistics, while the rows of the next one come; then what is left, of several tables at a time, and
 * rights last, as pg_restore does. Not in one transaction: what a failure leaves is for the caller to drop.
 */
export async function fillInStages(
  site: Site,
  database: string,
  { archive, beginning, args, progress }: Filling,
): Promise<Filled> {
  const done = new Set<number>();
  const arrived = new Arrivals();
  const filled = { counted: new Map<string, number>(), analyzed: new Set<string>() };
  let isAlone = false;
  const listed = readLists(site, beginning);
  listed.catch(() => undefined);
  const rows = async (own: Site): Promise<void> => {
    const sections = ["--section=pre-data", "--section=data", "--no-privileges", "--verbose"];
    const command = own.tools.command("pg_restore", [...args, ...sections]);
    const listening = { ...command, onLine: (line: string) => arrived.hear(line) };
    try {
      await streamArchive({ ...archive, signal: own.signal }, listening, progress);
    } finally {
      arrived.end();
    }
  };
  const finishing = async (own: Site): Promise<void> => {
    const finishes = finishesOf(beginning.entries, (await listed).post);
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
  const works = [rows, finishing].map((work) => async (own: Site) => {
    try {
      await work(own);
    } catch (error) {
      // Where it is made again after all there is one connection at a time.
      isAlone = true;
      throw error;
    }
  });
  await sideBySide(site, works);
  const { post, lines } = await listed;
  const rest = lines.filter((each) => (post.has(each.id) || isRight(each)) && !done.has(each.id));
  // The rows may have taken hours, and others what was free before.
  isAlone ||= needsOrder(beginning.entries) || !(await hasRoom(site, database));
  await restoreListed(site, beginning, rest, [...args, `--jobs=${isAlone ? 1 : lastJobs}`]);
  return filled;
}

interface Lists {
  /** Everything, in the order in which it is restored. */
  readonly lines: readonly Listed[];
  /** What comes after the rows. */
  readonly post: ReadonlySet<number>;
}

async function readLists(site: Site, { path }: Beginning): Promise<Lists> {
  const list = async (...sections: readonly string[]) => {
    const command = site.tools.command("pg_restore", ["--list", ...sections, path]);
    return parseList((await run(command, { signal: site.signal, maxOutput: 256 * 1024 * 1024 })).stdout);
  };
  const [lines, post] = await Promise.all([list(), list("--section=post-data")]);
  return { lines, post: new Set(post.map(({ id }) => id)) };
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
  { path, folder }: Beginning,
  lines: readonly { readonly line: string }[],
  args: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const list = join(folder, "list");
  await writeFile(list, lines.map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
  const command = site.tools.command("pg_restore", [...args, `--use-list=${list}`, path]);
  await run(command, { signal: site.signal, timeoutMs: programTimeoutMs }).catch((error: unknown) => {
    throw restoreError(error);
  });
}

/** The tables whose rows are there, as pg_restore tells it: given in batches, as many as have come meanwhile. */
class Arrivals {
  /** Resolves when pg_restore is connected, or has ended. */
  readonly begun: Promise<void>;
  readonly #begin: () => void;
  #current: string | undefined;
  #waiting: string[] = [];
  #isOver = false;
  #wake = Promise.withResolvers<void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A line of `pg_restore --verbose`. Whether it is one to be shown when the program fails. */
  hear(line: string): boolean {
    const [, what, about = ""] = /^pg_restore: (connecting|processing|executing|creating) (.*)$/.exec(line) ?? [];
    if (what === undefined) return true;
    if (what === "connecting") return false;
    this.#begin();
    this.#next(/^data for table "(.+)"$/.exec(about)?.[1]);
    return false;
  }

  /** Those whose rows nobody has told the end of are left to the end of all. */
  end(): void {
    this.#isOver = true;
    this.#begin();
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    for (;;) {
      await this.#wake.promise;
      const names = this.#waiting.splice(0);
      if (this.#isOver && names.length === 0) return;
      if (!this.#isOver) this.#wake = Promise.withResolvers<void>();
      yield names;
    }
  }

  #next(table: string | undefined): void {
    const before = this.#current;
    this.#current = table;
    if (before === undefined) return;
    this.#waiting.push(before);
    this.#wake.resolve();
  }
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
  await restoreListed(site, beginning, lines, args);
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
