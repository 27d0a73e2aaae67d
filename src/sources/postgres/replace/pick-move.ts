import { z } from "zod";
import { quoteIdentifier, quoteLiteral } from "../names.ts";
import type { Hold } from "./ground.ts";
import type { Picked } from "./pick-choice.ts";

/** The tables whose rows are wanted: those that are picked, and all of which they consist, wherever those lie. */
export function wantedTables({ schema, table }: Picked): string {
  const which = table === undefined ? "" : `AND c.relname = ${quoteLiteral(table)}`;
  return `
WITH RECURSIVE wanted(oid) AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ${quoteLiteral(schema)} AND c.relkind IN ('r', 'p') ${which} AND ${notOf("pg_class", "c.oid", "'e'")}
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN wanted w ON w.oid = i.inhparent)`;
}

/** True where something does not depend on anything in one of these ways: `e` as a member of an extension. */
function notOf(catalogue: string, oid: string, kinds: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype IN (${kinds}))`;
}

/** Everything in a schema that can be moved by itself: not what is of an extension, a column or a type. */
const inSchema = (
  [
    ["pg_class", "relnamespace", "AND o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"],
    [
      "pg_type",
      "typnamespace",
      "AND (o.typtype IN ('d', 'e', 'r', 'm') OR o.typtype = 'b' AND o.typelem = 0 OR o.typtype = 'c' AND (SELECT relkind FROM pg_catalog.pg_class WHERE oid = o.typrelid) = 'c')",
    ],
    ["pg_proc", "pronamespace", ""],
    ["pg_operator", "oprnamespace", ""],
    ["pg_opfamily", "opfnamespace", ""],
    ["pg_opclass", "opcnamespace", ""],
    ["pg_collation", "collnamespace", ""],
    ["pg_conversion", "connamespace", ""],
    ["pg_statistic_ext", "stxnamespace", ""],
    ["pg_ts_config", "cfgnamespace", ""],
    ["pg_ts_dict", "dictnamespace", ""],
    ["pg_ts_parser", "prsnamespace", ""],
    ["pg_ts_template", "tmplnamespace", ""],
  ] as const
)
  .map(([catalogue, namespace, more]) => {
    // A sequence of a column and the functions of a range go with these; a multirange does not go with its range.
    const bound = catalogue === "pg_type" || catalogue === "pg_statistic_ext" ? "'e'" : "'e', 'i'";
    const owned = catalogue === "pg_class" ? `AND (o.relkind <> 'S' OR ${notOf(catalogue, "o.oid", "'a', 'i'")})` : "";
    return `SELECT 'pg_catalog.${catalogue}'::regclass, o.oid FROM pg_catalog.${catalogue} o
      WHERE o.${namespace} = source AND o.oid >= 16384 ${more} AND ${notOf(catalogue, "o.oid", bound)} ${owned}`;
  })
  .join("\n  UNION ALL ");

const resultSchema = z.object({
  tables: z.array(z.object({ schema: z.string(), name: z.string(), kind: z.string() })),
  removed: z.array(z.string()),
  detached: z.array(z.string()),
  code: z.int(),
});

/** What came together in the new schema. */
export interface Moved {
  /** Tables by the schema and name that they had; `kind`: as pg_class has it. */
  readonly tables: readonly { readonly schema: string; readonly name: string; readonly kind: string }[];
  /** What needs a table that is not picked, and is left out. */
  readonly removed: readonly string[];
  /** Tables that were partitions of, or inherited from, one that is not picked. */
  readonly detached: readonly string[];
  /** Functions whose text may name what is not there. */
  readonly code: number;
}

/**
 * Moves what is picked, with all types, functions and sequences that it needs, into a new schema of the same database,
 * and removes there what would need any other table. After it nothing in that schema needs anything outside of it but
 * extensions. Rejects where a column needs what can not come along.
 */
export async function moveInto(session: Pick<Hold, "query">, picked: Picked, to: string): Promise<Moved> {
  const rows = await session.query(`BEGIN; SET LOCAL search_path = pg_catalog; SET LOCAL client_min_messages = error;
