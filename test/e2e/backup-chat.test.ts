import { createHash } from "node:crypto";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, endRuns, eventually, runCount, shown } from "../support/chat.ts";
import { alice, bob, type RunningProcess, type Stack, startStack } from "../support/stack.ts";

/** 56 MiB that cannot be compressed below that: far more than an upload that stands still takes with all buffers before it. */
const sql = `
  CREATE TABLE blobs (id serial PRIMARY KEY, data bytea);
  INSERT INTO blobs (data) SELECT string_agg(sha512(random()::text::bytea), '')
    FROM generate_series(1, 917504) n GROUP BY n % 224;`;

let stack: Stack;
let bot: RunningProcess;
let worker: RunningProcess;

beforeAll(async () => {
  stack = await startStack({
    sql,
    configure: (config) => {
      config["storages"].offsite.partSize = "5MiB";
    },
  });
  [bot, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
}, 180_000);
beforeEach(async () => {
  await stack.proxy.heal();
  await aMinuteOfSilence(stack);
  await endRuns(stack);
});
afterAll(async () => await stack?.[Symbol.asyncDispose]());

async function confirmed(text = "/backup shop"): Promise<Message> {
  const dialog = await answerTo(stack, stack.say(alice.id, text), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  return dialog;
}

/** Files of the local storage and objects of the bucket. */
function kept(): string[] {
  const local = existsSync(stack.localFolder) ? globSync("**/*.*", { cwd: stack.localFolder }) : [];
  const objects = join(stack.s3.folder, "buckets", stack.s3.bucket, "objects");
  return [...local, ...(existsSync(objects) ? globSync("**/*.*", { cwd: objects }) : [])].sort();
}

/** The command lines of every process on this machine, but for what other tests start themselves. */
function commandLines(): string {
  const lines = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return (
    lines
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        } catch {
          return "";
        }
      })
      // All clusters of the tests have one password, and children of tests are told it as they are told everything.
      .filter((line) => !line.includes("/test/support/"))
      .join("\n")
  );
}

/** Everything in Redis, as text. */
async function redisContent(): Promise<string> {
  const dumps: unknown[] = [];
  for (const key of await stack.client.keys("*")) {
    const type = await stack.client.type(key);
    if (type === "string") dumps.push(key, await stack.client.get(key));
    if (type === "hash") dumps.push(key, await stack.client.hgetall(key));
    if (type === "list") dumps.push(key, await stack.client.lrange(key, 0, -1));
    if (type === "set") dumps.push(key, await stack.client.smembers(key));
    if (type === "zset") dumps.push(key, await stack.client.zrange(key, "0", "-1"));
    if (type === "stream") dumps.push(key, await stack.client.xrange(key, "-", "+"));
  }
  return JSON.stringify(dumps);
}

test("a run that is under way shows how far it is, and Cancel leaves nothing of it behind", async () => {
  stack.proxy.inject({ kind: "stall" }, { on: ["UploadPart"] });
  const dialog = await confirmed();
  const running = await becomes(stack, dialog, /Written: /);
  expect(running.text).toMatch(/^⏳ Backup shop is running$/m);
  expect(running.text).toMatch(/^Phase: dumping, compressing, uploading$/m);
  expect(running.text).toMatch(/^Read: [\d.]+ MB (?:of about [\d.]+ MB )?at [\d.]+ MB\/s$/m);
  expect(running.text).toMatch(/^Written: [\d.]+ MB at [\d.]+ MB\/s$/m);
  expect(running.text).toMatch(/^Elapsed: \S+$/m);
  expect(running.text).toContain("PostgreSQL");
  expect(shown(running).buttons).toEqual(["Cancel"]);
  const secrets = [stack.postgres.password, encodeURIComponent(stack.postgres.password), stack.s3.secretAccessKey];
  const lines = commandLines();
  expect(lines).toContain("pg_dump --format=custom");
  for (const secret of secrets) expect(lines).not.toContain(secret);
  await eventually("an upload is open", () => stack.s3.openUploads().length === 1);

  expect((await stack.press(bob.id, running, "Cancel")).toast).toBe("Stopping…");
  const cancelled = await becomes(stack, dialog, /Backup shop was cancelled/);
  expect(cancelled.text).toContain("Cancelled by bob.");
  expect(cancelled.text).toContain("Nothing was kept of this run; earlier backups are untouched.");
  expect(shown(cancelled).buttons).toEqual(["Retry"]);
  expect(kept()).toEqual([]);
  expect(stack.s3.openUploads()).toEqual([]);
  await eventually("no tool is left", () => !commandLines().includes("pg_dump --format=custom"));
});

