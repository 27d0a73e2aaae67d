import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { OpenObject } from "../../src/core/ports.ts";
import { storageKinds } from "../../src/storages/index.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, storageOf, temporaryFolder } from "../support/backup.ts";
import { type S3Server, startS3 } from "../support/s3.ts";

/** What the suite needs to know of a kind: how to make one, and how to look behind it. */
interface World {
  readonly storage: Storage;
  /** Another process's view of the same place. */
  readonly again: () => Storage;
  /** Temporary files or open uploads that exist now. */
  readonly leftovers: () => string[];
  /** Bytes that make the writer put something into the store before its commit. */
  readonly large: number;
  /** Alters a stored object behind the storage's back. */
  readonly damage: (key: string) => Promise<void>;
  dispose(): void;
}

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const worlds: Readonly<Record<string, () => World>> = {
  local: () => {
    const folder = temporaryFolder();
    const make = () => storageOf("disk", { kind: "local", path: folder.path });
    return {
      storage: make(),
      again: make,
      leftovers: () => filesBelow(folder.path).filter((file) => file.endsWith(".tmp")),
      large: 1000,
      damage: (key) => truncate(join(folder.path, key), 1),
      dispose: () => folder[Symbol.dispose](),
    };
  },
  s3: () => {
    const prefix = `test-${randomBytes(4).toString("hex")}`;
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
    const make = () =>
      storageOf("bucket", {
        kind: "s3",
        endpoint,
        region,
        bucket,
        prefix,
        accessKeyId,
        secretAccessKey,
        forcePathStyle: true,
        partSize: "5MiB",
      });
    const storage = make();
    return {
      storage,
      again: make,
      leftovers: () =>
        s3
          .openUploads()
          .map(({ key }) => key)
          .filter((key) => key.startsWith(`${prefix}/`)),
      large: 12 * 1024 * 1024,
      damage: (key) => make().put(key, Buffer.from("x"), signal),
      dispose: () => {
        void storage.close();
        rmSync(join(s3.folder, "buckets", bucket, "objects", prefix), { recursive: true, force: true });
      },
    };
  },
};

const signal = new AbortController().signal;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const expected = (bytes: Uint8Array) => ({ bytes: bytes.length, sha256: sha256(bytes) });

async function keys(storage: Storage, prefix = ""): Promise<string[]> {
  const result: string[] = [];
  for await (const { key } of storage.list(prefix)) result.push(key);
  return result;
}

async function writeInChunks(
  storage: Storage,
  key: string,
  bytes: Uint8Array,
  opened?: (object: OpenObject) => Promise<void>,
) {
  const writer = await storage.create(key, { signal, ...(opened ? { opened } : {}) });
  // All in the same memory, as a backup has it.
  const chunk = new Uint8Array(65_536);
  for (let offset = 0; offset < bytes.length; offset += chunk.length) {
    const piece = bytes.subarray(offset, offset + chunk.length);
    chunk.set(piece);
    await writer.write(chunk.subarray(0, piece.length));
    chunk.fill(0);
  }
  return writer;
}

it("has a world for every registered kind", () => {
  expect(Object.keys(worlds).sort()).toEqual([...storageKinds].sort());
});

