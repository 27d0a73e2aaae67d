import { z } from "zod";
import { type Filled, noneFilled } from "./counts.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "./session.ts";
import { sideBySide, type Work } from "./side-by-side.ts";
import type { Site } from "./site.ts";

/** How many tables are looked at at a time. */
const connections = 2;

/**
 * What ANALYZE without a name looks at, the system's own tables as well: partitioned ones first, of which all partitions
 * are read, then the largest, so that all connections end at about the same time.
 */
const tableList = `
SELECT to_json(format('%I.%I', n.nspname, c.relname))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
ORDER BY c.relkind = 'p' DESC, pg_catalog.pg_relation_size(c.oid) DESC, c.oid`;

/**
 * Has the statistics of all tables of a database collected that are not there yet, of several at a time. Rejects as
 * `restoreError` says.
 */
export async function analyze(site: Site, database: string, filled?: Pick<Filled, "analyzed">): Promise<void> {
  await sideBySide(site, analyzing(database, filled));
}

/** The same as work to be done beside other work. */
export function analyzing(database: string, { analyzed }: Pick<Filled, "analyzed"> = noneFilled): Work[] {
  let tables: Promise<Iterator<string>> | undefined;
  const work: Work = async (site) => {
    const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "analyze");
    const session = new PsqlSession(command, site.signal);
    try {
      await session.query(unhurried);
      tables ??= session.query(tableList).then((lines) =>
        lines
          .map(nameIn)
          .filter((name) => !analyzed.has(name))
          [Symbol.iterator](),
      );
      const rest = await tables;
      for (let next = rest.next(); next.done !== true; next = rest.next()) await session.query(`ANALYZE ${next.value}`);
    } finally {
      await session.close();
    }
  };
  return Array.from({ length: connections }, () => work);
}

function nameIn(line: string): string {
  return z.string().parse(JSON.parse(line));
}
