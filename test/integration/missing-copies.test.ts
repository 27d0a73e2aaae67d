import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
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

/** Five daily backups in `local`, those of `inFar` also in `far`, both looked into; no run of them is on record. */
async function world(inFar: readonly number[], keep: KeepPolicy = { last: 10 }) {
  const temporary = temporaryFolder();
  onTestFinished(() => temporary[Symbol.dispose]());
  const paths = { local: join(temporary.path, "local"), far: join(temporary.path, "far") };
  const { deps, clock, storage } = retentionWorld(fixture, {
    storages: { local: { kind: "local", path: paths.local }, far: { kind: "local", path: paths.far } },
    backups: [aBackup({ storages: ["local", "far"], keep: { local: "all", far: keep } })],
  });
  const [local, far] = [await storage("local"), await storage("far")];
  for (let index = 4; index >= 0; index -= 1) {
    const manifest = dailyManifest(index);
    await putBackup(local, manifest);
    if (inFar.includes(index)) await putBackup(far, manifest);
  }
  const look = async (): Promise<void> => {
    for (const name of ["local", "far"]) await deps.catalogueKeeper.refresh(name, "app", signal).catch(() => undefined);
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