describe.each(Object.entries(worlds))("storage %s", (_kind, makeWorld) => {
  let world: World;
  const fresh = () => {
    world = makeWorld();
    return world;
  };
  afterEach(() => world.dispose());

  it.each(["empty", "small", "large"])("shows an object only after its commit, and reads it back: %s", async (size) => {
    const { storage, again, large, leftovers } = fresh();
    const bytes = randomBytes({ empty: 0, small: 10, large }[size] ?? 0);
    const writer = await writeInChunks(storage, "app/run/part.zst", bytes);
    expect(await keys(again())).toEqual([]);
    writer.end?.();
    expect(await storage.head("app/run/part.zst")).toBeUndefined();
    await writer.commit(expected(bytes));
    expect(await again().head("app/run/part.zst")).toMatchObject({ key: "app/run/part.zst", bytes: bytes.length });
    expect(sha256(await buffer(await again().read("app/run/part.zst")))).toBe(sha256(bytes));
    expect(leftovers()).toEqual([]);
  });

  it.each(["small", "large"])("leaves nothing after an abort, at whatever point: %s", async (size) => {
    const { storage, large, leftovers } = fresh();
    const bytes = randomBytes(size === "small" ? 10 : large);
    const untouched = await storage.create("app/run/a", { signal });
    await untouched.abort();
    const written = await writeInChunks(storage, "app/run/b", bytes);
    await written.abort();
    const ended = await writeInChunks(storage, "app/run/c", bytes);
    ended.end?.();
    await ended.abort();
    await written.abort();
    expect(await keys(storage)).toEqual([]);
    expect(leftovers()).toEqual([]);
    await expect(written.commit(expected(bytes))).rejects.toThrow();
    expect(await keys(storage)).toEqual([]);
  });

  it("stops at an aborted signal, and can be aborted then", async () => {
    const { storage, large, leftovers } = fresh();
    const controller = new AbortController();
    const writer = await storage.create("app/run/part", { signal: controller.signal });
    await writer.write(randomBytes(large));
    controller.abort(new Error("stop now"));
    await expect(writer.write(randomBytes(10))).rejects.toThrow("stop now");
    await expect(writer.commit({ bytes: 0, sha256: "" })).rejects.toThrow("stop now");
    await writer.abort();
    expect(leftovers()).toEqual([]);
    expect(await keys(storage)).toEqual([]);
  });

  it("tells what a kill would leave, before it exists, and removes it by that record", async () => {
    const { storage, again, large, leftovers } = fresh();
    const opened: OpenObject[] = [];
    const writer = await writeInChunks(storage, "app/run/part", randomBytes(large), async (object) => {
      opened.push(object);
    });
    expect(opened).toEqual([{ storage: storage.name, key: "app/run/part", handle: expect.any(String) }]);
    expect(leftovers()).toHaveLength(1);
    expect(await again().cleanUp("app/run/", opened)).toBe(1);
    expect(leftovers()).toEqual([]);
    expect(await again().cleanUp("app/run/", opened)).toBe(0);
    await writer.abort();
  });

  it("writes nothing when the record fails", async () => {
    const { storage, large } = fresh();
    const refuse = () => Promise.reject(new Error("no record"));
    await expect(writeInChunks(storage, "app/run/part", randomBytes(large), refuse)).rejects.toThrow("no record");
    await storage.cleanUp("", []);
    expect(await keys(storage)).toEqual([]);
  });

  it("cleans up what was not recorded, below the prefix only, and no finished objects", async () => {
    const { storage, again, large, leftovers } = fresh();
    await storage.put("app/run1/manifest.json", Buffer.from("{}"), signal);
    const one = await writeInChunks(storage, "app/run1/part", randomBytes(large));
    const two = await writeInChunks(storage, "app/run2/part", randomBytes(large));
    expect(leftovers()).toHaveLength(2);
    expect(await again().cleanUp("app/run1/", [])).toBe(1);
    expect(leftovers()).toHaveLength(1);
    expect(await keys(storage)).toEqual(["app/run1/manifest.json"]);
    await one.abort();
    await two.abort();
  });

  it("removes what was begun before a date, of keys that are ours only", async () => {
    const { storage, again, large, leftovers } = fresh();
    await storage.put("app/run1/part", Buffer.from("finished"), signal);
    const keys = ["app/run1/part", "app/run2/part", "app/foreign", "other/run1/part"];
    const writers: Awaited<ReturnType<typeof writeInChunks>>[] = [];
    for (const key of keys) writers.push(await writeInChunks(storage, key, randomBytes(large)));
    const ours: string[] = [];
    const isOurs = (key: string) => {
      ours.push(key);
      return /\/run\d\/part$/.test(key);
    };
    const ago = new Date(Date.now() - 3_600_000);
    const soon = new Date(Date.now() + 3_600_000);
    expect(await again().removeStale("app/", ago, isOurs)).toBe(0);
    expect(leftovers()).toHaveLength(4);
    expect(await again().removeStale("app/run1", soon, isOurs)).toBe(1);
    expect(await again().removeStale("app/", soon, isOurs)).toBe(1);
    expect(leftovers()).toHaveLength(2);
    expect(await again().removeStale("", soon, isOurs)).toBe(1);
    expect(leftovers()).toHaveLength(1);
    expect(ours.filter((key) => !keys.includes(key))).toEqual([]);
    expect(await storage.head("app/run1/part")).toBeDefined();
    for (const writer of writers) await writer.abort();
    expect(leftovers()).toEqual([]);
  });

  it("refuses a commit whose bytes are not those expected, and removes the object", async () => {
    const { storage, large } = fresh();
    for (const size of [10, large]) {
      const bytes = randomBytes(size);
      const writer = await writeInChunks(storage, "app/run/part", bytes);
      const attempt = writer.commit({ bytes: bytes.length + 1, sha256: sha256(bytes) });
      await expect(attempt).rejects.toMatchObject({ code: "storage-mismatch" });
      await writer.abort();
      expect(await keys(storage)).toEqual([]);
    }
  });

  it("replaces an object when it is put again", async () => {
    const { storage } = fresh();
    await storage.put("app/run/manifest.json", Buffer.from("one"), signal);
    await storage.put("app/run/manifest.json", Buffer.from("three"), signal);
    expect((await buffer(await storage.read("app/run/manifest.json"))).toString()).toBe("three");
  });

  it("lists in key order, below any prefix", async () => {
    const { storage } = fresh();
    const all = ["app.b/x", "app/2-b/manifest.json", "app/2-b/part", "app/2/z", "app/20/a", "apple/x", "é/x"];
    for (const key of all.toReversed()) await storage.put(key, Buffer.from(key), signal);
    expect(await keys(storage)).toEqual(all);
    expect(await keys(storage, "app/2")).toEqual(["app/2-b/manifest.json", "app/2-b/part", "app/2/z", "app/20/a"]);
    expect(await keys(storage, "app/2/")).toEqual(["app/2/z"]);
    expect(await keys(storage, "nothing/")).toEqual([]);
  });

  it("deletes, also what is not there", async () => {
    const { storage } = fresh();
    await storage.put("app/run/a", Buffer.from("a"), signal);
    await storage.put("app/run/b", Buffer.from("b"), signal);
    await storage.delete(["app/run/a", "app/run/missing"]);
    expect(await keys(storage)).toEqual(["app/run/b"]);
    await storage.delete(["app/run/b"]);
    expect(await keys(storage)).toEqual([]);
  });

  it("says what is not there", async () => {
    const { storage } = fresh();
    expect(await storage.head("app/none")).toBeUndefined();
    await expect(storage.read("app/none")).rejects.toMatchObject({ code: "not-found" });
  });

  it("sees an object that was altered behind its back", async () => {
    const { storage, damage } = fresh();
    const bytes = randomBytes(5000);
    const writer = await writeInChunks(storage, "app/run/part", bytes);
    await writer.commit(expected(bytes));
    await damage("app/run/part");
    expect(sha256(await buffer(await storage.read("app/run/part")))).not.toBe(sha256(bytes));
  });

  it.each(["../outside", "app/../../outside", "/etc/passwd", "app//part", "app/./part", "", "app/\0"])(
    "refuses the key %j",
    async (key) => {
      const { storage } = fresh();
      for (const attempt of [
        () => storage.create(key, { signal }),
        () => storage.head(key),
        () => storage.read(key),
        () => storage.delete([key]),
      ]) {
        await expect(async () => await attempt()).rejects.toMatchObject({ code: "storage-refused" });
      }
    },
  );

  it("gives links to what is there, if it gives any", async () => {
    const { storage } = fresh();
    const bytes = randomBytes(1000);
    await storage.put("app/run/part 1", bytes, signal);
    const link = await storage.presign?.("app/run/part 1", 60);
    expect(link === undefined).toBe(storage.local);
    if (link === undefined) return;
    const answer = await fetch(link);
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), bytes)).toBe(0);
    await expect(storage.presign?.("app/run/none", 60)).rejects.toMatchObject({ code: "not-found" });
  });

  it("tells the same of an object in a list as of itself", async () => {
    const { storage } = fresh();
    await storage.put("app/run/part", randomBytes(10), signal);
    for await (const listed of storage.list("app/")) {
      const { modified: _, ...rest } = listed;
      expect(await storage.head("app/run/part")).toMatchObject(rest);
    }
  });

  it("leaves an object as it is when its tiers have no class", () => {
    const { storage } = fresh();
    expect(storage.classFor?.(["monthly", "yearly"])).toBeUndefined();
  });

  it("passes its own probe and leaves nothing of it", async () => {
    const { storage } = fresh();
    await storage.probe();
    expect(await keys(storage)).toEqual([]);
  });

  it("ends a read with its signal", async () => {
    const { storage } = fresh();
    await storage.put("app/run/part", randomBytes(4 * 1024 * 1024), signal);
    const controller = new AbortController();
    const stream = await storage.read("app/run/part", controller.signal);
    controller.abort();
    await expect(buffer(stream)).rejects.toThrow();
  });
});
