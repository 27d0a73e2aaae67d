import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Lost, ReplacementLook, ReplacementSessions } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { artifact } from "../artifact.ts";
import { type Info, keyspace, totalKeys, versionOf } from "../info.ts";
import type { RestoreGoal } from "../target.ts";
import { keysOf, type LookWork, memoryOf, obstaclesTo } from "./obstacles.ts";

/** What is there, what will be lost and what stands in the way. Changes nothing. */
export async function lookAt(work: LookWork): Promise<ReplacementLook> {
  const { goal, manifest, name } = work;
  const info = await goal.info();
  const { product, version } = versionOf(info);
  const { obstacles, own, freeBytes } = await obstaclesTo(work, info);
  const needed = memoryOf(manifest);
  const lost = lostOf(info, manifest);
  const sessions = await sessionsOf(goal);
  const isSame = sameServer(info, manifest);
  return {
    identity: { database: info.get("run_id") ?? "" },
    database: name,
    ...(isSame !== undefined && { sameSystem: isSame }),
    facts: { [product]: version, ...(own !== undefined && { "redis-server": own }) },
    liveBytes: Number(info.get("used_memory")),
    neededBytes: needed ?? artifact(manifest).rawBytes ?? 0,
    ...(freeBytes !== undefined && { freeBytes }),
    sessions,
    missingExtensions: [],
    otherVersions: [],
    lost,
    lostTotal: lost.length,
    unit: "keys",
    method: "replica",
    wayBack: "former",
    jobs: 1,
    remarks: remarksOn(info, sessions),
    obstacles,
  };
}

/** Databases with more keys than the backup has; keys that were only altered are not seen. */
function lostOf(info: Info, manifest: Manifest): Lost[] {
  const backup = keysOf(manifest);
  const isKnown = manifest.source["databases"] !== undefined;
  return [...keyspace(info)]
    .map(([database, live]) => ({ database, live, former: backup.get(database) ?? 0 }))
    .filter(({ live, former }) => live > former)
    .sort((a, b) => b.live - b.former - (a.live - a.former))
    .map(({ database, live, former }) => ({
      what: `db${database}`,
      ...(isKnown && { backup: former }),
      live,
      exact: true,
    }));
}

function sameServer(info: Info, manifest: Manifest): boolean | undefined {
  const { runId, replicationId } = manifest.source;
  const ids = [info.get("master_replid"), info.get("master_replid2")];
  // Both change with time: the one at every start, the other when it takes data over.
  return runId === info.get("run_id") || (replicationId !== undefined && ids.includes(replicationId))
    ? true
    : undefined;
}

/** Clients by user and name; they stay connected, and can not write for a while. */
async function sessionsOf(goal: RestoreGoal): Promise<ReplacementSessions[]> {
  const lines = await goal.ask(["CLIENT LIST"]).catch(() => []);
  const counts = new Map<string, number>();
  for (const line of lines) {
    const field = (name: string): string => new RegExp(`\\b${name}=(\\S*)`).exec(line)?.[1] ?? "";
    // Replicas, and this connection itself.
    if (line === "" || /[SM]/.test(field("flags")) || field("cmd").startsWith("client")) continue;
    const key = JSON.stringify([field("user"), field("name") || field("lib-name")]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, count]) => {
      const [user = "", application = ""] = JSON.parse(key) as string[];
      return { user, application, count, endable: true };
    })
    .sort((a, b) => b.count - a.count);
}

function remarksOn(info: Info, sessions: readonly ReplacementSessions[]): Text[] {
  const remarks: Text[] = [
    { key: "replace-redis-writes", args: { clients: sessions.reduce((n, s) => n + s.count, 0) } },
  ];
  const replicas = Number(info.get("connected_slaves") ?? 0);
  if (replicas > 0) remarks.push({ key: "replace-redis-replicas", args: { count: replicas } });
  if (totalKeys(info) > 0) remarks.push({ key: "replace-redis-expired" });
  if (info.get("aof_enabled") === "1") remarks.push({ key: "replace-redis-aof" });
  return remarks;
}

/** What stands in the way, as an error. */
export function refused(server: string, text: Text): AppError {
  return new AppError("conflict", `Redis ${server} can not be replaced: ${text.key}`, {
    context: { step: "preflight" },
    text,
  });
}
