import { z } from "zod";
import type { ManifestPart } from "../../../core/manifest.ts";
import type { Changes, Written } from "../../../core/replacement.ts";
import { tableList } from "../counts.ts";
import { sameSpelling } from "../names.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "../session.ts";
import type { Site } from "../site.ts";

const namedTables = 20;

const rowSchema = z.tuple([z.int(), z.int(), z.int()]);

/**
 * Counts what was written in a database since a transaction: rows that were inserted or updated after it are newer than
 * it. `part`: what there was, so that rows that are gone are known too. Reads every table once.
 */
export async function changesSince(
  site: Site,
  database: string,
  xid: string,
  part: Pick<ManifestPart, "tables"> | undefined,
): Promise<Changes> {
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "changes");
  const session = new PsqlSession(command, site.signal);
  try {
    await session.query(`${unhurried}; SET row_security = off`);
    const names = (await session.query(tableList)).map(
      (line) => z.tuple([z.string(), z.int()]).parse(JSON.parse(line))[0],
    );
    // A transaction's number in a row has 32 bits, of which the age is right within two thousand million transactions.
    const swap = `age('${BigInt.asUintN(32, BigInt(xid))}'::xid)`;
    const queries = names.map(
      (name, index) =>
        `SELECT json_build_array(${index}, count(*), count(*) FILTER (WHERE age(xmin) < ${swap})) FROM ONLY ${name}`,
    );
    const rows = queries.length === 0 ? [] : await session.query(queries.join(";\n"));
    const found = rows.map((line) => rowSchema.parse(JSON.parse(line)));
    return sum(
      found.map(([index, count, written]) => ({ table: names[index] ?? "", count, written })),
      part?.tables,
    );
  } finally {
    await session.close();
  }
}

function sum(
  found: readonly { readonly table: string; readonly count: number; readonly written: number }[],
  former: ManifestPart["tables"],
): Changes {
  const before = new Map(Object.entries(former ?? {}).map(([name, rows]) => [sameSpelling(name), { name, rows }]));
  const all: Written[] = found.map(({ table, count, written }) => {
    const rows = before.get(sameSpelling(table))?.rows;
    before.delete(sameSpelling(table));
    return { what: table, written, ...(rows === undefined ? {} : { gone: Math.max(0, rows - (count - written)) }) };
  });
  // Tables that were dropped, renamed or moved.
  for (const { name, rows } of before.values()) all.push({ what: name, written: 0, gone: rows });
  const size = ({ written, gone = 0 }: Written): number => Math.max(written, gone);
  const tables = all.filter((each) => size(each) > 0).sort((a, b) => size(b) - size(a) || (a.what < b.what ? -1 : 1));
  return {
    changed: tables.slice(0, namedTables),
    changedTotal: tables.length,
    unit: "rows",
    written: tables.reduce((total, { written }) => total + written, 0),
    gone: tables.reduce((total, { gone = 0 }) => total + gone, 0),
  };
}
