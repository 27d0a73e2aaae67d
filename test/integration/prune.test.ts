import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { manifestFile } from "../../src/core/manifest.ts";
import { encodePin, encodeProofs, pinFile, proofFile, withProof } from "../../src/core/proof.ts";
import { tombstoneFile } from "../../src/core/tombstone.ts";
import { awaitLeaseFiles, takeLeaseFile } from "../../src/services/backup/lease-file.ts";
import type { Storage } from "../../src/storages/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  day,
  jobContext,
  keysOf,
  putBackup,
  referenceTo,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const by = { id: 111, name: "alice" };
const pin = encodePin({ version: 1, at: "2026-03-01T03:00:00.000Z", by: "alice" });

async function world(change: { backup?: object; storages?: object; backups?: number } = {}) {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const made = retentionWorld(fixture, {
    storages: { local: { kind: "local", path: folder.path }, ...change.storages },
    backups: [aBackup(change.backup)],
  });
  const local = await made.storage("local");
  const folders: string[] = [];
  // Newest first: folders[0] is of today.
  for (let index = 0; index < (change.backups ?? 0); index++)
    folders.push(await putBackup(local, dailyManifest(index)));
  const prune = async (more: { question?: string } = {}, deps = made.deps) =>
    await deps.pruner.execute({ storage: "local", name: "app", ...more }, jobContext());
  return { ...made, local, folders, prune, path: folder.path };
}

/** Everything that the storage is told to delete, in that order. */
function deletions(storage: Storage): string[] {
  const keys: string[] = [];
  const remove = storage.delete.bind(storage);
  storage.delete = async (some, ...rest) => {
    keys.push(...some);
    await remove(some, ...rest);
  };
  return keys;
}

test("a run that builds upon earlier ones waits until a command line has ended, whatever cannot be reached", async () => {
  const { local } = await world();
  const away = { ...local, name: "away", put: () => Promise.reject(new Error("out of reach")) } as Storage;
  const options = { name: "app", host: "here", signal, everyMs: 5 } as const;
  const foreign = await takeLeaseFile(local, { ...options, work: "prune" });
  const looks = vi.spyOn(local, "list");
  let isHeld = false;
  const mine = awaitLeaseFiles([away, local], { ...options, work: "backup", byRedis: true }).finally(() => {
    isHeld = true;
  });
  await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(2));
  expect(isHeld).toBe(false);
  await foreign[Symbol.asyncDispose]();
  const held = await mine;
  // Another worker, after this one was killed.
  await (await awaitLeaseFiles([local], { ...options, work: "backup", byRedis: true }))[Symbol.asyncDispose]();
  expect(await keysOf(local)).toHaveLength(1);
  await held[Symbol.asyncDispose]();
  expect(await keysOf(local)).toEqual([]);
});

