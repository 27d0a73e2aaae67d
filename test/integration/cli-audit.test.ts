import { execFile } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { createJobHandlers } from "../../jobs/index.ts";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import { AuditHeadWriter } from "../../src/services/audit/heads.ts";
import { readStoredHeads } from "../../src/services/audit/verify.ts";
import { namesIn } from "../../src/services/backup/prune-here.ts";
import { lookInto } from "../../src/services/catalogue.ts";
import { createStorage } from "../../src/storages/index.ts";
import { parseStorageUrl } from "../../src/storages/url.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aBackup } from "../support/catalogue.ts";
import { runHere } from "../support/cli-here.ts";
import { retentionConfig } from "../support/retention-config.ts";
import { startS3 } from "../support/s3.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const day = 24 * 3_600_000;
const job: JobContext = { signal: new AbortController().signal, jobId: "job", attempt: 1, maxAttempts: 1 };

/** A worker with two storages, its clock, and the command line beside it. */
function world() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const keys = fixture.keys();
  const prefix = keys.root.split(":")[0] ?? "";
  const storages = {
    near: { kind: "local", path: join(folder.path, "near") },
    far: { kind: "local", path: join(folder.path, "far") },
  };
  const file = join(folder.path, "vakhta.yaml");
  const sources = "[{ name: app, source: { kind: command, argv: [seq, '1'], file: a.txt }, storages: [near, far] }]";
  const redis = JSON.stringify({ url: fixture.server.url, prefix });
  writeFileSync(
    file,
    `redis: ${redis}\nworker: { host: here }\nstorages: ${JSON.stringify(storages)}\nbackups: ${sources}\n`,
  );
  const config = retentionConfig(
    { url: fixture.server.url, prefix },
    { storages, backups: [aBackup({ storages: ["near", "far"] })] },
  );
  // Long ago: what the command line compares with today has settled.
  const clock = new ManualClock("2026-01-10T12:00:00.000Z");
  const { deps, close } = createWorkerDeps({ config, logger: pino({ level: "silent" }), clock, role: "test" });
  onTestFinished(close);
  const handlers = createJobHandlers(deps);
  const append = async (...whys: readonly string[]): Promise<void> => {
    for (const why of whys)
      await deps.audit.append({ at: clock.now().toISOString(), about: "approval", what: "done", why });
  };
  return {
    folder: folder.path,
    keys,
    clock,
    deps,
    append,
    cli: async (...args: readonly string[]) => await runHere(["audit", ...args, "--config", file]),
    /** A day later: the head is taken and put into these storages. */
    nextDay: async (...into: readonly string[]) => {
      clock.advance(day);
      await deps.auditHeads.step();
      for (const storage of into)
        await handlers["audit-head"]({ storage, date: clock.now().toISOString().slice(0, 10) }, job);
    },
    edit: async (seq: number, change: (text: string) => string) => {
      const key = keys.of("audit");
      const all = await fixture.redis.xrange(key, "-", "+");
      await fixture.redis.del(key);
      for (const [id, fields] of all)
        await fixture.redis.xadd(
          key,
          id,
          ...fields.map((field, at) => (id === `${seq}-0` && at === 1 ? change(field) : field)),
        );
    },
  };
}

const both = ["near", "far"] as const;

