import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Target } from "../../src/services/backup/target.ts";
import { SpaceGuard } from "../../src/storages/local/space.ts";
import { FileWriter } from "../../src/storages/local/writer.ts";
import { filesBelow, RecordingObserver, storageOf, temporaryFolder } from "../support/backup.ts";

const signal = new AbortController().signal;

/** What is synced from now on, by path, each once it is done. */
async function watchSyncs(): Promise<string[]> {
  await using handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const sync: (this: FileHandle) => Promise<void> = Reflect.get(prototype, "sync");
  const synced: string[] = [];
  vi.spyOn(prototype, "sync").mockImplementation(async function (this: FileHandle) {
    synced.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    await sync.call(this);
  });
  return synced;
}

describe("a local storage", () => {
  it("syncs every folder that it had to make, and the one above them", async () => {
    using folder = temporaryFolder();
    const root = join(folder.path, "backups");
    const storage = storageOf("disk", { kind: "local", path: root });
    const synced = await watchSyncs();
    await storage.put("app/run/manifest.json", Buffer.from("{}"), signal);
    expect(synced.slice(1)).toEqual([join(root, "app/run"), join(root, "app"), root, folder.path]);
    synced.length = 0;
    await storage.put("app/run/part", Buffer.from("x"), signal);
    expect(synced.slice(1)).toEqual([dirname(join(root, "app/run/part"))]);
  });

  it("is not opened on another host than its own", () => {
    const open = (host: string) => storageOf("disk", { kind: "local", path: "/backups", host });
    expect(open("here").location).toBe("disk@here:/backups");
    expect(() => open("db-2")).toThrow(/^storage disk is on the disk of db-2, this worker is here$/);
  });
});

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
async function keysOf(list: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

describe("the folder of a local storage", () => {
  it("may be a link; all that is made is for its owner only", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "disk"));
    symlinkSync("disk", join(folder.path, "link"));
    const storage = storageOf("disk", { kind: "local", path: join(folder.path, "link/backups") });
    await storage.put("app/run/part", Buffer.from("x"), signal);
    for (const made of ["disk/backups", "disk/backups/app", "disk/backups/app/run"])
      expect(statSync(join(folder.path, made)).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, "disk/backups/app/run/part")).mode & 0o777).toBe(0o600);
    expect(await keysOf(storage.list(""))).toEqual(["app/run/part"]);
  });

  it.each([
    ["is a file", (path: string) => writeFileSync(path, "x")],
    ["is a link to nowhere", (path: string) => symlinkSync("nowhere", path)],
    ["is a link to itself", (path: string) => symlinkSync(path, path)],
  ])("that %s: one clear line, whatever is asked", async (_what, make) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "backups");
    make(path);
    const storage = storageOf("disk", { kind: "local", path });
    for (const attempt of [
      () => storage.put("app/part", Buffer.from("x"), signal),
      () => storage.create("app/part", { signal, neededBytes: 1 }),
      () => storage.probe(),
    ]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "storage-refused", text: { key: "error-disk-not-folder" } });
      expect((error as Error).message).toMatch(/^storage disk: a part of the path is not a folder \([^\n]+\)$/);
    }
  });

  it("that can not be written: one clear line", async () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o500);
    const storage = storageOf("disk", { kind: "local", path: folder.path });
    const user = process.geteuid?.() ?? 0;
    // Root may write everywhere: as anybody else.
    if (user === 0) process.seteuid?.(65_534);
    try {
      const attempt = storage.put("app/part", Buffer.from("x"), signal);
      await expect(attempt).rejects.toMatchObject({ text: { key: "error-disk-permission" } });
    } finally {
      process.seteuid?.(user);
      chmodSync(folder.path, 0o700);
    }
  });
});

