import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres } from "../support/postgres.ts";
import { alice, botToken, type RunningProcess } from "../support/stack.ts";
import { startWorkerStack, type WorkerStack } from "../support/worker.ts";

/** What the database holds, beside the table that fills several parts. */
const sql = `
  CREATE ROLE shop_owner LOGIN PASSWORD 'of-the-shop-owner'; CREATE SCHEMA "Odd name";
  CREATE TABLE "Odd name"."a""b" (n int); INSERT INTO "Odd name"."a""b" SELECT generate_series(1, 7);
  ALTER TABLE "Odd name"."a""b" OWNER TO shop_owner;
  CREATE TABLE measured (at date, value int) PARTITION BY RANGE (at);
  CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  INSERT INTO measured SELECT '2025-06-01', n FROM generate_series(1, 1000) n; CREATE TABLE empty (id int);
  CREATE TABLE random (data bytea); CREATE TABLE words (line text);
  INSERT INTO random SELECT decode(string_agg(md5(random()::text), ''), 'hex') FROM generate_series(1, 800000) n GROUP BY n % 100;
  INSERT INTO random SELECT data FROM random, generate_series(1, 5);
  INSERT INTO words SELECT md5(n::text) || repeat('word ', 40) FROM generate_series(1, 700000) n;`;

let stack: WorkerStack;
let worker: RunningProcess;
let identity: string;
let id: string;
const seenArguments = new Set<string>();

