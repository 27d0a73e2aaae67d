import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parseManifest } from "../../src/core/manifest.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { storageOf } from "../support/backup.ts";
import { TestBucket } from "../support/bucket.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { databasesOf, identityOf, Memory, replacerOf } from "../support/replace.ts";
import { readRunbook, Shell, type Step } from "../support/runbook.ts";
import { archiveOf, type RunbookWorld, root, startRunbookWorld } from "../support/runbook-world.ts";
import { alice, botToken } from "../support/stack.ts";

const { paths, table } = readRunbook();
// Whole installations are started, stopped and filled again in each.
vi.setConfig({ testTimeout: 300_000 });
const pasted = new Set<string>();

async function world(options: Parameters<typeof startRunbookWorld>[0] = {}): Promise<RunbookWorld> {
  const made = await startRunbookWorld(options);
  onTestFinished(async () => await made[Symbol.asyncDispose]());
  return made;
}

/** Pastes blocks of a path, all of them in their order or those of the numbers; gives all that was shown. */
async function follow(
  path: string,
  { stack, env, values }: RunbookWorld,
  more: Readonly<Record<string, string>> = {},
  order?: readonly number[],
): Promise<string> {
  const steps = paths.get(path) ?? [];
  const chosen = order?.map((index) => steps[index]) ?? steps;
  await using shell = new Shell(join(stack.folder, "work"), env, { ...values, ...more });
  let shown = "";
  for (const step of chosen) {
    if (!step) throw new Error(`${path} has fewer blocks`);
    shown += await shell.paste(step);
    pasted.add(step.id);
  }
  return shown;
}

/** Returns when it answers, as `systemctl restart` does. */
const startRedisScript = (port: number, folder: string): string => `#!/bin/sh
redis-server --port ${port} --bind 127.0.0.1 --dir ${folder} --daemonize yes --appendonly yes --maxmemory-policy noeviction --save ''
until redis-cli -p ${port} ping >/dev/null 2>&1; do sleep 0.05; done
`;

const rows = async ({ stack }: RunbookWorld, database = "app"): Promise<string> =>
  await stack.postgres.psql(database, "SELECT count(*) FROM item");
const run = promisify(execFile);
const redisCli = async (port: number, ...args: readonly string[]): Promise<string> =>
  (await run("redis-cli", ["-p", String(port), ...args])).stdout.trim();
const cached = async ({ cache }: RunbookWorld, ...args: readonly string[]): Promise<string> =>
  await redisCli(cache.port, ...args);

