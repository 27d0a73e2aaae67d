import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { addAbortSignal } from "node:stream";
import { AppError } from "../../../core/errors.ts";
import { registerSecret } from "../../../lib/redaction.ts";
import type { BackupReader } from "../../types.ts";
import { type Info, keyspace } from "../info.ts";
import { load } from "../load.ts";
import { freePort, type PrivateServer, startPrivateServer } from "../server.ts";
import { RestoreGoal } from "../target.ts";

/** A private Redis that holds a snapshot, and that the live server can reach. */
export interface Sidecar extends AsyncDisposable {
  readonly server: PrivateServer;
  readonly address: string;
  readonly port: number;
  readonly password: string;
  /** As it was loaded, before anything could expire. */
  readonly loaded: Info;
  readonly entries: number | undefined;
}

export interface SidecarOptions {
  /** Of the inner folder with the snapshot. */
  readonly folder: string;
  /** Of this machine, as the live server sees it. */
  readonly address: string;
  readonly signal: AbortSignal;
  progress?(bytes: number): void;
}

/**
 * Those that wait between being prepared and the swap, by their folder: loading them once more would take as long again.
 * They end with this process.
 */
const waiting = new Map<string, Sidecar>();

/** Loads a backup, whose snapshot stays in the folder, or without one what is in the folder already. */
export async function startSidecar(reader: BackupReader | undefined, options: SidecarOptions): Promise<Sidecar> {
  const { folder, address } = options;
  const password = randomBytes(24).toString("hex");
  registerSecret(password);
  const listen = { address, port: await freePort(address), password };
  options.signal.throwIfAborted();
  // Its own, since it outlives the step that has started it.
  const stop = new AbortController();
  const abort = (): void => stop.abort(options.signal.reason);
  options.signal.addEventListener("abort", abort, { once: true });
  try {
    const started = { folder, listen, signal: stop.signal };
    const progress = (bytes: number): void => options.progress?.(bytes);
    const { server, entries } =
      reader === undefined
        ? { server: await startPrivateServer(started), entries: undefined }
        : await load(reader, { ...started, keep: true, progress });
    const end = () => server[Symbol.asyncDispose]();
    try {
      const loaded = await server.info();
      return { server, address, port: listen.port, password, loaded, entries, [Symbol.asyncDispose]: end };
    } catch (error) {
      await end();
      throw error;
    }
  } finally {
    options.signal.removeEventListener("abort", abort);
  }
}

/** Keeps one for the swap. */
export async function keep(folder: string, sidecar: Sidecar): Promise<void> {
  await dropKept(folder);
  waiting.set(folder, sidecar);
}

/** The one that was kept for this folder, if it was in this process and still runs. */
export async function takeKept(folder: string): Promise<Sidecar | undefined> {
  const found = waiting.get(folder);
  waiting.delete(folder);
  if (found === undefined) return undefined;
  const runs = await found.server.info().then(
    () => true,
    () => false,
  );
  if (runs) return found;
  await found[Symbol.asyncDispose]();
  return undefined;
}

export async function dropKept(folder: string): Promise<void> {
  const found = waiting.get(folder);
  waiting.delete(folder);
  await found?.[Symbol.asyncDispose]();
}

/** Lets the live server in with the name and password that it uses for its masters anyway. */
export async function letIn(
  { server }: Sidecar,
  { user, password }: { readonly user: string; readonly password: string },
  signal: AbortSignal,
): Promise<void> {
  const name = JSON.stringify(user === "" ? "default" : user);
  await new RestoreGoal(server.cli, signal).ask([`ACL SETUSER ${name} on ${JSON.stringify(`>${password}`)} ~* +@all`]);
}

/** Milliseconds for an answer of a server on this machine. */
const answerWithinMs = 30_000;

/**
 * The id under which a replica will know its data. A master chooses it when the first replica comes: so one comes that asks
 * for it and goes away.
 */
export async function replicationOf({ address, port, password }: Sidecar, signal: AbortSignal): Promise<string> {
  const socket = connect({ host: address, port });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
  try {
    socket.write(`AUTH ${password}\r\nREPLCONF capa eof capa psync2\r\n`);
    let said = "";
    let asked = false;
    for await (const chunk of addAbortSignal(limit, socket) as AsyncIterable<Buffer>) {
      said += chunk.toString("latin1");
      const id = /\+FULLRESYNC ([0-9a-f]{40})/.exec(said)?.[1];
      if (id !== undefined) return id;
      if (/^-/m.test(said)) break;
      // It is not listened to while an answer is still on its way.
      if (!asked && said === "+OK\r\n+OK\r\n") asked = socket.write("PSYNC ? -1\r\n");
    }
    throw new AppError("source-failed", "a private Redis does not replicate", {
      context: { step: "redis-server", stderr: said.slice(0, 500) },
      text: { key: "error-redis-private" },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    socket.destroy();
  }
}

/** The highest number of a database in it; -1 when it is empty. */
export function highestDatabase(info: Info): number {
  return Math.max(-1, ...keyspace(info).keys());
}
