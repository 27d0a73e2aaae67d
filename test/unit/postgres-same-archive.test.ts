import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ManifestPart } from "../../src/core/manifest.ts";
import { Opening } from "../../src/sources/postgres/same-archive.ts";
import type { BackupReader } from "../../src/sources/types.ts";

const part: ManifestPart = { role: "artifact", file: "artifact.dump.zst", bytes: 9, sha256: "" };

const readerOf = (...chunks: readonly string[]): BackupReader => ({
  manifest: {} as BackupReader["manifest"],
  open: async () => Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
  openReference: () => Promise.reject(new Error("not used")),
});

describe("a part whose beginning was read before", () => {
  /** Reads a beginning of it, then all of the other one. */
  async function readTwice(beginning: readonly string[], whole: readonly string[]): Promise<string> {
    const opening = new Opening();
    await buffer(await opening.noted(readerOf(...beginning)).open(part));
    return (await buffer(await opening.required(readerOf(...whole)).open(part))).toString();
  }

  it("is the same, in whatever pieces it comes", async () => {
    expect(await readTwice(["abc", "de"], ["a", "bcdefg", "hi"])).toBe("abcdefghi");
    expect(await readTwice(["abc"], ["abc"])).toBe("abc");
    expect(await readTwice([], ["abc"])).toBe("abc");
  });

  it.for([
    ["differs", ["abX", "defghi"]],
    ["differs in its last byte", ["abcdX", "fghi"]],
    ["is shorter", ["abcd"]],
    ["is empty", []],
  ] as const)("fails where it %s", async ([, whole]) => {
    await expect(readTwice(["abcde"], whole)).rejects.toMatchObject({ code: "storage-mismatch" });
  });

  it("is compared each time that it is read", async () => {
    const opening = new Opening();
    await buffer(await opening.noted(readerOf("abc")).open(part));
    for (const each of ["abcd", "abce"])
      expect((await buffer(await opening.required(readerOf(each)).open(part))).toString()).toBe(each);
  });

  it("fails as what it comes from does", async () => {
    const failing = {
      ...readerOf(),
      open: async () => new PassThrough({ flush: (done) => done(new Error("lost")) }).end("abc"),
    };
    await expect(buffer(await new Opening().required(failing).open(part))).rejects.toThrow("lost");
  });
});
