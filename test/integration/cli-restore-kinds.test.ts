import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { TestBucket } from "../support/bucket.ts";
import type { CliResult } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { scriptIn, toolPath } from "../support/fake-tools.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { flipBit, rewriteParts } from "../support/verify.ts";

let postgres: PostgresServer;
let redis: RedisServer;
let s3: S3Server;
let folder: string;
let bucket: TestBucket;
const execute = promisify(execFile);

beforeAll(async () => {
  [postgres, redis, s3] = await Promise.all([startPostgres(), startRedis(), startS3()]);
  await postgres.createDatabase("shop", "CREATE TABLE item AS SELECT generate_series(1, 50) AS id");
  await postgres.createDatabase("crm", "CREATE TABLE client AS SELECT generate_series(1, 30) AS id");
  await redisCli(redis, "MSET", "a", "1", "b", "2");
  bucket = await TestBucket.create(s3, "photos");
  await bucket.putAll({ "x/one": "one", "x/two": "two" });
});
afterAll(async () => {
  bucket?.[Symbol.dispose]();
  await Promise.allSettled([postgres?.stop(), redis?.[Symbol.asyncDispose](), s3?.stop()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-kinds-"));
  mkdirSync(join(folder, "tree"));
  writeFileSync(join(folder, "tree/file"), "content");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function redisCli(server: RedisServer, ...args: readonly string[]): Promise<string> {
  return (await execute("redis-cli", ["-p", String(server.port), ...args])).stdout.trim();
}

const kinds = ["postgres", "redis", "files", "config", "command", "s3"] as const;
type Kind = (typeof kinds)[number];

function sourceOf(kind: Kind): object {
  const sources: Record<Kind, object> = {
    postgres: { url: postgres.url("postgres"), databases: ["shop", "crm"] },
    redis: { url: redis.url },
    files: { paths: [join(folder, "tree")] },
    config: { paths: [join(folder, "tree")] },
    command: { argv: ["seq", "1", "9"], file: "numbers.txt" },
    s3: bucket.config(),
  };
  return { ...sources[kind], kind };
}

/** Makes an encrypted backup; what follows has the storage's address and the key. */
async function backedUp(kind: Kind, source: object = sourceOf(kind)): Promise<void> {
  const identity = await generateIdentity();
  writeFileSync(join(folder, "key.txt"), identity);
  const config = {
    redis: { url: "redis://127.0.0.1:1" },
    encryption: { recipients: [await recipientOf(identity)] },
    storages: { local: { kind: "local", path: join(folder, "store") } },
    backups: [{ name: "app", source }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "vakhta.yaml"), JSON.stringify(config));
  const made = await runHere(["backup", "app", "--here", "--config", join(folder, "vakhta.yaml")]);
  expect({ ...made, failed: /fail/i.test(made.stderr) }).toMatchObject({ status: 0, failed: false });
}

async function restore(to: string, ...args: readonly string[]): Promise<CliResult> {
  const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
  const place = ["--storage", `file://${folder}/store`, "--identity", join(folder, "key.txt")];
  return await runHere(["restore", "app", "--to", to, "--yes", "--json", ...place, ...args], { env });
}

const out = (): string => join(folder, "out");
const documentOf = ({ stdout }: CliResult): unknown => JSON.parse(stdout);

describe("from a storage and a key alone, vakhta restore", { timeout: 180_000 }, () => {
  it("fills an empty Redis, and no other", async () => {
    await backedUp("redis");
    await using target = await startRedis();
    const restored = await restore(target.url);
    expect(restored.stderr).toMatch(/^programs: (Redis|Valkey) \S+, redis-cli \S+, zstd /m);
    expect(documentOf(restored)).toMatchObject({ ok: true, compared: { keys: 2 } });
    expect(await redisCli(target, "MGET", "a", "b")).toBe("1\n2");
    const again = await restore(target.url);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/^the target .*keys.*\n$/) });
  });

  it("makes a bucket's objects anew, in an empty bucket or folder, and in no other", async () => {
    await backedUp("s3");
    const address = `s3://again/new?endpoint=${s3.endpoint}`;
    using _again = await TestBucket.create(s3, "again");
    expect(documentOf(await restore(address))).toMatchObject({ ok: true, compared: { objects: 2 } });
    expect(await restore(address)).toMatchObject({ status: 1, stderr: expect.stringContaining("is not empty") });
    expect((await restore(out())).status).toBe(0);
    expect(readFileSync(join(out(), "x/two"), "utf8")).toBe("two");
    expect(await restore(out())).toMatchObject({ status: 1, stderr: expect.stringContaining("is not empty") });
  });

  it("gives one of several databases another name, or all of them their own", async () => {
    await backedUp("postgres");
    const one = await restore(postgres.url("other"), "--database", "crm");
    expect(documentOf(one)).toMatchObject({ ok: true, compared: { rows: 30 } });
    expect(await postgres.psql("other", "SELECT count(*) FROM client")).toBe("30");
    const full = await restore(postgres.url("postgres"));
    expect(full).toMatchObject({ status: 1, stderr: expect.stringMatching(/^database (shop|crm) is not empty/) });
    expect(await restore(postgres.url("nothing"), "--database", "none")).toMatchObject({ status: 1 });
  });

  it("unpacks a machine's settings, and what a program wrote", async () => {
    await backedUp("config");
    expect(documentOf(await restore(out()))).toMatchObject({ ok: true });
    expect(readFileSync(join(out(), folder, "tree/file"), "utf8")).toBe("content");
    rmSync(out(), { recursive: true });
    rmSync(join(folder, "store"), { recursive: true });
    await backedUp("command");
    expect(documentOf(await restore(out()))).toMatchObject({ ok: true, compared: { bytes: 18 } });
    expect(readFileSync(join(out(), "numbers.txt"), "utf8")).toBe("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  });

  it.each(kinds)("gives the parts of %s as plain files", async (kind) => {
    await backedUp(kind);
    const files = {
      postgres: ["artifact-crm.dump", "artifact-shop.dump", "globals.sql"],
      redis: ["artifact.rdb"],
      files: ["artifact.tar"],
      config: ["artifact.tar"],
      command: ["numbers.txt"],
      s3: ["artifact.tar", "index.jsonl"],
    };
    expect(documentOf(await restore(out(), "--files"))).toMatchObject({ ok: true });
    expect(readdirSync(out()).toSorted()).toEqual([...files[kind], "manifest.json"].toSorted());
  });

  it("says what it has left where it cannot take it back", async () => {
    // More than one piece of the cipher: the first objects are written before the damage is met.
    using large = await TestBucket.create(s3, "large");
    await large.putAll({ one: randomBytes(200_000), two: randomBytes(200_000), three: randomBytes(200_000) });
    await backedUp("s3", large.config());
    const [run = ""] = readdirSync(join(folder, "store/app"));
    flipBit(join(folder, "store/app", run, "artifact.tar.zst.age"), 0.9);
    const { status, stdout, stderr } = await restore(out(), "--no-check");
    expect(status).toBe(1);
    expect(stderr).toMatch(/what was restored until then is left there, incomplete: .*out is not empty\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ target: { state: "left" } });
  });

  it.each(["files", "config", "command"] as const)(
    "takes the address of something else for no folder: %s",
    async (kind) => {
      await backedUp(kind);
      vi.spyOn(process, "cwd").mockReturnValue(folder);
      for (const to of ["redis://127.0.0.1:1", "postgresql://x/y", "s3://bucket/x", "file://host/x"]) {
        for (const files of [[], ["--files"]]) {
          const refused = await restore(to, ...files);
          expect(refused).toMatchObject({
            status: 78,
            stderr: expect.stringMatching(/^what --to names is no folder.*\n$/),
          });
        }
      }
      expect(readdirSync(folder).toSorted()).toEqual(["key.txt", "store", "tree", "vakhta.yaml"]);
      expect(await restore(`file://${out()}`)).toMatchObject({ status: 0 });
      expect(readdirSync(out())).not.toEqual([]);
    },
  );

  it("leaves to a configured program what its --to means", async () => {
    const told = join(folder, "told");
    const program = ["sh", "-c", `echo "$VAKHTA_RESTORE_TO" > ${told}; exec cat > /dev/null`];
    await backedUp("command", { ...sourceOf("command"), restore: program });
    const config = ["--config", join(folder, "vakhta.yaml")];
    expect(await restore("mysql://127.0.0.1/new", ...config)).toMatchObject({ status: 0 });
    expect(readFileSync(told, "utf8")).toBe("mysql://127.0.0.1/new\n");
  });

  it("says that the disk is full, whatever zstd exits with, and removes the folder that it made", async () => {
    await backedUp("command");
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const full =
      'echo "zstd: error 93 : Write error : cannot write decoded block : No space left on device" >&2; exit 93';
    scriptIn(bin, "zstd", `case "$*" in *--version*) exec ${toolPath("zstd")} --version ;; esac\n${full}`);
    const path = `${bin}:${process.env["PATH"]}`;
    for (const files of [[], ["--files"]]) {
      vi.stubEnv("PATH", path);
      const { status, stdout, stderr } = await restore(join(out(), "below"), ...files);
      expect({ status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/not enough room.*out\/below\n(.*\n)*nothing of it is left there\.\n$/),
      });
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "storage-full" }, target: { state: "nothing" } });
      expect(readdirSync(folder)).not.toContain("out");
    }
  });

  it("tells what an interrupted restore has left from anything else that is there", async () => {
    await backedUp("command");
    mkdirSync(out());
    writeFileSync(join(out(), "numbers.txt.part"), "1\n");
    const { status, stderr } = await restore(out());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `${out()} is not empty: it holds numbers.txt.part, as an interrupted restore leaves it\n`,
    });
  });

  it("refuses what has no room on the disk", async () => {
    await backedUp("files");
    const [run = ""] = readdirSync(join(folder, "store/app"));
    const manifest = join(folder, "store/app", run, "manifest.json");
    rewriteParts(manifest, { rawBytes: 9_000_000_000_000_000 });
    const { status, stderr } = await restore(out());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^the restore needs about .* free\n$/),
    });
    expect(readdirSync(folder)).not.toContain("out");
  });
});
