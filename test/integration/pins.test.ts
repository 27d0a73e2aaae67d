import { describe, expect, onTestFinished, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { pinFile } from "../../src/core/proof.ts";
import { tombstoneFile } from "../../src/core/tombstone.ts";
import { temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  idOf,
  jobContext,
  keysOf,
  putBackup,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const by = { id: 111, name: "alice" };

/** Two storages with the same six backups, of which the retention keeps three each. */
async function world() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const made = retentionWorld(fixture, {
    storages: {
      local: { kind: "local", path: `${folder.path}/a` },
      other: { kind: "local", path: `${folder.path}/b` },
    },
    backups: [aBackup({ storages: ["local", "other"], keep: { local: { last: 3 }, other: { last: 3 } } })],
  });
  const local = await made.storage("local");
  const other = await made.storage("other");
  const folders: string[] = [];
  for (let index = 0; index < 6; index++) {
    folders.push(await putBackup(local, dailyManifest(index)));
    await putBackup(other, dailyManifest(index));
  }
  const { deps } = made;
  const refresh = async () => {
    for (const name of ["local", "other"]) await deps.catalogueKeeper.refresh(name, undefined, signal);
  };
  await refresh();
  const prune = async (storage = "local") => await deps.pruner.execute({ storage, name: "app" }, jobContext());
  const write = async (storage: string, change = {}) => {
    const pending = await deps.pins.read(folders[5] ?? "");
    const payload = { order: pending?.order.id ?? "", folder: folders[5] ?? "", storage };
    return await deps.pinWriter.execute(payload, jobContext(change));
  };
  const ask = async (pinned: boolean) => await deps.pinOrders.request({ name: "app", run: idOf(5), pinned, by });
  return { ...made, local, other, folders, refresh, prune, write, ask, oldest: folders[5] ?? "" };
}

describe("a pin", () => {
  test("is written into every storage, survives the retention, and goes when it is taken away", async () => {
    const { local, other, ask, write, prune, oldest, deps } = await world();
    await ask(true);
    expect((await deps.pins.read(oldest))?.waiting.map(({ storage }) => storage)).toEqual(["local", "other"]);
    await write("local");
    expect((await deps.pins.read(oldest))?.waiting.map(({ storage }) => storage)).toEqual(["other"]);
    await write("other");
    expect(await deps.pins.all()).toEqual([]);
    for (const storage of [local, other]) expect(await keysOf(storage)).toContain(`${oldest}${pinFile}`);
    expect((await deps.catalogue.find("app", idOf(5)))?.pin).toMatchObject({ by: "alice" });
    expect(await prune()).toMatchObject({ done: { removed: 2, stayed: 4 } });
    expect(await backupsIn(local)).toContain(oldest);
    await ask(false);
    await write("local");
    expect(await keysOf(local)).not.toContain(`${oldest}${pinFile}`);
    // Pinned in the other one still: it is the same backup.
    expect(await prune()).toMatchObject({ done: { removed: 0 } });
    await write("other");
    expect(await prune()).toMatchObject({ done: { removed: 1 } });
    expect(await backupsIn(local)).not.toContain(oldest);
  });

  test("counts from when it is asked for, whether or not a worker has written it", async () => {
    const { local, ask, prune, oldest } = await world();
    await ask(true);
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await backupsIn(local)).toContain(oldest);
  });

  test("that is asked for while the retention decides is heeded", async () => {
    const { local, ask, prune, oldest, deps } = await world();
    const list = deps.leases.holder.bind(deps.leases);
    deps.leases.holder = async (name) => {
      if (name === `verify:local:${oldest}`) await ask(true);
      return await list(name);
    };
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await backupsIn(local)).toContain(oldest);
  });

  test("is written by the next worker when the first was killed, and failures are told meanwhile", async () => {
    const { local, ask, write, oldest, deps, worker } = await world();
    await ask(true);
    const put = local.put.bind(local);
    local.put = () => Promise.reject(new Error("no such disk"));
    await expect(write("local")).rejects.toThrow("no such disk");
    expect((await deps.pins.read(oldest))?.waiting).toMatchObject([{ error: { message: "no such disk" } }, {}]);
    local.put = put;
    // The queue has lost its jobs.
    await fixture.redis.del(...(await fixture.redis.keys(`${deps.config.redis.prefix}:work*`)));
    const second = worker();
    expect(await second.pinOrders.requeue()).toHaveLength(2);
    expect(await second.pinOrders.requeue()).toEqual([]);
    const pending = await second.pins.read(oldest);
    const payload = { order: pending?.order.id ?? "", folder: oldest, storage: "local" };
    expect(await second.pinWriter.execute(payload, jobContext())).toMatchObject({ done: { status: "pinned" } });
    expect(await second.pinWriter.execute(payload, jobContext())).toMatchObject({ done: { status: "superseded" } });
  });

  test("of two orders the newer one counts, and of a backup that is gone nothing stays behind", async () => {
    const { local, ask, write, oldest, deps, folders } = await world();
    const first = await ask(true);
    await ask(false);
    const payload = { order: first.id, folder: oldest, storage: "local" };
    expect(await deps.pinWriter.execute(payload, jobContext())).toMatchObject({ done: { status: "superseded" } });
    expect(await write("local")).toMatchObject({ done: { status: "unpinned" } });
    await ask(true);
    // Removed while the pin is written.
    const put = local.put.bind(local);
    local.put = async (key, ...rest) => {
      await put(key, ...rest);
      await local.delete([`${folders[5]}manifest.json`, `${folders[5]}artifact.dump.zst`]);
    };
    expect(await write("local")).toMatchObject({ done: { status: "gone" } });
    expect((await keysOf(local)).filter((key) => key.startsWith(oldest))).toEqual([]);
  });
});