${program(picked, to)};
SELECT current_setting('vakhta.moved'); COMMIT`);
  return resultSchema.parse(JSON.parse(rows.at(-1) ?? ""));
}

const regclass = (name: string): string => `'pg_catalog.${name}'::regclass`;

/** What is part of something that is moved: its defaults, constraints, indexes, triggers, rules, policies, own sequences. */
const whole = `
  WITH RECURSIVE d(classid, objid) AS (
    SELECT classid, objid FROM moved
    UNION SELECT p.classid, p.objid FROM pg_depend p JOIN d ON p.refclassid = d.classid AND p.refobjid = d.objid
      WHERE p.deptype IN ('a', 'i', 'P', 'S')
        AND p.classid IN (${["pg_attrdef", "pg_constraint", "pg_class", "pg_trigger", "pg_rewrite", "pg_policy", "pg_type", "pg_statistic_ext"].map(regclass).join(", ")})
        AND NOT (p.classid = ${regclass("pg_class")} AND EXISTS (SELECT FROM pg_class c WHERE c.oid = p.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))))`;

/**
 * What they need: of an array its element, of a row its table, of a multirange its range. Not what is of an extension, nor
 * what lies in no schema.
 */
const needs = `${whole},
  raw AS (
    SELECT DISTINCT d.classid, d.objid, p.refclassid, p.refobjid FROM d JOIN pg_depend p USING (classid, objid)
    WHERE p.deptype IN ('n', 'a', 'i') AND p.refobjid >= 16384 AND p.refclassid IN (${["pg_class", "pg_type", "pg_proc", "pg_operator", "pg_opclass", "pg_opfamily", "pg_collation", "pg_conversion", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_constraint"].map(regclass).join(", ")})),
  element AS (
    SELECT raw.classid, raw.objid, raw.refclassid, coalesce(nullif(CASE WHEN t.typcategory = 'A' THEN t.typelem END, 0), raw.refobjid) AS refobjid
    FROM raw LEFT JOIN pg_type t ON raw.refclassid = ${regclass("pg_type")} AND t.oid = raw.refobjid),
  main AS (
    SELECT element.classid, element.objid,
      CASE WHEN k.conrelid <> 0 THEN ${regclass("pg_class")} WHEN k.contypid <> 0 THEN ${regclass("pg_type")}
        WHEN c.relkind = 'c' THEN ${regclass("pg_type")} WHEN tc.relkind <> 'c' THEN ${regclass("pg_class")} ELSE refclassid END AS refclassid,
      CASE WHEN k.conrelid <> 0 THEN k.conrelid WHEN k.contypid <> 0 THEN k.contypid
        WHEN c.relkind = 'c' THEN c.reltype WHEN tc.relkind <> 'c' THEN tc.oid ELSE refobjid END AS refobjid
    FROM element
    LEFT JOIN pg_class c ON refclassid = ${regclass("pg_class")} AND c.oid = refobjid
    LEFT JOIN pg_type t ON refclassid = ${regclass("pg_type")} AND t.oid = refobjid
    LEFT JOIN pg_class tc ON tc.oid = t.typrelid AND t.typrelid <> 0
    LEFT JOIN pg_constraint k ON refclassid = ${regclass("pg_constraint")} AND k.oid = refobjid)
  SELECT DISTINCT main.*, CASE WHEN refclassid = ${regclass("pg_class")} THEN
      (SELECT c.relkind <> 'S' OR EXISTS (SELECT FROM pg_depend o WHERE o.classid = ${regclass("pg_class")} AND o.objid = c.oid AND o.deptype IN ('a', 'i'))
        FROM pg_class c WHERE c.oid = refobjid) ELSE false END AS blocked
  FROM main
  WHERE NOT EXISTS (SELECT FROM d WHERE d.classid = main.refclassid AND d.objid = main.refobjid)
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = main.refclassid AND e.objid = main.refobjid AND e.deptype = 'e')`;

function program(picked: Picked, to: string): string {
  const body = `
DECLARE
  source oid := (SELECT oid FROM pg_namespace WHERE nspname = ${quoteLiteral(picked.schema)});
  each record; about record; added int; removed text[] := '{}'; detached text[] := '{}'; tables jsonb; target text; listed bool := false;
BEGIN
  CREATE SCHEMA ${quoteIdentifier(to)};
  CREATE TEMP TABLE moved (classid oid, objid oid, PRIMARY KEY (classid, objid));
  CREATE TEMP TABLE parts (classid oid, objid oid, what text);
  ${
    picked.table === undefined
      ? `INSERT INTO moved ${inSchema};\n  INSERT INTO moved ${wantedTables(picked)} SELECT ${regclass("pg_class")}, oid FROM wanted ON CONFLICT DO NOTHING;`
      : `INSERT INTO moved ${wantedTables(picked)} SELECT ${regclass("pg_class")}, oid FROM wanted;`
  }
  -- A partition alone is a table like any other.
  FOR each IN SELECT i.inhrelid::regclass::text AS child, i.inhparent::regclass::text AS parent, c.relispartition
    FROM pg_inherits i JOIN moved m ON m.objid = i.inhrelid AND m.classid = ${regclass("pg_class")} JOIN pg_class c ON c.oid = i.inhrelid
    WHERE NOT EXISTS (SELECT FROM moved p WHERE p.objid = i.inhparent AND p.classid = ${regclass("pg_class")})
  LOOP
    IF each.relispartition THEN EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', each.parent, each.child);
    ELSE EXECUTE format('ALTER TABLE %s NO INHERIT %s', each.child, each.parent); END IF;
    detached := detached || each.child;
  END LOOP;
  LOOP
    INSERT INTO moved SELECT DISTINCT refclassid, refobjid FROM (${needs}) AS n WHERE NOT blocked ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    CONTINUE WHEN added > 0;
    -- A multirange is a part of its range, and stays behind unless it is moved too.
    INSERT INTO moved SELECT d.classid, d.objid FROM (${whole} SELECT * FROM d) AS d
      JOIN pg_type t ON d.classid = ${regclass("pg_type")} AND t.oid = d.objid WHERE t.typtype = 'm' ON CONFLICT DO NOTHING;
    IF NOT listed THEN
      listed := true;
      INSERT INTO parts SELECT classid, objid, pg_describe_object(classid, objid, 0) FROM (${whole} SELECT * FROM d) AS d
      WHERE classid IN (${["pg_policy", "pg_trigger", "pg_constraint", "pg_proc", "pg_class", "pg_attrdef"].map(regclass).join(", ")})
        AND NOT (classid = ${regclass("pg_class")} AND EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND c.relkind IN ('i', 'I', 't')));
    END IF;
    SELECT * INTO each FROM (${needs}) AS n WHERE blocked LIMIT 1;
    EXIT WHEN NOT FOUND;
    SELECT * INTO about FROM pg_identify_object(each.classid, each.objid, 0);
    IF each.classid = ${regclass("pg_rewrite")} THEN
      SELECT CASE WHEN r.rulename <> '_RETURN' THEN format('DROP RULE %I ON %s CASCADE', r.rulename, c.oid::regclass)
        ELSE format('DROP %s %s CASCADE', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::regclass) END
        INTO target FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid = each.objid;
      EXECUTE target;
    ELSIF each.classid = ${regclass("pg_attrdef")} THEN
      SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', a.attrelid::regclass, a.attname) INTO target
        FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.oid = each.objid;
      EXECUTE target;
    ELSIF each.classid = ${regclass("pg_constraint")} THEN
      SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) INTO target
        FROM pg_constraint WHERE oid = each.objid AND conrelid <> 0;
      EXECUTE target;
    ELSIF each.classid = ${regclass("pg_proc")} THEN
      EXECUTE format('DROP ROUTINE %s CASCADE', about.identity);
    ELSIF each.classid IN (${regclass("pg_policy")}, ${regclass("pg_trigger")}) THEN
      EXECUTE format('DROP %s %s', about.type, about.identity);
    ELSE
      RAISE EXCEPTION 'vakhta: % needs %', pg_describe_object(each.classid, each.objid, 0), pg_describe_object(each.refclassid, each.refobjid, 0);
    END IF;
    FOR each IN SELECT * FROM parts LOOP
      -- Older servers raise an error for what is gone.
      BEGIN target := pg_describe_object(each.classid, each.objid, 0);
      EXCEPTION WHEN OTHERS THEN target := NULL;
      END;
      IF target IS NULL THEN
        removed := removed || each.what;
        DELETE FROM parts WHERE classid = each.classid AND objid = each.objid;
        DELETE FROM moved WHERE classid = each.classid AND objid = each.objid;
      END IF;
    END LOOP;
  END LOOP;
  SELECT coalesce(jsonb_agg(jsonb_build_object('schema', n.nspname, 'name', c.relname, 'kind', c.relkind)), '[]') INTO tables
    FROM moved m JOIN pg_class c ON m.classid = ${regclass("pg_class")} AND c.oid = m.objid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p');
  FOR each IN SELECT * FROM moved ORDER BY classid = ${regclass("pg_class")}, objid LOOP
    SELECT * INTO about FROM pg_identify_object(each.classid, each.objid, 0);
    CONTINUE WHEN about.schema = ${quoteLiteral(to)};
    EXECUTE format('ALTER %s %s SET SCHEMA %I',
      CASE WHEN about.type IN ('function', 'procedure', 'aggregate') THEN 'ROUTINE' WHEN about.type = 'statistics object' THEN 'STATISTICS' ELSE about.type END,
      about.identity, ${quoteLiteral(to)});
  END LOOP;
  -- Who may use the one may use the other; who owns it, where that can be given.
  FOR each IN SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee, a.privilege_type
    FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a WHERE n.oid = source
  LOOP
    EXECUTE format('GRANT %s ON SCHEMA %I TO %s', each.privilege_type, ${quoteLiteral(to)}, each.grantee);
  END LOOP;
  BEGIN
    SELECT r.rolname INTO target FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.oid = source;
    IF target !~ '^pg_' THEN EXECUTE format('ALTER SCHEMA %I OWNER TO %I', ${quoteLiteral(to)}, target); END IF;
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END;
  PERFORM set_config('vakhta.moved', jsonb_build_object('tables', tables, 'removed', removed, 'detached', detached,
    'code', (SELECT count(*) FROM moved JOIN pg_proc p ON p.oid = objid WHERE classid = ${regclass("pg_proc")}))::text, false);
END`;
  return `DO ${quoteLiteral(body)}`;
}
