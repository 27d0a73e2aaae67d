import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import {
  type DifferentRole,
  type GlobalsApplied,
  type GlobalsDiff,
  type GlobalsLook,
  globalsDigest,
  type MissingRole,
  type RoleChange,
} from "../../core/globals.ts";
import type { Logger } from "../../lib/logger.ts";
import { run } from "../../lib/process.ts";
import type { BackupReader } from "../types.ts";
import { readPlain } from "./archive.ts";
import { restoreError } from "./errors.ts";
import { applyStatements, askKnown } from "./globals.ts";
import { quoteConnectionValue } from "./names.ts";
import { connectionOf } from "./replace/ground.ts";
import { memberOf, type Property, parseRoles, passwordProperty, type Role } from "./roles.ts";
import type { PostgresConfig } from "./schema.ts";
import { ask, withUtf8 } from "./session.ts";
import { openSite, type Site } from "./site.ts";

const application = "vakhta-globals";

/** Milliseconds for writing the roles of a cluster down. */
const dumpTimeoutMs = 5 * 60_000;

export interface GlobalsOptions {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Compares the roles of a backup with those of the live server: both as pg_dumpall writes them. Changes nothing, and gives
 * no password away, only that it is another one. Rejects with `not-found` for a backup without roles.
 */
export async function lookAtGlobals(
  config: PostgresConfig,
  reader: BackupReader,
  options: GlobalsOptions,
): Promise<GlobalsLook> {
  const site = await open(config, reader, options);
  const [backup, live] = await Promise.all([rolesOfBackup(reader, options.signal), rolesOfServer(site)]);
  const { rolePasswords, systemIdentifier, version } = site.server;
  return {
    ...compare(backup, live, rolePasswords),
    ...(systemIdentifier === undefined ? {} : { system: systemIdentifier }),
    server: `PostgreSQL ${version}`,
    own: await ownName(site),
  };
}

async function ownName(site: Site): Promise<string> {
  const [own = '""'] = await ask(site.psql, site.url(), "SELECT to_json(current_user)", site.signal);
  return z.string().parse(JSON.parse(own));
}

/**
 * Makes these roles as the backup has them: a missing one with its password, memberships and settings, of one that is there
 * what is otherwise. All in one transaction. Nothing is taken away: what a role has on the server and not in the backup
 * stays, but for attributes, which are one or the other. Rejects with `not-found` for a role that is not in the backup, with
 * `conflict` for the one that this source connects as, and where `agreed` is the digest of another difference than there is.
 */
export async function applyGlobals(
  config: PostgresConfig,
  reader: BackupReader,
  { roles, agreed, ...options }: GlobalsOptions & { readonly roles: readonly string[]; readonly agreed?: string },
): Promise<GlobalsApplied> {
  const site = await open(config, reader, options);
  const [backup, live] = await Promise.all([rolesOfBackup(reader, options.signal), rolesOfServer(site)]);
  if (agreed !== undefined && globalsDigest(compare(backup, live, site.server.rolePasswords)) !== agreed)
    throw changed();
  const own = await ownName(site);
  const wanted = [...new Set(roles)].map((name) => {
    const role = backup.get(name);
    if (role === undefined) throw unknown(name, reader.manifest.id);
    if (own === name) throw ownRole(name);
    return role;
  });
  const made = wanted.filter(({ name }) => !live.has(name));
  // Those that PostgreSQL itself has are groups too.
  const { roles: there } = await askKnown(site);
  const known = new Set([...there, ...made.map(({ name }) => name)]);
  const statements = made.map(({ create }) => create);
  const altered = new Set<string>();
  const give = (properties: Iterable<Property>): number => {
    const possible = [...properties].filter(({ group }) => group === undefined || known.has(group));
    statements.push(...possible.map(({ statement }) => statement));
    return possible.length;
  };
  for (const { properties } of made) give(properties.values());
  for (const { name, properties } of wanted) {
    const there = live.get(name);
    if (there === undefined) continue;
    const changed = differing(properties, there.properties, site.server.rolePasswords);
    if (give(changed.map(([, property]) => property)) > 0) altered.add(name);
  }
  // Whoever is there already is in a group again that is made anew.
  for (const member of backup.values())
    if (live.has(member.name) && !wanted.includes(member))
      give(made.flatMap(({ name }) => member.properties.get(`${memberOf}${name}`) ?? []));
  await applyStatements(site, statements);
  return { made: made.map(({ name }) => name), altered: [...altered] };
}

async function open(
  config: PostgresConfig,
  { manifest }: BackupReader,
  { signal, logger }: GlobalsOptions,
): Promise<Site> {
  return await openSite(await connectionOf(config, application), manifest, { signal, logger });
}

async function rolesOfBackup(reader: BackupReader, signal: AbortSignal): Promise<Map<string, Role>> {
  const { id, parts } = reader.manifest;
  const part = parts.find(({ role }) => role === "globals");
  if (part !== undefined) return parseRoles(await readPlain({ reader, part, signal }));
  throw new AppError("not-found", `backup ${id} has no roles`, { text: { key: "error-globals-none", args: { id } } });
}

async function rolesOfServer(site: Site): Promise<Map<string, Role>> {
  const { database, rolePasswords } = site.server;
  const args = ["--globals-only", "--no-password", "--no-tablespaces"];
  args.push(`--database=dbname=${quoteConnectionValue(database)}`, `--dbname=${withUtf8(site.url())}`);
  if (!rolePasswords) args.push("--no-role-passwords");
  const limits = { signal: site.signal, timeoutMs: dumpTimeoutMs, maxOutput: 256 * 1024 * 1024 };
  const { stdout } = await run(site.tools.command("pg_dumpall", args), limits).catch((error: unknown) => {
    throw restoreError(error);
  });
  return parseRoles(stdout);
}

function compare(backup: Map<string, Role>, live: Map<string, Role>, readable: boolean): GlobalsDiff {
  const missing: MissingRole[] = [];
  const different: DifferentRole[] = [];
  for (const { name, properties } of backup.values()) {
    const there = live.get(name);
    if (there === undefined) {
      const has = [...properties].filter(([, { value }]) => value !== "no");
      missing.push({
        role: name,
        has: has.map(([what, { value }]) => ({ what, backup: shown(what, value), live: "" })),
      });
      continue;
    }
    const whats = new Set([...properties.keys(), ...there.properties.keys()]);
    const changes = [...whats].flatMap((what): RoleChange[] => {
      const [was, is] = [properties.get(what)?.value, there.properties.get(what)?.value];
      if (was === is || (what === passwordProperty && (!readable || was === undefined))) return [];
      return [{ what, backup: shown(what, was), live: shown(what, is) }];
    });
    if (changes.length > 0) different.push({ role: name, changes });
  }
  const hasPasswords = [...backup.values()].some(({ properties }) => properties.has(passwordProperty));
  return {
    missing,
    different,
    extra: [...live.keys()].filter((name) => !backup.has(name)),
    passwordsCompared: readable && hasPasswords,
  };
}

/** What the backup has otherwise; not what only the server has. Of a password that can not be compared nothing is known. */
function differing(
  backup: Role["properties"],
  live: Role["properties"],
  readable: boolean,
): (readonly [string, Property])[] {
  return [...backup].filter(
    ([what, { value }]) => live.get(what)?.value !== value && (what !== passwordProperty || readable),
  );
}

function shown(what: string, value: string | undefined): string {
  if (value === undefined) return "";
  return what === passwordProperty ? "another" : value;
}

function changed(): AppError {
  const message = "the roles differ from the backup in another way than was agreed to";
  return new AppError("conflict", message, { context: { step: "preflight" }, text: { key: "error-globals-changed" } });
}

function unknown(role: string, id: string): AppError {
  return new AppError("not-found", `backup ${id} has no role ${role}`, {
    text: { key: "error-globals-role", args: { id, role } },
  });
}

function ownRole(role: string): AppError {
  const message = `role ${role} is the one that this source connects as: change it by hand`;
  return new AppError("conflict", message, {
    context: { step: "preflight" },
    text: { key: "error-globals-own", args: { role } },
  });
}
