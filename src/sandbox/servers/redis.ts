import { makePrivateFolder, removeFolder, withFreePort } from "./private-folder.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** What may be chosen about a private Redis. */
export interface RedisServerOptions {
  /** Whether the data survive `restart()` and `kill()` (an append-only file); true unless told. */
  readonly appendOnly?: boolean;
  /** `noeviction` unless told: what queues need. */
  readonly maxMemoryPolicy?: string;
  /** Further settings, such as `{ "client-query-buffer-limit": "1mb" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A private Redis on a free port of 127.0.0.1, in a temporary folder. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly url: string;
  /** Ends it in order, if it runs, and starts it again on the same port. */
  restart(): Promise<void>;
  /** Ends it at once, as `kill -9` does; `restart()` brings it back. */
  kill(): Promise<void>;
  /** The server's process: another one after a restart. */
  pid(): number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a private Redis. Throws when `redis-server` is missing or does not start. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { appendOnly = true, maxMemoryPolicy = "noeviction", settings = {} } = options;
  const folder = await makePrivateFolder("redis");
  const start = (port: number) => {
    const all = {
      port: String(port),
      bind: "127.0.0.1",
      dir: folder,
      save: "",
      appendonly: appendOnly ? "yes" : "no",
      "maxmemory-policy": maxMemoryPolicy,
      ...settings,
    };
    return startServerProcess({
      command: "redis-server",
      args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
      cwd: folder,
      ready: /Ready to accept connections/,
      stopSignal: "SIGTERM",
      folder,
    });
  };
  let port = 0;
  let process: ServerProcess;
  try {
    process = await withFreePort((free) => {
      port = free;
      return start(free);
    });
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
  const stop = async () => {
    await process.stop("SIGKILL");
    await removeFolder(folder);
  };
  return {
    port,
    folder,
    url: `redis://127.0.0.1:${port}/0`,
    async restart() {
      await process.stop();
      process = await start(port);
    },
    kill: () => process.stop("SIGKILL"),
    pid: () => process.pid,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
