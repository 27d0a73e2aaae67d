import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { storageOf, temporaryFolder } from "../support/backup.ts";

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
