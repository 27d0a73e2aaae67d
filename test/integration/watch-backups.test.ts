import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";
import { manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import { encodeProofs, proofFile, withProof } from "../../src/core/proof.ts";
import { workersWatch } from "../../src/services/watch/index.ts";
import { quiet, temporaryFolder } from "../support/backup.ts";
import { dailyManifest, day, putBackup, signal } from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";
import { hour, minute, presence, watchWorld } from "../support/watch.ts";

const fixture = useRedis();
const by = { id: 111, name: "alice" };

/** Noon of 1 March; a backup of 03:00 may be a day old. */
function world(backup: object = {}) {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const settings = {
    name: "app",
    storages: ["local"],
    keep: {},
    maxAge: day,
    anomaly: false,
    catchUp: true,
    ...backup,
  };
  const made = watchWorld(fixture, {
    storages: { local: { kind: "local", path: join(folder.path, "backups") } },
    backups: [settings],
  });
  const { deps: working, close } = createWorkerDeps({
    config: made.deps.config,
    logger: quiet,
    clock: made.clock,
    role: "test",
  });
  onTestFinished(close);
  const look = async () => {
    await working.catalogueKeeper.refresh("local", undefined, signal);
    await made.pass(40_000);
  };
  const later = async (ms: number) => {
    made.clock.advance(ms - minute);
    await made.pass(minute);
  };
  return { ...made, working, look, later, local: () => working.storage("local"), settings };
}

const ages = ["critical age"];

describe("a backup that is too old", () => {
  test("is told as critical although nothing runs and no worker is alive, and is over with the next good one", async () => {
    const { local, look, open, clock, later, incidents } = world();
    await putBackup(await local(), dailyManifest(0));
    await look();
    expect(await open("ages")).toEqual([]);
    await later(14 * hour);
    expect(await open("ages")).toEqual([]);
    await later(hour + minute);
    expect(await open("ages")).toEqual(ages);
    const [incident] = (await incidents()).filter(({ labels }) => labels["check"] === "ages");
    expect(incident).toMatchObject({
      labels: { backup: "app" },
      text: {
        key: "watch-age-text",
        args: { name: "app", at: { moment: "2026-03-01T03:00:00.000Z", timezone: "UTC" }, limit: "1d" },
      },
    });
    const newest = new Date(clock.now().getTime() - minute).toISOString();
    await putBackup(await local(), dailyManifest(0, { newest, id: "f".repeat(12) }));
    await look();
    expect(await open("ages")).toEqual([]);
  });

  test("counts by the runs on record, too, while no storage could be looked into", async () => {
    const { deps, later, open, clock } = world();
    const manifest = dailyManifest(0);
    const folder = manifestFolder(manifest);
    const copies = [{ storage: "local", location: "", local: true, status: "stored" as const }];
    const run = aRun({ status: "succeeded", manifest, folder, copies, finishedAt: manifest.finishedAt });
    await deps.runs.create(run, clock.now());
    await later(14 * hour);
    expect(await open("ages")).toEqual([]);
    await later(2 * hour);
    expect(await open("ages")).toEqual(ages);
  });

  test("is one that was never made, counted from when it was first known, whatever its limit becomes", async () => {
    const { pass, later, open, takeOver, incidents, settings } = world();
    await pass(minute);
    await later(20 * hour);
    expect(await open("ages")).toEqual([]);
    await takeOver({ backups: [{ ...settings, maxAge: 19 * hour }] }).step();
    expect(await open("ages")).toEqual(ages);
    expect((await incidents()).find(({ labels }) => labels["check"] === "ages")?.text).toMatchObject({
      key: "watch-age-none-text",
    });
  });

  test("is also one whose newest has failed its proof, has lost a part, or is gone from the storage", async () => {
    const cases = {
      proof: async (
        storage: Awaited<ReturnType<ReturnType<typeof world>["local"]>>,
        folder: string,
        sha256: string,
      ) => {
        const proof = {
          depth: "restored" as const,
          ok: false,
          at: "2026-03-01T11:00:00.000Z",
          host: "h",
          elapsedMs: 1,
        };
        await storage.put(`${folder}${proofFile}`, encodeProofs(withProof(undefined, sha256, proof)), signal);
      },
      part: async (storage: Awaited<ReturnType<ReturnType<typeof world>["local"]>>, folder: string) => {
        await storage.delete([`${folder}artifact.dump.zst`]);
      },
      gone: async (storage: Awaited<ReturnType<ReturnType<typeof world>["local"]>>, folder: string) => {
        await storage.delete([`${folder}${manifestFile}`, `${folder}artifact.dump.zst`]);
      },
    };
    for (const harm of Object.values(cases)) {
      const { local, look, open, deps, clock } = world();
      const storage = await local();
      await putBackup(storage, dailyManifest(2));
      const manifest = dailyManifest(0);
      const folder = await putBackup(storage, manifest);
      const copies = [{ storage: "local", location: "", local: true, status: "stored" as const }];
      await deps.runs.create(
        aRun({ status: "succeeded", manifest, folder, copies, finishedAt: manifest.finishedAt }),
        clock.now(),
      );
      await look();
      expect(await open("ages")).toEqual([]);
      const sha256 = (await deps.catalogueCache.readOne("local", "app", folder))?.manifestSha256 ?? "";
      await harm(storage, folder, sha256);
      await look();
      expect(await open("ages")).toEqual(ages);
    }
  });

  test("is raised by the workers as well, as the same incident", async () => {
    const { pass, later, open, process, incidents } = world({ maxAge: hour });
    await pass(minute);
    await later(2 * hour);
    expect(await open("ages")).toEqual(ages);
    await workersWatch(process()).step();
    expect((await incidents()).filter(({ labels }) => labels["check"] === "ages")).toMatchObject([{ times: 1 }]);
    const alone = world({ maxAge: hour });
    const worker = workersWatch(alone.process());
    await worker.step();
    alone.clock.advance(2 * hour);
    await worker.step();
    expect(await alone.open("ages")).toEqual(ages);
  });

  test("is not hidden by one that a wrong clock has dated far ahead, nor made older by a clock that was set back", async () => {
    const { local, look, open, clock } = world();
    await putBackup(await local(), dailyManifest(0, { newest: "2031-01-01T00:00:00.000Z", id: "e".repeat(12) }));
    await putBackup(await local(), dailyManifest(2));
    await look();
    expect(await open("ages")).toEqual(ages);
    clock.advance(-2 * day);
    await look();
    expect(await open("ages")).toEqual([]);
  });
});

describe("a backup far smaller than those before it", () => {
  const anomaly = { maxAge: undefined, anomaly: { below: 0.5, of: 5 } };

  test("is a warning until one of the usual size comes", async () => {
    const { local, look, open, incidents } = world(anomaly);
    const storage = await local();
    for (let index = 2; index < 7; index++) await putBackup(storage, dailyManifest(index, { bytes: 1000 }));
    await look();
    expect(await open("sizes")).toEqual([]);
    await putBackup(storage, dailyManifest(1, { bytes: 499 }));
    await look();
    expect(await open("sizes")).toEqual(["warning anomaly"]);
    expect((await incidents()).find(({ labels }) => labels["check"] === "sizes")?.text).toEqual({
      key: "watch-anomaly-text",
      args: { name: "app", run: "000000000001", size: "499 B", usual: "1.0 kB" },
    });
    await putBackup(storage, dailyManifest(0, { bytes: 900 }));
    await look();
    expect(await open("sizes")).toEqual([]);
  });

  test("is the new measure when a person closes the incident; acknowledging says nothing of the kind", async () => {
    const { local, look, open, deps } = world(anomaly);
    const storage = await local();
    for (let index = 2; index < 7; index++) await putBackup(storage, dailyManifest(index, { bytes: 1000 }));
    await putBackup(storage, dailyManifest(1, { bytes: 400 }));
    await look();
    const [incident] = (await deps.incidents.open()).filter(({ labels }) => labels["check"] === "sizes");
    await deps.alerts.acknowledge(incident?.id ?? "", by);
    await look();
    expect(await deps.prunes.sizeMeasure("app")).toMatchObject({ bytes: 1000 });
    await deps.alerts.close(incident?.id ?? "", by);
    await look();
    expect(await deps.prunes.sizeMeasure("app")).toMatchObject({ bytes: 400 });
    // As small as the one of which somebody has said that it is right; far smaller than that is suspicious again.
    await putBackup(storage, dailyManifest(0, { bytes: 390 }));
    await look();
    expect(await open("sizes")).toEqual([]);
    await putBackup(storage, dailyManifest(0, { bytes: 100, newest: "2026-03-01T11:00:00.000Z", id: "d".repeat(12) }));
    await look();
    expect(await open("sizes")).toEqual(["warning anomaly"]);
  });
});

describe("the retention", () => {
  test("that fails or holds still is a warning until it has done its work", async () => {
    const { deps, pass, open, clock } = world({ maxAge: undefined });
    const at = clock.now().toISOString();
    await deps.prunes.writeState("local", "app", { at, error: { code: "storage-refused", message: "no right" } });
    await deps.prunes.writeState("elsewhere", "app", { at, unreadable: 3 });
    await pass(minute);
    expect(await open("retention")).toEqual(["warning retention"]);
    await deps.prunes.writeState("local", "app", { at, unreadable: 2 });
    await pass(minute);
    expect(await open("retention")).toEqual(["warning unreadable"]);
    await deps.prunes.writeState("local", "app", { at });
    await pass(minute);
    expect(await open("retention")).toEqual([]);
  });
});

describe("a storage that cannot be looked at", () => {
  const error = { code: "storage-unreachable", message: "no answer" };

  test("is a warning after an hour, once, until it can be; not while no worker is alive to look", async () => {
    const { deps, pass, later, open, clock, alive, incidents } = world({ maxAge: undefined });
    const failed = async (message: string) =>
      await deps.catalogueCache.writeLook("local", "app", {
        at: clock.now().toISOString(),
        seenAt: "2026-03-01T12:00:00.000Z",
        error: { ...error, message },
      });
    await deps.catalogueCache.writeLook("local", "app", { at: clock.now().toISOString() });
    await later(2 * hour);
    await failed("no answer");
    await pass(minute);
    expect(await open("storages")).toEqual([]);
    alive.add(presence("worker"));
    await later(2 * minute);
    expect(await open("storages")).toEqual(["warning unseen"]);
    await failed("another reason");
    await pass(minute);
    const told = (await incidents()).filter(({ labels }) => labels["check"] === "storages");
    expect(told).toMatchObject([
      {
        times: 1,
        text: {
          key: "watch-unseen-text",
          args: { storage: "local", at: { moment: "2026-03-01T12:00:00.000Z", timezone: "UTC" }, reason: "no answer" },
        },
      },
    ]);
    await deps.catalogueCache.writeLook("local", "app", { at: clock.now().toISOString() });
    await pass(minute);
    expect(await open("storages")).toEqual([]);
  });

  test("is also one at which nobody has ever looked, an hour after the watch began, and not sooner", async () => {
    const { pass, later, open, alive } = world({ maxAge: undefined });
    alive.add(presence("worker"));
    await pass(minute);
    await later(hour - 2 * minute);
    expect(await open("storages")).toEqual([]);
    // The watch itself was not away in between.
    await pass(hour);
    expect(await open("storages")).toEqual(["warning unseen"]);
  });
});