test("a finished run says how large, how long, where, and the SHA-256 that the files really have", async () => {
  const done = await becomes(stack, await confirmed(), /Backup shop is done/);
  const [key = ""] = globSync("shop/*/artifact.dump.zst", { cwd: stack.localFolder });
  const file = readFileSync(join(stack.localFolder, key));
  const sha256 = createHash("sha256").update(file).digest("hex");
  expect(done.text).toContain(`SHA-256: ${sha256.slice(0, 16)}…`);
  const object = await fetch(`${stack.s3.endpoint}/${stack.s3.bucket}/prod/${key}`);
  expect(
    createHash("sha256")
      .update(Buffer.from(await object.arrayBuffer()))
      .digest("hex"),
  ).toBe(sha256);

  const sizes = /Size: ([\d.]+) MB, from ([\d.]+) MB \(1 : ([\d.]+)\)/.exec(done.text ?? "");
  const [size, raw, ratio] = (sizes ?? []).slice(1).map(Number);
  expect(Math.abs((size ?? 0) - file.length / 1e6)).toBeLessThan(0.1);
  expect(Math.abs((raw ?? 0) / (size ?? 1) - (ratio ?? 0))).toBeLessThan(0.02);
  expect(done.text).toContain("Counted: 224 rows in 1 table");
  expect(done.text).toMatch(/^Took [\d.]+\S*s$/m);
  expect(done.text).toMatch(new RegExp(`^✓ local .*${stack.localFolder}$`, "m"));
  expect(done.text).toMatch(/^✓ offsite s3:\/\/backups\/prod$/m);
  expect(shown(done).buttons).toEqual(["Verify"]);
});

test("a cancelled run is ordered again by Retry, once", async () => {
  stack.proxy.inject({ kind: "stall" }, { on: ["UploadPart"] });
  const dialog = await confirmed();
  const running = await becomes(stack, dialog, /Phase: dumping/);
  await stack.press(alice.id, running, "Cancel");
  const cancelled = await becomes(stack, dialog, /was cancelled/);
  await stack.proxy.heal();
  const before = await runCount(stack);
  expect((await stack.press(alice.id, cancelled, "Retry")).toast).toBe("shop: ordered again");
  await answerTo(stack, dialog, /Backup shop is done.*Retry of [0-9a-f]{12} by alice/s);
  const told = await becomes(stack, dialog, /Retried by alice: run [0-9a-f]{12}/);
  expect(shown(told).buttons).toEqual([]);
  expect((await stack.press(alice.id, cancelled, "Retry")).toast).toBe("This button is out of date. Nothing was done.");
  expect(await runCount(stack)).toBe(before + 1);
});

test("no secret is in the chat, in a log or in Redis", async () => {
  const everything = {
    chat: stack.sandbox.transcriptText(),
    bot: bot.log(),
    worker: worker.log(),
    redis: await redisContent(),
  };
  expect(everything.redis).toContain("shop");
  for (const [where, text] of Object.entries(everything))
    for (const secret of [stack.postgres.password, stack.s3.secretAccessKey, "AAtestTokenOfTheStack"])
      expect(text.includes(secret), `${where} has a secret`).toBe(false);
});