describe("the retention", () => {
  test("waits for a command line that knows no Redis, and not for a worker, which Redis keeps apart", async () => {
    const { local, folders, prune } = await world({ backups: 5 });
    const options = { name: "app", work: "backup", host: "elsewhere", signal } as const;
    const foreign = await takeLeaseFile(local, options);
    expect(await prune()).toEqual({ later: expect.any(Number) });
    expect(await backupsIn(local)).toEqual(folders.toReversed());
    await foreign[Symbol.asyncDispose]();
    await using _worker = await takeLeaseFile(local, { ...options, byRedis: true });
    // The other way round the command line knows of the worker.
    await expect(takeLeaseFile(local, { ...options, work: "prune" })).rejects.toMatchObject({ code: "busy" });
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
  });

  test("removes what the policy does not keep, the manifest of each first, and nothing else", async () => {
    const { local, folders, prune, deps } = await world({ backups: 5 });
    await deps.catalogueKeeper.refresh("local", undefined, signal);
    const gone = deletions(local);
    expect(await prune()).toEqual({
      done: { backup: "app", storage: "local", status: "done", removed: 2, stayed: 3, unfinished: 0 },
    });
    expect(gone).toEqual(
      [folders[3], folders[4]].flatMap((folder) => [
        `${folder}${manifestFile}`,
        `${folder}artifact.dump.zst`,
        `${folder}${tombstoneFile}`,
      ]),
    );
    expect(await backupsIn(local)).toEqual(folders.slice(0, 3).toReversed());
    expect((await deps.catalogue.list("app")).entries.map(({ folder }) => folder)).toEqual(folders.slice(0, 3));
    expect(await prune()).toMatchObject({ done: { removed: 0, stayed: 3 } });
  });

  test("never touches what is not ours, wherever it lies", async () => {
    const { local, folders, prune, path } = await world({ backups: 5 });
    const foreign = [
      "readme.txt",
      "app/notes.txt",
      "app/2019/manifest.json",
      `${folders[4]}keep-me.txt`,
      `${folders[4]}deeper/manifest.json`,
      "other/20190101T000000Z-abc/artifact.dump.zst",
      "App/20190101T000000Z-abc/manifest.json",
    ];
    for (const key of foreign) {
      await mkdir(dirname(join(path, key)), { recursive: true });
      writeFileSync(join(path, key), "theirs");
    }
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await keysOf(local)).toEqual(expect.arrayContaining(foreign));
    expect((await backupsIn(local)).filter((folder) => folders.includes(folder))).toHaveLength(3);
  });

  test("keeps what is pinned, also what is pinned at the last moment", async () => {
    const { local, folders, prune, deps } = await world({ backups: 6 });
    await local.put(`${folders[4]}${pinFile}`, pin, signal);
    // After the decision, before the first removal.
    const begin = deps.prunes.beginRemoval.bind(deps.prunes);
    deps.prunes.beginRemoval = async (...args) => {
      await local.put(`${folders[3]}${pinFile}`, pin, signal);
      await begin(...args);
    };
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
    expect(await backupsIn(local)).toEqual([4, 3, 2, 1, 0].map((index) => folders[index]));
  });

  test("does not count a backup whose proof failed, nor one whose part is missing", async () => {
    const { local, folders, prune, deps } = await world({ backups: 3, backup: { keep: { local: { last: 1 } } } });
    await deps.catalogueKeeper.refresh("local", undefined, signal);
    const sha256 = (await deps.catalogueCache.readOne("local", "app", folders[0] ?? ""))?.manifestSha256 ?? "";
    const proof = { depth: "stored" as const, ok: false, at: "2026-03-01T11:00:00.000Z", host: "h", elapsedMs: 5 };
    await local.put(`${folders[0]}${proofFile}`, encodeProofs(withProof(undefined, sha256, proof)), signal);
    await local.delete([`${folders[1]}artifact.dump.zst`]);
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
    expect(await backupsIn(local)).toEqual([folders[2], folders[0]]);
  });

  test("keeps what another copy is being made from, and what a kept one needs", async () => {
    const { local, folders, prune, deps } = await world({ backups: 4, backup: { keep: { local: { last: 1 } } } });
    await putBackup(local, dailyManifest(0, { references: [referenceTo(dailyManifest(2))] }));
    const copies = [
      { storage: "local", location: "", local: true, status: "stored" as const },
      { storage: "offsite", location: "", local: false, status: "retrying" as const },
    ];
    const run = aRun({ status: "degraded", folder: folders[3] ?? "", copies, manifest: dailyManifest(3) });
    await deps.runs.create(run, deps.clock.now());
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
    expect(await backupsIn(local)).toEqual([folders[3], folders[2], folders[0]]);
  });

  test("keeps what the clock of the future made, and removes nothing because the clock was set back", async () => {
    const { local, prune, clock } = await world({ backups: 4, backup: { keep: { local: { daily: 2 } } } });
    clock.advance(-400 * day);
    expect(await prune()).toMatchObject({ done: { removed: 0 } });
    expect(await backupsIn(local)).toHaveLength(4);
  });

  test("waits while a run of the same name is under way, and two workers never do it at once", async () => {
    const { prune, deps, worker, local } = await world({ backups: 6 });
    const lease = await deps.leases.tryAcquire("backup:app", { ttlMs: 30_000, holder: "run1" });
    expect(await prune()).toHaveProperty("later");
    await lease?.release();
    const gone = deletions(local);
    const outcomes = await Promise.all([prune(), prune({}, worker()), prune({}, worker())]);
    expect(outcomes.filter((outcome) => "done" in outcome)).toHaveLength(1);
    expect(gone.length === 6 || (await backupsIn(local)).length === 3).toBe(true);
  });

  test("holds still while a manifest cannot be read: it may need what would go", async () => {
    const { local, folders, prune, deps } = await world({ backups: 5 });
    await local.put(`${folders[0]}${manifestFile}`, Buffer.from('{"version":2}'), signal);
    expect(await prune()).toEqual({ done: { backup: "app", storage: "local", status: "held", unreadable: 1 } });
    expect(await backupsIn(local)).toHaveLength(5);
    expect(await deps.prunes.states()).toMatchObject([{ storage: "local", name: "app", state: { unreadable: 1 } }]);
  });

  test("keeps all of a storage that is no longer one of the backup's, and of a name that is gone", async () => {
    const { local, prune } = await world({ backups: 5, backup: { keep: {} } });
    expect(await prune()).toMatchObject({ done: { removed: 0 } });
    expect(await backupsIn(local)).toHaveLength(5);
  });

  test("does not trust the cache: what it says to be there is looked for", async () => {
    const { local, folders, prune, deps } = await world({ backups: 4, backup: { keep: { local: { last: 1 } } } });
    await deps.catalogueKeeper.refresh("local", undefined, signal);
    // The newest two vanish behind our backs.
    for (const folder of folders.slice(0, 2))
      await local.delete([`${folder}${manifestFile}`, `${folder}artifact.dump.zst`]);
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
    expect(await backupsIn(local)).toEqual([folders[2]]);
  });
});

