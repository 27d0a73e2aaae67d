import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { encrypt, generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import type { Storage } from "../../src/storages/types.ts";
import { aManifest } from "../support/run.ts";

const plain = Buffer.alloc(200_000, "a line of text\n");

/** An encrypted backup of one part, whose storage gives this stream for it. */
async function world(stored: (encrypted: Buffer) => Readable) {
  const identity = await generateIdentity();
  const recipient = await recipientOf(identity);
  const encrypted = await buffer(encrypt(Readable.from([plain]), [recipient]));
  const sha256 = createHash("sha256").update(encrypted).digest("hex");
  const part = { role: "artifact", file: "artifact.bin.age", bytes: encrypted.length, sha256 };
  const manifest = aManifest({ parts: [part], encryption: { format: "age", recipients: [recipient] } });
  const object = stored(encrypted);
  const storage = { name: "offsite", read: () => Promise.resolve(object) } as Partial<Storage> as Storage;
  const stream = await openBackup(storage, manifest, { identity }).open(part);
  return { stream, object };
}

describe("an encrypted part", () => {
  it("is read as it was before", async () => {
    const { stream } = await world((encrypted) => Readable.from([encrypted]));
    expect((await buffer(stream)).equals(plain)).toBe(true);
  });

  it("whose storage has fallen silent is let go at once, and its reader's own reason is told", async () => {
    const { stream, object } = await world((encrypted) => {
      const silent = new Readable({ read: () => {} });
      silent.push(encrypted.subarray(0, 100_000));
      return silent;
    });
    await once(stream, "readable");
    stream.resume();
    const error = once(stream, "error");
    const closed = once(object, "close");
    stream.destroy(new Error("cancelled by alice"));
    expect((await error)[0]).toMatchObject({ message: "cancelled by alice" });
    await closed;
    expect(object.destroyed).toBe(true);
  });

  it("that breaks off tells the storage's error, and not that it can not be decrypted", async () => {
    const { stream } = await world((encrypted) =>
      Readable.from(
        (function* () {
          yield encrypted.subarray(0, 100_000);
          throw new Error("the line broke");
        })(),
      ),
    );
    await expect(buffer(stream)).rejects.toThrow("the line broke");
  });
});

describe("a part whose storage's stream is over before it is read", () => {
  it.each([
    ["with an error", new Error("the line broke"), "the line broke"],
    ["without one", undefined, "Premature close"],
  ])("%s is not waited for", async (_how, error, message) => {
    const stored = new PassThrough();
    stored.on("error", () => undefined);
    stored.destroy(error);
    const part = { role: "artifact", file: "artifact.bin", bytes: 1, sha256: "0".repeat(64) };
    const manifest = aManifest({ parts: [part] });
    const storage = { name: "offsite", read: () => Promise.resolve(stored) } as Partial<Storage> as Storage;
    await expect(openBackup(storage, manifest).open(part).then(buffer)).rejects.toThrow(message);
  });
});
