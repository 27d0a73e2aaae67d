import { AppError } from "../../core/errors.ts";
import type { Manifest } from "../../core/manifest.ts";
import { recipientOf } from "../../lib/crypto.ts";

/**
 * The identity that opens a backup, among those that there are; undefined when it is not encrypted. Throws `encryption`
 * when there is none, or none that fits: before anything is read.
 */
export async function identityFor(manifest: Manifest, identities: readonly string[]): Promise<string | undefined> {
  const { encryption, id } = manifest;
  if (encryption === undefined) return undefined;
  if (identities.length === 0) {
    throw new AppError("encryption", `backup ${id} is encrypted: its private key (identity) is needed to read it`, {
      text: { key: "error-identity-needed", args: { run: id } },
    });
  }
  for (const identity of identities) if (encryption.recipients.includes(await recipientOf(identity))) return identity;
  const recipients = encryption.recipients.join(", ");
  throw new AppError("encryption", `the identity does not open backup ${id}: it is encrypted for ${recipients}`, {
    text: { key: "error-identity-other", args: { run: id, recipients } },
  });
}
