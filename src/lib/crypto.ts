import { randomBytes } from "node:crypto";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { AppError } from "../core/errors.ts";
import { cutOff, PayloadOpener, payloadKey, saltBytes, sealPayload } from "./age-payload.ts";

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

/**
 * Encrypts a stream in age's format for all recipients, 64 KiB at a time: what comes in is not kept. Rejects with
 * `encryption` for a recipient that is none, and with the source's own error.
 */
export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const { header, fileKey } = await newHeader(recipients);
  const salt = randomBytes(saltBytes);
  yield Buffer.concat([header, salt]);
  yield* sealPayload(source, payloadKey(fileKey, salt));
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
 * Decrypts a stream in age's format, 64 KiB at a time; what was yielded is what was written. Rejects with `encryption` when
 * it is not for this identity, altered, cut off or continued behind its end, and with the source's own error.
 */
export async function* decrypt(
  source: AsyncIterable<Uint8Array>,
  identity: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch (error) {
    throw badIdentity(error);
  }
  let payload: PayloadOpener | undefined;
  let head: Uint8Array = new Uint8Array();
  for await (const chunk of source) {
    if (payload === undefined) {
      head = Buffer.concat([head, chunk]);
      const end = headerEnd(head);
      // A beginning that is no header's is refused as soon as it is longer than any header.
      if (end === undefined ? head.length < longestHeader : head.length < end + saltBytes) continue;
      payload = await openHead(head, end ?? head.length, decrypter);
      yield* payload.add(head.subarray((end ?? head.length) + saltBytes));
      head = new Uint8Array();
    } else yield* payload.add(chunk);
  }
  payload ??= await openHead(head, headerEnd(head) ?? head.length, decrypter);
  const last = payload.end();
  if (last.length > 0) yield last;
}

/** Bytes; one of a thousand recipients is not so long. */
const longestHeader = 1024 * 1024;

/** Where the header ends: behind the line that begins with three dashes. Undefined when that is not there yet. */
function headerEnd(head: Uint8Array): number | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length);
  const lastLine = text.indexOf("\n---");
  const end = lastLine < 0 ? -1 : text.indexOf("\n", lastLine + 1);
  return end < 0 ? undefined : end + 1;
}

/** The library finds the file's key by the header, and checks that the header is as it was written. */
async function openHead(head: Uint8Array, end: number, decrypter: Decrypter): Promise<PayloadOpener> {
  const fileKey = await decrypter.decryptHeader(head.subarray(0, end)).catch((error: unknown) => {
    throw cannotDecrypt(error);
  });
  const salt = head.subarray(end, end + saltBytes);
  if (salt.length < saltBytes) throw cutOff();
  return new PayloadOpener(payloadKey(fileKey, salt));
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
