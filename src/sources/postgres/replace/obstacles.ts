import { z } from "zod";
import type { Text } from "../../../core/text.ts";
import { quoteLiteral } from "../names.ts";
import type { Site } from "../site.ts";
import { askJson, lockKey } from "./ground.ts";
import { areShort, type Names } from "./marks.ts";

const foundSchema = z.object({
  oid: z.string(),
  bytes: z.int(),
  comment: z.string().nullable(),
  owned: z.boolean(),
  owner: z.string(),
  user: z.string(),
  createdb: z.boolean(),
  template: z.boolean(),
  open: z.boolean(),
  standby: z.boolean(),
  free: z.boolean(),
  slots: z.array(z.string()),
  subscriptions: z.array(z.string()),
  prepared: z.int(),
  cron: z.string().nullable(),
  sessions: z.array(z.object({ user: z.string(), application: z.string(), endable: z.boolean(), count: z.int() })),
});

/** What the server says of the live database. */
export type LiveDatabase = z.output<typeof foundSchema>;

/** Undefined where there is none of that name. Changes nothing. */
export async function askLive(site: Site, database: string): Promise<LiveDatabase | undefined> {
  const key = lockKey(database);
  const question = `
SELECT json_build_object('oid', d.oid::text, 'bytes', pg_database_size(d.oid), 'template', d.datistemplate,
  'comment', shobj_description(d.oid, 'pg_database'), 'open', d.datallowconn, 'standby', pg_is_in_recovery(),
  'owner', pg_get_userbyid(d.datdba), 'user', current_user,
  'owned', pg_has_role(d.datdba, 'USAGE'),
  'createdb', (SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user),
  'free', CASE WHEN pg_try_advisory_lock_shared(${key}) THEN pg_advisory_unlock_shared(${key}) ELSE false END,
  'slots', (SELECT coalesce(json_agg(slot_name), '[]') FROM pg_catalog.pg_replication_slots s WHERE s.database = d.datname),
  'subscriptions', (SELECT coalesce(json_agg(subname), '[]') FROM pg_catalog.pg_subscription s WHERE s.subdbid = d.oid),
  'prepared', (SELECT count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.database = d.datname),
  'cron', current_setting('cron.database_name', true),
  'sessions', (SELECT coalesce(json_agg(json_build_object('user', s.usename, 'application', s.application, 'endable', s.endable, 'count', s.count) ORDER BY s.count DESC), '[]')
    FROM (SELECT a.usename, coalesce(a.application_name, '') AS application, count(*),
        -- Of a superuser only a superuser ends sessions, whatever else somebody is a member of.
        CASE WHEN r.rolsuper THEN me.rolsuper ELSE pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE') END AS endable
      FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
      JOIN pg_catalog.pg_roles me ON me.rolname = current_user
      WHERE a.datid = d.oid AND a.pid <> pg_backend_pid() GROUP BY 1, 2, 4) AS s))
FROM pg_catalog.pg_database d WHERE d.datname = ${quoteLiteral(database)}`;
  const [found] = await askJson(site, undefined, question, (value) => foundSchema.parse(value));
  return found;
}

/** Everything that binds this database to something that would not follow it, or that its user may not do. */
export async function obstaclesTo(
  site: Site,
  live: LiveDatabase,
  { names, method }: { readonly names: Names; readonly method: "beside" | "single-transaction" },
): Promise<Text[]> {
  const database = names.live;
  const found: Text[] = [];
  const add = (key: string, args: Text["args"] = {}): void => {
    found.push({ key, args: { database, ...args } });
  };
  if (/[\r\n]/.test(database)) add("replace-obstacle-name");
  const beside = method === "beside";
  if (beside && !areShort(names)) add("replace-obstacle-long");
  if (live.standby) add("replace-obstacle-standby");
  if (beside && live.template) add("replace-obstacle-template");
  if (!live.open) add("replace-obstacle-closed");
  if (!live.owned) add("replace-obstacle-owner", { user: live.user, owner: live.owner });
  if (!live.free) add("replace-obstacle-busy");
  if (live.slots.length > 0) add("replace-obstacle-slots", { list: live.slots.join(", ") });
  if (live.subscriptions.length > 0) add("replace-obstacle-subscriptions", { list: live.subscriptions.join(", ") });
  if (live.prepared > 0) add("replace-obstacle-prepared", { count: live.prepared });
  if (live.cron === database) add("replace-obstacle-cron");
  const stubborn = live.sessions.filter(({ endable }) => !endable).map(({ user }) => user);
  if (stubborn.length > 0) add("replace-obstacle-sessions", { list: [...new Set(stubborn)].join(", ") });
  if (live.open) {
    const query = "SELECT to_json(extname) FROM pg_catalog.pg_extension WHERE extname IN ('timescaledb', 'pg_cron')";
    const bound = await askJson(site, database, query, (value) => z.string().parse(value));
    if (bound.includes("timescaledb")) add("replace-obstacle-timescale");
    if (bound.includes("pg_cron") && live.cron !== database) add("replace-obstacle-cron");
  }
  return found;
}
