import { createHash } from "node:crypto";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { encodeManifest, type Manifest, manifestFile } from "../../src/core/manifest.ts";
import { encodePin, encodeProofs, parseProofs, pinFile, proofFile, withProof } from "../../src/core/proof.ts";
import { copyBackup } from "../../src/services/backup/copy.ts";
import { healthOf } from "../../src/services/backup/health.ts";
import { lastGood } from "../../src/services/backup/last-good.ts";
import { findPrevious } from "../../src/services/backup/previous.ts";
import { findBackup, findCopies } from "../../src/services/restore/choose.ts";
import { quiet, storageOf, temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  jobContext,
  putBackup,
  referenceTo,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const part = "artifact.dump.zst";

/** As `dailyManifest`, of a kind whose backups build upon earlier ones. */
const daily = (index: number, needs: readonly Manifest[] = []): Manifest =>
  dailyManifest(index, { kind: "s3", references: needs.map(referenceTo) });

/** Two disks and, in the first one, an old backup, a full one, and the newest, which needs that. */
async function world(change: { keep?: object } = {}) {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = (storage: string): string => join(folder.path, storage);
  const made = retentionWorld(fixture, {
    storages: {
      local: { kind: "local", path: path("local") },
      offsite: { kind: "local", path: path("offsite") },
    },
    backups: [
      aBackup({ storages: ["local", "offsite"], keep: change.keep ?? { local: { last: 1 } }, maxAge: undefined }),
    ],
  });
  const { deps, storage } = made;
  const local = await storage("local");
  const [old, full, newest] = [daily(3), daily(2), daily(0, [daily(2)])];
  const folders: string[] = [];
  for (const manifest of [old, full, newest]) folders.push(await putBackup(local, manifest));
  const refresh = async (): Promise<void> => {
    for (const name of ["local", "offsite"]) await deps.catalogueKeeper.refresh(name, undefined, signal);
  };
  await refresh();
  const [oldFolder = "", fullFolder = "", newestFolder = ""] = folders;
  return {
    ...made,
    local,
    offsite: await storage("offsite"),
    path,
    refresh,
    oldFolder,
    fullFolder,
    newestFolder,
    newest,
    prune: async () => await deps.pruner.execute({ storage: "local", name: "app" }, jobContext()),
    /** Run ids of what is left. */
    left: async () => (await backupsIn(local)).map((each) => Number(each.slice(-13, -1))),
    good: async () => Number((await lastGood(deps, "app"))?.id ?? Number.NaN),
    /** Looks at the newest one's copy. */
    verify: async (name = "local") => {
      const [backup] = await deps.verificationOrders.backups("app");
      if (!backup) throw new Error("no backup");
      const { verification } = await deps.verificationOrders.request({ backup, storage: name, trigger: "chat" });
      await deps.verifier.execute(verification.id, jobContext());
      return await deps.verifications.get(verification.id);
    },
    previous: async () =>
      await findPrevious({
        name: "app",
        kind: "s3",
        storages: [local],
        recipients: [],
        now: made.clock.now(),
        suspicions: await deps.verifications.suspicions(),
        signal,
        logger: quiet,
      }),
  };
}

/** Changes a file as a failing disk does: neither size nor time tell. */
function rot(path: string, change: (text: string) => string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(path, change(readFileSync(path, "utf8")));
  utimesSync(path, atime, mtime);
}

/** A manifest as the first versions wrote them: without its own SHA-256. */
function unsealed(manifest: Manifest): Buffer {
  const { sha256: _, ...fields } = JSON.parse(Buffer.from(encodeManifest(manifest)).toString()) as { sha256?: string };
  return Buffer.from(`${JSON.stringify(fields, null, 2)}\n`);
}

describe("a backup whose part of an earlier run is lost", () => {
  test("is restored from the copy that has all it needs", async () => {
    const { local, offsite, fullFolder, newest } = await world();
    for (const manifest of [daily(2), newest]) await putBackup(offsite, manifest);
    const chosen = async (): Promise<string[]> => {
      const found = await findBackup([local, offsite], "latest:app", signal);
      if (!found) throw new Error("no backup");
      const { copies } = await findCopies(found, signal);
      return copies.map(({ storage, sound }) => `${storage.name} ${sound}`);
    };
    expect(await chosen()).toEqual(["local true", "offsite true"]);
    await local.delete([`${fullFolder}${part}`]);
    expect(await chosen()).toEqual(["offsite true", "local false"]);
  });

  test("is not the last good one, for nobody, and pushes no other out", async () => {
    const { deps, local, fullFolder, refresh, good, prune, left } = await world();
    expect(await good()).toBe(0);
    await local.delete([`${fullFolder}${part}`]);
    await refresh();
    expect(await good()).toBe(3);
    const [backup] = deps.config.backups;
    if (!backup) throw new Error("no backup");
    expect((await healthOf(deps, backup)).reasons).toContain("damaged");
    await prune();
    expect(await left()).toContain(3);
  });

  test("says so also of that one when a look has found it, and nothing builds upon either", async () => {
    const { path, fullFolder, newestFolder, verify, good, previous, prune, left } = await world();
    expect(await previous()).toHaveProperty("previous");
    writeFileSync(join(path("local"), `${fullFolder}${part}`), "rotten....");
    const { status, proof } = await verify();
    expect({ status, object: proof?.error?.object }).toEqual({ status: "failed", object: `${fullFolder}${part}` });
    const beside = (folder: string) => parseProofs(readFileSync(join(path("local"), folder, proofFile)))?.proofs;
    expect(beside(newestFolder)).toMatchObject([{ ok: false }]);
    expect(beside(fullFolder)).toMatchObject([{ ok: false, depth: "stored" }]);
    expect(await good()).toBe(3);
    expect((await previous()).previous?.[0]?.manifest.id).toMatch(/03$/);
    await prune();
    expect(await left()).toContain(3);
  });

  test("counts as lost also when that could not be written anywhere but here", async () => {
    const { local, path, fullFolder, verify, good, previous, prune, left } = await world();
    writeFileSync(join(path("local"), `${fullFolder}${part}`), "rotten....");
    local.put = async () => {
      throw new AppError("storage-refused", "read-only");
    };
    expect(await verify()).toMatchObject({ status: "failed", unrecorded: {} });
    Reflect.deleteProperty(local, "put");
    expect(await good()).toBe(3);
    expect((await previous()).previous?.[0]?.manifest.id).toMatch(/03$/);
    await prune();
    expect(await left()).toContain(3);
  });
});

describe("a manifest that was altered", () => {
  const digit = (text: string): string =>
    text.replace(/"sha256": "(.)/, (_, one) => `"sha256": "${one === "0" ? 1 : 0}`);

  test("is noticed before anything goes because of it", async () => {
    const { path, newestFolder, prune, left } = await world();
    rot(join(path("local"), newestFolder, manifestFile), digit);
    expect(await prune()).toMatchObject({ done: { status: "held", unreadable: 1 } });
    expect(await left()).toEqual([3, 2, 0]);
  });

  test("makes another the last good one as soon as a look has found it", async () => {
    const { path, newestFolder, verify, good, prune, left } = await world();
    rot(join(path("local"), newestFolder, manifestFile), (text) => text.replaceAll(/[^\n]/g, "x"));
    expect(await verify()).toMatchObject({ status: "failed", proof: { ok: false, error: { code: "manifest" } } });
    expect(await good()).toBe(2);
    expect(await prune()).toMatchObject({ done: { status: "held", unreadable: 1 } });
    expect(await left()).toContain(2);
  });

  test("is read again when it was written since", async () => {
    const { path, newestFolder, refresh, good } = await world();
    const altered = join(path("local"), newestFolder, manifestFile);
    writeFileSync(altered, digit(readFileSync(altered, "utf8")));
    utimesSync(altered, new Date(), new Date(Date.now() + 5000));
    await refresh();
    expect(await good()).toBe(2);
  });

  test("is told by the proof beside it, when all memory is gone and it has no SHA-256 of its own", async () => {
    const { deps, local, newest, newestFolder, refresh, verify, good, path } = await world();
    const proof = { depth: "stored" as const, ok: true, at: "2026-03-01T10:00:00.000Z", host: "h", elapsedMs: 1 };
    const written = unsealed(newest);
    const sha256 = createHash("sha256").update(written).digest("hex");
    await local.put(`${newestFolder}${manifestFile}`, written, signal);
    await local.put(`${newestFolder}${proofFile}`, encodeProofs(withProof(undefined, sha256, proof)), signal);
    rot(join(path("local"), newestFolder, manifestFile), (text) => text.replace('"db-1"', '"db-2"'));
    await deps.redis.flushall();
    await refresh();
    expect(await good()).toBe(2);
    expect(await verify()).toMatchObject({ proof: { ok: false, error: { text: { key: "error-manifest-altered" } } } });
    // The one witness is still there.
    expect(parseProofs(readFileSync(join(path("local"), newestFolder, proofFile)))?.manifestSha256).toBe(sha256);
  });

  test("does not stand for the backup where another storage has it whole, and is good nowhere where nothing tells", async () => {
    const { deps, offsite, local, newest, newestFolder, path, refresh, good } = await world({ keep: {} });
    for (const manifest of [daily(2), newest]) await putBackup(offsite, manifest);
    rot(join(path("local"), newestFolder, manifestFile), digit);
    await deps.redis.flushall();
    await refresh();
    const [entry] = (await deps.catalogue.list("app")).entries;
    expect(entry).toMatchObject({ folder: newestFolder, copies: ["offsite"], manifest: newest });
    expect(await good()).toBe(0);
    await local.put(`${newestFolder}${manifestFile}`, unsealed({ ...newest, host: "db-2" }), signal);
    await offsite.put(`${newestFolder}${manifestFile}`, unsealed(newest), signal);
    await refresh();
    expect((await deps.catalogue.list("app")).conflicts.map(({ storage }) => storage)).toEqual(["local", "offsite"]);
    expect(await good()).toBe(2);
  });
});

describe("what another one needs", () => {
  /** The newest is a full one; the chain below it goes. */
  async function outdated() {
    const made = await world();
    await putBackup(
      made.local,
      dailyManifest(0, { kind: "s3", id: "000000000009", newest: "2026-03-01T09:00:00.000Z" }),
    );
    await made.refresh();
    return made;
  }

  test("goes after it", async () => {
    const { local, newestFolder, fullFolder, oldFolder, prune, left } = await outdated();
    const gone: string[] = [];
    const remove = local.delete.bind(local);
    local.delete = async (keys, ...rest) => {
      gone.push(...keys.filter((key) => key.endsWith(manifestFile)));
      await remove(keys, ...rest);
    };
    await prune();
    expect(gone).toEqual([newestFolder, fullFolder, oldFolder].map((folder) => `${folder}${manifestFile}`));
    expect(await left()).toEqual([9]);
  });

  test("stays when that is pinned at the last moment", async () => {
    const { deps, local, newestFolder, prune, left } = await outdated();
    const begin = deps.prunes.beginRemoval.bind(deps.prunes);
    deps.prunes.beginRemoval = async (...args) => {
      const pin = encodePin({ version: 1, at: "2026-03-01T03:00:00.000Z", by: "alice" });
      await local.put(`${newestFolder}${pinFile}`, pin, signal);
      await begin(...args);
    };
    await prune();
    expect(await left()).toEqual([2, 0, 9]);
  });

  test("stays while that is being looked at", async () => {
    const { deps, newestFolder, prune, left } = await outdated();
    const lease = await deps.leases.tryAcquire(`verify:local:${newestFolder}`, { ttlMs: 30_000, holder: "v1" });
    expect(await prune()).toHaveProperty("later");
    expect(await left()).toEqual([2, 0, 9]);
    await lease?.release();
    await prune();
    expect(await left()).toEqual([9]);
  });

  test("stays while a copy of that one is still to be made there", async () => {
    const { deps, local, newest, newestFolder, fullFolder, prune, left } = await outdated();
    await local.delete([`${newestFolder}${manifestFile}`, `${newestFolder}${part}`]);
    const copies = [
      { storage: "offsite", location: "", local: false, status: "stored" as const },
      { storage: "local", location: "", local: true, status: "retrying" as const },
    ];
    const run = aRun({ status: "degraded", folder: newestFolder, copies, manifest: newest });
    await deps.runs.create(run, deps.clock.now());
    await prune();
    expect(await left()).toEqual([2, 9]);
    expect(await backupsIn(local)).toContain(fullFolder);
  });

  test("is looked for once more before a copy counts", async () => {
    const { local, newest, newestFolder, fullFolder, path } = await world();
    const to = storageOf("offsite", { kind: "local", path: path("offsite") });
    await putBackup(to, daily(2));
    const create = to.create.bind(to);
    to.create = async (key, options) => {
      // Removed there after the first look.
      await to.delete([`${fullFolder}${manifestFile}`, `${fullFolder}${part}`]);
      return await create(key, options);
    };
    const manifestBytes = encodeManifest(newest);
    const order = { from: local, to, folder: newestFolder, manifest: newest, manifestBytes, signal };
    await expect(copyBackup(order)).rejects.toMatchObject({ code: "no-copy" });
    expect(await backupsIn(to)).toEqual([]);
  });
});
