import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";

const prefix = "vakhta-restore-redis-";

/** A temporary folder that only this user can read. Its name says whose it is, for the case that this process is killed. */
export async function privateFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  await removeLeftovers();
  const owner = encodeURIComponent(processIdentity());
  const path = await mkdtemp(join(tmpdir(), `${prefix}${owner}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Removes the folders of processes that were killed: a snapshot in them is as large as the data. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const owner = decodeURIComponent(name.slice(prefix.length, name.lastIndexOf("-")));
    if (hasEnded(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
