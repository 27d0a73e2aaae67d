import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { SwapReport } from "../../../core/replacement.ts";
import { readBeginning, streamDrained } from "../archive.ts";
import { compareRowsIn, Differences } from "../compare.ts";
import { thingsQuestion } from "../empty.ts";
import { restoreError } from "../errors.ts";
import { quoteIdentifier } from "../names.ts";
import { type Prepared, schemasWithoutDefinition } from "../restore-database.ts";
import { beginningOf } from "../same-archive.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "../session.ts";
import type { Site } from "../site.ts";
import { durable } from "./ground.ts";
import { dropEverything, lockEverything } from "./single-sql.ts";

/** What is held back of a script until its end is known; bytes. Its COMMIT stands in there. */
const tail = 4096;

/** A letter for each byte: a script is in the encoding of the database that was backed up, of which all have ASCII in them. */
const bytewise = "latin1";

const keptSchema = z.object({ schemas: z.array(z.string()).nullable(), extensions: z.array(z.string()).nullable() });

export interface SingleTransaction {
  readonly database: string;
  readonly archive: Prepared;
  /** The statement that goes with it, by the number of the transaction. */
  readonly last: (xid: string) => string;
  /** Has to have written down in which transaction it is done when it resolves: nothing is changed before. */
  readonly begun: (xid: string) => Promise<void>;
  /** Bytes of the part that were read, each time anew. */
  readonly progress: (bytes: number) => void;
}

/**
 * Empties a database and fills it from an archive in one transaction, compares the rows in it, and commits only then.
 * Whatever fails before that, also this process or the server, leaves everything as it was.
 */
