import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { AppError } from "../core/errors.ts";
import { release } from "./buffers.ts";

/** Ending of the names of encrypted files. */
export const encryptedSuffix = ".age";

/** A new private key (`AGE-SECRET-KEY-1...`): a secret. Any `age` program reads what is encrypted for it. */
export function generateIdentity(): Promise<string> {
  return generateX25519Identity();
}

/** The public key (`age1...`) of a private key. Rejects with `encryption` for anything else. */
export async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity.trim());
  } catch (error) {
    throw badIdentity(error);
  }
}

/** True for a public key that can be encrypted for. */
export function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

const payloadChunk = 64 * 1024;

/**
 * Encrypts a stream in age's format for all recipients, 64 KiB at a time: what comes in is not kept. Rejects with
 * `encryption` for a recipient that is none, and with the source's own error.
 *
 * The library wraps the file key and writes the header; the payload's chunks are sealed by OpenSSL, since the
 * library's ChaCha20-Poly1305 in JavaScript is about ten times slower, which a large backup would wait for.
 */
export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): AsyncGenerator<Uint8Array> {
  const { header, fileKey } = await newHeader(recipients);
  const salt = randomBytes(16);
  const key = new Uint8Array(hkdfSync("sha256", fileKey, salt, "payload", 32));
  yield Buffer.concat([header, salt]);
  // An 11-byte counter of the chunks and a byte that marks the last one, so that a cut-off file is noticed.
  const nonce = Buffer.alloc(12);
  let counter = 0;
  const seal = (chunk: Uint8Array, last: boolean): Uint8Array => {
    nonce.writeUIntBE(counter, 5, 6);
    nonce[11] = last ? 1 : 0;
    counter += 1;
    const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    const body = cipher.update(chunk);
    const sealed = Buffer.allocUnsafeSlow(body.length + 16);
    sealed.set(body);
    release(body);
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - 16);
    return sealed;
  };
  const pending = Buffer.allocUnsafe(payloadChunk);
  let used = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      // A full chunk is sealed only when more follows: the last one carries the mark.
      if (used === payloadChunk) {
        yield seal(pending, false);
        used = 0;
      }
      const taken = chunk.subarray(offset, offset + payloadChunk - used);
      pending.set(taken, used);
      used += taken.length;
      offset += taken.length;
    }
  }
  yield seal(pending.subarray(0, used), true);
}

/** The header of a new file: everything before the payload's salt. */
async function newHeader(recipients: readonly string[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    if (!isRecipient(recipient)) {
      throw new AppError("encryption", `${recipient.slice(0, 12)}... is not an age recipient (age1...)`, {
        text: { key: "error-recipient", args: { recipient: recipient.slice(0, 12) } },
      });
    }
    encrypter.addRecipient(recipient);
  }
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array());
  // An empty payload is its salt and one authentication tag, 16 bytes each.
  return { header: empty.subarray(0, empty.length - 32), fileKey };
}

/**
 * Decrypts a stream in age's format. Rejects with `encryption` when it is not for this identity, damaged or cut off;
 * what was yielded before is not to be trusted then.
 */
export async function* decrypt(source: AsyncIterable<Uint8Array>, identity: string): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch (error) {
    throw badIdentity(error);
  }
  let sourceError: { readonly error: unknown } | undefined;
  const told = (error: unknown): unknown => (sourceError === undefined ? cannotDecrypt(error) : sourceError.error);
  const stream = toWebStream(source, (error) => {
    sourceError = { error };
  });
  const decrypted = await decrypter.decrypt(stream).catch((error: unknown) => {
    throw told(error);
  });
  const chunks = decrypted[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw told(error);
      });
      if (next.done === true) return;
      // Outside of every catch: an error that a reader stops with is its own, not one of decrypting.
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** Pulls only when it is asked: no more than one chunk waits in it. */
function toWebStream(
  source: AsyncIterable<Uint8Array>,
  onError?: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          onError?.(error);
          throw error;
        }
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function badIdentity(cause: unknown): AppError {
  return new AppError("encryption", "not an age identity (AGE-SECRET-KEY-1...)", {
    cause,
    text: { key: "error-identity" },
  });
}

function cannotDecrypt(cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError("encryption", `cannot decrypt: ${reason}`, { cause, text: { key: "error-decrypt" } });
}
