import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { AppError } from "../../core/errors.ts";
import { startPipeline } from "../../lib/process.ts";
import { sourceError } from "./errors.ts";
import type { PostgresConfig } from "./schema.ts";
import type { Tools } from "./tools.ts";

/** Whether a dump leaves rows out that a whole one would have. */
export function isFiltered({ schemas, tables, tableData }: PostgresConfig): boolean {
  return [schemas?.include, schemas?.exclude, tables?.include, tables?.exclude, tableData?.exclude].some(Boolean);
}

/** What pg_dump is told of what to take and to leave. */
export function filterArgs(config: PostgresConfig): string[] {
  const { schemas, tables, tableData, largeObjects } = config;
  const all = (option: string, patterns: readonly string[] | undefined) =>
    (patterns ?? []).map((pattern) => `--${option}=${pattern}`);
  const only = [...all("schema", schemas?.include), ...all("table", tables?.include)];
  return [
    ...only,
    ...all("exclude-schema", schemas?.exclude),
    ...all("exclude-table", tables?.exclude),
    ...all("exclude-table-data", tableData?.exclude),
    ...(only.length === 0 ? [] : ["--strict-names"]),
    // By their short names, which did not change: a dump of chosen tables has no large objects unless they are asked for.
    ...(largeObjects ? (only.length === 0 ? [] : ["-b"]) : ["-B"]),
  ];
}

/** What a dump writes. */
export interface Contents {
  /** Whether there is any table, view or sequence in it. */
  readonly relations: boolean;
  /** Oids of the tables whose rows are in it. */
  readonly rowsOf: ReadonlySet<number>;
}

/**
 * What a dump with these arguments writes: pg_dump's own word for it, by the table of contents with which its archive
 * begins; it is ended before the data. Rejects as a dump would.
 */
export async function readContents(
  tools: Tools,
  url: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Contents> {
  const stop = new AbortController();
  const dump = startPipeline([tools.command("pg_dump", [...args, `--dbname=${url}`])], {
    signal: AbortSignal.any([signal, stop.signal]),
  });
  const ended = dump.done.then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    const listing = startPipeline([tools.command("pg_restore", ["--list"])], { input: dump.stdout, signal });
    const [list] = await Promise.all([text(listing.stdout), listing.done]).catch(async (error: unknown) => {
      // A list that cannot be read is most often one that pg_dump has not written; it says why, unless it was cut off. Its
      // words alone could also mean the server's connection.
      const cause = await ended;
      const wasCut = !dump.stdout.readableEnded && isCutOff(cause);
      throw sourceError(cause === undefined || wasCut ? error : cause);
    });
    const rowsOf = [...list.matchAll(/^\d+; \d+ (\d+) TABLE DATA /gm)].map(([, oid]) => Number(oid));
    // By the catalogue that they are in, pg_class.
    return { relations: /^\d+; 1259 /m.test(list), rowsOf: new Set(rowsOf) };
  } finally {
    stop.abort(new AppError("interrupted", "the table of contents is known", { permanent: false }));
    dump.stdout.destroy();
    await ended;
  }
}

/** pg_dump's end when nobody reads on. */
function isCutOff(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  const { exit = "", stderr = "" } = error.context;
  // 141: a shell whose program died of SIGPIPE.
  return /SIGPIPE|exit status 141|broken pipe|connection reset/i.test(`${exit} ${stderr}`);
}

/** Of a database whose tables are all left out by what its backup's configuration chooses. */
export function nothingChosen(database: string): AppError {
  const message = `schemas and tables are chosen so that none of database ${database} is in the backup: choose others, or leave the database out`;
  return new AppError("source-failed", message, {
    context: { step: "pg_dump", database },
    text: { key: "error-source-nothing-chosen", args: { database } },
  });
}

/** The name under which a session that only lists can be found and ended on the server. */
export function listingName(application: string): string {
  return `${application}-list-${randomBytes(2).toString("hex")}`;
}
