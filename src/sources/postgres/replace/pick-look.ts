import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";
import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import type { BesideOrder } from "../../replacement.ts";
import type { BackupReader } from "../../types.ts";
import { readBeginning } from "../archive.ts";
import { parseDefinitions } from "../definitions.ts";
import { quoteLiteral, sameSpelling } from "../names.ts";
import type { Site } from "../site.ts";
import { addNeeds, mebibytes } from "./beside-look.ts";
import { askJson } from "./ground.ts";
import { areShort, type Names } from "./marks.ts";
import { lookAtNeeds } from "./needs.ts";
import { askLive, type LiveDatabase } from "./obstacles.ts";
import { choose, type Picked, relationsOf, relationsOfManifest, schemasOf, spell } from "./pick-choice.ts";
import { freeOnServer } from "./room.ts";
import { noDatabase } from "./seen.ts";

/** The longest name that PostgreSQL keeps; bytes. */
const longestName = 63;
/** What an empty database takes; bytes. */
const emptyDatabase = 8 * 1024 ** 2;

/** The comment of a schema; "" of one without; undefined where there is none of that name. */
export async function findSchema(site: Site, database: string, schema: string): Promise<string | undefined> {
  const question = `SELECT to_json(coalesce(obj_description(oid, 'pg_namespace'), '')) FROM pg_catalog.pg_namespace WHERE nspname = ${quoteLiteral(schema)}`;
  const [found] = await askJson(site, database, question, (value) => z.string().parse(value));
  return found;
}

/** Whether a part of a backup can come into a new schema of the live database. Changes nothing. */
export async function lookPick(
  site: Site,
  {
    manifest,
    part,
    reader,
  }: { readonly manifest: Manifest; readonly part: ManifestPart; readonly reader: BackupReader | undefined },
  { names, order }: { readonly names: Names; readonly order: BesideOrder & { readonly pick: string } },
): Promise<ReplacementLook> {
  const { to, pick } = order;
  const database = names.live;
  const live = await askLive(site, database);
  if (live === undefined) throw noDatabase(database);
  const { needs, rights } = await lookAtNeeds(site, { manifest, part, reader }, { database });
  const obstacles: Text[] = [];
  const remarks: Text[] = [];
  const add = (list: Text[], key: string, args: Text["args"] = {}): void => {
    list.push({ key, args: { database, ...args } });
  };
  const picked = await read(site, { part, reader, pick, obstacles });
  if (part.database !== undefined && part.database !== database)
    add(obstacles, "replace-obstacle-other", { other: part.database });
  obstacles.push(...(await obstaclesToSchema(site, live, { names, to })));
  addNeeds({ obstacles, remarks }, database, { needs, rights, manifest, part });
  const needed = neededFor(part, live.bytes, picked);
  const freeBytes = await freeOnServer(site, database);
  if (freeBytes === undefined) add(remarks, "replace-remark-room", { needed: mebibytes(needed) });
  else if (freeBytes < needed)
    add(obstacles, "replace-obstacle-room", { needed: mebibytes(needed), free: mebibytes(freeBytes) });
  const { systemIdentifier: system } = site.server;
  const backedUp = manifest.source.systemIdentifier;
  return {
    identity: { ...(system !== undefined && { system }), database: live.oid },
    database: `${database}/${to}`,
    ...(system !== undefined && backedUp !== undefined && { sameSystem: system === backedUp }),
    facts: { PostgreSQL: site.server.version, pg_restore: site.tools.version },
    liveBytes: live.bytes,
    neededBytes: needed,
    ...(freeBytes !== undefined && { freeBytes }),
    sessions: [],
    ...needs,
    lost: [],
    lostTotal: 0,
    unit: "rows",
    method: "beside",
    wayBack: "kept",
    jobs: 1,
    remarks,
    obstacles,
  };
}

async function obstaclesToSchema(
  site: Site,
  live: LiveDatabase,
  { names, to }: { readonly names: Names; readonly to: string },
): Promise<Text[]> {
  const database = names.live;
  const found: Text[] = [];
  const add = (key: string, args: Text["args"] = {}): void => {
    found.push({ key, args: { database, ...args } });
  };
  if (/[\r\n]/.test(database)) add("replace-obstacle-name");
  if (!areShort(names)) add("replace-obstacle-long");
  if (live.standby) add("replace-obstacle-standby");
  if (!live.free) add("replace-obstacle-busy");
  if (!live.createdb) add("replace-obstacle-createdb-pick", { user: live.user });
  if (to === "" || /[\r\n\0]/.test(to) || to.startsWith("pg_") || Buffer.byteLength(to) > longestName)
    add("replace-obstacle-schema-name", { schema: to });
  if (!live.open) {
    add("replace-obstacle-closed");
    return found;
  }
  if ((await findSchema(site, database, to)) !== undefined) add("replace-obstacle-schema", { schema: to });
  const question = `SELECT to_json(has_database_privilege(${quoteLiteral(database)}, 'CREATE'))`;
  const [allowed] = await askJson(site, undefined, question, (value) => z.boolean().parse(value));
  if (allowed === false) add("replace-obstacle-create", { user: live.user });
  return found;
}

/** What is meant, by the archive's definitions where they can be read, else by the manifest; adds why it can not be. */
async function read(
  site: Site,
  {
    part,
    reader,
    pick,
    obstacles,
  }: {
    readonly part: ManifestPart;
    readonly reader: BackupReader | undefined;
    readonly pick: string;
    readonly obstacles: Text[];
  },
): Promise<Picked | undefined> {
  try {
    if (reader === undefined) {
      if (part.tables === undefined) return undefined;
      const relations = relationsOfManifest(part.tables);
      return choose(pick, relations, [...new Set(relations.map(({ schema }) => schema))]);
    }
    const command = site.tools.command("pg_restore", ["--schema-only", "--file=-"]);
    const definitions = parseDefinitions(await readBeginning({ reader, part, signal: site.signal }, command));
    return choose(pick, relationsOf(definitions), schemasOf(definitions));
  } catch (error) {
    if (!(error instanceof AppError) || !error.text?.key.startsWith("error-pick-")) throw error;
    obstacles.push(error.text);
    return undefined;
  }
}

/** Bytes for it twice, where it is put together and where it is loaded, by its share of all rows. */
function neededFor(part: ManifestPart, liveBytes: number, picked: Picked | undefined): number {
  const { rawBytes = liveBytes, tables = {} } = part;
  const rows = Object.values(tables).reduce((sum, each) => sum + each, 0);
  const schema = picked && spell({ schema: picked.schema, name: "" }).slice(0, -2);
  const own = Object.entries(tables).reduce((sum, [name, each]) => {
    const spelled = sameSpelling(name);
    const isOwn =
      picked?.table === undefined
        ? schema !== undefined && spelled.startsWith(schema)
        : spelled === spell({ schema: picked.schema, name: picked.table });
    return sum + (isOwn ? each : 0);
  }, 0);
  // A table of partitions has no rows of its own: then it may be all of them.
  const share = rows === 0 || own === 0 ? 1 : own / rows;
  return Math.ceil(2 * rawBytes * share) + emptyDatabase;
}
