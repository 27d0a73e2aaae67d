import { chown, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A user and group by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Makes a folder for one server that nobody else may enter; short, because the path of a socket has 107 bytes at most. */
export async function makePrivateFolder(kind: string, owner?: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `vakhta-${kind}-`));
  if (owner) await chown(folder, owner.uid, owner.gid);
  return folder;
}

/** Removes a folder with all that is in it; one that is gone is fine. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** A TCP port on 127.0.0.1 that was free a moment ago, for servers that cannot choose one themselves. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    server.close(() => resolve(port));
  });
  return await promise;
}

/** Runs `start` with free ports until one of them was still free: another process may take it in between. */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await findFreePort());
    } catch (error) {
      const isTaken = error instanceof Error && /already in use/i.test(error.message);
      if (!isTaken || attempt === 5) throw error;
    }
  }
}
