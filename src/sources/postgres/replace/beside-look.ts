import { z } from "zod";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";
import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { conversing } from "../conversing.ts";
import { quoteLiteral } from "../names.ts";
import type { Site } from "../site.ts";
import { jobsFor, type Machine } from "../unpacked.ts";
import { askJson, type Hold, lockKey } from "./ground.ts";
import { type Backup, extensionsOf, lookAtNeeds, type Needs } from "./needs.ts";
import type { Rights } from "./rights.ts";
import { freeOnServer, neededBytes } from "./room.ts";

/** The longest name that PostgreSQL keeps; bytes. */
const longestName = 63;

const foundSchema = z.object({ oid: z.string(), comment: z.string().nullable() });

export type Found = z.output<typeof foundSchema>;

/** The database of that name, if there is one. */
export async function findDatabase(hold: Pick<Hold, "query">, name: string): Promise<Found | undefined> {
  const [row] = await hold.query(`SELECT json_build_object('oid', oid::text,
  'comment', shobj_description(oid, 'pg_database')) FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(name)}`);
  return row === undefined ? undefined : foundSchema.parse(JSON.parse(row));
}

const markSchema = z.object({
  vakhta: z.literal("replacement"),
  id: z.string(),
  state: z.literal("beside"),
  made: z.string(),
});

/** The comment of a database for as long as it is being made. */
export function makingMark(id: string, oid: string): string {
  return JSON.stringify({
    vakhta: "replacement",
    id,
    state: "beside",
    made: oid,
  } satisfies z.output<typeof markSchema>);
}

/** True for one that this order is making, or was when it was killed. */
export function isBeingMade({ oid, comment }: Found, id: string): boolean {
  try {
    const mark = markSchema.safeParse(JSON.parse(comment ?? ""));
    return mark.success && mark.data.id === id && mark.data.made === oid;
  } catch {
    return false;
  }
}

const serverSchema = z.object({
  user: z.string(),
  createdb: z.boolean(),
  standby: z.boolean(),
  there: foundSchema.nullable(),
  free: z.boolean(),
  original: z.int().nullable(),
});

/** Extensions that work in one database of a server only, or need its own way of restoring. */
const bound = new Map([
  ["pg_cron", "replace-obstacle-new-cron"],
  ["timescaledb", "replace-obstacle-new-timescale"],
]);

/** Whether a server has room and everything else for a new database with what is in a backup. Changes nothing. */
export async function lookBeside(
  ground: Site,
  backup: Backup,
  target: {
    readonly to: string;
    readonly id: string;
    readonly machine: Machine;
    readonly via?: readonly string[] | undefined;
  },
): Promise<ReplacementLook> {
  await using site = conversing(ground);
  const { manifest, part } = backup;
  const { to, machine, id } = target;
  const key = lockKey(to);
  const question = `SELECT json_build_object('user', current_user, 'standby', pg_is_in_recovery(),
  'createdb', (SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user),
  'free', CASE WHEN pg_try_advisory_lock_shared(${key}) THEN pg_advisory_unlock_shared(${key}) ELSE false END,
  'there', (SELECT json_build_object('oid', oid::text, 'comment', shobj_description(oid, 'pg_database'))
    FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(to)}),
  'original', (SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END
    FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(part.database ?? "")}))`;
  const [server] = await askJson(site, undefined, question, (value) => serverSchema.parse(value));
  const { needs, rights, inOrder } = await lookAtNeeds(site, backup, { database: to, whole: true });
  const needed = neededBytes(part, server?.original ?? part.rawBytes ?? part.bytes);
  const freeBytes = await freeOnServer(site, site.server.database);
  const obstacles: Text[] = [];
  const remarks: Text[] = [];
  const add = (list: Text[], name: string, args: Text["args"] = {}): void => {
    list.push({ key: name, args: { database: to, ...args } });
  };
  if (to === "" || /[\r\n\0]/.test(to)) add(obstacles, "replace-obstacle-name");
  if (Buffer.byteLength(to) > longestName) add(obstacles, "replace-obstacle-new-long");
  if (server?.standby) add(obstacles, "replace-obstacle-standby");
  if (server?.there && !isBeingMade(server.there, id)) add(obstacles, "replace-obstacle-taken");
  if (server?.free === false) add(obstacles, "replace-obstacle-busy");
  if (server?.createdb === false) add(obstacles, "replace-obstacle-createdb-new", { user: server.user });
  addNeeds({ obstacles, remarks }, to, { needs, rights, manifest, part });
  const extensions = extensionsOf(manifest, part.database);
  for (const [extension, obstacle] of bound) if (extensions.has(extension)) add(obstacles, obstacle);
  if (freeBytes === undefined) add(remarks, "replace-remark-room", { needed: mebibytes(needed) });
  else if (freeBytes < needed)
    add(obstacles, "replace-obstacle-room", { needed: mebibytes(needed), free: mebibytes(freeBytes) });
  const { systemIdentifier: system } = site.server;
  const backedUp = manifest.source.systemIdentifier;
  return {
    identity: { ...(system !== undefined && { system }), database: to },
    database: to,
    ...(system !== undefined && backedUp !== undefined && { sameSystem: system === backedUp }),
    facts: { PostgreSQL: site.server.version, pg_restore: site.tools.version },
    liveBytes: 0,
    neededBytes: needed,
    ...(freeBytes !== undefined && { freeBytes }),
    sessions: [],
    ...needs,
    lost: [],
    lostTotal: 0,
    unit: "rows",
    method: "beside",
    wayBack: "kept",
    jobs: inOrder ? 1 : await jobsFor(machine, part, target),
    remarks,
    obstacles,
  };
}

export const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

/** What the backup needs and the server lacks, and what a person should know of it. */
export function addNeeds(
  { obstacles, remarks }: { readonly obstacles: Text[]; readonly remarks: Text[] },
  database: string,
  backup: {
    readonly needs: Needs;
    readonly rights: Rights;
    readonly manifest: Manifest;
    readonly part: ManifestPart;
  },
): void {
  const { needs, rights, manifest, part } = backup;
  const { missingExtensions, missingRoles = [], otherVersions } = needs;
  const add = (list: Text[], key: string, args: Text["args"] = {}): void => {
    list.push({ key, args: { database, ...args } });
  };
  if (missingExtensions.length > 0)
    add(obstacles, "replace-obstacle-extensions", { list: missingExtensions.join(", ") });
  if (missingRoles.length > 0) add(obstacles, "replace-obstacle-roles", { list: missingRoles.join(", ") });
  obstacles.push(...rights.obstacles);
  remarks.push(...rights.remarks);
  if (part.tables === undefined) add(remarks, "replace-remark-uncounted");
  if (otherVersions.length > 0) add(remarks, "replace-remark-versions", { list: otherVersions.join(", ") });
  if (manifest.source.largeObjects === "off") add(remarks, "replace-remark-large-objects");
}