describe("the runbook", () => {
  it("leads from its table to every path, and every path begins with what the reader fills in", () => {
    expect(table).toEqual([...paths.keys()]);
    for (const steps of paths.values()) {
      expect(steps.filter(({ isVariables }) => isVariables)).toHaveLength(1);
      expect(steps[0]?.isVariables).toBe(true);
      // Nothing is pasted without a word on what one should see, but for programs that are installed.
      const silent = steps.filter(({ see, isVariables }: Step) => see.length === 0 && !isVariables);
      expect(silent.filter(({ text }) => !text.startsWith("apt-get"))).toEqual([]);
    }
  });

  it("brings a lost server back, from the bucket and the key alone", async () => {
    const it = await world();
    const { stack, cache, settings, uploads } = it;
    await cached(it, "MSET", "a", "1", "b", "2");
    for (const name of ["app", "cache", "uploads", "settings"]) await it.vakhta("backup", name, "--here");
    // The server is gone: all but the bucket, and the key, which was elsewhere.
    await stack.postgres.psql("postgres", "DROP DATABASE app");
    await cached(it, "FLUSHALL");
    for (const folder of [settings, uploads, stack.localFolder]) rmSync(folder, { recursive: true });
    const { s3, postgres } = stack;
    const checkout = join(stack.folder, "opt/vakhta");
    // As a server that was just installed: nobody has a password, its owner comes in by the socket.
    await postgres.psql("postgres", "ALTER ROLE postgres PASSWORD NULL");
    rmSync(join(it.env["HOME"] ?? "", ".pgpass"));
    const units = join(stack.folder, "units");
    mkdirSync(units);
    await follow("Server lost", it, {
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
      STORE: `s3://${s3.bucket}/prod?endpoint=${s3.endpoint}&region=${s3.region}&pathStyle=true`,
      KEY: join(it.env["HOME"] ?? "", "key.txt"),
      SOURCE: pathToFileURL(archiveOf(stack.folder)).href,
      VAKHTA: checkout,
      START: `${root}/node_modules/.bin/pm2 start ${checkout}/ecosystem.config.js`,
      DATABASE: it.database("app"),
      PASSWORD: postgres.password,
      ADMIN: ownerOf(postgres),
      DISK: stack.localFolder,
      RUNS_AS: userInfo().username,
      UNITS: units,
      REDIS: cache.url,
      UPLOADS: uploads,
      ROOM: join(stack.folder, "room"),
    });
    expect(await rows(it)).toBe("500");
    expect(await cached(it, "MGET", "a", "b")).toBe("1\n2");
    expect(readFileSync(join(uploads, "below/picture"), "utf8")).toBe("content");
    expect(existsSync(join(settings, ".env"))).toBe(true);
    expect(readdirSync(units).toSorted()).toEqual(["vakhta-bot.service", "vakhta-worker.service"]);
  });

  it("fills a new bucket from the disk, and the workers go on there", async () => {
    const it = await world();
    const { stack } = it;
    for (const name of ["app", "app", "uploads"]) await it.vakhta("backup", name, "--here");
    await it.pm2("start", join(root, "ecosystem.config.js"));
    rmSync(join(stack.s3.folder, "buckets", stack.s3.bucket), { recursive: true });
    using bucket = await TestBucket.create(stack.s3, "backups-2");
    await follow("Bucket lost", it, { OLD: stack.s3.bucket, NEW: bucket.name });
    const { backups } = JSON.parse(await it.vakhta("backups", "--json")) as {
      backups: { name: string; copies: string[] }[];
    };
    expect(backups.map(({ name }) => name).toSorted()).toEqual(["app", "app", "app", "uploads", "uploads"]);
    expect(backups.map(({ copies }) => copies.toSorted())).toEqual(backups.map(() => ["local", "offsite"]));
  });

  it("makes a new key, backups that it opens, and removes those that a thief can read", async () => {
    const it = await world();
    for (const name of ["app", "uploads"]) await it.vakhta("backup", name, "--here");
    // Nobody has the old one any more.
    const other = await generateIdentity();
    it.writeSettings(undefined, { AGE_IDENTITY: other });
    await it.pm2("start", join(root, "ecosystem.config.js"));
    const key = join(it.stack.folder, "key-new.txt");
    await follow("Key lost", it, { OLD: it.recipient, KEY: key });
    const [, identity = ""] = readFileSync(key, "utf8").trim().split("\n");
    const { backups } = JSON.parse(await it.vakhta("backups", "--json")) as {
      backups: {
        name: string;
        manifest?: { encryption?: { recipients: string[] } };
        encryption?: { recipients: string[] };
      }[];
    };
    expect(backups.map(({ name }) => name).toSorted()).toEqual(["app", "uploads"]);
    const manifests = globSync("backups/*/*/manifest.json", { cwd: it.stack.folder }).map((file) =>
      readFileSync(join(it.stack.folder, file), "utf8"),
    );
    const recipient = await recipientOf(identity);
    expect(manifests.filter((text) => text.includes(recipient))).toHaveLength(2);
  });

  it("puts a new token in the place of one that leaked, and looks at what was done", async () => {
    const token = "777000111:AAnewTokenFromBotFather-123456789";
    const it = await world({ bots: [{ token }], token: botToken });
    await it.vakhta("backup", "uploads", "--here");
    await it.vakhta("restore", "uploads", "--to", join(it.stack.folder, "back"), "--yes");
    await it.pm2("start", join(root, "ecosystem.config.js"));
    await follow("Bot token leaked", it, { TELEGRAM: it.stack.sandbox.apiRoot, TOKEN: token });
    it.stack.say(alice.id, "/whoami");
    expect((await it.stack.message(/alice/)).text).toContain("admin");
  });

  it("goes on with an empty Redis, and says that the audit log is another one", async () => {
    const it = await world();
    const { stack } = it;
    await it.vakhta("backup", "uploads", "--here");
    await it.vakhta("restore", "uploads", "--to", join(stack.folder, "back"), "--yes");
    await it.pm2("start", join(root, "ecosystem.config.js"));
    await expect
      .poll(() => globSync("backups/audit/heads/*.json", { cwd: stack.folder }), { timeout: 60_000 })
      .toHaveLength(1);
    await stack.redis.kill();
    rmSync(stack.redis.folder, { recursive: true });
    const { port } = stack.redis;
    onTestFinished(async () => void (await redisCli(port, "shutdown", "nosave").catch(() => undefined)));
    const start = join(stack.folder, "start-redis");
    writeFileSync(start, startRedisScript(port, stack.folder), { mode: 0o755 });
    await follow("Redis lost", it, { REDIS: stack.redis.url, START_REDIS: start });
    expect(globSync("backups/audit/heads-before-*/*.json", { cwd: stack.folder })).toHaveLength(1);
    await it.pm2("kill");
  });

  it("takes a wrong restore back by hand while the old database is kept, and what Vakhta does then harms nothing", async () => {
    const it = await world();
    const { postgres } = it.stack;
    await it.vakhta("backup", "app", "--here");
    await postgres.psql("app", "INSERT INTO item SELECT generate_series(501, 700)");
    // The wrong one: what came since the backup is gone.
    const replaced = await replaceByNewest(it);
    expect(await rows(it)).toBe("500");
    expect(await databasesOf(postgres, "app")).toBe("app t, app_before_r1 f");
    const shown = await follow("Wrong restore", it, kept(it), [0, 1, 2]);
    expect(shown).toContain("app_before_r1 becomes app\n");
    expect(await rows(it)).toBe("700");
    expect(await databasesOf(postgres, "app")).toMatch(/^app t, app_wrong_\d+ f$/);
    const context = replaced.memory.context(replaced.identity);
    expect(await replaced.replacer.recover(context)).toBe("nothing");
    await replaced.replacer.discard(context);
    expect(await rows(it)).toBe("700");
  });

  it("takes a wrong restore back with the backup from right before it, when its time is over", async () => {
    const it = await world();
    const { postgres } = it.stack;
    await it.vakhta("backup", "app", "--here");
    const wrong = { WRONG: new Date().toISOString() };
    await postgres.psql("app", "DELETE FROM item WHERE id > 10");
    await it.vakhta("backup", "app", "--here");
    await follow("Wrong restore", it, { ...kept(it), ...wrong }, [0, 1, 3, 2]);
    expect(await rows(it)).toBe("500");
    expect(await databasesOf(postgres, "app")).toMatch(/^app t, app_wrong_\d+ f$/);
  });

  it("has no block that was not pasted", () => {
    const all = [...paths.values()].flat().map(({ id }) => id);
    expect(all.filter((id) => !pasted.has(id))).toEqual([]);
  });
});

