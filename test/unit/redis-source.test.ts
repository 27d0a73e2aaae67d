import { describe, expect, it } from "vitest";
import { toAppError } from "../../src/core/errors.ts";
import { sourceSchema } from "../../src/sources/index.ts";
import { meaningOf } from "../../src/sources/redis/errors.ts";
import { keyspace, keyspaceText, parseInfo, totalKeys } from "../../src/sources/redis/info.ts";
import { requireReadableBy, requireSound } from "../../src/sources/redis/inspect.ts";
import { bytesBehind, keysRead, snapshotError } from "../../src/sources/redis/snapshot.ts";
import { parseRedisUrl } from "../../src/sources/redis/url.ts";

describe("parseRedisUrl", () => {
  it.each([
    ["redis://:p%40w@h", { host: "h", port: 6379, password: "p@w", user: undefined, tls: false, name: "h:6379" }],
    ["rediss://vakhta:x@h:7000/2", { host: "h", port: 7000, password: "x", user: "vakhta", tls: true }],
    ["redis://[::1]:1", { host: "::1", port: 1, name: "[::1]:1", password: undefined }],
    ["unix:///run/redis.sock", { socket: "/run/redis.sock", name: "/run/redis.sock", password: undefined }],
    ["unix://u:p@/run/redis.sock", { socket: "/run/redis.sock", user: "u", password: "p" }],
  ])("understands %s", (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    "http://h",
    "redis://u:hunter/22@h",
    "redis://u:hunter?22@h",
    "redis://u:hunter#22@h",
    "redis://u:12/34hunter@h",
    "redis://u:hunter%2@h",
    "h:6379",
    "unix://run/hunter",
  ])("refuses %s without repeating any of it", (url) => {
    expect(parseRedisUrl(url)).toHaveProperty("problem");
    const issues = sourceSchema.safeParse({ kind: "redis", url }).error?.issues;
    expect(issues).toHaveLength(1);
    expect(JSON.stringify(issues)).not.toContain("hunter");
  });

  it("takes TLS settings only where there is TLS", () => {
    const tls = { ca: "/etc/ca.pem" };
    expect(sourceSchema.safeParse({ kind: "redis", url: "rediss://h", tls }).success).toBe(true);
    expect(sourceSchema.safeParse({ kind: "redis", url: "redis://h", tls }).error?.issues[0]).toMatchObject({
      path: ["tls"],
      message: "config-problem-redis-tls",
    });
  });
});

describe("bytesBehind", () => {
  const sized = "SYNC sent to master, writing 100 bytes to '-'\nTransfer finished with success.";
  const marked =
    "SYNC sent to master, writing bytes of bulk transfer until EOF marker to '-'\nTransfer finished with success after 100 bytes";

  it.each([
    ["a snapshot of known size", sized, 100, 0],
    ["the mark behind a diskless one", marked, 140, 40],
    ["a diskless one without its mark", marked, 100, 0],
  ])("knows %s", (_name, report, received, behind) => {
    expect(bytesBehind(report, received)).toBe(behind);
  });

  it.each([
    ["less than was announced", sized, 99],
    ["more than was announced", sized, 140],
    ["less than was counted", marked, 139],
    ["no word of success", "SYNC sent to master, writing 100 bytes to '-'", 100],
    ["no word at all", "", 100],
  ])("refuses %s, whatever the exit status was", (_name, report, received) => {
    expect(() => bytesBehind(report, received)).toThrow(/^redis-cli reports .* have arrived$/);
  });

  it("refuses a snapshot that was taken as another user than was meant", () => {
    expect(() => bytesBehind(`AUTH failed: WRONGPASS invalid\n${sized}`, 100)).toThrow(
      /^Redis does not accept user and password/,
    );
  });
});

