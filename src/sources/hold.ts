import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { AppError } from "../core/errors.ts";

/**
 * The right to replace these paths, or whatever else these names stand for, for as long as this process lives and the right is not given back: a name that the
 * kernel gives to one process of this machine at a time. Rejects with `busy`.
 */
export async function takeHold(paths: readonly string[]): Promise<AsyncDisposable> {
  const held: Server[] = [];
  const release = async (): Promise<void> => {
    for (const server of held.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  try {
    for (const path of [...new Set(paths)].sort()) held.push(await take(path));
  } catch (error) {
    await release();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

async function take(path: string): Promise<Server> {
  // An abstract socket: it has no file, and is gone with its process.
  const name = `\0vakhta-replace-${createHash("sha256").update(path).digest("hex").slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? busy(path) : error));
  server.listen(name, resolve);
  await promise;
  server.unref();
  return server;
}

function busy(path: string): AppError {
  return new AppError("busy", `${path} is being replaced by another restore`, {
    permanent: false,
    context: { step: "preflight" },
    text: { key: "error-replace-target-busy", args: { target: path } },
  });
}
