import { quoteIdentifier, quoteLiteral } from "../names.ts";

/** Milliseconds in which the tables of the live database have to be free. */
export const lockWithinMs = 10_000;

/**
 * Ends the sessions of others in this database and locks every table against everybody: who comes in then waits. The
 * locks go with the transaction, also when its process is killed. Sets `vakhta.ended` to how many sessions were ended.
 */
export const lockEverything = `DO ${quoteLiteral(`
DECLARE
  until timestamptz := clock_timestamp() + interval '${lockWithinMs} ms'; session int; ended int[] := '{}'; each record;
BEGIN
  PERFORM set_config('lock_timeout', '500ms', true);
  LOOP
    PERFORM pg_stat_clear_snapshot();
    FOR session IN SELECT pid FROM pg_catalog.pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    LOOP
      BEGIN
        IF pg_terminate_backend(session) AND NOT session = ANY (ended) THEN ended := ended || session; END IF;
      EXCEPTION WHEN insufficient_privilege THEN NULL;
      END;
    END LOOP;
    BEGIN
      FOR each IN SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      LOOP
        EXECUTE 'LOCK TABLE ONLY ' || each.name || ' IN ACCESS EXCLUSIVE MODE';
      END LOOP;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF clock_timestamp() > until THEN RAISE; END IF;
    END;
  END LOOP;
  PERFORM set_config('lock_timeout', '${lockWithinMs}ms', true);
  PERFORM set_config('vakhta.ended', cardinality(ended)::text, false);
END`)}`;