describe("a copy that is being proven", () => {
  test("is waited for", async () => {
    const { local, folders, prune, deps } = await world({ backups: 5 });
    const lease = await deps.leases.tryAcquire(`verify:local:${folders[4]}`, { ttlMs: 30_000, holder: "v1" });
    expect(await prune()).toHaveProperty("later");
    expect(await backupsIn(local)).toEqual([folders[4], folders[2], folders[1], folders[0]]);
    await lease?.release();
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
  });
});

describe("what fails", () => {
  test("is on record for the watch after the first deletion, is tried again, and is over when it succeeds", async () => {
    const { local, prune, deps } = await world({ backups: 5 });
    const remove = local.delete.bind(local);
    local.delete = async () => {
      throw new Error("not allowed");
    };
    await expect(prune()).rejects.toThrow("not allowed");
    expect(await deps.prunes.states()).toMatchObject([{ state: { error: { message: "not allowed" } } }]);
    expect(await backupsIn(local)).toHaveLength(5);
    local.delete = remove;
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await deps.prunes.states()).toEqual([
      { storage: "local", name: "app", state: { at: "2026-03-01T12:00:00.000Z" } },
    ]);
  });

  test("in the middle of a backup is finished the next time", async () => {
    const { local, folders, prune, deps } = await world({ backups: 5 });
    const remove = local.delete.bind(local);
    let calls = 0;
    local.delete = async (keys) => {
      calls += 1;
      // The manifest of the first one goes, then the process is as good as dead.
      if (calls > 1) throw new Error("killed");
      await remove(keys);
    };
    await expect(prune()).rejects.toThrow("killed");
    expect([...(await deps.prunes.removing("local", "app")).keys()]).toEqual([folders[3]]);
    expect(await keysOf(local)).toContain(`${folders[3]}artifact.dump.zst`);
    local.delete = remove;
    expect(await prune()).toMatchObject({ done: { removed: 1, unfinished: 0 } });
    expect((await keysOf(local)).filter((key) => key.startsWith(folders[3] ?? "-"))).toEqual([]);
  });

  test("before anything went is decided anew: what is pinned since then stays whole", async () => {
    const { local, folders, prune, deps } = await world({ backups: 4 });
    await deps.prunes.beginRemoval("local", "app", folders[3] ?? "", [manifestFile, "artifact.dump.zst"]);
    await local.put(`${folders[3]}${pinFile}`, pin, signal);
    expect(await prune()).toMatchObject({ done: { removed: 0, unfinished: 0 } });
    expect(await keysOf(local)).toContain(`${folders[3]}artifact.dump.zst`);
  });
});

