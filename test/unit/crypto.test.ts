import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { decrypt, encrypt, generateIdentity, isRecipient, recipientOf } from "../../src/lib/crypto.ts";
import { run, startPipeline } from "../../src/lib/process.ts";

const folder = mkdtempSync(join(tmpdir(), "vakhta-crypto-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

const collect = (chunks: AsyncIterable<Uint8Array>) => buffer(Readable.from(chunks));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function keyFile(identity: string): Promise<string> {
  const path = join(folder, `${(await recipientOf(identity)).slice(-8)}.key`);
  writeFileSync(path, `${identity}\n`, { mode: 0o600 });
  return path;
}

describe("encrypt", () => {
  // Around the borders of the format's 64 KiB chunks, where the last one carries a mark.
  const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 3_000_000];

  it.each(sizes)("is read by the age program and by decrypt: %i bytes", async (size) => {
    const identity = await generateIdentity();
    const plain = randomBytes(size);
    const encrypted = await collect(encrypt(inChunks(plain, 50_001), [await recipientOf(identity)]));
    const age = startPipeline([{ argv: ["age", "--decrypt", "--identity", await keyFile(identity)] }], {
      input: Readable.from([encrypted]),
    });
    expect(sha256(await buffer(age.stdout))).toBe(sha256(plain));
    await age.done;
    expect(sha256(await collect(decrypt(inChunks(encrypted, 70_000), identity)))).toBe(sha256(plain));
  });

  it("can be read by each of several recipients and by nobody else", async () => {
    const identities = await Promise.all([generateIdentity(), generateIdentity()]);
    const recipients = await Promise.all(identities.map(recipientOf));
    const encrypted = await collect(encrypt(inChunks(Buffer.from("secret"), 3), recipients));
    for (const identity of identities) {
      expect((await collect(decrypt(inChunks(encrypted, 100), identity))).toString()).toBe("secret");
    }
    const stranger = await generateIdentity();
    await expect(collect(decrypt(inChunks(encrypted, 100), stranger))).rejects.toMatchObject({ code: "encryption" });
  });

  it("refuses what is no recipient, without printing all of it", async () => {
    const identity = await generateIdentity();
    const attempt = collect(encrypt(inChunks(Buffer.from("x"), 1), [identity]));
    await expect(attempt).rejects.toMatchObject({ code: "encryption" });
    await expect(attempt).rejects.not.toThrow(identity);
    expect(isRecipient(identity)).toBe(false);
    expect(isRecipient(await recipientOf(identity))).toBe(true);
  });

  it("passes on an error of its source", async () => {
    const recipient = await recipientOf(await generateIdentity());
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield randomBytes(100_000);
      throw new Error("the source broke");
    }
    await expect(collect(encrypt(failing(), [recipient]))).rejects.toThrow("the source broke");
  });
});