const member = (catalogue: string, oid: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** What there can be in a schema, in an order in which most goes with what was dropped before it. */
const inSchema = [
  ["pg_class", "relnamespace", "AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"],
  ["pg_type", "typnamespace", "AND typtype IN ('d', 'e', 'r', 'b', 'c')"],
  ["pg_proc", "pronamespace", ""],
  ["pg_operator", "oprnamespace", ""],
  ["pg_opclass", "opcnamespace", ""],
  ["pg_opfamily", "opfnamespace", ""],
  ["pg_collation", "collnamespace", ""],
  ["pg_conversion", "connamespace", ""],
  ["pg_statistic_ext", "stxnamespace", ""],
  ["pg_ts_config", "cfgnamespace", ""],
  ["pg_ts_dict", "dictnamespace", ""],
  ["pg_ts_parser", "prsnamespace", ""],
  ["pg_ts_template", "tmplnamespace", ""],
] as const;

/** What lies in no schema, by what it is dropped as. */
const outside = [
  ["pg_publication", "PUBLICATION", "pubname"],
  ["pg_event_trigger", "EVENT TRIGGER", "evtname"],
  ["pg_foreign_server", "SERVER", "srvname"],
  ["pg_foreign_data_wrapper", "FOREIGN DATA WRAPPER", "fdwname"],
] as const;

/**
 * Empties a database of all that anybody has made in it. Extensions that the backup has as well stay, and so do those that
 * this user may not drop: whoever may not drop one could not make it again either. A schema in which one lies stays, and
 * what else is in it goes. Sets `vakhta.kept` to the schemas that stay.
 */
export function dropEverything(extensions: readonly string[]): string {
  const keep = extensions.length === 0 ? "''" : extensions.map(quoteLiteral).join(", ");
  const steps = outside.map(
    ([catalogue, kind, name]) => `
  FOR each IN SELECT oid, ${name} AS name FROM pg_catalog.${catalogue} o WHERE oid >= 16384 AND NOT ${member(catalogue, "o.oid")} LOOP
    EXECUTE format('DROP ${kind} %I CASCADE', each.name);
  END LOOP;`,
  );
  const contents = inSchema.map(
    ([catalogue, namespace, more]) => `
  LOOP
    SELECT o.oid INTO each FROM pg_catalog.${catalogue} o WHERE o.${namespace} = ANY (kept) AND o.oid >= 16384 ${more}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${catalogue}'::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'i', 'P', 'S')) LIMIT 1;
    EXIT WHEN NOT FOUND;
    SELECT * INTO about FROM pg_identify_object('pg_catalog.${catalogue}'::regclass, each.oid, 0);
    EXECUTE format('DROP %s %s CASCADE', CASE about.type WHEN 'statistics object' THEN 'STATISTICS' ELSE about.type END, about.identity);
  END LOOP;`,
  );
  return `DO ${quoteLiteral(`
DECLARE each record; about record; kept oid[];
BEGIN
  FOR each IN SELECT extname FROM pg_catalog.pg_extension WHERE extname NOT IN ('plpgsql', ${keep}) LOOP
    BEGIN EXECUTE format('DROP EXTENSION %I CASCADE', each.extname);
    EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
    END;
  END LOOP;
  ${steps.join("")}
  kept := ARRAY(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public'
    UNION SELECT extnamespace FROM pg_catalog.pg_extension
    UNION SELECT c.oid FROM pg_catalog.pg_namespace c WHERE ${member("pg_namespace", "c.oid")}
    UNION SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE ${member("pg_class", "c.oid")}
    UNION SELECT p.pronamespace FROM pg_catalog.pg_proc p WHERE ${member("pg_proc", "p.oid")});
  FOR each IN SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND NOT oid = ANY (kept)
  LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', each.nspname);
  END LOOP;
  ${contents.join("")}
  -- Who may do what in a schema that stays becomes what it is in a new database, as far as it is this user's: a script says what is otherwise.
  FOR each IN SELECT DISTINCT n.oid, n.nspname, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS grantee
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x WHERE n.oid = ANY (kept) AND x.grantee <> n.nspowner
      AND n.nspname !~ '^pg_' AND pg_has_role(n.nspowner, 'USAGE') AND NOT ${member("pg_namespace", "n.oid")}
  LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE', each.nspname, each.grantee);
  END LOOP;
  FOR each IN SELECT n.nspname, x.privilege_type AS kind FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_init_privs i ON i.classoid = 'pg_catalog.pg_namespace'::regclass AND i.objoid = n.oid AND i.privtype = 'i'
    CROSS JOIN LATERAL aclexplode(i.initprivs) x WHERE n.nspname = 'public' AND x.grantee = 0 AND pg_has_role(n.nspowner, 'USAGE')
  LOOP
    EXECUTE format('GRANT %s ON SCHEMA %I TO PUBLIC', each.kind, each.nspname);
  END LOOP;
  PERFORM lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata;
  -- Default privileges: those of a schema go, those of the database become what they are where nobody has said anything.
  FOR each IN SELECT a.oid, a.defaclnamespace = 0 AS whole, pg_get_userbyid(defaclrole) AS role, defaclrole, defaclacl,
      CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS kind,
      format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s', pg_get_userbyid(defaclrole), 'IN SCHEMA ' || quote_ident(n.nspname)) AS alter
    FROM pg_catalog.pg_default_acl a LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
  LOOP
    FOR about IN SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS grantee FROM aclexplode(each.defaclacl) x LOOP
      EXECUTE format('%s REVOKE ALL ON %s FROM %s', each.alter, each.kind, about.grantee);
    END LOOP;
    IF each.whole THEN
      EXECUTE format('%s GRANT ALL ON %s TO %I', each.alter, each.kind, each.role);
      IF each.kind IN ('FUNCTIONS', 'TYPES') THEN EXECUTE format('%s GRANT ALL ON %s TO PUBLIC', each.alter, each.kind); END IF;
    END IF;
  END LOOP;
  PERFORM set_config('vakhta.kept', (SELECT json_build_object(
    'schemas', (SELECT json_agg(nspname) FROM pg_catalog.pg_namespace WHERE oid = ANY (kept)),
    'extensions', (SELECT json_agg(extname) FROM pg_catalog.pg_extension))::text), false);
END`)}`;
}

/** Stands at the end of a database's comment: by which order and in which transaction it was replaced. */
const remark = / ?\(restore ([A-Za-z0-9]+), transaction (\d+)\)$/;

/** Who has replaced a database last, by its comment. */
export function replacedBy(comment: string | null): { readonly id: string; readonly xid: string } | undefined {
  const [, id, xid] = remark.exec(comment ?? "") ?? [];
  return id === undefined || xid === undefined ? undefined : { id, xid };
}

/** The statement that says so behind a database's own comment, or takes it away. */
export function commentStatement(
  database: string,
  comment: string | null,
  by: { readonly id: string; readonly xid: string } | undefined,
): string {
  const own = (comment ?? "").replace(remark, "");
  const text = by === undefined ? own : `${own}${own === "" ? "" : " "}(restore ${by.id}, transaction ${by.xid})`;
  return `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${text === "" ? "NULL" : quoteLiteral(text)}`;
}