describe("vakhta audit verify", () => {
  test("says that all is well, with the heads that lie beside the backups", async () => {
    const { append, nextDay, cli, folder, deps } = world();
    expect(await cli("verify")).toMatchObject({ status: 0, stdout: "The audit log is empty.\n" });
    await append("a", "b", "c");
    const first = await cli("verify");
    expect(first.status).toBe(0);
    expect(first.stdout).toBe("The audit log is whole: 3 entries, #1 to #3; stored heads that fit: 1.\n");
    expect(first.stderr).toContain("No storage holds a head yet");
    await nextDay(...both);
    await append("d");
    // The same day once more is no new head.
    await deps.auditHeads.step();
    await nextDay(...both);
    expect(globSync("*/audit/heads/*", { cwd: folder }).toSorted()).toEqual([
      "far/audit/heads/2026-01-11.json",
      "far/audit/heads/2026-01-12.json",
      "near/audit/heads/2026-01-11.json",
      "near/audit/heads/2026-01-12.json",
    ]);
    const head = JSON.parse(readFileSync(join(folder, "far/audit/heads/2026-01-12.json"), "utf8"));
    expect(head).toEqual({
      version: 1,
      date: "2026-01-12",
      at: "2026-01-12T12:00:00.000Z",
      ...(await deps.audit.head()),
    });
    expect(await cli("verify")).toEqual({
      status: 0,
      stdout: "The audit log is whole: 4 entries, #1 to #4; stored heads that fit: 7.\n",
      stderr: "",
    });
    const json = JSON.parse((await cli("verify", "--json")).stdout);
    expect(json).toMatchObject({ ok: true, entries: 4, last: 4, heads: 7, stored: 4, flaws: [], unseen: [] });
  });

  test("says where it was changed, in one line", async () => {
    const { append, edit, cli, keys } = world();
    await append("a", "b", "c", "d");
    await edit(3, (text) => text.replace('"c"', '"x"'));
    const told = "Entry #3 was changed: it is not what its hash says.\n";
    expect(await cli("verify")).toEqual({ status: 1, stdout: told, stderr: "" });
    expect(JSON.parse((await cli("verify", "--json")).stdout)).toMatchObject({
      ok: false,
      flaws: [{ what: "edited", seq: 3, text: told.trim() }],
    });
    await fixture.redis.xdel(keys.of("audit"), "2-0");
    expect((await cli("verify")).stdout).toBe("Entries are missing: #2 to #2.\n");
  });

  test("finds a log whose end and head in Redis are gone by the heads in the storages", async () => {
    const { append, nextDay, cli, keys } = world();
    await append("a", "b", "c");
    await nextDay(...both);
    await fixture.redis.xdel(keys.of("audit"), "3-0");
    await fixture.redis.del(keys.of("audit-head"), keys.of("audit-heads"));
    expect(await cli("verify")).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /^The end is missing: #3 to #3, as the head of 2026-01-11 in (near|far) knows\.\n$/,
      ),
    });
  });

  test("an emptied Redis begins anew, and the stored heads tell", async () => {
    const { append, nextDay, cli, folder } = world();
    await append("a", "b", "c");
    await nextDay(...both);
    const [before] = globSync("near/audit/heads/*", { cwd: folder });
    const text = readFileSync(join(folder, before ?? ""), "utf8");
    await fixture.redis.flushall();
    await append("x", "y", "z", "more");
    const told = /^The log was begun anew: the head of 2026-01-11 in (near|far) knows another one with #3, and its/;
    expect(await cli("verify")).toMatchObject({ status: 1, stdout: expect.stringMatching(told) });
    // The heads of the new chain come beside those of the old one, and take nothing from them.
    await nextDay(...both);
    expect(readFileSync(join(folder, before ?? ""), "utf8")).toBe(text);
    expect(globSync("near/audit/heads/*", { cwd: folder })).toHaveLength(2);
    expect(await cli("verify")).toMatchObject({ status: 1, stdout: expect.stringMatching(told) });
  });

  test("a head that is missing, differs or is none is said", async () => {
    const { append, nextDay, cli, folder } = world();
    await append("a", "b");
    for (const why of ["c", "d", "e"]) {
      await nextDay(...both);
      await append(why);
    }
    rmSync(join(folder, "far/audit/heads/2026-01-12.json"));
    expect(await cli("verify")).toMatchObject({
      status: 1,
      stdout: "far lacks heads that were stored before, the first of 2026-01-12: 1.\n",
    });
    rmSync(join(folder, "far/audit/heads"), { recursive: true });
    expect((await cli("verify")).stdout).toBe("far lacks heads that were stored before, the first of 2026-01-11: 3.\n");
    const near = join(folder, "near/audit/heads/2026-01-12.json");
    const head = readFileSync(near, "utf8");
    writeFileSync(near, head.replace(/"hash":"[0-9a-f]{4}/, '"hash":"0000'));
    expect((await cli("verify", "--storage", "near")).stdout).toBe(
      "Entry #3 is another one than the head of 2026-01-12 in near knows: the log was rewritten.\n",
    );
    writeFileSync(near, "{}");
    expect((await cli("verify", "--storage", "near")).stdout).toBe("The head of 2026-01-12 in near is none.\n");
  });

  test("a storage that was away gets what it has missed", async () => {
    const { append, nextDay, cli, folder } = world();
    await append("a");
    await nextDay("near");
    await nextDay("near");
    await nextDay(...both);
    expect(globSync("far/audit/heads/*", { cwd: folder })).toHaveLength(3);
    expect((await cli("verify")).status).toBe(0);
  });
});