export async function replaceInOne(site: Site, what: SingleTransaction): Promise<SwapReport> {
  const { database, archive } = what;
  // Not read to their ends, they are compared with nothing: the rows, which are, have to come from the same archive.
  const before = await readSection(site, archive, "pre-data");
  const after = await readSection(site, before.later, "post-data");
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "psql");
  const session = new PsqlSession(command, site.signal);
  try {
    const [xid = ""] = await session.query(`${unhurried}; SET idle_in_transaction_session_timeout = 0;
SET client_min_messages = error; SET default_transaction_read_only = off; SET row_security = off; ${durable};
BEGIN; SELECT txid_current()::text`);
    await what.begun(xid);
    const began = performance.now();
    const [ended = "0"] = await session.query(`${lockEverything}; SELECT current_setting('vakhta.ended')`);
    const extensions = archive.definitions.filter(({ type }) => type === "EXTENSION").map(({ name }) => name);
    const [line = "{}"] = await session.query(`${dropEverything(extensions)}; SELECT current_setting('vakhta.kept')`);
    const left = await session.query(thingsQuestion);
    const kept = keptSchema.parse(JSON.parse(line));
    const schemas = new Set(kept.schemas);
    const things = left.map((each) => String(JSON.parse(each))).filter((each) => !isSchema(each, schemas));
    if (things.length > 0) throw notEmpty(database, things);
    const undefinedOnes = schemasWithoutDefinition(archive.definitions).map(
      (name) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)}`,
    );
    if (undefinedOnes.length > 0) await session.query(undefinedOnes.join(";\n"));
    await session.feed(
      asBytes(
        withoutKept(before.script, { schemas, extensions: new Set(kept.extensions), encoding: archive.encoding }),
      ),
    );
    const data = site.tools.command("pg_restore", ["--section=data", "--single-transaction", "--file=-"]);
    const end = { found: false };
    const use = async (output: Readable): Promise<void> => {
      const script = withoutCommit(end);
      const led = pipeline(output, script);
      // It ends with the other one, which knows why.
      led.catch(() => undefined);
      await session.feed(script);
      await led;
    };
    await streamDrained(after.later, data, { progress: what.progress, use });
    if (!end.found) throw new AppError("source-failed", "pg_restore has not come to the end of its script");
    await session.feed(asBytes(after.script));
    await session.query("SET client_encoding = 'UTF8'; SET search_path = pg_catalog; SET row_security = off");
    let compared: Record<string, number> | undefined;
    if (archive.part.tables !== undefined) {
      const differences = new Differences();
      const { largeObjects, ...rest } = await compareRowsIn(session, archive.part, archive.part.tables, differences);
      if (differences.total > 0) throw different(database, differences);
      compared = { ...rest, ...(largeObjects > 0 && { largeObjects }) };
    }
    await session.query(what.last(xid));
    site.signal.throwIfAborted();
    await session.query("COMMIT");
    const ms = Math.round(performance.now() - began);
    return { refusedMs: ms, restoreMs: ms, sessionsEnded: Number(ended), ...(compared && { compared }) };
  } catch (error) {
    throw restoreError(error);
  } finally {
    await session.close();
  }
}

/** The SQL of a section; `later`: the archive, for what is read of it after that. */
async function readSection(
  site: Site,
  archive: Prepared,
  name: "pre-data" | "post-data",
): Promise<{ readonly script: string; readonly later: Prepared }> {
  const { beginning, later } = beginningOf(archive);
  const command = site.tools.command("pg_restore", [`--section=${name}`, "--file=-"]);
  return { script: await readBeginning(beginning, command, { encoding: bytewise }), later };
}

const header = /^-- Name: (.*); Type: ([A-Z ]+); Schema: (?:.*?); Owner: /;

function asBytes(script: string): Readable {
  return Readable.from([Buffer.from(script, bytewise)]);
}

/** A script without the definitions of schemas and comments on extensions that are there, and may be somebody else's. */
function withoutKept(
  script: string,
  {
    schemas,
    extensions,
    encoding,
  }: {
    readonly schemas: ReadonlySet<string>;
    readonly extensions: ReadonlySet<string>;
    readonly encoding: string;
  },
): string {
  const read = (text: string): string => (encoding === "UTF8" ? Buffer.from(text, bytewise).toString() : text);
  let skip = false;
  const lines = script.split("\n").filter((line) => {
    const [, written = "", type] = header.exec(line) ?? [];
    const name = read(written);
    if (type !== undefined)
      skip =
        (type === "SCHEMA" && schemas.has(name)) ||
        (type === "COMMENT" &&
          name.startsWith("EXTENSION ") &&
          extensions.has(name.slice("EXTENSION ".length).replaceAll('"', "")));
    return !skip || line.startsWith("\\");
  });
  return lines.join("\n");
}

/** Takes the last COMMIT out of a script, behind which only comments are: its transaction goes on. */
function withoutCommit(end: { found: boolean }): Transform {
  let held = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      const all = Buffer.concat([held, chunk]);
      const out = all.subarray(0, Math.max(0, all.length - tail));
      held = Buffer.from(all.subarray(out.length));
      callback(null, out);
    },
    flush(callback) {
      const commit = "\nCOMMIT;\n";
      const at = held.lastIndexOf(commit);
      end.found = at !== -1;
      callback(
        null,
        end.found ? Buffer.concat([held.subarray(0, at), held.subarray(at + commit.length - 1)]) : Buffer.alloc(0),
      );
    },
  });
}

function isSchema(thing: string, kept: ReadonlySet<string>): boolean {
  return (
    thing.startsWith("schema ") &&
    kept.has(
      thing
        .slice("schema ".length)
        .replace(/^"(.*)"$/s, "$1")
        .replaceAll('""', '"'),
    )
  );
}

function notEmpty(database: string, things: readonly string[]): AppError {
  const list = things.join(", ");
  return new AppError("source-failed", `${database} can not be emptied (${list}): nothing was replaced`, {
    context: { step: "swap", database },
    text: { key: "error-replace-not-emptied", args: { database, list } },
  });
}

function different(database: string, { total, named }: Differences): AppError {
  const [first] = named;
  const example = first === undefined ? "" : `${first.what}: ${first.expected}, ${first.found}`;
  const message = `what was restored differs from the manifest in ${total} places (${example}): nothing was replaced`;
  return new AppError("storage-mismatch", message, {
    context: { step: "swap", database },
    text: { key: "error-replace-differs", args: { database, count: total, example } },
  });
}
