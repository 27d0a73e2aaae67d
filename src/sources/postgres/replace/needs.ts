import { z } from "zod";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";
import type { BackupReader } from "../../types.ts";
import { type Definition, isOfDatabase } from "../definitions.ts";
import { askKnown } from "../globals.ts";
import { identifierPattern, unquote } from "../names.ts";
import { asBackedUp, type Prepared, readDefinitions } from "../restore-database.ts";
import type { Site } from "../site.ts";
import { askJson } from "./ground.ts";
import { lookAtRights, type Rights } from "./rights.ts";

/** What the server has to have before a backup is restored, and lacks. */
export interface Needs {
  readonly missingRoles?: readonly string[];
  readonly missingExtensions: readonly string[];
  /** "pg_trgm 1.5 -> 1.6" */
  readonly otherVersions: readonly string[];
}

/** What a look at a backup has found. */
interface Looked {
  readonly needs: Needs;
  readonly rights: Rights;
  /** It has to be restored by one connection, in its order. */
  readonly inOrder: boolean;
}

/** What is restored: one part of a backup; without a reader and definitions it is not read. */
export interface Backup {
  readonly manifest: Manifest;
  readonly part: ManifestPart;
  readonly reader?: BackupReader | undefined;
  /** The archive, where it is read already. */
  readonly archive?: Promise<Pick<Prepared, "definitions" | "inOrder">>;
}

/**
 * By the manifest, and, where there is a reader, by the archive's definitions, whose data are not read. `into`: whose name
 * stands in what is said; `whole`: the database itself is made as the backup has it; `emptied`: what is emptied first.
 */
export async function lookAtNeeds(
  site: Site,
  backup: Backup,
  into: { readonly database: string; readonly whole?: boolean; readonly emptied?: string | undefined },
): Promise<Looked> {
  const { manifest, part } = backup;
  const { whole = false } = into;
  const wanted = extensionsOf(manifest, part.database);
  let missingRoles: string[] | undefined;
  let rights: Rights = { obstacles: [], remarks: [] };
  const read = await definitionsOf(site, backup, whole);
  const definitions = read?.definitions;
  if (definitions !== undefined) {
    const known = (await askKnown(site)).roles;
    missingRoles = [...rolesOf(definitions)].filter((role) => !known.has(role)).sort();
    rights = await lookAtRights(site, definitions, { ...into, whole });
    for (const { type, name } of definitions)
      if (type === "EXTENSION" && !wanted.has(name)) wanted.set(name, undefined);
  }
  const query = "SELECT json_build_array(name, default_version) FROM pg_catalog.pg_available_extensions";
  const pair = z.tuple([z.string(), z.string()]);
  const available = new Map(await askJson(site, undefined, query, (value) => pair.parse(value)));
  const otherVersions = [...wanted].flatMap(([name, version]) => {
    const there = available.get(name);
    return version === undefined || there === undefined || there === version ? [] : [`${name} ${version} -> ${there}`];
  });
  const missingExtensions = [...wanted.keys()].filter((name) => !available.has(name));
  const needs = { ...(missingRoles && { missingRoles }), missingExtensions, otherVersions };
  return { needs, rights, inOrder: read?.inOrder ?? false };
}

/** `whole`: with those of the database itself. Undefined where the archive is not to be read. */
async function definitionsOf(
  site: Site,
  { part, reader, archive }: Backup,
  whole: boolean,
): Promise<Pick<Prepared, "definitions" | "inOrder"> | undefined> {
  const reading = archive ?? (reader && readDefinitions(site, { reader, part, signal: site.signal }, asBackedUp));
  if (reading === undefined) return undefined;
  const { definitions, inOrder } = await reading;
  return { definitions: whole ? definitions : definitions.filter((each) => !isOfDatabase(each)), inOrder };
}

/** Of one database, as the manifest has them: "hstore 1.8, pg_trgm 1.6", of several "shop: hstore 1.8; ...". */
export function extensionsOf({ source }: Pick<Manifest, "source">, database?: string): Map<string, string | undefined> {
  const { extensions = "", databases } = source;
  const own =
    databases === undefined
      ? extensions
      : (extensions
          .split("; ")
          .find((each) => each.startsWith(`${database}: `))
          ?.slice(`${database}: `.length) ?? "");
  const pairs = own.split(", ").flatMap((each): [string, string][] => {
    const space = each.lastIndexOf(" ");
    return space <= 0 ? [] : [[each.slice(0, space), each.slice(space + 1)]];
  });
  return new Map(pairs);
}

const list = `${identifierPattern}(?:, ${identifierPattern})*`;
const granted = new RegExp(`\\b(?:TO|FROM|FOR ROLE) (${identifierPattern})`, "g");
const policy = new RegExp(` TO (${list})(?= USING| WITH CHECK|;)`);
const inDatabase = new RegExp(`^ALTER ROLE (${identifierPattern}) IN DATABASE `, "gm");
const mapping = new RegExp(`^CREATE USER MAPPING FOR (${identifierPattern})`, "m");

/** Roles that definitions name: owners, who was granted something, whom a policy is for. */
export function rolesOf(definitions: readonly Definition[]): Set<string> {
  const roles = new Set<string>();
  const add = (name: string): void => {
    if (!/^(PUBLIC|public|CURRENT_USER|SESSION_USER|CURRENT_ROLE)$/.test(name)) roles.add(unquote(name));
  };
  for (const { type, owner, sql } of definitions) {
    if (owner !== "" && owner !== "-") roles.add(owner);
    for (const name of namedIn(type, sql)) add(name);
  }
  return roles;
}

function namedIn(type: string, sql: string): string[] {
  const each = (pattern: RegExp): string[] => [...sql.matchAll(pattern)].map(([, name = ""]) => name);
  if (type.endsWith("ACL")) return each(granted);
  if (type === "DATABASE PROPERTIES") return each(inDatabase);
  if (type === "POLICY") return policy.exec(sql)?.[1]?.split(", ") ?? [];
  return type === "USER MAPPING" ? [mapping.exec(sql)?.[1] ?? "PUBLIC"] : [];
}