describe("very much at once", () => {
  test("is asked first; agreed to, exactly that goes; the card survives everything", async () => {
    const { local, folders, prune, deps, worker, clock } = await world({ backups: 10 });
    const asked = await prune();
    const question = await deps.prunes.newest("local", "app");
    expect(asked).toEqual({ done: { backup: "app", storage: "local", status: "asks", question: question?.id } });
    expect(question).toMatchObject({ status: "asked", total: 10, policy: "last: 3", bytes: 70, totalBytes: 100 });
    expect(question?.folders).toEqual(folders.slice(3).toReversed());
    expect(await deps.cards.take(clock.now())).toMatchObject({
      card: { kind: "prune", id: question?.id },
      target: { chatId: -1001, threadId: 15 },
    });
    // Again, and after a restart: the same question, nothing removed.
    await prune({}, worker());
    expect((await deps.prunes.newest("local", "app"))?.id).toBe(question?.id);
    expect(await backupsIn(local)).toHaveLength(10);
    // Another backup is made meanwhile: what was asked still stands, and the new one stays.
    const newest = await putBackup(local, dailyManifest(0, { newest: "2026-03-01T11:00:00.000Z", id: "f".repeat(12) }));
    await prune();
    await deps.pruneQuestions.answer(question?.id ?? "", "confirmed", by);
    expect(await deps.producer.isPending("prune", `prune.${question?.id}`)).toBe(true);
    expect(await prune({ question: question?.id ?? "" })).toMatchObject({ done: { status: "done", removed: 7 } });
    expect(await backupsIn(local)).toEqual([folders[2], folders[1], folders[0], newest]);
    expect(await deps.prunes.newest("local", "app")).toMatchObject({ status: "done", removed: 7, answered: { by } });
  });

  test("is void when something of it must stay by now, and is asked anew", async () => {
    const { local, folders, prune, deps } = await world({ backups: 10 });
    await prune();
    const first = await deps.prunes.newest("local", "app");
    await deps.pruneQuestions.answer(first?.id ?? "", "confirmed", by);
    await local.put(`${folders[8]}${pinFile}`, pin, signal);
    expect(await prune({ question: first?.id ?? "" })).toMatchObject({ done: { status: "asks" } });
    expect(await backupsIn(local)).toHaveLength(10);
    expect(await deps.prunes.read(first?.id ?? "")).toMatchObject({ status: "void" });
    const second = await deps.prunes.newest("local", "app");
    expect(second).toMatchObject({ status: "asked" });
    expect(second?.folders).toHaveLength(6);
  });

  test("agreed to waits while a copy is being made of something of it, and is done then", async () => {
    const { folders, prune, deps } = await world({ backups: 10 });
    await prune();
    const { id = "" } = (await deps.prunes.newest("local", "app")) ?? {};
    const copies = [
      { storage: "local", location: "", local: true, status: "stored" as const },
      { storage: "offsite", location: "", local: false, status: "retrying" as const },
    ];
    const run = aRun({ status: "degraded", folder: folders[8] ?? "", copies, manifest: dailyManifest(8) });
    await deps.runs.create(run, deps.clock.now());
    await deps.pruneQuestions.answer(id, "confirmed", by);
    expect(await prune({ question: id })).toEqual({ later: expect.any(Number) });
    expect(await deps.prunes.read(id)).toMatchObject({ status: "confirmed" });
    const stored = copies.map((copy) => ({ ...copy, status: "stored" as const }));
    await deps.runs.update(run.id, "normal", deps.clock.now(), (current) => ({ ...current, copies: stored }));
    expect(await prune({ question: id })).toMatchObject({ done: { status: "done", removed: 7 } });
  });

  test("declined stays for a week, or until the policy changes", async () => {
    const { local, prune, deps, clock, worker } = await world({ backups: 10 });
    await prune();
    const first = await deps.prunes.newest("local", "app");
    await deps.pruneQuestions.answer(first?.id ?? "", "cancelled", by);
    // The second answer does not count.
    await deps.pruneQuestions.answer(first?.id ?? "", "confirmed", { id: 222, name: "bob" });
    expect(await prune()).toMatchObject({ done: { status: "asks", question: undefined } });
    expect(await backupsIn(local)).toHaveLength(10);
    const changed = worker({
      backups: [aBackup({ keep: { local: { last: 2 } } })],
      storages: deps.config.storages,
    });
    clock.advance(6 * day);
    expect(await prune()).toMatchObject({ done: { question: undefined } });
    expect(await prune({}, changed)).toMatchObject({ done: { question: expect.stringMatching(/./) } });
    expect((await deps.prunes.newest("local", "app"))?.id).not.toBe(first?.id);
  });

  test("that was agreed to is finished by the next worker when one is killed in the middle", async () => {
    const { local, prune, deps, worker } = await world({ backups: 10 });
    await prune();
    const question = await deps.prunes.newest("local", "app");
    const id = question?.id ?? "";
    await deps.pruneQuestions.answer(id, "confirmed", by);
    const remove = local.delete.bind(local);
    let calls = 0;
    local.delete = async (keys) => {
      calls += 1;
      if (calls > 5) throw new Error("killed");
      await remove(keys);
    };
    await expect(prune({ question: id })).rejects.toThrow("killed");
    local.delete = remove;
    expect(await prune({ question: id }, worker())).toMatchObject({ done: { status: "done" } });
    expect(await backupsIn(local)).toHaveLength(3);
    expect(await keysOf(local)).toHaveLength(6);
    expect(await deps.prunes.read(id)).toMatchObject({ status: "done", removed: 7 });
  });

  test("whose job is lost is enqueued by the clock", async () => {
    const { prune, deps } = await world({ backups: 10 });
    await prune();
    const id = (await deps.prunes.newest("local", "app"))?.id ?? "";
    await deps.pruneQuestions.answer(id, "confirmed", by);
    expect(await deps.pruneQuestions.requeue()).toEqual([]);
    await deps.producer.forget("prune", `prune.${id}`);
    expect(await deps.pruneQuestions.requeue()).toEqual([id]);
  });
});

