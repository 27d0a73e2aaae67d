import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import { type Archive, streamArchive } from "./archive.ts";
import type { Arrivals } from "./arrivals.ts";
import { type Beginning, writeList } from "./beginning.ts";
import type { Listed } from "./contents.ts";
import { restoreError } from "./errors.ts";
import { halvesOf, type Progress, progressOfHalves, progressUpTo } from "./halves.ts";
import { isNoConnection, type Work } from "./side-by-side.ts";
import { Spool } from "./spool.ts";
import { hasRoomFor } from "./unpacked.ts";

/** An archive that fills an empty database. */
export interface Filling {
  readonly archive: Archive;
  readonly beginning: Beginning;
  /** What all of pg_restore's runs are told: how it restores, and where. */
  readonly args: readonly string[];
  readonly progress?: Progress | undefined;
}

/** Rows that come on one connection. */
interface Stream {
  readonly archive: Archive;
  readonly args: readonly string[];
  readonly progress?: Progress | undefined;
  /** It ends before the archive does. */
  readonly isPart?: boolean;
  /** Called when all of it is there. */
  readonly end?: () => void;
}

/**
 * Brings the rows, which `arrived` is told of: in one stream, or, where the manifest tells how large its tables are, in two
 * of a half each. These read the same bytes, which come once, into a file, where there is room for it.
 */
export async function rowsOf(filling: Filling, data: readonly Listed[], arrived: Arrivals): Promise<Work[]> {
  const { archive, beginning, args, progress } = filling;
  const { part, reader } = archive;
  const rows = [...args, "--section=data", "--no-privileges", "--verbose"];
  const halves = halvesOf(data, beginning.entries, part.tableBytes);
  if (halves === undefined || !(await hasRoomFor(beginning.folder, part.bytes)))
    return [streaming({ archive, args: rows, progress: progressUpTo(part.bytes, progress) }, arrived)];
  const spool = new Spool(join(beginning.folder, "stored"));
  const twice = { ...archive, reader: { ...reader, open: async () => spool.read() } };
  const { first, second, end } = progressOfHalves(part.bytes, halves, progress);
  const begin = await writeList(beginning, "half1", halves[0].lines);
  const rest = await writeList(beginning, "half2", halves[1].lines);
  return [
    streaming({ archive: twice, args: [...rows, begin], progress: first, isPart: true, end }, arrived),
    streaming({ archive: twice, args: [...rows, rest], progress: second }, arrived),
    ({ signal }) => spool.fill({ ...archive, signal }),
  ];
}

function streaming({ archive, args, progress, isPart, end }: Stream, arrived: Arrivals): Work {
  const listener = arrived.listen();
  return async ({ tools, signal }) => {
    let isWhole = false;
    try {
      const command = { ...tools.command("pg_restore", args), onLine: (line: string) => listener.hear(line) };
      await streamArchive({ ...archive, signal }, command, { progress, isPart });
      isWhole = true;
    } catch (error) {
      throw listener.hasBegun && isNoConnection(error) ? lostMidway(error) : error;
    } finally {
      listener.end(isWhole);
    }
    end?.();
  };
}

/** Rows may speak of connections too, and what a failure is about is told with it: begun again they would be there twice. */
function lostMidway(cause: unknown): AppError {
  const { message, context } = restoreError(cause);
  return new AppError("source-failed", `pg_restore failed: ${message}`, {
    permanent: false,
    context,
    text: { key: "error-source-tool", args: { step: "pg_restore" } },
    cause,
  });
}