describe("what the retention has removed", () => {
  test("is no longer shown as stored by the run's card, nor is what went without it", async () => {
    const { prune, deps, folders, local, refresh } = await world();
    const copies = ["local", "other"].map((storage) => ({
      storage,
      location: storage,
      local: true,
      status: "stored" as const,
    }));
    for (const index of [0, 4]) {
      const manifest = dailyManifest(index);
      const run = aRun({ id: idOf(index), status: "succeeded", folder: folders[index] ?? "", copies, manifest });
      await deps.runs.create(run, deps.clock.now());
    }
    await prune();
    const statuses = async (index: number) =>
      (await deps.runs.get(idOf(index))).copies.map(({ status, pruned }) => (pruned ? `${status} pruned` : status));
    expect(await statuses(4)).toEqual(["gone pruned", "stored"]);
    expect(await statuses(0)).toEqual(["stored", "stored"]);
    await local.delete([`${folders[0]}manifest.json`]);
    await refresh();
    expect(await statuses(0)).toEqual(["gone", "stored"]);
  });

  test("half, by a worker that was killed, is finished by the storage alone when Redis has lost everything", async () => {
    const { prune, local, folders, deps } = await world();
    const remove = local.delete.bind(local);
    let isKilled = false;
    local.delete = async (keys, ...rest) => {
      if (isKilled || keys.some((key) => key.endsWith("artifact.dump.zst"))) {
        isKilled = true;
        throw new Error("killed");
      }
      await remove(keys, ...rest);
    };
    await expect(prune()).rejects.toThrow("killed");
    local.delete = remove;
    // The manifest is gone, the part is there, and nobody remembers.
    const whole = await backupsIn(local);
    const half = folders.find((folder) => !whole.includes(folder)) ?? "";
    expect(whole).toHaveLength(folders.length - 1);
    expect(await keysOf(local)).toContain(`${half}artifact.dump.zst`);
    await fixture.redis.del(...(await fixture.redis.keys(`${deps.config.redis.prefix}:*`)));
    // Theirs, in a folder of ours and beside it.
    const foreign = [`${half}keep-me.txt`, "app/20190101T000000Z-abc/artifact.dump.zst"];
    for (const key of foreign) await local.put(key, Buffer.from("theirs"), signal);
    // One that makes no sense, and one of a backup that is whole.
    await local.put(`app/20190101T000000Z-abc/${tombstoneFile}`, Buffer.from("{}"), signal);
    await local.put(`${folders[0]}${tombstoneFile}`, Buffer.from("{}"), signal);
    expect(await prune()).toMatchObject({ done: { status: "done" } });
    const keys = await keysOf(local);
    expect(keys.filter((key) => key.startsWith(half))).toEqual([`${half}keep-me.txt`]);
    expect(keys).toEqual(expect.arrayContaining(foreign));
    expect(keys).toContain(`${folders[0]}artifact.dump.zst`);
    expect(keys.filter((key) => key.endsWith(tombstoneFile))).toEqual([`app/20190101T000000Z-abc/${tombstoneFile}`]);
  });

  test("is removed from a disk that has no room for anything", async () => {
    const { prune, local } = await world();
    local.put = async () => {
      throw new AppError("storage-full", "no room", { permanent: false });
    };
    expect(await prune()).toMatchObject({ done: { status: "done" } });
    expect(await backupsIn(local)).toHaveLength(3);
  });
});