beforeAll(async () => {
  identity = execFileSync("age-keygen", { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  const recipient = /public key: (\S+)/.exec(identity)?.[1] ?? "";
  stack = await startWorkerStack({
    sql,
    smallHeap: true,
    configure: (config) => {
      config["encryption"] = { recipients: [recipient] };
      const [backup] = config["backups"];
      config["backups"].push({
        ...backup,
        name: "plain",
        encrypt: false,
        storages: ["local"],
        keep: { local: "all" },
        source: { ...backup.source, counts: "off" },
      });
    },
  });
  // The first two starts after a change of the sources compile, which takes some 25 MB more than all later ones: the
  // types are taken out in the first, the code is kept from the second on. An orderly end keeps what it has made. In a
  // cache of its own: what others run, with other sources and flags, would make it a matter of luck what is found there.
  const environment = { HOME: stack.folder, NODE_COMPILE_CACHE: join(stack.folder, "compiled") };
  for (let start = 0; start < 2; start++) expect(await (await stack.startWorker(environment)).stop()).toBe(0);
  worker = await stack.startWorker(environment);
  id = await stack.order();
  const watching = setInterval(() => {
    for (const line of stack.children()) seenArguments.add(line);
  }, 50);
  await stack.ended(id);
  clearInterval(watching);
}, 120_000);

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Decrypts a part of the local copy with the age program and decompresses it. */
function open(folder: string, file: string): Buffer {
  const key = join(stack.folder, "identity.txt");
  writeFileSync(key, identity, { mode: 0o600 });
  const pipe = `age --decrypt -i "${key}" "${join(stack.localFolder, folder, file)}" | zstd -dcq`;
  return execFileSync("sh", ["-c", pipe], { maxBuffer: 2 ** 30 });
}

test("the encrypted backup is decrypted by age and restored by pg_restore, globals first, with the rows that the manifest counts", async () => {
  const run = await stack.runOf(id);
  expect(run).toMatchObject({ status: "succeeded", encrypted: true, manifest: { encryption: { format: "age" } } });
  const [artifact, globals] = run.manifest?.parts ?? [];
  expect([artifact?.file, globals?.file]).toEqual(["artifact.dump.zst.age", "globals.sql.zst.age"]);
  await using target = await startPostgres();
  const roles = open(run.folder ?? "", "globals.sql.zst.age").toString();
  expect(roles).toContain("CREATE ROLE shop_owner");
  // The role that restores is there already.
  await target.psql("postgres", roles.replace(/^CREATE ROLE postgres;$/m, ""));
  // Its password came along: it is the source's now.
  const dump = join(stack.folder, "restored.dump");
  writeFileSync(dump, open(run.folder ?? "", "artifact.dump.zst.age"));
  const { user, password } = stack.postgres;
  const connection = target.url("postgres", user, password);
  const run2 = (program: string, args: readonly string[]) =>
    execFileSync(join(target.programs, program), args, { encoding: "utf8" });
  run2("psql", ["-qd", connection, "-c", "CREATE DATABASE restored"]);
  run2("pg_restore", ["--exit-on-error", "-d", target.url("restored", user, password), dump]);
  const rows = (table: string) =>
    Number(run2("psql", ["-Atd", target.url("restored", user, password), "-c", `SELECT count(*) FROM ${table}`]));
  const tables = artifact?.tables ?? {};
  expect(tables).toEqual({
    '"Odd name"."a""b"': 7,
    "public.empty": 0,
    "public.measured_2025": 1000,
    "public.random": 600,
    "public.words": 700_000,
  });
  for (const [table, count] of Object.entries(tables)) expect([table, rows(table)]).toEqual([table, count]);
  const owner = `SELECT tableowner FROM pg_tables WHERE tablename = 'a"b'`;
  expect(run2("psql", ["-Atd", target.url("restored", user, password), "-c", owner]).trim()).toBe("shop_owner");
  await stack.card(id, /Counted: 701,607 rows in 5 tables[\s\S]*encrypted with age/);
}, 180_000);

test("a backup without counts and encryption has neither, and is as sound", async () => {
  const plain = await stack.order("plain");
  const run = await stack.ended(plain);
  expect(run).toMatchObject({ status: "succeeded", encrypted: false, manifest: { counts: "off" } });
  expect(run.manifest?.encryption).toBeUndefined();
  expect(run.manifest?.parts.map(({ file, tables }) => [file, tables])).toEqual([
    ["artifact.dump.zst", undefined],
    ["globals.sql.zst", undefined],
  ]);
  const file = join(stack.localFolder, run.folder ?? "", "artifact.dump.zst");
  execFileSync("sh", ["-c", `zstd -dcq "${file}" | ${join(stack.postgres.programs, "pg_restore")} -f /dev/null`]);
  const card = await stack.card(plain, /is done/);
  expect(card.text).not.toContain("Counted");
}, 180_000);

test("no secret is in the worker's log, in Redis with its jobs, in any argument of a process, or in the chat", async () => {
  const secrets = [
    stack.postgres.password,
    stack.s3.secretAccessKey,
    botToken,
    /AGE-SECRET-KEY-\S+/.exec(identity)?.[0],
  ];
  const dumped: Buffer[] = [];
  for (const key of await stack.client.keys("*"))
    dumped.push(Buffer.from(key), (await stack.client.dumpBuffer(key)) ?? Buffer.of());
  const files = readdirSync(stack.redis.folder, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  const chats = JSON.stringify([stack.sandbox.messages(alice.id), stack.sandbox.transcriptText()]);
  const places: [string, Buffer | string][] = [
    ["log", worker.log()],
    ["arguments", [...seenArguments].join("\n")],
    ["Redis", Buffer.concat(dumped)],
    ["chat", chats],
    ...files.map((file): [string, Buffer] => [file.name, readFileSync(join(file.parentPath, file.name))]),
  ];
  expect([...seenArguments].some((line) => line.includes("pg_dump"))).toBe(true);
  expect(places.length).toBeGreaterThan(4);
  for (const [place, content] of places) {
    const found = secrets.filter((secret) => content.includes(secret ?? "?"));
    expect([place, content.length > 0, found.length]).toEqual([place, true, 0]);
  }
});

test("the worker stays below 150 MB, its largest moment included, with dumps of over 300 MB", async () => {
  const run = await stack.runOf(id);
  expect(run.manifest?.parts[0]?.rawBytes).toBeGreaterThan(300_000_000);
  const status = readFileSync(`/proc/${worker.child.pid}/status`, "utf8");
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  expect(peak).toBeGreaterThan(30e6);
  expect(peak).toBeLessThan(150e6);
});
