import { AppError } from "../../core/errors.ts";
import { run } from "../../lib/process.ts";
import { redact } from "../../lib/redaction.ts";
import type { SourceInfo } from "../types.ts";
import { meaningOf, redisError } from "./errors.ts";
import { type Info, keyspaceText, parseInfo, snapshotVersion, totalKeys, versionOf } from "./info.ts";
import type { Cli } from "./tools.ts";

const connectTimeoutMs = 30_000;

/**
 * Asks a server about itself. Fails with `source-unreachable`, `source-refused` or `source-failed`. A password that is
 * refused is an error also where the server answers without one: it is not the user that was meant.
 */
export async function askInfo(cli: Cli, signal: AbortSignal, timeoutMs = connectTimeoutMs): Promise<Info> {
  const { stdout, stderr } = await run(cli(["INFO"]), { signal, timeoutMs }).catch((error: unknown) => {
    throw connectionError(redisError(error));
  });
  const info = parseInfo(stdout);
  // Where the server has answered, that is not what is wrong.
  const said = info === undefined ? `${stderr}\n${stdout.slice(0, 500)}` : stderr;
  const words = info === undefined || /AUTH failed/.test(stderr) ? redact(said.trim()) : "";
  if (words === "" && info !== undefined) return info;
  throw connectionError(
    meaningOf(words) ??
      new AppError("source-failed", `Redis gave no answer to INFO: ${words.split("\n", 1)[0]}`, {
        context: { step: "redis-cli", stderr: words },
        text: { key: "error-redis-answer" },
      }),
  );
}

/** A connection that is silent or closed before anything was begun: often TLS on one side only. */
function connectionError(error: AppError): AppError {
  if (!["error-redis-lost", "error-tool-slow"].includes(error.text?.key ?? "")) return error;
  return new AppError("source-unreachable", "Redis takes the connection and does not answer on it", {
    permanent: false,
    context: error.context,
    text: { key: "error-redis-mute" },
    cause: error,
  });
}

/** Throws when a snapshot of this server can not be had, or would not be what a backup has to be. */
export function requireSound(info: Info, options: { readonly clusterNode: boolean }): void {
  if (info.get("redis_mode") === "sentinel")
    refuse("config", "error-redis-sentinel", "this is a Sentinel: it has no data");
  if (info.get("cluster_enabled") === "1" && !options.clusterNode) {
    refuse(
      "config",
      "error-redis-cluster",
      "this is one node of a cluster: back up each master, with clusterNode: true",
    );
  }
  if (info.get("loading") === "1") refuse("source-failed", "error-redis-loading", "Redis is loading its data", false);
  // The server itself refuses the snapshot of such a replica; here it is said before anything is begun.
  if (info.get("role") === "slave" && info.get("master_link_status") !== "up") {
    refuse("source-failed", "error-redis-replica", "this replica has no connection to its master", false);
  }
}

function refuse(code: "config" | "source-failed", key: string, message: string, permanent = true): never {
  throw new AppError(code, message, { permanent, context: { step: "redis-cli" }, text: { key } });
}

/** Throws when redis-check-rdb is too old for snapshots of this server. What Valkey writes is left to the check itself. */
export function requireReadableBy(info: Info, check: string): void {
  const { product, version } = versionOf(info);
  if (product !== "Redis" || !(snapshotVersion(check) < snapshotVersion(version))) return;
  const remedy = `redis-tools ${version.split(".").slice(0, 2).join(".")}`;
  const message = `server is ${version}, redis-check-rdb here is ${check}: install ${remedy}`;
  throw new AppError("tool-too-old", message, {
    context: { step: "redis-check-rdb", server: version, client: check },
    text: { key: "error-tool-too-old", args: { server: version, client: check, remedy } },
  });
}

/** What the source says of itself: for the card and for the manifest. */
export function describe(
  info: Info,
  name: string,
  tools: { readonly cli: string; readonly check: string },
): SourceInfo {
  const { product, version } = versionOf(info);
  const memory = Number(info.get("used_memory"));
  return {
    title: { key: "source-title-redis", args: { product, version, server: name } },
    facts: {
      server: version,
      product,
      "redis-cli": tools.cli,
      "redis-check-rdb": tools.check,
      address: name,
      role: info.get("role") ?? "",
      runId: info.get("run_id") ?? "",
      replicationId: info.get("master_replid") ?? "",
      // As they were when the run began: the snapshot's own count is the part's `entries`.
      databases: keyspaceText(info),
      keys: String(totalKeys(info)),
      usedMemory: String(memory),
      ...(info.get("cluster_enabled") === "1" ? { cluster: "node" } : {}),
    },
    ...(memory > 0 ? { expectedRawBytes: memory } : {}),
  };
}
