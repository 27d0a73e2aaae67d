import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { release } from "./buffers.ts";

/**
 * The payload of age's format: chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under a nonce of its number and a mark
 * of the last one. OpenSSL does it, since the library's cipher in JavaScript is ten to a hundred times slower, which a
 * large backup would wait for.
 */
const plainChunk = 64 * 1024;
const tagBytes = 16;
const sealedChunk = plainChunk + tagBytes;
const algorithm = "chacha20-poly1305";

/** Bytes of the salt in front of the chunks. */
export const saltBytes = 16;

/** The key of the chunks, from that of the file. */
export function payloadKey(fileKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", fileKey, salt, "payload", 32));
}

/** An 11-byte number of the chunk and a byte that marks the last one, so that a cut-off file is noticed. */
function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Seals a stream in chunks: what comes in is not kept. Rejects with the source's own error. */
export async function* sealPayload(
  source: AsyncIterable<Uint8Array>,
  key: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  let index = 0;
  const seal = (chunk: Uint8Array, last: boolean): Uint8Array => {
    const cipher = createCipheriv(algorithm, key, nonceOf(index, last), { authTagLength: tagBytes });
    index += 1;
    const body = cipher.update(chunk);
    const sealed = Buffer.allocUnsafeSlow(body.length + tagBytes);
    sealed.set(body);
    release(body);
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - tagBytes);
    return sealed;
  };
  const pending = Buffer.allocUnsafe(plainChunk);
  let used = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      // A full chunk is sealed only when more follows: the last one carries the mark.
      if (used === plainChunk) {
        yield seal(pending, false);
        used = 0;
      }
      const taken = chunk.subarray(offset, offset + plainChunk - used);
      pending.set(taken, used);
      used += taken.length;
      offset += taken.length;
    }
  }
  yield seal(pending.subarray(0, used), true);
}

/** Opens what `sealPayload` or the age program has sealed. Gives out only what has proven to be as it was written. */
export class PayloadOpener {
  readonly #key: Uint8Array;
  readonly #pending = Buffer.allocUnsafeSlow(sealedChunk);
  #used = 0;
  #index = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The chunks that these bytes complete. Throws `encryption` for one that was altered. */
  *add(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let offset = 0; offset < bytes.length; ) {
      // A full chunk is opened only when more follows: the last one carries the mark.
      if (this.#used === sealedChunk) {
        yield this.#open(false);
        this.#used = 0;
      }
      const taken = bytes.subarray(offset, offset + sealedChunk - this.#used);
      this.#pending.set(taken, this.#used);
      this.#used += taken.length;
      offset += taken.length;
    }
  }

  /** The last chunk; empty for an empty file. Throws `encryption` when it is not the last one of what was written. */
  end(): Uint8Array {
    if (this.#used < tagBytes) throw cutOff();
    const plain = this.#open(true);
    if (plain.length === 0 && this.#index > 1) throw this.#altered();
    return plain;
  }

  #open(last: boolean): Uint8Array {
    const plain = this.#tryOpen(last);
    if (plain === undefined) {
      // A whole chunk whose mark alone is another one: the end is elsewhere.
      if (this.#tryOpen(!last) === undefined) throw this.#altered();
      throw last ? cutOff() : badPayload("something follows its end", "error-decrypt-damaged");
    }
    this.#index += 1;
    return plain;
  }

  #tryOpen(last: boolean): Uint8Array | undefined {
    const sealed = this.#pending.subarray(0, this.#used);
    const nonce = nonceOf(this.#index, last);
    const decipher = createDecipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const plain = decipher.update(sealed.subarray(0, -tagBytes));
    try {
      decipher.final();
    } catch {
      release(plain);
      return undefined;
    }
    return plain;
  }

  #altered(): AppError {
    const from = this.#index * plainChunk;
    return badPayload(`it is altered or cut off behind byte ${from} of its content`, "error-decrypt-damaged");
  }
}

/** What is missing at the end says so, where it can be told from a damage. */
export function cutOff(): AppError {
  return badPayload("it is cut off", "error-decrypt-cut");
}

function badPayload(reason: string, key: string): AppError {
  return new AppError("encryption", `cannot decrypt: ${reason}`, { text: { key } });
}
