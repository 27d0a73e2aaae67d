import { z } from "zod";
import type { ManifestPart } from "../../core/manifest.ts";
import { run } from "../../lib/process.ts";
import { type Difference, mostDifferences } from "../types.ts";
import { countRows, type Filled, noneFilled, tableList } from "./counts.ts";
import { anyDefinition, comparable, type Definition, parseDefinitions } from "./definitions.ts";
import { restoreError } from "./errors.ts";
import { sameSpelling } from "./names.ts";
import { PsqlSession, psqlArgs, unhurried, withEncoding, withUtf8 } from "./session.ts";
import type { Site } from "./site.ts";

/** Milliseconds for pg_dump to write a schema down. */
const schemaTimeoutMs = 30 * 60_000;

/** Differences, of which the first are named. */
export class Differences {
  readonly named: Difference[] = [];
  total = 0;
  readonly #prefix: string;

  /** `prefix` stands before what differs: which of several databases it is in. */
  constructor(prefix = "") {
    this.#prefix = prefix;
  }

  add(what: string, expected: string, found: string): void {
    this.total += 1;
    if (this.named.length < mostDifferences) this.named.push({ what: `${this.#prefix}${what}`, expected, found });
  }

  /** For what is compared at the same time, so that what is told does not depend on who is faster. */
  another(): Differences {
    return new Differences(this.#prefix);
  }

  /** Adds those of another one at the end. */
  append({ named, total }: Pick<Differences, "named" | "total">): void {
    this.total += total;
    this.named.push(...named.slice(0, mostDifferences - this.named.length));
  }
}

/** Adds what is not in the database as the manifest has it; gives how much was compared. */
export async function compareRows(
  site: Site,
  database: string,
  part: ManifestPart,
  differences: Differences,
  { counted }: Pick<Filled, "counted"> = noneFilled,
): Promise<{ readonly rows: number; readonly tables: number; readonly largeObjects: number }> {
  if (part.tables === undefined) return { rows: 0, tables: 0, largeObjects: 0 };
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "compare");
  const session = new PsqlSession(command, site.signal);
  try {
    // Rows that a policy hides must not pass for rows that are not there.
    await session.query(`${unhurried}; SET row_security = off`);
    return await compareRowsIn(session, part, part.tables, differences, counted);
  } finally {
    await session.close();
  }
}

/** The same in a session that is there already, and sees every row. `counted`: which are not counted again. */
export async function compareRowsIn(
  session: Pick<PsqlSession, "query">,
  { entries: expected = 0 }: Pick<ManifestPart, "entries">,
  manifest: NonNullable<ManifestPart["tables"]>,
  differences: Differences,
  counted: Filled["counted"] = noneFilled.counted,
): Promise<{ readonly rows: number; readonly tables: number; readonly largeObjects: number }> {
  const names = (await session.query(tableList)).map(
    (line) => z.tuple([z.string(), z.int()]).parse(JSON.parse(line))[0],
  );
  const still = await unchanged(session, counted);
  const uncounted = names.filter((name) => !still.has(name));
  const { tables, largeObjects } = await countRows(session, uncounted);
  const all = names.map((name) => ({ name, rows: still.get(name) ?? tables[name] ?? Number.NaN }));
  const found = new Map(all.map((one) => [sameSpelling(one.name), one]));
  let compared = 0;
  for (const [name, rows] of Object.entries(manifest)) {
    const spelling = sameSpelling(name);
    const there = found.get(spelling)?.rows;
    found.delete(spelling);
    compared += rows;
    if (there !== rows) differences.add(name, `${rows} rows`, there === undefined ? "no such table" : `${there} rows`);
  }
  // Tables without rows are those whose rows were left out on purpose; their definitions are compared elsewhere.
  for (const { name, rows } of found.values()) if (rows > 0) differences.add(name, "no rows", `${rows} rows`);
  if (largeObjects !== expected) differences.add("large objects", String(expected), String(largeObjects));
  return { rows: compared, tables: Object.keys(manifest).length, largeObjects: expected };
}

const insertedSchema = z.tuple([z.string(), z.int()]);

/**
 * The counts in which all rows are that the server has ever written there: a constraint or an event trigger of the backup
 * may itself write into a table that was counted. A server that keeps no such numbers has them all counted again.
 */
async function unchanged(
  session: Pick<PsqlSession, "query">,
  counted: Filled["counted"],
): Promise<ReadonlyMap<string, number>> {
  if (counted.size === 0) return counted;
  const lines = await session.query(`
SELECT json_build_array(format('%I.%I', schemaname, relname), n_tup_ins) FROM pg_catalog.pg_stat_user_tables
WHERE n_tup_upd = 0 AND n_tup_del = 0`);
  const inserted = new Map(lines.map((line) => insertedSchema.parse(JSON.parse(line))));
  return new Map([...counted].filter(([name, rows]) => inserted.get(name) === rows));
}

/** What may be shown of a definition: not what holds the passwords of other servers. */
const secretTypes = /^(USER MAPPING|SERVER|SUBSCRIPTION)/;

/**
 * Adds what is defined differently from the archive; gives how many objects were compared. `sameVersions`: their texts
 * too, which differ between versions of server and pg_dump, not only that they exist.
 */
export async function compareDefinitions(
  site: Site,
  database: string,
  archive: readonly Definition[],
  options: {
    readonly flags: readonly string[];
    /** Of the archive's definitions. */
    readonly encoding: string;
    readonly sameVersions: boolean;
  },
  differences: Differences,
): Promise<number> {
  const { flags, encoding, sameVersions } = options;
  const command = site.tools.command("pg_dump", [
    "--schema-only",
    "--no-password",
    ...flags,
    `--dbname=${withEncoding(site.url(database), encoding)}`,
  ]);
  const limits = { signal: site.signal, timeoutMs: schemaTimeoutMs, maxOutput: 256 * 1024 * 1024 };
  const { stdout } = await run(command, limits).catch((error: unknown) => {
    throw restoreError(error);
  });
  const expected = comparable(archive);
  const found = comparable(parseDefinitions(stdout));
  for (const [key, sql] of expected) {
    const there = found.get(key);
    if (there === undefined) differences.add(key, "defined", "missing");
    else if (sameVersions && there !== sql && sql !== anyDefinition)
      differences.add(key, ...firstDifference(key, sql, there));
  }
  for (const key of found.keys()) if (!expected.has(key)) differences.add(key, "not in the backup", "defined");
  return expected.size;
}

const shown = 80;

function firstDifference(key: string, expected: string, found: string): [string, string] {
  if (secretTypes.test(key)) return ["as in the backup", "another definition"];
  let index = 0;
  while (index < expected.length && expected[index] === found[index]) index += 1;
  const begin = Math.max(0, index - shown / 4);
  return [expected.slice(begin, begin + shown), found.slice(begin, begin + shown)];
}
