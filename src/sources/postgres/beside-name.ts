import type { PostgresConfig } from "./schema.ts";
import { parseUrl } from "./url.ts";

/** The longest name that PostgreSQL keeps; bytes. */
const longestName = 63;

/** What a new database, or the schema for a part of one, is called unless a person says otherwise. */
export function besideName(
  config: PostgresConfig,
  { only, pick, stamp }: { readonly only?: string; readonly pick?: string; readonly stamp: string },
): string {
  const target = parseUrl(config.url);
  const database = only ?? ("problem" in target ? undefined : target.database) ?? "restored";
  // Of a table its schema; a name in quotes is told apart by whoever makes it, for a proposal its letters are enough.
  const base = pick === undefined ? database : (pick.replaceAll('"', "").split(".")[0] ?? pick);
  const end = `_${stamp.replaceAll(/[^0-9A-Za-z]+/g, "_")}`;
  return `${cut(base, longestName - Buffer.byteLength(end))}${end}`;
}

/** The beginning of a text, so many bytes at most, in whole letters. */
function cut(text: string, bytes: number): string {
  let result = "";
  for (const letter of text) {
    if (Buffer.byteLength(result + letter) > bytes) break;
    result += letter;
  }
  return result;
}
