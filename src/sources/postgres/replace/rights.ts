import { z } from "zod";
import type { Text } from "../../../core/text.ts";
import { type Definition, isOfDatabase } from "../definitions.ts";
import { quoteLiteral } from "../names.ts";
import type { Site } from "../site.ts";
import { askJson } from "./ground.ts";

const text = z.string();

/** Of whom something is that belongs to whoever has made a table, or to nobody in particular. */
const ownerless = /^(ACL|DEFAULT ACL|COMMENT|SECURITY LABEL|EXTENSION)$/;

/** What the user of the source would have to be allowed, to make again what is in a backup. */
export interface Rights {
  readonly obstacles: readonly Text[];
  readonly remarks: readonly Text[];
}

/**
 * Whether a user that is no superuser can give everything in a backup to whom it belongs, and make its extensions. Changes
 * nothing. `database`: whose name stands in what is said.
 */
export async function lookAtRights(
  site: Site,
  definitions: readonly Definition[],
  options: {
    readonly database: string;
    /** The database itself is made as the backup has it. */
    readonly whole: boolean;
    /** What is emptied first: its extensions stay, and all else in it has to be dropped. */
    readonly emptied?: string | undefined;
  },
): Promise<Rights> {
  const { database, whole, emptied } = options;
  const [user] = await askJson(
    site,
    undefined,
    "SELECT json_build_object('name', rolname, 'super', rolsuper) FROM pg_catalog.pg_roles WHERE rolname = current_user",
    (value) => z.object({ name: text, super: z.boolean() }).parse(value),
  );
  if (user === undefined || user.super) return { obstacles: [], remarks: [] };
  const kept = new Set(emptied === undefined ? [] : await keptIn(site, emptied));
  const owners = new Set(
    definitions
      .filter((each) => !ownerless.test(each.type) && (whole || !isOfDatabase(each)))
      .filter(({ type, name }) => type !== "SCHEMA" || !kept.has(name))
      .map(({ owner }) => owner)
      .filter((owner) => owner !== "" && owner !== "-" && !owner.startsWith("pg_")),
  );
  if (emptied !== undefined) for (const owner of await ownersIn(site, emptied)) owners.add(owner);
  // Since PostgreSQL 16 to be a member is not enough to give something away.
  const can = site.server.major >= 16 ? "SET" : "MEMBER";
  const question = `SELECT to_json(rolname) FROM pg_catalog.pg_roles WHERE NOT pg_has_role(oid, '${can}')`;
  const others = new Set(await askJson(site, undefined, question, (value) => text.parse(value)));
  const foreign = [...owners].filter((owner) => others.has(owner)).sort();
  const extensions = definitions.filter(({ type }) => type === "EXTENSION").map(({ name }) => name);
  const untrusted = await untrustedOf(site, extensions, emptied);
  const args = { database, user: user.name };
  return {
    obstacles:
      foreign.length === 0 ? [] : [{ key: "replace-obstacle-owners", args: { ...args, list: foreign.join(", ") } }],
    // A provider may allow it to users that are no superusers, which can not be seen from here.
    remarks:
      untrusted.length === 0
        ? []
        : [{ key: "replace-remark-untrusted", args: { ...args, list: untrusted.join(", ") } }],
  };
}

/** The condition of a schema that stays when its database is emptied: `public`, and those in which extensions lie. */
const stays = "(nspname = 'public' OR o.oid IN (SELECT extnamespace FROM pg_catalog.pg_extension))";

async function keptIn(site: Site, database: string): Promise<string[]> {
  const question = `SELECT to_json(nspname) FROM pg_catalog.pg_namespace o WHERE ${stays}`;
  return await askJson(site, database, question, (value) => text.parse(value));
}

async function ownersIn(site: Site, database: string): Promise<string[]> {
  const mine = (catalogue: string) =>
    `NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${catalogue}'::regclass AND d.objid = o.oid AND d.deptype = 'e')`;
  const question = `SELECT DISTINCT to_jsonb(pg_get_userbyid(owner)) FROM (
  SELECT relowner AS owner FROM pg_catalog.pg_class o WHERE oid >= 16384 AND relkind NOT IN ('i', 'I', 't') AND relpersistence <> 't' AND ${mine("pg_class")}
  UNION SELECT proowner FROM pg_catalog.pg_proc o WHERE oid >= 16384 AND ${mine("pg_proc")}
  UNION SELECT typowner FROM pg_catalog.pg_type o WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r', 'b') AND typelem = 0 AND ${mine("pg_type")}
  UNION SELECT nspowner FROM pg_catalog.pg_namespace o WHERE oid >= 16384 AND nspname !~ '^pg_' AND NOT ${stays} AND ${mine("pg_namespace")}
  UNION SELECT lomowner FROM pg_catalog.pg_largeobject_metadata) AS owners`;
  return await askJson(site, database, question, (value) => text.parse(value));
}

/** Those that only a superuser makes, as far as PostgreSQL itself says, and that are not there already. */
async function untrustedOf(site: Site, extensions: readonly string[], there: string | undefined): Promise<string[]> {
  if (extensions.length === 0) return [];
  const question = `SELECT to_json(v.name) FROM pg_catalog.pg_available_extension_versions v
  JOIN pg_catalog.pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
  WHERE v.name IN (${extensions.map(quoteLiteral).join(", ")}) AND v.superuser
    AND NOT coalesce((to_jsonb(v) ->> 'trusted')::bool, false) AND NOT (${there !== undefined} AND e.installed_version IS NOT NULL)`;
  return (await askJson(site, there, question, (value) => text.parse(value))).sort();
}

/**
 * Settings of a database, and of roles in it, that this user may not give to another one: found by trying, of which nothing
 * stays. Changes nothing.
 */
export async function forbiddenSettings(site: Site, database: string): Promise<string[]> {
  const program = `
DECLARE each record; found text[] := '{}';
BEGIN
  FOR each IN SELECT r.rolname, split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = ${quoteLiteral(database)}
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS setting
  LOOP
    BEGIN
      EXECUTE CASE WHEN each.rolname IS NULL THEN format('ALTER DATABASE %I', ${quoteLiteral(database)})
        ELSE format('ALTER ROLE %I IN DATABASE %I', each.rolname, ${quoteLiteral(database)}) END || format(' SET %s TO %L', each.name, each.value);
      RAISE EXCEPTION USING ERRCODE = 'VK001';
    EXCEPTION
      WHEN insufficient_privilege THEN found := found || concat_ws(' ', each.rolname, each.name);
      WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  PERFORM set_config('vakhta.found', to_json(found)::text, false);
END`;
  const question = `DO ${quoteLiteral(program)}; SELECT current_setting('vakhta.found')`;
  const [list = []] = await askJson(site, undefined, question, (value) => z.array(text).parse(value));
  return list;
}
