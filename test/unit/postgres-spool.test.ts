import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { Archive } from "../../src/sources/postgres/archive.ts";
import { Spool } from "../../src/sources/postgres/spool.ts";
import { temporaryFolder } from "../support/backup.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const newPath = (): string => join(folder.path, randomUUID());

/** A part that comes as it is pushed. */
function coming(signal = new AbortController().signal): { archive: Archive; source: Readable } {
  const source = new Readable({ read: () => undefined });
  const reader = { open: async () => source } as unknown as Archive["reader"];
  return { archive: { reader, part: { role: "artifact", file: "f", bytes: 0, sha256: "" }, signal }, source };
}

describe("a part that is read while it comes", () => {
  it("is whole for each of its readers, whenever they begin, and for no other user", async () => {
    const { archive, source } = coming();
    const path = newPath();
    const spool = new Spool(path);
    const chunks = Array.from({ length: 40 }, (_, n) => Buffer.alloc(30_000 + n, n));
    const first = buffer(spool.read());
    const filling = spool.fill(archive);
    for (const chunk of chunks.slice(0, 20)) source.push(chunk);
    const reading = spool.read();
    const [begun] = (await reading.take(1).toArray()) as [Buffer];
    expect(begun.equals(Buffer.concat(chunks).subarray(0, begun.length))).toBe(true);
    const second = buffer(spool.read());
    for (const chunk of chunks.slice(20)) source.push(chunk);
    source.push(null);
    await filling;
    const whole = Buffer.concat(chunks);
    for (const read of [first, second, buffer(spool.read())]) expect((await read).equals(whole)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("has no end for its readers where it turns out at its end to be damaged", async () => {
    const { archive, source } = coming();
    const spool = new Spool(newPath());
    const filling = spool.fill(archive);
    const damaged = new AppError("storage-mismatch", "damaged");
    const reader = spool.read();
    for (let n = 0; n < 5; n++) source.push(Buffer.alloc(1000, n));
    await once(reader, "readable");
    const reading = buffer(reader);
    for (const each of [filling, reading]) each.catch(() => undefined);
    source.destroy(damaged);
    await expect(filling).rejects.toBe(damaged);
    await expect(reading).rejects.toBe(damaged);
    await expect(buffer(spool.read())).rejects.toBe(damaged);
  });

  it("ends when nobody wants it any more", async () => {
    const stop = new AbortController();
    const { archive, source } = coming(stop.signal);
    const spool = new Spool(newPath());
    const filling = spool.fill(archive);
    const reading = buffer(spool.read());
    for (const each of [filling, reading]) each.catch(() => undefined);
    source.push(Buffer.alloc(1000));
    stop.abort();
    await expect(filling).rejects.toMatchObject({ name: "AbortError" });
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    expect(source.destroyed).toBe(true);
  });

  it("fails with what is to be done about it where there is no room", async () => {
    const { archive, source } = coming();
    const spool = new Spool("/dev/full");
    const filling = spool.fill(archive);
    const reading = buffer(spool.read());
    for (const each of [filling, reading]) each.catch(() => undefined);
    source.push(Buffer.alloc(1000));
    source.push(Buffer.alloc(1000));
    source.push(null);
    const full = { code: "storage-full", message: expect.stringContaining("disk of /dev became full") };
    await expect(filling).rejects.toMatchObject(full);
    await expect(reading).rejects.toMatchObject(full);
    expect(existsSync("/dev/full")).toBe(true);
  });

  it("fails where its file can not be made", async () => {
    const { archive } = coming();
    const spool = new Spool(join(folder.path, "missing", "stored"));
    const reading = buffer(spool.read());
    reading.catch(() => undefined);
    await expect(spool.fill(archive)).rejects.toThrow(/ENOENT/);
    await expect(reading).rejects.toThrow(/ENOENT/);
  });
});
