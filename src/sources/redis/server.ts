import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { AppError, toAppError } from "../../core/errors.ts";
import { converse } from "../../lib/process.ts";
import type { Info } from "./info.ts";
import { askInfo } from "./inspect.ts";
import { type Cli, cliFor, serverCommand } from "./tools.ts";

export const snapshotFile = "dump.rdb";
const logLines = 20;
/** As many as anybody uses; a snapshot with a database beyond these would not be loaded. */
const databases = 1024;

export interface PrivateServerOptions {
  /** Where the snapshot lies, as `snapshotFile`. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Bytes of memory that its data will need, as far as that is known. */
  readonly memory?: number | undefined;
  /** Where it can be reached besides its socket, by whoever knows the password. */
  readonly listen?: { readonly address: string; readonly port: number; readonly password: string };
}

/** A Redis of its own that has loaded a snapshot, keeps nothing on disk and is reached by a socket in its folder. */
export interface PrivateServer extends AsyncDisposable {
  readonly cli: Cli;
  info(): Promise<Info>;
}

/**
 * Starts a Redis that loads the snapshot of a folder, and waits until it is there. It begins as a replica of nobody, so
 * that no key expires while it is counted: `REPLICAOF NO ONE` makes it a master. Fails with `source-failed`.
 */
export async function startPrivateServer(options: PrivateServerOptions): Promise<PrivateServer> {
  const { folder, listen, memory } = options;
  if (memory !== undefined) await requireMemory(memory);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  // Of its own: a killed worker's server, when it ends at last, removes the one that it has made there.
  const socket = `redis-${randomBytes(4).toString("hex")}.sock`;
  const server = converse(serverCommand(folder), { signal });
  server.stdin.end(settings(options, socket));
  const end = async (): Promise<void> => {
    stop.abort(new AppError("interrupted", "the private Redis was ended", { permanent: false }));
    await server.done.catch(() => undefined);
  };
  try {
    await untilReady(server.stdout, server.done);
  } catch (error) {
    await end();
    throw error;
  }
  const password = listen?.password;
  const address = { user: undefined, password, tls: false, socket, host: "", port: 0, name: join(folder, socket) };
  const cli = cliFor(address, { cwd: folder });
  return { cli, info: () => askInfo(cli, signal), [Symbol.asyncDispose]: end };
}

function settings({ folder, listen }: PrivateServerOptions, socket: string): string {
  const lines = [
    ...(listen === undefined
      ? ["port 0"]
      : [`port ${listen.port}`, `bind ${listen.address}`, `requirepass ${listen.password}`]),
    // Relative, since a socket's path may have 107 bytes at most.
    `unixsocket ${socket}`,
    "unixsocketperm 700",
    `dir ${JSON.stringify(folder)}`,
    `dbfilename ${snapshotFile}`,
    `databases ${databases}`,
    'save ""',
    "appendonly no",
    "daemonize no",
    "protected-mode no",
    "repl-diskless-sync yes",
    "repl-diskless-sync-delay 0",
    // Its data keep their id, however long its replicas are gone.
    "repl-backlog-ttl 0",
    // Port 1 answers nowhere: a replica keeps expired keys until its master removes them.
    "replicaof 127.0.0.1 1",
  ];
  return `${lines.join("\n")}\n`;
}

/** Follows the server's log until it accepts connections, and goes on reading so that it can go on writing. */
async function untilReady(stdout: Readable, done: Promise<unknown>): Promise<void> {
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  let rest = "";
  stdout.setEncoding("utf8");
  stdout.on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    lines.splice(0, lines.length - logLines);
    if (parts.some((line) => /ready to accept connections/i.test(line))) ready.resolve();
  });
  const log = () => lines.map((line) => line.replace(/^\d+:\w /, "")).join("\n");
  const ended = done.then(
    () => Promise.reject(notStarted(log())),
    (error: unknown) => Promise.reject(notStarted(log(), toAppError(error))),
  );
  await Promise.race([ready.promise, ended]);
}

function notStarted(log: string, cause?: AppError): AppError {
  if (cause !== undefined && cause.code !== "tool-failed") return cause;
  const lines = log.split("\n");
  const line = lines.findLast((text) => /error|fatal|fail|can't|unable|short read/i.test(text)) ?? lines.at(-1) ?? "";
  const reason = line.replace(/^.*?\d\.\d{3} [#*] /, "");
  return new AppError("source-failed", `a private Redis did not load the snapshot: ${reason}`, {
    context: { ...cause?.context, step: "redis-server", stderr: log },
    text: { key: "error-redis-private" },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A test must not bring down what else runs on this machine: out of memory, the kernel would choose whom to kill. */
async function requireMemory(needed: number): Promise<void> {
  const text = await memoryShortage(needed);
  if (text === undefined) return;
  const { needed: wanted, available } = text.args;
  const message = `a private Redis would need ${wanted} MiB of memory, and ${available} MiB are free here`;
  throw new AppError("source-failed", message, { permanent: false, context: { step: "redis-server" }, text });
}

/** What to say where a private Redis would not find so many bytes of memory on this machine. */
export async function memoryShortage(
  needed: number,
): Promise<
  { readonly key: string; readonly args: { readonly needed: number; readonly available: number } } | undefined
> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
  if (!(needed > available)) return undefined;
  const mebibytes = (bytes: number) => Math.ceil(bytes / 1024 ** 2);
  return { key: "error-redis-memory", args: { needed: mebibytes(needed), available: mebibytes(available) } };
}

/** A port of this address that nobody uses at the moment. */
export async function freePort(address: string): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, address, resolve);
  await promise;
  const bound = server.address();
  await new Promise((closed) => server.close(closed));
  if (bound === null || typeof bound === "string") throw new AppError("internal", "a server without a port");
  return bound.port;
}
