import { AppError } from "../../core/errors.ts";
import { identifierPattern, unquote } from "./names.ts";
import { ask } from "./session.ts";
import { askSite, type Site } from "./site.ts";

/** Milliseconds for making the roles of a cluster. */
const timeoutMs = 10 * 60_000;

/** What a cluster has beside its databases, as pg_dumpall writes it. */
export interface Globals {
  readonly statements: readonly string[];
  readonly roles: readonly string[];
}

export function parseGlobals(sql: string): Globals {
  const statements = splitStatements(sql);
  return { statements, roles: statements.flatMap((statement) => createRole.exec(statement)?.[1] ?? []).map(unquote) };
}

/** Names of the roles and tablespaces that a server has. */
export interface Known {
  readonly roles: ReadonlySet<string>;
  readonly tablespaces: ReadonlySet<string>;
}

export async function askKnown(site: Site): Promise<Known> {
  const query = `SELECT json_build_array('r', rolname) FROM pg_catalog.pg_roles
UNION ALL SELECT json_build_array('t', spcname) FROM pg_catalog.pg_tablespace`;
  const rows = (await askSite(site, query)).map((line) => JSON.parse(line) as [string, string]);
  const named = (kind: string) => new Set(rows.filter(([which]) => which === kind).map(([, name]) => name));
  return { roles: named("r"), tablespaces: named("t") };
}

const id = `(${identifierPattern})`;
const createRole = new RegExp(`^CREATE ROLE ${id}$`, "s");
const ofRole = new RegExp(`^(?:ALTER ROLE|COMMENT ON ROLE|SECURITY LABEL .*? ON ROLE) ${id}`, "s");
const membership = new RegExp(`^GRANT ${id} TO ${id}(?: |$)`, "s");
const ofTablespace = new RegExp(`^(?:CREATE|ALTER|COMMENT ON|SECURITY LABEL .*? ON) TABLESPACE ${id}`, "s");
const rightOnTablespace = new RegExp(`^(?:GRANT|REVOKE) .*? ON TABLESPACE ${id} `, "s");
const rightOfRole = new RegExp(`^(?:GRANT|REVOKE) .*? (?:TO|FROM) ${id}`, "s");

/**
 * The statements that make what is missing on a server. Roles and tablespaces that are there stay as they are; a
 * membership is given when either side of it is new. `tablespaces: false` leaves those out: they are folders.
 */
export function missingGlobals(globals: Globals, known: Known, options: { readonly tablespaces: boolean }): string[] {
  const isNew = (name: string | undefined) => name !== undefined && !known.roles.has(unquote(name));
  return globals.statements.filter((statement) => {
    const tablespace = (ofTablespace.exec(statement) ?? rightOnTablespace.exec(statement))?.[1];
    if (tablespace !== undefined) return options.tablespaces && !known.tablespaces.has(unquote(tablespace));
    const role = (createRole.exec(statement) ?? ofRole.exec(statement))?.[1];
    if (role !== undefined) return isNew(role);
    const [, group, member] = membership.exec(statement) ?? [];
    if (group !== undefined) return isNew(group) || isNew(member);
    const grantee = rightOfRole.exec(statement)?.[1];
    return grantee === undefined || isNew(grantee);
  });
}

/**
 * Makes the roles (with their passwords) and tablespaces that are missing; gives their number. None of the statements
 * comes into a log of ours, nor, where that can be told it, of the server.
 */
export async function makeMissing(
  site: Site,
  globals: Globals,
  options: { readonly tablespaces: boolean },
): Promise<number> {
  const wanted = missingGlobals(globals, await askKnown(site), options);
  const makes = wanted.filter((statement) => statement.startsWith("CREATE "));
  if (makes.length === 0 && !wanted.some((statement) => /^(GRANT|ALTER)/.test(statement))) return 0;
  await applyStatements(site, wanted);
  return makes.length;
}

/**
 * Runs statements about roles in one transaction (a tablespace's are none of it). None of them comes into a log of ours,
 * nor, where that can be told it, of the server: there are passwords in them.
 */
export async function applyStatements(site: Site, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  const quiet = `SELECT set_config(name, CASE name WHEN 'log_statement' THEN 'none' WHEN 'log_min_error_statement' THEN 'panic' ELSE '-1' END, false)
  FROM pg_catalog.pg_settings WHERE name IN ('log_statement', 'log_min_error_statement', 'log_min_duration_statement')
  AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)`;
  // Making a tablespace is not possible in a transaction.
  const whole = statements.some((statement) => statement.startsWith("CREATE TABLESPACE")) ? [] : ["BEGIN"];
  const end = whole.length === 0 ? [] : ["COMMIT"];
  const sql = [quiet, ...whole, ...statements, ...end].join(";\n");
  await ask(site.psql, site.url(), sql, site.signal, timeoutMs).catch((error: unknown) => {
    throw globalsError(error);
  });
}

function globalsError(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== "source-failed") return error;
  return new AppError("source-failed", `roles and tablespaces can not be made as they were: ${error.message}`, {
    context: { ...error.context, step: "globals" },
    text: { key: "error-restore-globals" },
    cause: error,
  });
}

/** Statements without their semicolons, comments and marks of psql. */
export function splitStatements(sql: string): string[] {
  const result: string[] = [];
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|^\\[^\n]*|;|[^'"\\;-]+|[\s\S]/gm;
  const escaped = /'(?:[^'\\]|''|\\[\s\S])*'/y;
  let statement = "";
  for (let index = 0; index < sql.length; ) {
    token.lastIndex = index;
    let [text = ""] = token.exec(sql) ?? [];
    // A string with escapes, whose quote may stand behind a backslash.
    if (text.startsWith("'") && /(?:^|[^\w$])E$/i.test(statement)) {
      escaped.lastIndex = index;
      text = escaped.exec(sql)?.[0] ?? text;
    }
    if (text === "") break;
    index += text.length;
    if (text.startsWith("--") || text.startsWith("\\")) continue;
    if (text === ";") {
      if (statement.trim() !== "") result.push(statement.trim());
      statement = "";
    } else statement += text;
  }
  if (statement.trim() !== "") result.push(statement.trim());
  return result;
}