test("a clock that was far ahead for a while costs no later heads", async () => {
  const { append, nextDay, clock, cli, folder } = world();
  await append("a");
  clock.advance(400 * day);
  await nextDay(...both);
  clock.advance(-400 * day);
  await append("b");
  await nextDay(...both);
  await nextDay(...both);
  expect(globSync("near/audit/heads/*", { cwd: folder }).toSorted()).toEqual([
    "near/audit/heads/2026-01-12.json",
    "near/audit/heads/2026-01-13.json",
    "near/audit/heads/2027-02-15.json",
  ]);
  expect((await cli("verify")).status).toBe(0);
});

describe("an export", () => {
  test("of what is older than the chain is taken as it is", async () => {
    const { append, cli, keys, folder } = world();
    await fixture.redis.xadd(keys.of("audit"), "1-0", "entry", '{"what":"done","about":"approval"}');
    await append("a");
    const file = join(folder, "old.jsonl");
    writeFileSync(file, (await cli("export")).stdout);
    const { status, stdout, stderr } = await cli("verify", "--file", file);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining("2 entries, #1 to #2") });
    expect(stderr).toContain("older than the chain and not protected by it: 1.");
    writeFileSync(file, '{"seq":1,"entry":{},"x":1}\n');
    expect((await cli("verify", "--file", file)).status).toBe(1);
  });

  test("is verified without Redis, whole and in part", async () => {
    const { append, nextDay, cli, folder } = world();
    await append("a", "b", "c", "d");
    await nextDay(...both);
    const whole = join(folder, "all.jsonl");
    // Of the day of the first head: the command line has the real time.
    const exported = await cli("export");
    const stdout = exported.stdout.replace(/"at":"[^"]+"/, '"at":"2026-01-11T13:00:00.000Z"');
    writeFileSync(whole, stdout);
    expect(stdout.trimEnd().split("\n")).toHaveLength(5);
    expect(await runHere(["audit", "verify", "--file", whole])).toMatchObject({
      status: 0,
      stdout: "The audit log is whole: 4 entries, #1 to #4; stored heads that fit: 1.\n",
    });
    await append("later");
    await nextDay(...both);
    // What came after it is no flaw of it; the heads of that time are met.
    expect(await cli("verify", "--file", whole)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("fit: 3"),
    });
    const lines = stdout.trimEnd().split("\n");
    const verify = async (changed: readonly string[]) => {
      writeFileSync(whole, `${changed.join("\n")}\n`);
      const { status, stdout: told } = await runHere(["audit", "verify", "--file", whole]);
      return `${status} ${told.trim()}`;
    };
    expect(await verify(lines.slice(0, 4))).toMatch(/^1 The end is missing: #4 to #4, as .* knows\.$/);
    expect(await verify(lines.toSpliced(2, 1))).toBe("1 Entries are missing: #2 to #2.");
    expect(await verify(lines.with(2, lines[3] ?? "").with(3, lines[2] ?? ""))).toBe(
      "1 Entries are missing: #2 to #2.",
    );
    expect(await verify(lines.with(2, (lines[2] ?? "").replace('"b"', '"x"')))).toMatch(/^1 Entry #2 was changed/);
    expect(await verify(lines.with(2, "{"))).toBe("1 Line for entry #2 is no entry, or was changed.");
    const part = await cli("export", "--from", "2", "--to", "3");
    expect(await verify(part.stdout.trimEnd().split("\n"))).toMatch(/^0 The audit log is whole: 2 entries, #2 to #3/);
    const missing = await runHere(["audit", "verify", "--file", join(folder, "none")]);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringMatching(/none can not be read \(ENOENT\)/) });
    expect((await cli("export", "--from", "x")).status).toBe(2);
  });
});

