import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { manifestFile } from "../../src/core/manifest.ts";
import type { KeepPolicy } from "../../src/core/retention.ts";
import { recallMissing } from "../../src/services/backup/missing-copies.ts";
import { tick } from "../../src/services/tick.ts";
import { upkeep } from "../../src/services/upkeep.ts";
import { temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  day,
  idOf,
  jobContext,
  putBackup,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

/**
 * Five daily backups in `local`, those of `inFar` also in `far`, both looked into; no run of them is on record. `more`:
 * further storages, empty and asked to keep one backup alone.
 */
async function world(inFar: readonly number[], keep: KeepPolicy = { last: 10 }, more: readonly string[] = []) {
  const temporary = temporaryFolder();
  onTestFinished(() => temporary[Symbol.dispose]());
  const paths = { local: join(temporary.path, "local"), far: join(temporary.path, "far") };
  const further = more.map((name) => [name, { kind: "local", path: join(temporary.path, name) }] as const);
  const storages = ["local", "far", ...more];
  const { deps, clock, storage } = retentionWorld(fixture, {
    storages: {
      local: { kind: "local", path: paths.local },
      far: { kind: "local", path: paths.far },
      ...Object.fromEntries(further),
    },
    backups: [
      aBackup({
        storages,
        keep: { local: "all", far: keep, ...Object.fromEntries(more.map((name) => [name, { last: 1 }])) },
      }),
    ],
  });
  const [local, far] = [await storage("local"), await storage("far")];
  for (let index = 4; index >= 0; index -= 1) {
    const manifest = dailyManifest(index);
    await putBackup(local, manifest);
    if (inFar.includes(index)) await putBackup(far, manifest);
  }
  const look = async (): Promise<void> => {
    for (const name of storages) await deps.catalogueKeeper.refresh(name, "app", signal).catch(() => undefined);
  };
  await look();
  const backup = deps.config.backups[0] as Config["backups"][number];
  return { deps, clock, far, paths, look, recall: () => recallMissing(deps, backup) };
}

test("of backups whose runs nobody remembers missing copies are made up by the clock, as far as they would be kept", async () => {
  const { deps, clock, far } = await world([2, 4], { last: 3 });
  expect(await backupsIn(far)).toHaveLength(2);
  await upkeep(deps);
  expect(await deps.runs.unsettled()).toEqual([]);
  clock.advance(10 * 60_000);
  for (const name of ["local", "far"]) await deps.catalogueKeeper.refresh(name, "app", signal);
  await upkeep(deps);
  const recalled = (await deps.runs.unsettled()).map(({ id }) => id).toSorted();
  // The fourth one is none of the newest three.
  expect(recalled).toEqual([idOf(0), idOf(1)]);
  const { requeued } = await tick(deps);
  expect(requeued.toSorted()).toEqual(recalled.map((id) => `upload-${id}-far`));
  for (const id of recalled)
    expect(await deps.uploads.execute(id, "far", jobContext())).toMatchObject({ done: { status: "stored" } });
  expect(await backupsIn(far)).toEqual([4, 2, 1, 0].map((index) => expect.stringContaining(idOf(index))));
  const [newest] = await deps.runs.list("app", 1);
  expect(newest).toMatchObject({ id: idOf(0), status: "succeeded", createdAt: dailyManifest(0).startedAt });
  // No card of a run that was none is posted.
  expect(await deps.cards.placements(deps.runs.ref(idOf(0)))).toEqual([]);
});

test("what is on record is left to its run, whatever became of its copy", async () => {
  const { deps, clock, recall } = await world([1, 2, 3, 4]);
  await deps.runs.create(aRun({ id: idOf(0), status: "degraded" }), clock.now());
  expect(await recall()).toEqual([]);
});

test("nothing is made up before every storage has told what it holds, nor of what came just before the look", async () => {
  const { deps, clock, recall, look, paths } = await world([1, 2, 3, 4]);
  rmSync(paths.far, { recursive: true });
  await deps.catalogueCache.writeLook("far", "app", {
    at: clock.now().toISOString(),
    error: { code: "storage-unreachable", message: "away" },
  });
  expect(await recall()).toEqual([]);
  await deps.catalogueCache.writeLook("far", "app", { at: clock.now().toISOString(), unreadable: 1 });
  expect(await recall()).toEqual([]);
  await deps.catalogueCache.writeLook("far", "app", { at: dailyManifest(0).finishedAt });
  expect(await recall()).toEqual([]);
  clock.advance(day);
  await look();
  expect(await recall()).toContain(idOf(0));
});

test("a damaged copy is none to make another one from", async () => {
  const { deps, recall, paths, look } = await world([1, 2, 3, 4]);
  const [newest] = (await deps.catalogueCache.folders("local", "app")).slice(-1);
  rmSync(join(paths.local, newest ?? "", "artifact.dump.zst"));
  await look();
  expect(await recall()).toEqual([]);
});

test("the manifest is that of a sound copy, whichever storage is read last", async () => {
  const { deps, recall, paths, look, far } = await world([1, 2, 3, 4], { last: 10 }, ["other", "wrong"]);
  const manifest = dailyManifest(0);
  await putBackup(await deps.storage("other"), manifest);
  // Another one under the same name, that two others gainsay.
  await putBackup(await deps.storage("wrong"), { ...manifest, host: "elsewhere" });
  await look();
  expect(await recall()).toContain(idOf(0));
  const run = await deps.runs.get(idOf(0));
  const bytes = readFileSync(join(paths.local, run.folder ?? "", manifestFile));
  expect(run).toMatchObject({ host: manifest.host, manifestSha256: createHash("sha256").update(bytes).digest("hex") });
  expect(run.copies).toMatchObject([
    { storage: "local", status: "stored" },
    { storage: "other", status: "stored" },
    { storage: "far", status: "retrying" },
  ]);
  expect(await deps.uploads.execute(idOf(0), "far", jobContext())).toMatchObject({ done: { status: "stored" } });
  expect(await backupsIn(far)).toHaveLength(5);
});

test("what is older than the oldest run on record may be missing on purpose, once records have been dropped", async () => {
  const { deps, recall } = await world([1, 3, 4]);
  // 199 failed ones since the day before the newest.
  const since = Date.parse(dailyManifest(1).startedAt);
  for (let n = 1; n < 200; n += 1)
    await deps.runs.create(aRun({ id: `failed${n}`, status: "failed" }), new Date(since + n * 1000));
  await deps.runs.prune("app");
  // None was dropped yet: nothing but a loss explains that these are not on record.
  expect(await recall()).toEqual([idOf(2), idOf(0)]);
  for (const id of [idOf(0), idOf(2)])
    await deps.runs.update(id, "quiet", new Date(since), (run) => ({
      ...run,
      copies: run.copies.map((copy) => (copy.status === "retrying" ? { ...copy, status: "missing" } : copy)),
    }));
  // Given up: the older one is forgotten, and stays so; the other one is remembered.
  expect(await deps.runs.prune("app")).toBe(1);
  expect(await deps.runs.read(idOf(2))).toBeUndefined();
  expect(await recall()).toEqual([]);
  await deps.cards.remove(deps.runs.ref(idOf(0)));
  expect(await recall()).toEqual([idOf(0)]);
});
