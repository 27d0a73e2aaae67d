import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Manifest, runFolder } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { findPrevious } from "../../src/services/backup/previous.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, orderOf, quiet, sourceOf, storageOf } from "../support/backup.ts";
import { TestBucket } from "../support/bucket.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { startRedis } from "../support/redis.ts";
import { type S3Server, startS3 } from "../support/s3.ts";

const run = promisify(execFile);
const document = readFileSync(join(import.meta.dirname, "../../docs/restore-without-vakhta.md"), "utf8");

/** The shell blocks of the document, as they stand there, by what stands behind "sh". */
const blocks = new Map<string, string[]>();
for (const [, name = "", text = ""] of document.matchAll(/^```sh ?(\S*)\n([\s\S]*?)^```$/gm))
  blocks.set(name, [...(blocks.get(name) ?? []), text]);

let postgres: PostgresServer;
let s3: S3Server;
let storage: Storage;
let identity: string;
let recipients: string[];
let folder: string;
let used: string[];

beforeAll(async () => {
  [postgres, s3, identity] = await Promise.all([startPostgres(), startS3(), generateIdentity()]);
  recipients = [await recipientOf(identity)];
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  const keys = { accessKeyId, secretAccessKey, forcePathStyle: true };
  storage = storageOf("offsite", { kind: "s3", endpoint, region, bucket, prefix: "prod", ...keys });
  used = [];
});
afterAll(async () => {
  await Promise.allSettled([postgres?.stop(), s3?.stop(), storage?.close()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-without-"));
  writeFileSync(join(folder, "key.txt"), `# made by keygen\n${identity}\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A backup that the whole pipeline makes into the bucket, encrypted. */
async function backUp(config: object, day = 1): Promise<Manifest> {
  const startedAt = new Date(Date.UTC(2026, 2, day, 3));
  const runId = `run${day}${Math.random().toString(36).slice(2, 8)}`;
  const name = "app";
  const signal = new AbortController().signal;
  const storages = [storage];
  const kind = (config as { kind: string }).kind;
  const previous = await findPrevious({
    name,
    kind,
    storages,
    recipients,
    identities: [identity],
    now: new Date(),
    signal,
    logger: quiet,
  });
  const order = { startedAt, runId, folder: runFolder(name, startedAt, runId), previous, recipients };
  return (await runBackup(orderOf({ source: sourceOf(config), storages, ...order }))).manifest;
}

/** Runs the lines of the document; what goes before is how the keys come to curl, which the document says too. */
async function follow(name: string, manifest: Manifest, variables: Record<string, string> = {}): Promise<string> {
  const runName = runFolder(manifest.name, new Date(manifest.startedAt), manifest.id).split("/")[1] ?? "";
  const place = { ENDPOINT: s3.endpoint, BUCKET: s3.bucket, PREFIX: "prod", NAME: manifest.name, RUN: runName };
  const env = {
    PATH: `${postgres.programs}:${process.env["PATH"]}`,
    HOME: folder,
    LC_ALL: "C.UTF-8",
    ...place,
    REGION: s3.region,
    S3_KEY: s3.accessKeyId,
    S3_SECRET: s3.secretAccessKey,
    BACKUP: `${place.ENDPOINT}/${place.BUCKET}/prod/${place.NAME}/${place.RUN}`,
    ...variables,
  };
  const [fetching = "", compare = ""] = blocks.get("") ?? [];
  // A store with a thousand names, in small.
  const keys = fetching.replace("list-type=2&", "list-type=2&max-keys=3&");
  expect(keys).not.toBe(fetching);
  const [lines = ""] = name === "compare" ? [compare] : (blocks.get(name) ?? []);
  expect(lines).not.toBe("");
  used.push(name);
  const { stdout } = await run("sh", ["-eu", "-c", `${keys}\n${lines}`], { cwd: folder, env });
  return stdout;
}

/** A URL whose password is in the file where libpq looks for it. */
function withoutPassword(database: string): string {
  writeFileSync(join(folder, ".pgpass"), `127.0.0.1:${postgres.port}:*:${postgres.user}:${postgres.password}\n`);
  chmodSync(join(folder, ".pgpass"), 0o600);
  return `postgresql://${postgres.user}@127.0.0.1:${postgres.port}/${database}`;
}

it("lists what there is, fetches it and compares it with its manifest", async () => {
  const manifest = await backUp({ kind: "command", argv: ["seq", "1", "99"], file: "numbers.txt" });
  const [part] = manifest.parts;
  const said = await follow("compare", manifest, { FILE: part?.file ?? "" });
  expect(said).toContain(`prod/app/20260301T030000Z-${manifest.id}/manifest.json\n`);
  expect(said).toContain(`"sha256": "${part?.sha256}"`);
  await expect(follow("compare", manifest, { FILE: "proof.json" })).rejects.toThrow(/404/);
});

it("lists all there is, however many a store tells at a time, or what is newer than a time", async () => {
  const manifest = await backUp({ kind: "command", argv: ["seq", "1", "99"], file: "numbers.txt" }, 9);
  const [part] = manifest.parts;
  const signal = new AbortController().signal;
  const old = Array.from({ length: 7 }, (_, index) => `app/20250101T030000Z-old/audit-${index}.json`);
  for (const key of old) await storage.put(key, Buffer.from("{}"), signal);
  const all = await follow("compare", manifest, { FILE: part?.file ?? "" });
  expect(all.split("\n").filter((line) => line.includes("-old/"))).toHaveLength(7);
  expect(all).toContain(`prod/app/20260309T030000Z-${manifest.id}/manifest.json\n`);
  const since = await follow("compare", manifest, { FILE: part?.file ?? "", SINCE: "20260309" });
  expect(since).not.toContain("-old/");
  expect(since).toContain(`prod/app/20260309T030000Z-${manifest.id}/manifest.json\n`);
  await storage.delete(old, signal);
});

it("opens a database", async () => {
  await postgres.createDatabase("shop", "CREATE ROLE clerk; CREATE TABLE item AS SELECT generate_series(1, 500) AS id");
  await postgres.psql("shop", "ALTER TABLE item OWNER TO clerk");
  const manifest = await backUp({ kind: "postgres", url: postgres.url("shop") });
  await postgres.psql("shop", "DROP TABLE item; DROP ROLE clerk; CREATE DATABASE again");
  await follow("postgres", manifest, { TARGET: withoutPassword("again") });
  expect(await postgres.psql("again", "SELECT count(*) FROM item")).toBe("500");
  expect(await postgres.psql("again", "SELECT tableowner FROM pg_tables WHERE tablename = 'item'")).toBe("clerk");
});

it("opens a database of several", async () => {
  await postgres.createDatabase("crm", "CREATE TABLE client AS SELECT generate_series(1, 300) AS id");
  const manifest = await backUp({ kind: "postgres", url: postgres.url("postgres"), databases: ["crm"] });
  await postgres.psql("postgres", "DROP DATABASE crm");
  await follow("postgres-cluster", manifest, { TARGET: withoutPassword("postgres"), DATABASE: "crm" });
  expect(await postgres.psql("crm", "SELECT count(*) FROM client")).toBe("300");
});

it("opens a Redis", async () => {
  await using source = await startRedis();
  const cli = async (port: number, ...args: readonly string[]): Promise<string> =>
    (await run("redis-cli", ["-p", String(port), ...args])).stdout.trim();
  await cli(source.port, "MSET", "a", "1", "b", "2");
  const manifest = await backUp({ kind: "redis", url: source.url });
  // A port that was free a moment ago.
  const free = await startRedis();
  const { port } = free;
  await free[Symbol.asyncDispose]();
  try {
    await follow("redis", manifest, { PORT: String(port) });
    await expect.poll(() => cli(port, "MGET", "a", "b"), { timeout: 10_000 }).toBe("1\n2");
  } finally {
    await cli(port, "SHUTDOWN", "NOSAVE").catch(() => undefined);
  }
});

it("opens files", async () => {
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "below"), { recursive: true });
  writeFileSync(join(tree, "below/file with a name"), "content");
  chmodSync(join(tree, "below/file with a name"), 0o640);
  const manifest = await backUp({ kind: "files", paths: [tree] });
  await follow("files", manifest);
  const file = join(folder, "restored", tree, "below/file with a name");
  expect(readFileSync(file, "utf8")).toBe("content");
});

it("opens what a program wrote", async () => {
  const manifest = await backUp({ kind: "command", argv: ["seq", "1", "3"], file: "numbers.txt" });
  await follow("command", manifest, { FILE: "numbers.txt" });
  expect(readFileSync(join(folder, "numbers.txt"), "utf8")).toBe("1\n2\n3\n");
});

it("opens a bucket whose backups build upon each other", async () => {
  using bucket = await TestBucket.create(s3, "photos");
  await bucket.putAll({ "a/kept": "kept", "a/changed": "old", "a/gone first": "x", "gone later": "y" });
  await backUp(bucket.config(), 3);
  await bucket.delete("a/gone first");
  await bucket.put("a/changed", "new");
  await backUp(bucket.config(), 4);
  await bucket.delete("gone later");
  const manifest = await backUp(bucket.config(), 5);
  expect(manifest.references).toHaveLength(2);
  await follow("s3", manifest);
  const files = filesBelow(join(folder, "objects"));
  expect(files).toEqual(["a/changed", "a/kept"]);
  expect(readFileSync(join(folder, "objects/a/changed"), "utf8")).toBe("new");
});

it("leaves no block of the document untried", () => {
  expect(new Set(used)).toEqual(new Set(["compare", ...[...blocks.keys()].filter((name) => name !== "")]));
  expect(blocks.get("")).toHaveLength(2);
});
