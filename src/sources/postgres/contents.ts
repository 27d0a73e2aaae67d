/** What an archive says of one object besides its statements. */
export interface Entry {
  /** Of the archive: what `pg_restore --use-list` knows it by. */
  readonly id: number;
  /** What it had on the server that it was dumped on. */
  readonly oid: number;
  readonly type: string;
  readonly schema: string;
  readonly name: string;
  /** What has to be there before it. */
  readonly dependencies: readonly number[];
}

/** Of an entry as `pg_restore --verbose` writes it. */
const head =
  /^-- TOC entry (\d+) \(class \d+ OID (\d+)\)\n(?:-- Dependencies:((?: \d+)+)\n)?-- Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: /gm;

/** Takes a schema apart that `pg_restore --verbose` has written. */
export function parseContents(text: string): Entry[] {
  return [...text.matchAll(head)].map(([, id, oid, dependencies = "", name = "", type = "", schema = ""]) => ({
    id: Number(id),
    oid: Number(oid),
    type,
    schema,
    name,
    dependencies: dependencies.split(" ").flatMap((dependency) => (dependency === "" ? [] : Number(dependency))),
  }));
}

/** An entry as `pg_restore --list` has it. */
export interface Listed {
  readonly id: number;
  readonly line: string;
}

/** A line of `pg_restore --list` for each entry. */
export function parseList(text: string): Listed[] {
  return text.split("\n").flatMap((line) => {
    const [, id] = /^(\d+); \d+ \d+ /.exec(line) ?? [];
    return id === undefined ? [] : [{ id: Number(id), line }];
  });
}

/** What is made of a table when its rows are there, and whether that is all that its statistics are about. */
export interface Finish {
  readonly table: Entry;
  readonly entries: readonly number[];
  readonly whole: boolean;
}

/** What can be made of nothing but the rows of its table. */
const ofTable = /^(CONSTRAINT|INDEX|STATISTICS)$/;

/**
 * What can follow the rows of each table, by how pg_restore names the table while it restores them. `post`: what comes
 * after the rows of all. An index that needs more than its table waits for them: the function in it may look into another
 * table. Two tables of the same name ("a.b" in "c", "b" in "c.a") are left out.
 */
export function finishesOf(entries: readonly Entry[], post: ReadonlySet<number>): Map<string, Finish> {
  const finishes = new Map<string, Finish>();
  const twice = new Set<string>();
  const tables = new Map(entries.filter(({ type }) => type === "TABLE").map((table) => [table.id, table]));
  const its = new Map<number, Entry[]>();
  for (const entry of entries) {
    if (!post.has(entry.id) || !ofTable.test(entry.type)) continue;
    for (const id of entry.dependencies) if (tables.has(id)) its.set(id, [...(its.get(id) ?? []), entry]);
  }
  for (const table of tables.values()) {
    const key = `${table.schema}.${table.name}`;
    if (finishes.has(key)) twice.add(key);
    const all = its.get(table.id) ?? [];
    const own = all.filter(({ dependencies }) => dependencies.every((id) => id === table.id));
    finishes.set(key, { table, entries: own.map(({ id }) => id), whole: own.length === all.length });
  }
  for (const key of twice) finishes.delete(key);
  return finishes;
}

/**
 * Rights, which nobody needs for restoring, and which may stand in its way: pg_restore gives them last. By the list, since
 * those of large objects are no part of what it writes of a schema.
 */
export function isRight({ line }: Listed): boolean {
  return /^\d+; \d+ \d+ (?:DEFAULT )?ACL /.test(line);
}

/**
 * Whether what comes after the rows has to be made in its order, by one connection: a reference to a partitioned table makes
 * others, for each partition, under the first names that are free, which may be those of references that are to come.
 */
export function needsOrder(objects: readonly { readonly type: string }[]): boolean {
  const types = new Set(objects.map(({ type }) => type));
  return types.has("FK CONSTRAINT") && types.has("INDEX ATTACH");
}

/** What looks at each row while it comes. */
const looking = new Set(["TABLE", "DOMAIN", "DEFAULT"]);
const looked = new Set(["FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR"]);

/**
 * Whether a check, a generated column or a partition's bounds may call what the backup itself defines, which may look into
 * tables that came before: also where something else stands between (an operator class, a type of several domains).
 */
export function needsRows(entries: readonly Entry[]): boolean {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const seen = new Set(entries.filter(({ type }) => looking.has(type)));
  for (const { type, dependencies } of seen) {
    if (looked.has(type)) return true;
    // What is added to a set while it is walked over is walked over too.
    for (const entry of dependencies.map((id) => byId.get(id))) if (entry) seen.add(entry);
  }
  return false;
}
