import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { expect, test } from "vitest";
import { isIdentity, isRecipient } from "../../src/lib/age-keys.ts";

test.each([
  ["X25519", generateX25519Identity],
  ["hybrid", generateHybridIdentity],
])("knows %s keys as the library does", async (_name, generate) => {
  const identity = await generate();
  const recipient = await identityToRecipient(identity);
  new Encrypter().addRecipient(recipient);
  new Decrypter().addIdentity(identity);
  expect([isIdentity(identity), isRecipient(recipient)]).toEqual([true, true]);
  expect([isIdentity(recipient), isRecipient(identity)]).toEqual([false, false]);
});

test("refuses a key with a wrong letter, a cut one, another kind of text", async () => {
  const recipient = await identityToRecipient(await generateX25519Identity());
  const wrong = recipient.slice(0, -1) + (recipient.endsWith("q") ? "p" : "q");
  for (const text of [
    wrong,
    recipient.slice(0, -3),
    "",
    "age1",
    "ssh-ed25519 AAAA",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
  ]) {
    expect(isRecipient(text)).toBe(false);
    expect(isIdentity(text)).toBe(false);
  }
});
