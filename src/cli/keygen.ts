import { generateIdentity, recipientOf } from "../lib/crypto.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/**
 * `vakhta keygen`: a new pair of keys in the form of age's own `age-keygen`, so that `vakhta keygen > key.txt` makes
 * a key file which the `age` program reads.
 */
export async function keygen(terminal: Terminal): Promise<number> {
  const identity = await generateIdentity();
  terminal.out(`# public key: ${await recipientOf(identity)}`);
  terminal.out(identity);
  terminal.complain("keygen-advice");
  return exitCodes.ok;
}