describe("decrypt", () => {
  it.each([0, 1, 65_536, 131_072, 200_000])("reads what the age program wrote: %i bytes", async (size) => {
    const identities = await Promise.all([generateIdentity(), generateIdentity()]);
    const recipients = await Promise.all(identities.map(recipientOf));
    const plain = randomBytes(size);
    const options = recipients.flatMap((recipient) => ["--recipient", recipient]);
    const age = startPipeline([{ argv: ["age", "--encrypt", ...options] }], { input: Readable.from([plain]) });
    const encrypted = await buffer(age.stdout);
    await age.done;
    for (const identity of identities)
      expect(sha256(await collect(decrypt(inChunks(encrypted, 1000), identity)))).toBe(sha256(plain));
    // Byte by byte, as a slow line may bring it.
    const [identity] = identities;
    const start = encrypted.subarray(0, 2000);
    const slowly = async function* () {
      yield* inChunks(start, 1);
      yield encrypted.subarray(2000);
    };
    expect(sha256(await collect(decrypt(slowly(), identity)))).toBe(sha256(plain));
  });

  // Without a full chunk, ending in the middle of one, and with one that ends where the file does.
  it.each([0, 1, 65_536, 131_072, 200_000])(
    "refuses what is cut off, altered or continued, at any place of a file of %i bytes",
    async (size) => {
      const identity = await generateIdentity();
      const plain = randomBytes(size);
      const encrypted = await collect(encrypt(inChunks(plain, 65_536), [await recipientOf(identity)]));
      const header = encrypted.indexOf("\n", encrypted.indexOf("\n---") + 1) + 1;
      const sealed = 65_552;
      const borders = Array.from({ length: Math.ceil(size / 65_536) + 1 }, (_, index) => header + 16 + index * sealed);
      const places = [
        0,
        30,
        header - 5,
        header,
        header + 15,
        ...borders.flatMap((at) => [at - 1, at, at + 15, at + 16]),
      ]
        .concat(encrypted.length - 17, encrypted.length - 16, encrypted.length - 1)
        .filter((at) => at >= 0 && at < encrypted.length);
      const outcome = async (bytes: Uint8Array): Promise<string> =>
        collect(decrypt(inChunks(bytes, 50_001), identity)).then(
          () => "decrypted",
          (error: unknown) => (error instanceof AppError ? error.code : String(error)),
        );
      const outcomes = new Set<string>();
      for (const at of places) {
        outcomes.add(await outcome(encrypted.subarray(0, at)));
        const altered = Buffer.from(encrypted);
        altered[at] = (altered[at] ?? 0) ^ 1;
        outcomes.add(await outcome(altered));
      }
      for (const more of [1, 15, 16, 17, sealed])
        outcomes.add(await outcome(Buffer.concat([encrypted, randomBytes(more)])));
      expect([...outcomes]).toEqual(["encryption"]);
      expect(await outcome(encrypted)).toBe("decrypted");
    },
  );

  it("gives out nothing that is not as it was written, and says what is wrong with the rest", async () => {
    const identity = await generateIdentity();
    const plain = randomBytes(200_000);
    const encrypted = await collect(encrypt(inChunks(plain, 65_536), [await recipientOf(identity)]));
    const start = encrypted.length - 200_000 - 4 * 16;
    const chunk = 65_552;
    const given = async (bytes: Uint8Array) => {
      const chunks: Uint8Array[] = [];
      const reading = async (): Promise<void> => {
        for await (const one of decrypt(inChunks(bytes, 10_000), identity)) chunks.push(one);
      };
      const error = await reading().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const got = Buffer.concat(chunks);
      expect(got.equals(plain.subarray(0, got.length))).toBe(true);
      return { bytes: got.length, error };
    };
    const altered = Buffer.from(encrypted);
    altered[start + 2 * chunk + 5] = (altered[start + 2 * chunk + 5] ?? 0) ^ 1;
    const key = (name: string) => ({ text: { key: name } });
    expect(await given(altered)).toMatchObject({ bytes: 131_072, error: key("error-decrypt-damaged") });
    const cutAtBorder = encrypted.subarray(0, start + 2 * chunk);
    expect(await given(cutAtBorder)).toMatchObject({ bytes: 65_536, error: key("error-decrypt-cut") });
    const cutInside = encrypted.subarray(0, start + 2 * chunk + 1000);
    expect(await given(cutInside)).toMatchObject({ bytes: 131_072, error: key("error-decrypt-damaged") });
    const cutInSalt = encrypted.subarray(0, start - 1);
    expect(await given(cutInSalt)).toMatchObject({ bytes: 0, error: key("error-decrypt-cut") });
    const full = await collect(encrypt(inChunks(plain.subarray(0, 65_536), 65_536), [await recipientOf(identity)]));
    const continued = Buffer.concat([full, Buffer.alloc(1)]);
    expect(await given(continued)).toMatchObject({
      bytes: 0,
      error: { message: "cannot decrypt: something follows its end" },
    });
  });

  it("holds no more than two chunks: it reads only as fast as it is read", async () => {
    const identity = await generateIdentity();
    const encrypted = await collect(encrypt(inChunks(randomBytes(3_000_000), 65_536), [await recipientOf(identity)]));
    let taken = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of inChunks(encrypted, 10_000)) {
        taken += chunk.length;
        yield chunk;
      }
    }
    let given = 0;
    const ahead: number[] = [];
    for await (const chunk of decrypt(counted(), identity)) {
      given += chunk.length;
      ahead.push(taken - given);
    }
    expect(given).toBe(3_000_000);
    expect(Math.max(...ahead)).toBeLessThan(2 * 65_552);
  });

  it("refuses what is not age's, however long, without reading on", async () => {
    const identity = await generateIdentity();
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 65_536;
        yield Buffer.alloc(65_536, "x");
      }
    }
    await expect(collect(decrypt(endless(), identity))).rejects.toMatchObject({ code: "encryption" });
    expect(read).toBeLessThan(2_000_000);
    await expect(collect(decrypt(inChunks(Buffer.alloc(0), 1), identity))).rejects.toMatchObject({
      code: "encryption",
    });
  });

  it("leaves the reason to a reader that stops with an error of its own", async () => {
    const identity = await generateIdentity();
    const encrypted = await collect(encrypt(inChunks(randomBytes(400_000), 65_536), [await recipientOf(identity)]));
    const plain = Readable.from(decrypt(inChunks(encrypted, 65_536), identity), { objectMode: false });
    await once(plain, "readable");
    const told = once(plain, "error");
    plain.destroy(new Error("the reader had enough"));
    expect((await told)[0]).toMatchObject({ message: "the reader had enough" });
  });

  it("ends its source when a reader stops early", async () => {
    const identity = await generateIdentity();
    const encrypted = await collect(encrypt(inChunks(randomBytes(400_000), 65_536), [await recipientOf(identity)]));
    let ended = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(encrypted, 65_536);
      } finally {
        ended = true;
      }
    }
    for await (const _chunk of decrypt(watched(), identity)) break;
    await vi.waitFor(() => expect(ended).toBe(true));
  });

  it("keeps an error of its source apart from a bad file, and refuses what is no identity", async () => {
    const identity = await generateIdentity();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("age-encryption.org/v1\n");
      throw new Error("the storage broke");
    }
    await expect(collect(decrypt(failing(), identity))).rejects.toThrow("the storage broke");
    await expect(collect(decrypt(failing(), "nonsense"))).rejects.toMatchObject({ code: "encryption" });
    await expect(recipientOf("nonsense")).rejects.toMatchObject({ code: "encryption" });
  });
});

describe("generateIdentity", () => {
  it("makes keys that age-keygen understands", async () => {
    const identity = await generateIdentity();
    const { stdout } = await run({ argv: ["age-keygen", "-y", await keyFile(identity)] });
    expect(stdout.trim()).toBe(await recipientOf(identity));
  });
});
