import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { conversing } from "../conversing.ts";
import type { Site } from "../site.ts";
import { jobsFor, type Machine } from "../unpacked.ts";
import { addNeeds, mebibytes } from "./beside-look.ts";
import { estimateLost } from "./lost.ts";
import type { Names } from "./marks.ts";
import { type Backup, lookAtNeeds } from "./needs.ts";
import { askLive, type LiveDatabase, obstaclesTo } from "./obstacles.ts";
import { forbiddenSettings } from "./rights.ts";
import { freeOnServer, neededBytes } from "./room.ts";
import { noDatabase } from "./seen.ts";

/** What is replaced, and how. */
export interface Target {
  readonly names: Names;
  readonly machine: Machine;
  readonly via?: readonly string[] | undefined;
  readonly method: "beside" | "single-transaction";
  /** Only this of it, which can not be done in place. */
  readonly pick?: string | undefined;
}

/** What is there, what will be lost, and what stands in the way. Changes nothing. */
export async function lookAt(ground: Site, backup: Backup, target: Target): Promise<ReplacementLook> {
  await using site = conversing(ground);
  const { manifest, part } = backup;
  const { names, method, machine, pick } = target;
  const database = names.live;
  const live = await askLive(site, database);
  if (live === undefined) throw noDatabase(database);
  const needed = neededBytes(part, live.bytes);
  const freeBytes = await freeOnServer(site, database);
  const obstacles = await obstaclesTo(site, live, target);
  const toBeside = method === "beside" ? await obstaclesToBeside(site, live, database) : [];
  const { lost, lostTotal } = live.open ? await estimateLost(site, database, part) : { lost: [], lostTotal: 0 };
  const emptied = method === "single-transaction" && live.open ? database : undefined;
  // The last question: the archive may be read meanwhile.
  const { needs, rights, inOrder } = await lookAtNeeds(site, backup, { database, emptied });
  const add = (list: Text[], key: string, args: Text["args"] = {}): void => {
    list.push({ key, args: { database, ...args } });
  };
  if (part.database !== undefined && part.database !== database)
    add(obstacles, "replace-obstacle-other", { other: part.database });
  const remarks: Text[] = [];
  addNeeds({ obstacles, remarks }, database, { needs, rights, manifest, part });
  if (freeBytes !== undefined && freeBytes < needed)
    add(obstacles, "replace-obstacle-room", { needed: mebibytes(needed), free: mebibytes(freeBytes) });
  if (pick !== undefined) add(obstacles, "replace-obstacle-pick", { pick });
  obstacles.push(...toBeside);
  if (freeBytes === undefined) add(remarks, "replace-remark-room", { needed: mebibytes(needed) });
  if (method === "single-transaction") add(remarks, "replace-remark-single");
  const { systemIdentifier } = site.server;
  const { systemIdentifier: backedUp } = manifest.source;
  return {
    identity: { ...(systemIdentifier !== undefined && { system: systemIdentifier }), database: live.oid },
    database,
    ...(systemIdentifier !== undefined && backedUp !== undefined && { sameSystem: systemIdentifier === backedUp }),
    facts: { PostgreSQL: site.server.version, pg_restore: site.tools.version },
    liveBytes: live.bytes,
    neededBytes: needed,
    ...(freeBytes !== undefined && { freeBytes }),
    sessions: live.sessions,
    ...needs,
    lost,
    lostTotal,
    unit: "rows",
    wayBack: method === "beside" ? "kept" : "former",
    method,
    ...(toBeside.length > 0 && { alternative: "single-transaction" }),
    jobs: method === "beside" && !inOrder ? await jobsFor(machine, part, target) : 1,
    remarks,
    obstacles,
  };
}

/** What this user may not do beside a database, and need not in one transaction in it. */
async function obstaclesToBeside(site: Site, { user, createdb }: LiveDatabase, database: string): Promise<Text[]> {
  const settings = await forbiddenSettings(site, database);
  return [
    ...(createdb ? [] : [{ key: "replace-obstacle-createdb", args: { database, user } }]),
    ...(settings.length === 0
      ? []
      : [{ key: "replace-obstacle-settings", args: { database, user, list: settings.join(", ") } }]),
  ];
}
