import { Redis } from "ioredis";
import { type Finding, failed, ok, warning } from "./finding.ts";

const connectTimeoutMs = 5000;

/** A connection for one question: it is not made again once it is lost. */
export function onceToRedis(url: string): Redis {
  return new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: connectTimeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectionName: "vakhta-doctor",
  });
}

/** Is Redis there, new enough, and will it keep what it is given? */
export async function probeRedis(url: string): Promise<Finding> {
  const redis = onceToRedis(url);
  // The reason of a failed connection comes here; the call itself only says that the connection is closed.
  let reason = "";
  redis.on("error", (error: Error & { code?: string }) => {
    reason = error.message || (error.code ?? "");
  });
  try {
    await redis.connect();
    await redis.ping();
    return judge(await redis.info());
  } catch (error) {
    const message = reason || (error instanceof Error ? error.message : String(error));
    if (/NOAUTH|WRONGPASS|invalid password/i.test(message)) return failed("doctor-redis-password");
    return failed("doctor-redis-unreachable", { host: URL.parse(url)?.host ?? "", reason: message });
  } finally {
    redis.disconnect();
  }
}

function judge(info: string): Finding {
  const field = (name: string) => new RegExp(`^${name}:(\\S*)`, "m").exec(info)?.[1] ?? "";
  const version = field("redis_version");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 2)) return failed("doctor-redis-old", { version });
  const policy = field("maxmemory_policy");
  if (policy !== "" && policy !== "noeviction") return failed("doctor-redis-policy", { policy });
  if (field("aof_enabled") === "0") return warning("doctor-redis-persistence", { version });
  return ok("doctor-redis-ok", { version });
}
