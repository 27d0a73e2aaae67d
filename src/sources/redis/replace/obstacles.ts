import { statfs } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname } from "node:path";
import { toAppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Text } from "../../../core/text.ts";
import type { ReplacementOrder } from "../../replacement.ts";
import { artifact } from "../artifact.ts";
import { type Info, release, snapshotVersion, versionOf } from "../info.ts";
import type { RedisConfig } from "../schema.ts";
import { memoryShortage } from "../server.ts";
import type { RestoreGoal } from "../target.ts";
import { serverVersion } from "../tools.ts";
import type { WorkFolder } from "./folder.ts";
import { missingRights } from "./rights.ts";

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

export interface LookWork {
  readonly config: RedisConfig;
  readonly order: ReplacementOrder;
  /** Of the URL, for a person. */
  readonly name: string;
  readonly goal: RestoreGoal;
  readonly folder: WorkFolder;
  readonly manifest: Manifest;
  readonly signal: AbortSignal;
}

export interface Obstacles {
  readonly obstacles: readonly Text[];
  /** Version of the `redis-server` of this machine. */
  readonly own?: string;
  /** Bytes where the snapshot is unpacked, on this machine. */
  readonly freeBytes?: number;
}

/** Everything for which the live server can not, or must not, be made a replica of one on this machine. */
export async function obstaclesTo(work: LookWork, info: Info): Promise<Obstacles> {
  const { goal, folder, name, manifest, signal } = work;
  const obstacles = await kindOfServer(work, info);
  const missing = await missingRights(goal);
  // Whoever may not ask for the settings gets no further.
  if (missing.length > 0) {
    return {
      obstacles: [...obstacles, { key: "replace-redis-rights", args: { server: name, list: missing.join(", ") } }],
    };
  }
  obstacles.push(...(await connections(work)));
  let own: string | undefined;
  try {
    own = await serverVersion(signal);
    obstacles.push(...versions(work, info, own));
  } catch (error) {
    signal.throwIfAborted();
    obstacles.push(textOf(error));
  }
  obstacles.push(...(await memory(work, info)));
  const disk = await statfs(dirname(folder.path)).catch(() => undefined);
  const freeBytes = disk && disk.bavail * disk.bsize;
  const unpacked = artifact(manifest).rawBytes ?? 0;
  if (freeBytes !== undefined && freeBytes < unpacked) {
    const args = { path: dirname(folder.path), needed: mebibytes(unpacked), free: mebibytes(freeBytes) };
    obstacles.push({ key: "replace-redis-room", args });
  }
  return { obstacles, ...(own !== undefined && { own }), ...(freeBytes !== undefined && { freeBytes }) };
}

async function kindOfServer({ order, config, name: server }: LookWork, info: Info): Promise<Text[]> {
  const ownRunId = await order.ownRunId?.();
  const master = `${info.get("master_host") ?? "?"}:${info.get("master_port") ?? "?"}`;
  const cases: [boolean, string, Text["args"]?][] = [
    [ownRunId !== undefined && ownRunId === info.get("run_id"), "replace-redis-own"],
    [order.pick !== undefined || order.only !== undefined, "replace-redis-pick"],
    [config.via !== undefined, "replace-redis-via"],
    [info.get("redis_mode") === "sentinel", "replace-redis-sentinel"],
    [info.get("cluster_enabled") === "1", "replace-redis-cluster"],
    [info.get("role") === "slave", "replace-redis-replica", { master }],
    [info.get("loading") === "1", "error-redis-loading"],
  ];
  return cases.filter(([is]) => is).map(([, key, args]) => ({ key, args: { server, ...args } }));
}

/** Who has it in hand, and whether it can reach this machine. */
async function connections({ goal, config, name: server, signal }: LookWork): Promise<Text[]> {
  const found: Text[] = [];
  const clients = await goal.ask(["CLIENT LIST"]);
  if (clients.some((line) => /\bname=sentinel-[0-9a-f]+-/.test(line)))
    found.push({ key: "replace-redis-watched", args: { server } });
  if (config.via !== undefined) return found;
  try {
    const address = await goal.ownAddress();
    const isTls = (await goal.setting("tls-replication")) === "yes";
    // What does not leave the machine may go without it for a moment.
    if (isTls && !isLoopback(address)) found.push({ key: "replace-redis-tls", args: { server } });
  } catch (error) {
    signal.throwIfAborted();
    found.push(textOf(error));
  }
  return found;
}

function versions({ manifest, name: server }: LookWork, info: Info, own: string): Text[] {
  const found: Text[] = [];
  const made = manifest.source["server"] ?? "";
  if (manifest.source["product"] !== "Valkey" && snapshotVersion(own) < snapshotVersion(made))
    found.push({ key: "replace-redis-tool", args: { server, own, made } });
  const live = versionOf(info);
  if (live.product === "Redis" && release(live.version) < release(own))
    found.push({ key: "error-redis-target-old", args: { target: `Redis ${live.version}`, own: `Redis ${own}` } });
  return found;
}

/** Of the live server and of this machine: the one replaces what it has, the other has it besides. */
async function memory({ goal, manifest, name: server }: LookWork, info: Info): Promise<Text[]> {
  const found: Text[] = [];
  const needed = memoryOf(manifest);
  if (needed !== undefined) {
    const limit = Number(await goal.setting("maxmemory"));
    const total = Number(info.get("total_system_memory"));
    if (limit > 0 && needed > limit)
      found.push({
        key: "replace-redis-maxmemory",
        args: { server, needed: mebibytes(needed), limit: mebibytes(limit) },
      });
    else if (needed > total)
      found.push({ key: "replace-redis-memory", args: { server, needed: mebibytes(needed), total: mebibytes(total) } });
    const shortage = await memoryShortage(needed);
    if (shortage !== undefined) found.push(shortage);
  }
  const highest = Math.max(-1, ...keysOf(manifest).keys());
  if (Number(await goal.setting("databases")) <= highest) found.push({ key: "error-redis-target-databases" });
  return found;
}

/** Of the bytes in memory that the backed up server had. */
export function memoryOf(manifest: Manifest): number | undefined {
  const bytes = Number(manifest.source["usedMemory"] ?? Number.NaN);
  return bytes > 0 ? bytes : undefined;
}

/** Keys per database as they were when the backup began. */
export function keysOf(manifest: Manifest): ReadonlyMap<number, number> {
  const text = manifest.source["databases"] ?? "";
  return new Map([...text.matchAll(/\bdb(\d+)=(\d+)/g)].map(([, database, keys]) => [Number(database), Number(keys)]));
}

function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith("127.") : address === "::1";
}

function textOf(error: unknown): Text {
  const { text, message } = toAppError(error);
  return text ?? { key: "error-internal", args: { reason: message } };
}