describe("a backup far smaller than those before it", () => {
  test("holds the retention of its name, also in a storage that does not hold the others", async () => {
    const { local, prune, deps } = await world({ backup: { anomaly: { below: 0.5, of: 5 } } });
    for (let index = 1; index < 6; index++) await putBackup(local, dailyManifest(index, { bytes: 1000 }));
    const small = await putBackup(local, dailyManifest(0, { bytes: 400 }));
    expect(await prune()).toEqual({ done: { backup: "app", storage: "local", status: "held", anomaly: small } });
    expect(await backupsIn(local)).toHaveLength(6);
    // However many of them come.
    const begin = Date.parse("2026-03-01T03:00:00Z");
    const later = Array.from({ length: 20 }, (_, index) => new Date(begin + (index + 1) * 60_000));
    let newest = small;
    for (const at of later)
      newest = await putBackup(
        local,
        dailyManifest(0, { bytes: 400, newest: at.toISOString(), id: String(at.getTime()).slice(-12) }),
      );
    expect(await prune()).toMatchObject({ done: { status: "held", anomaly: newest } });
    await deps.prunes.measureSizes("app", { bytes: 400, since: later.at(-1) ?? new Date() });
    expect(await prune()).toMatchObject({ done: { status: "asks" } });
  });
});

describe("unfinished pieces of nobody", () => {
  test("go after a day, those of a run on record and foreign ones stay", async () => {
    const { deps, local, path, clock } = await world();
    clock.advance(Date.now() - clock.now().getTime());
    const old = "app/20260101T000000Z-aaaaaaaaaaaa/";
    const active = "app/20260101T000000Z-bbbbbbbbbbbb/";
    for (const folder of [old, active, "theirs/"]) {
      const writer = await local.create(`${folder}artifact.dump.zst`, { signal });
      await writer.write(Buffer.from("half"));
      onTestFinished(() => writer.abort());
    }
    await deps.runs.create(aRun({ status: "running", folder: active, attempt: 1 }), clock.now());
    expect(await deps.pruner.execute({ storage: "local" }, jobContext())).toEqual({
      done: { storage: "local", removed: 0 },
    });
    clock.advance(day + 60_000);
    expect(await deps.pruner.execute({ storage: "local" }, jobContext())).toEqual({
      done: { storage: "local", removed: 1 },
    });
    expect(path).not.toBe("");
  });

  test("nor do parts without a manifest stay, once nobody has changed them for a week", async () => {
    const { deps, local, prune, clock, folders } = await world({ backups: 3, backup: { keep: { local: "all" } } });
    const of = (what: string) => `app/20260101T000000Z-${what.repeat(12)}/`;
    const [orphan, growing, active, needed] = [of("a"), of("b"), of("c"), of("d")] as const;
    const all = [orphan, growing, active, needed, "app/theirs/", "theirs/"];
    for (const folder of all) await local.put(`${folder}artifact.dump.zst`, Buffer.from("part"), signal);
    const reference = {
      run: "d".repeat(12),
      folder: needed,
      file: "artifact.dump.zst",
      bytes: 4,
      sha256: "5e".repeat(32),
    };
    folders.push(await putBackup(local, dailyManifest(3, { references: [reference] })));
    await deps.runs.create(aRun({ status: "running", folder: active, attempt: 1 }), clock.now());
    const left = async (): Promise<string[]> => {
      const there = new Set<string>();
      for await (const { key } of local.list("", signal)) there.add(key.slice(0, key.lastIndexOf("/") + 1));
      return all.filter((folder) => there.has(folder));
    };
    await prune();
    clock.advance(6 * day);
    await local.put(`${growing}more.zst`, Buffer.from("more"), signal);
    await prune();
    expect(await left()).toEqual(all);
    clock.advance(day);
    await prune();
    expect(await left()).toEqual(all.filter((folder) => folder !== orphan));
    clock.advance(6 * day);
    await prune();
    expect(await left()).toEqual([active, needed, "app/theirs/", "theirs/"]);
    expect(await backupsIn(local)).toEqual(folders.toReversed());
  });
});