test("a hash is worked out by the line in the document", async () => {
  const { append, cli, folder, deps } = world();
  await append('says,"hash":"x"', "b");
  writeFileSync(join(folder, "audit.jsonl"), (await cli("export")).stdout);
  const [line = ""] =
    /^sed -n 2p .*$/m.exec(readFileSync(join(import.meta.dirname, "../../docs/audit.md"), "utf8")) ?? [];
  const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: folder });
  const first = (await deps.audit.read(1))?.record.hash;
  expect(stdout.trim()).toBe(`${first}  -`);
});

test("heads are nothing to the catalogue and the retention, and survive them", async () => {
  const { append, nextDay, deps, folder } = world();
  await append("a");
  await nextDay(...both);
  const near = await deps.storage("near");
  expect(await namesIn(near, job.signal)).toEqual([]);
  const look = await lookInto(near, new Map(), { signal: job.signal });
  expect([look.copies.size, look.problems, look.orphans, look.removing]).toEqual([0, [], [], []]);
  // Also under the name that a backup could have.
  const named = await lookInto(near, new Map(), { name: "audit", signal: job.signal });
  expect([named.orphans, named.removing]).toEqual([[], []]);
  await createJobHandlers(deps).prune({ storage: "near" }, job);
  await createJobHandlers(deps).prune({ storage: "near", name: "app" }, job);
  expect(globSync("near/audit/heads/*", { cwd: folder })).toHaveLength(1);
});

test("a bucket holds heads as a folder does, and one that is away is said and proves nothing", async () => {
  await using s3 = await startS3();
  const { append, nextDay, deps, cli, folder } = world();
  await append("a", "b");
  await nextDay(...both);
  const url = `s3://${s3.bucket}/prod?endpoint=${s3.endpoint}&pathStyle=true`;
  const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
  const bucket = createStorage("bucket", parseStorageUrl(url, env), { logger: deps.logger, host: "here" });
  onTestFinished(async () => await bucket.close());
  const writer = new AuditHeadWriter({ ...deps, storage: async () => bucket });
  const payload = { storage: "bucket", date: "2026-01-11" };
  expect(await writer.execute(payload, job)).toEqual({ done: { storage: "bucket", written: 1 } });
  expect(await writer.execute(payload, job)).toEqual({ done: { storage: "bucket", written: 0 } });
  const known = await deps.audit.heads();
  const read = async () => await readStoredHeads([bucket], known, new Date(), job.signal);
  expect(await read()).toMatchObject({ heads: [{ seq: 2, where: "bucket" }], flaws: [], unseen: [] });
  rmSync(join(folder, "far"), { recursive: true });
  writeFileSync(join(folder, "far"), "no folder");
  const { status, stdout, stderr } = await cli("verify");
  expect([status, stdout.split(";")[0]]).toEqual([0, "The audit log is whole: 2 entries, #1 to #2"]);
  expect(stderr).toMatch(/^far could not be asked for its heads: /);
});

test("a look at the clock puts strangers on record, takes the head and orders it into every storage", async () => {
  const { append, clock, deps } = world();
  await append("a");
  const eve = { id: 666, name: "Eve" };
  await deps.strangers.count({ by: eve, what: "command", chatId: 666, tried: "/start" }, clock.now());
  clock.advance(day);
  await createJobHandlers(deps).tick({}, job);
  expect((await deps.audit.newest(1))[0]).toMatchObject({ seq: 2, about: "stranger", by: eve, why: "/start" });
  expect(await deps.audit.heads()).toMatchObject([{ date: "2026-01-11", seq: 2 }]);
  for (const storage of both) expect(await deps.producer.isPending("audit-head", `audit-head.${storage}.`)).toBe(true);
});

test("a storage that fails is tried again by its job, and raises no alarm of its own", async () => {
  const { append, nextDay, deps, folder } = world();
  await append("a");
  writeFileSync(join(folder, "far"), "no folder");
  await nextDay("near");
  await expect(createJobHandlers(deps)["audit-head"]({ storage: "far", date: "2026-01-11" }, job)).rejects.toThrow();
  expect(await deps.incidents.openIds()).toEqual([]);
  const pending = async (storage: string) => await deps.producer.isPending("audit-head", `audit-head.${storage}.`);
  await deps.auditHeads.step();
  expect([await pending("far"), (await deps.audit.storedHeads()).get("near")]).toEqual([true, "2026-01-11"]);
});
