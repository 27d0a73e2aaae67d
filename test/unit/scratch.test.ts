import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { processIdentity } from "../../src/lib/process-identity.ts";
import {
  makeScratch,
  requireRoom,
  scratchFolderPrefix,
  sweepScratch,
  unpackedBytes,
} from "../../src/services/backup/scratch.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aManifest } from "../support/run.ts";

const now = new Date();

function root(): string {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

/** A scratch folder as a process with this identity would have left it. */
function left(path: string, owner: string | undefined, ageMs = 0): string {
  const folder = join(path, `${scratchFolderPrefix}abc-${Math.random().toString(36).slice(2)}`);
  mkdirSync(join(folder, "work", "deep"), { recursive: true });
  if (owner !== undefined) writeFileSync(join(folder, "owner"), owner);
  const at = new Date(now.getTime() - ageMs);
  utimesSync(folder, at, at);
  return folder;
}

describe("a scratch folder", () => {
  it("is empty, can be passed through but not listed by others, and vanishes with all that is in it", async () => {
    const path = root();
    {
      await using scratch = await makeScratch("abc", path);
      expect(readdirSync(scratch.path)).toEqual([]);
      expect(statSync(scratch.path).mode & 0o777).toBe(0o711);
      mkdirSync(join(scratch.path, "a"));
      writeFileSync(join(scratch.path, "a", "b"), "");
      chmodSync(join(scratch.path, "a"), 0o500);
      expect(readdirSync(path)).toHaveLength(1);
    }
    expect(readdirSync(path)).toEqual([]);
  });

  it("of a process that has ended is a leftover; that of a living one, and what is not ours, are not", async () => {
    const path = root();
    const [boot, namespace] = processIdentity().split("/");
    const living = left(path, processIdentity(), 30 * 86_400_000);
    const dead = left(path, `${boot}/${namespace}/999999999/1`);
    const reused = left(path, `${boot}/${namespace}/${process.pid}/1`);
    const earlierBoot = left(path, `another-boot/${namespace}/1/1`);
    const otherContainer = left(path, `${boot}/1/1/1`);
    const otherContainerOld = left(path, `${boot}/1/1/1`, 3 * 86_400_000);
    const nameless = left(path, undefined);
    const namelessOld = left(path, undefined, 3 * 86_400_000);
    const foreign = join(path, "somebody-elses");
    mkdirSync(foreign);
    expect(await sweepScratch(now, path)).toBe(5);
    for (const gone of [dead, reused, earlierBoot, otherContainerOld, namelessOld])
      expect(existsSync(gone)).toBe(false);
    for (const kept of [living, otherContainer, nameless, foreign]) expect(existsSync(kept)).toBe(true);
  });

  it("needs room for the unpacked backup and some more", async () => {
    const path = root();
    await requireRoom(path, 1000);
    await expect(requireRoom(path, 2 ** 52)).rejects.toMatchObject({
      code: "storage-full",
      permanent: false,
      text: { key: "error-scratch-full" },
    });
    expect(unpackedBytes(aManifest())).toBe(100_000_000);
    const [part] = aManifest().parts;
    if (!part) throw new Error("no part");
    const { rawBytes: _, ...unknown } = part;
    expect(unpackedBytes(aManifest({ parts: [unknown] }))).toBe(4 * 25_600_000);
  });
});