/** Runs psql as the user to whom the server belongs, without any password. */
function ownerOf({ programs, folder, port, user }: PostgresServer): string {
  const become = userInfo().uid === 0 ? `runuser -u ${user} -- ` : "";
  return `${become}${join(programs, "psql")} --host=${folder} --port=${port} --username=${user} --no-password`;
}

const kept = (it: RunbookWorld): Record<string, string> => ({
  NAME: "app",
  WRONG: new Date().toISOString(),
  SERVER: it.database("postgres"),
  DATABASE: "app",
  AGAIN: it.database("app_again"),
});

/** The newest backup of the database takes its place, as from the chat. */
async function replaceByNewest(it: RunbookWorld) {
  const { postgres, localFolder } = it.stack;
  const [file = ""] = globSync("app/*/manifest.json", { cwd: localFolder });
  const manifest = parseManifest(readFileSync(join(localFolder, file)));
  const storage = storageOf("local", { kind: "local", path: localFolder });
  const signal = new AbortController().signal;
  const reader = openBackup(storage, manifest, { identity: it.identity, signal });
  const replacer = replacerOf(postgres.url("app"));
  const memory = new Memory();
  const identity = await identityOf(postgres, "app");
  await replacer.prepare(reader, memory.context(identity));
  await replacer.swap(memory.context(identity));
  return { replacer, memory, identity };
}