describe("the words of redis-check-rdb", () => {
  const sound = "[offset 9] Checksum OK\n[offset 9] \\o/ RDB looks OK! \\o/\n[info] 3 keys read\n[info] 0 expires\n";

  it("give the number of keys only when they say that all is well", () => {
    expect(keysRead(sound)).toBe(3);
    expect(() => keysRead("[info] 3 keys read\n")).toThrow(/refuses the snapshot/);
    expect(() => keysRead("")).toThrow(/refuses the snapshot/);
  });

  it("tell a damaged snapshot from one of a newer version", () => {
    const words = (reason: string) =>
      `[offset 0] Checking RDB file x\n--- RDB ERROR DETECTED ---\n[offset 9] ${reason}\n`;
    expect(snapshotError(words("Unexpected EOF reading RDB file"))).toMatchObject({
      message: "redis-check-rdb refuses the snapshot: Unexpected EOF reading RDB file",
      permanent: false,
      text: { key: "error-redis-snapshot" },
    });
    expect(snapshotError(words("Can't handle RDB format version 12"))).toMatchObject({
      permanent: true,
      text: { key: "error-redis-snapshot-newer" },
    });
  });
});

describe("INFO", () => {
  const info = (lines: readonly string[]) => {
    const parsed = parseInfo(["# Server", "redis_version:7.0.15", ...lines].join("\r\n"));
    if (parsed === undefined) throw new Error("no INFO");
    return parsed;
  };
  const options = { clusterNode: false };

  it("is told from an error", () => {
    expect(parseInfo("NOAUTH Authentication required.\n")).toBeUndefined();
    expect(parseInfo("")).toBeUndefined();
  });

  it("gives the keys of every database", () => {
    const two = info(["db0:keys=5,expires=1,avg_ttl=0", "db13:keys=1,expires=0,avg_ttl=0"]);
    expect([...keyspace(two)]).toEqual([
      [0, 5],
      [13, 1],
    ]);
    expect(totalKeys(two)).toBe(6);
    expect(keyspaceText(two)).toBe("db0=5 db13=1");
  });

  it.each([
    [["loading:1"], "source-failed", false],
    [["redis_mode:sentinel"], "config", true],
    [["cluster_enabled:1"], "config", true],
    [["role:slave", "master_link_status:down"], "source-failed", false],
    [["role:slave"], "source-failed", false],
  ])("refuses a server with %j", (lines, code, permanent) => {
    expect(() => requireSound(info(lines), options)).toThrow(expect.objectContaining({ code, permanent }));
  });

  it.each([[["role:master", "loading:0"]], [["role:slave", "master_link_status:up"]]])("accepts %j", (lines) => {
    expect(() => requireSound(info(lines), options)).not.toThrow();
  });

  it("accepts a cluster's node when that is what is wanted", () => {
    expect(() => requireSound(info(["cluster_enabled:1"]), { clusterNode: true })).not.toThrow();
  });

  it.each([
    ["7.0.15", "7.0.1", true],
    ["7.2.4", "7.0.15", false],
    ["6.2.14", "6.0.16", true],
    ["7.0.0", "6.2.14", false],
    ["8.0.1", "7.4.0", true],
    ["9.4.0", "8.0.0", false],
  ])("of %s: redis-check-rdb %s is new enough: %s", (version, check, enough) => {
    const server = parseInfo(`redis_version:${version}`) ?? new Map<string, string>();
    const attempt = (): string => {
      try {
        requireReadableBy(server, check);
        return "new enough";
      } catch (error) {
        return toAppError(error).code;
      }
    };
    expect(attempt()).toBe(enough ? "new enough" : "tool-too-old");
  });
});

describe("the words of redis-cli", () => {
  it.each([
    ["SYNC with master failed: -ERR unknown command 'SYNC', with args beginning with:", "error-redis-no-sync"],
    ["SYNC with master failed: -NOMASTERLINK Can't SYNC while not connected with my master", "error-redis-replica"],
    ["SYNC with master failed: -LOADING Redis is loading the dataset in memory", "error-redis-loading"],
    ["Could not connect to Redis at h:1: Connection refused", "error-redis-unreachable"],
    ["Could not connect to Redis at h:1: SSL_connect failed: certificate verify failed", "error-redis-tls"],
    ["NOAUTH Authentication required.", "error-redis-password"],
    ["I/O Error reading RDB payload from socket", "error-redis-lost"],
    ["something else", undefined],
  ])("mean what they say: %s", (words, key) => {
    expect(meaningOf(words)?.text?.key).toBe(key);
  });
});