describe("space that stays free", () => {
  it("is not taken: refused before the first byte, and nothing is made", async () => {
    using folder = temporaryFolder();
    for (const minFree of ["1000TiB", "99.9%"]) {
      const storage = storageOf("disk", { kind: "local", path: join(folder.path, "backups"), minFree });
      const opened = vi.fn<() => Promise<void>>();
      const error = await storage.create("app/part", { signal, opened, neededBytes: 5 * 2 ** 50 }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "storage-full", permanent: false, text: { key: "error-storage-no-room" } });
      expect(opened).not.toHaveBeenCalled();
    }
    expect(filesBelow(folder.path)).toEqual([]);
    expect(() => statSync(join(folder.path, "backups"))).toThrow("ENOENT");
  });

  it("does not keep a manifest from its parts", async () => {
    using folder = temporaryFolder();
    const storage = storageOf("disk", { kind: "local", path: folder.path, minFree: "1000TiB" });
    await storage.put("app/run/manifest.json", Buffer.from("{}"), signal);
    expect(filesBelow(folder.path)).toEqual(["app/run/manifest.json"]);
  });

  it.each([
    [undefined, 100 * gibibyte, gibibyte],
    [undefined, 10 * gibibyte, 0.5 * gibibyte],
    [{ bytes: 3 * gibibyte }, 10 * gibibyte, 3 * gibibyte],
    [{ percent: 10 }, 10 * gibibyte, gibibyte],
  ])("with %j on a disk of %i bytes is %i bytes", async (minFree, size, reserve) => {
    const guard = (free: number) => new SpaceGuard("disk", minFree, async () => ({ free, size }));
    await guard(reserve + 10).requireRoom("/x", 10);
    await expect(guard(reserve + 9).requireRoom("/x", 10)).rejects.toMatchObject({ code: "storage-full" });
    await guard(reserve).requireReserve("/x");
    await expect(guard(reserve - 1).requireReserve("/x")).rejects.toThrow(/only \d+\.\d\d GiB are free/);
  });

  it("ends a copy that grows into it within 8 MiB, and that leaves nothing", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "part");
    let free = gibibyte + 20 * mebibyte;
    const guard = new SpaceGuard("disk", { bytes: gibibyte }, async () => ({ free, size: 100 * gibibyte }));
    const writer = await FileWriter.create("disk", "part", path, { signal }, guard);
    let written = 0;
    const attempt = (async () => {
      for (; written < 100 * mebibyte; written += mebibyte) {
        await writer.write(Buffer.alloc(mebibyte));
        free -= mebibyte;
      }
    })();
    await expect(attempt).rejects.toMatchObject({ code: "storage-full", text: { key: "error-storage-room-gone" } });
    expect(written).toBeLessThanOrEqual(28 * mebibyte);
    await writer.abort();
    expect(filesBelow(folder.path)).toEqual([]);
  });

  it("ends that copy only: the others go on and are whole", async () => {
    using folder = temporaryFolder();
    const full = storageOf("full", { kind: "local", path: join(folder.path, "full"), minFree: "1000TiB" });
    const good = storageOf("good", { kind: "local", path: join(folder.path, "good") });
    const onRunFailure = vi.fn<(error: unknown) => void>();
    const options = { observer: new RecordingObserver(), signal, onRunFailure };
    const targets = [full, good].map((storage) => new Target(storage, options));
    const bytes = randomBytes(1000);
    const expected = [{ bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }];
    for (const target of targets) {
      await target.begin("app/run/part", undefined);
      await target.write(bytes);
      target.end();
      await target.commit(expected, "app/run/manifest.json");
      await target.writeManifest(Buffer.from("{}"));
      await target.settled();
    }
    expect(targets.map(({ error }) => error?.code)).toEqual(["storage-full", undefined]);
    expect(onRunFailure).not.toHaveBeenCalled();
    expect(filesBelow(folder.path)).toEqual(["good/app/run/manifest.json", "good/app/run/part"]);
  });

  it("is a size or a part of the disk", () => {
    const config = (minFree: string) => () => storageOf("disk", { kind: "local", path: "/x", minFree });
    for (const right of ["0B", "10GiB", "5%", "2.5 %"]) expect(config(right)).not.toThrow();
    for (const wrong of ["5", "100%", "-1%", "much"]) expect(config(wrong)).toThrow("config-problem-min-free");
  });
});
