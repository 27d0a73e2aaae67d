import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it, vi } from "vitest";
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
  it("reads what the age program wrote", async () => {
    const identity = await generateIdentity();
    const plain = randomBytes(200_000);
    const age = startPipeline([{ argv: ["age", "--encrypt", "--recipient", await recipientOf(identity)] }], {
      input: Readable.from([plain]),
    });
    expect(sha256(await collect(decrypt(age.stdout, identity)))).toBe(sha256(plain));
    await age.done;
  });

  it("refuses a file that is cut off or altered", async () => {
    const identity = await generateIdentity();
    const encrypted = await collect(encrypt(inChunks(randomBytes(200_000), 65_536), [await recipientOf(identity)]));
    const cut = encrypted.subarray(0, 150_000);
    await expect(collect(decrypt(inChunks(cut, 65_536), identity))).rejects.toMatchObject({ code: "encryption" });
    const altered = Buffer.from(encrypted);
    altered[100_000] = (altered[100_000] ?? 0) ^ 1;
    await expect(collect(decrypt(inChunks(altered, 65_536), identity))).rejects.toMatchObject({ code: "encryption" });
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
