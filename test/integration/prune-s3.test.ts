import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { encodePin, pinFile } from "../../src/core/proof.ts";
import { storageSchema } from "../../src/storages/index.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  day,
  jobContext,
  keysOf,
  putBackup,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
let s3: S3Server;
let proxy: S3Proxy;
let prefix = 0;

beforeAll(async () => {
  s3 = await startS3();
  proxy = await startS3Proxy(s3.endpoint);
});
afterAll(() => Promise.all([proxy.stop(), s3.stop()]));

/** A bucket that is shared with others: `prod` is ours, the rest is theirs. */
async function world(backups: number, more: { storage?: object; backup?: object } = {}) {
  prefix += 1;
  const place = {
    kind: "s3",
    endpoint: proxy.endpoint,
    bucket: s3.bucket,
    accessKeyId: s3.accessKeyId,
    secretAccessKey: s3.secretAccessKey,
    forcePathStyle: true,
    partSize: "5MiB",
  };
  const made = retentionWorld(fixture, {
    storages: {
      offsite: storageSchema.parse({ ...place, prefix: `team-${prefix}/prod`, ...more.storage }),
      theirs: storageSchema.parse({ ...place, prefix: `team-${prefix}` }),
    },
    backups: [aBackup({ storages: ["offsite"], keep: { offsite: { last: 3 } }, ...more.backup })],
  });
  const offsite = await made.storage("offsite");
  const folders: string[] = [];
  for (let index = 0; index < backups; index++) folders.push(await putBackup(offsite, dailyManifest(index)));
  const prune = async () => await made.deps.pruner.execute({ storage: "offsite", name: "app" }, jobContext());
  return { ...made, offsite, folders, prune, theirs: await made.storage("theirs") };
}

describe("in a bucket", () => {
  test("only what is ours goes, whatever else lies under the prefix, beside it, or looks like it", async () => {
    const { offsite, theirs, folders, prune } = await world(5);
    const foreign = [
      `prod/${folders[4]}invoice.pdf`,
      `prod/${folders[4]}deep/er/manifest.json`,
      "prod/app/manifest.json",
      "prod/application/20190101T000000Z-abc/artifact.dump.zst",
      "prod/app",
      "production/app/20190101T000000Z-abc/manifest.json",
      "app/20190101T000000Z-abc/manifest.json",
    ];
    for (const key of foreign) await theirs.put(key, Buffer.from("theirs"), signal);
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await keysOf(theirs)).toEqual(expect.arrayContaining(foreign));
    expect((await backupsIn(offsite)).filter((folder) => folders.includes(folder))).toEqual(
      folders.slice(0, 3).toReversed(),
    );
  });

  test("what is locked stays until its time is over, by the lock's own count: the server would not refuse", async () => {
    const lock = { objectLock: { mode: "governance", for: "30d" } };
    const { offsite, folders, prune, clock } = await world(6, { storage: lock });
    // The objects were written just now, by the server's clock.
    clock.advance(Date.now() - clock.now().getTime());
    expect(await prune()).toMatchObject({ done: { removed: 0, stayed: 6 } });
    clock.advance(29 * day);
    expect(await prune()).toMatchObject({ done: { removed: 0 } });
    clock.advance(day + 60_000);
    expect(await prune()).toMatchObject({ done: { removed: 3 } });
    expect(await backupsIn(offsite)).toEqual(folders.slice(0, 3).toReversed());
  });

  test("a store that is away leaves everything, and the next attempt does it", async () => {
    const { offsite, folders, prune, deps } = await world(5);
    await proxy.refuse();
    await expect(prune()).rejects.toMatchObject({ code: "storage-unreachable" });
    // Once is no news yet: it may be back in a minute.
    expect(await deps.prunes.states()).toEqual([]);
    await proxy.accept();
    expect(await prune()).toMatchObject({ done: { removed: 2 } });
    expect(await backupsIn(offsite)).toEqual(folders.slice(0, 3).toReversed());
  });

  test("a deletion that the store refuses is told, and what follows is tried all the same", async () => {
    const { offsite, folders, prune, deps } = await world(6);
    const remove = offsite.delete.bind(offsite);
    offsite.delete = async (keys, ...rest) => {
      if (keys.some((key) => key.startsWith(folders[5] ?? "-")))
        throw new AppError("storage-refused", "this one is locked", { context: { storage: "offsite" } });
      await remove(keys, ...rest);
    };
    await expect(prune()).rejects.toThrow("this one is locked");
    expect(await backupsIn(offsite)).toEqual([5, 2, 1, 0].map((index) => folders[index]));
    expect(await deps.prunes.states()).toMatchObject([
      { storage: "offsite", name: "app", state: { error: { code: "storage-refused" } } },
    ]);
  });

  test("uploads that nobody finished are aborted after a day; foreign ones, and those of a run on record, are not", async () => {
    const { offsite, theirs, deps, clock } = await world(0);
    clock.advance(Date.now() - clock.now().getTime());
    const folder = (id: string) => `app/20260101T000000Z-${id.repeat(12)}/`;
    const begin = async (storage: typeof offsite, key: string) => {
      const writer = await storage.create(key, { signal, expectedBytes: 20 * 2 ** 20 });
      await writer.write(Buffer.alloc(6 * 2 ** 20));
    };
    await begin(offsite, `${folder("a")}artifact.dump.zst`);
    await begin(offsite, `${folder("b")}artifact.dump.zst`);
    await begin(theirs, "prod/somebody/video.mp4");
    await begin(theirs, `other/${folder("a")}artifact.dump.zst`);
    await deps.runs.create(aRun({ status: "running", folder: folder("b"), attempt: 1 }), clock.now());
    const sweep = async () => await deps.pruner.execute({ storage: "offsite" }, jobContext());
    const open = () => s3.openUploads().filter(({ key }) => key.startsWith(`team-${prefix}/`)).length;
    const before = open();
    expect(before).toBeGreaterThanOrEqual(3);
    expect(await sweep()).toEqual({ done: { storage: "offsite", removed: 0 } });
    clock.advance(day + 60_000);
    expect(await sweep()).toEqual({ done: { storage: "offsite", removed: 1 } });
    expect(open()).toBe(before - 1);
    expect(s3.openUploads().some(({ key }) => key.includes(folder("a")) && key.includes("/prod/"))).toBe(false);
  });
});

describe("storage classes", () => {
  test("move the parts of what is kept for months only; manifests, and what anything else keeps, stay", async () => {
    const { offsite, prune } = await world(6, {
      storage: { storageClasses: { monthly: "STANDARD_IA" } },
      backup: { keep: { offsite: { daily: 6, monthly: 4 } } },
    });
    const january = await putBackup(offsite, dailyManifest(29));
    const december = await putBackup(offsite, dailyManifest(60));
    await offsite.put(`${december}${pinFile}`, encodePin({ version: 1, at: "2026-03-01T00:00:00Z", by: "a" }), signal);
    const moved: string[] = [];
    offsite.setClass = async (key, storageClass) => void moved.push(`${key} ${storageClass}`);
    expect(await prune()).toMatchObject({ done: { status: "done", removed: 0 } });
    expect(moved).toEqual([`${january}artifact.dump.zst STANDARD_IA`]);
    // What the store does not let go is no failure of the retention.
    offsite.setClass = () => Promise.reject(new Error("archived"));
    expect(await prune()).toMatchObject({ done: { status: "done" } });
  });
});
