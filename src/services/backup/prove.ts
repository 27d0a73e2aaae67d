import { type AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, neededBytes } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import type { Depth, Proof } from "../../core/proof.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact } from "../../lib/redaction.ts";
import { canTestRestore, findKind, type SourceConfig } from "../../sources/index.ts";
import type { RestoreReport } from "../../sources/types.ts";
import type { Storage } from "../../storages/types.ts";
import { identityFor } from "./identity.ts";
import { openBackup } from "./reader.ts";
import { runError } from "./run-error.ts";
import { filled, isFull, makeScratch, requireRoom, unpackedBytes } from "./scratch.ts";
import { verifyReadable, verifyStored } from "./verify.ts";

/** One look at one copy. */
export interface ProveOrder {
  readonly storage: Storage;
  readonly manifest: Manifest;
  readonly depth: Depth;
  /** The source of that name as it is configured now; one of another kind counts for nothing. */
  readonly config?: SourceConfig | undefined;
  /** age identities; without any an encrypted backup can only be looked at as it is stored. */
  readonly identities?: readonly string[] | undefined;
  /** `id`: letters and digits. `server`: for test-restores, where one is configured. `root`: for scratch folders. */
  readonly scratch: { readonly id: string; readonly server?: string | undefined; readonly root?: string | undefined };
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly observer?: ProveObserver;
}

export interface ProveObserver {
  /** Awaited before the look at this depth begins. */
  depth(depth: Depth): Promise<void>;
  /** Stored bytes read so far, of those that the backup has. */
  progress(bytes: number, total: number): void;
}

/** How deep a look can go here, and why not deeper. */
export interface Reach {
  readonly depth: Depth;
  readonly because?: Text;
}

/** How deep a look at this backup can go at most, of what is wanted. */
export function reachOf(
  manifest: Manifest,
  wanted: Depth,
  { identities = [], config }: Pick<ProveOrder, "identities" | "config">,
): Reach {
  if (wanted === "stored") return { depth: wanted };
  const kind = findKind(manifest.kind);
  if (kind === undefined)
    return { depth: "stored", because: { key: "verify-because-kind", args: { kind: manifest.kind } } };
  if (manifest.encryption !== undefined && identities.length === 0)
    return { depth: "stored", because: { key: "verify-because-identity" } };
  if (wanted === "readable" || canTestRestore(kind, sameKind(manifest, config))) return { depth: wanted };
  return {
    depth: "readable",
    because: { key: `verify-because-${manifest.kind === "command" ? "command" : "no-test"}` },
  };
}

function sameKind(manifest: Manifest, config: SourceConfig | undefined): SourceConfig | undefined {
  return config?.kind === manifest.kind ? config : undefined;
}

/**
 * Looks at a copy as deep as it can, at most as deep as wanted. Resolves with what it found, good or bad. Rejects when
 * that could not be told: storage or scratch server out of reach, a tool missing, no identity that fits, no room, aborted;
 * nothing is said against the backup then. Whatever happens, nothing of it is left behind.
 */
export async function prove(order: ProveOrder): Promise<Proof> {
  const { manifest, depth: wanted, clock, host } = order;
  const reach = reachOf(manifest, wanted, order);
  const identity = reach.depth === "stored" ? undefined : await identityFor(manifest, order.identities ?? []);
  const begin = performance.now();
  const base = (): Pick<Proof, "depth" | "wanted" | "because" | "at" | "host" | "elapsedMs"> => ({
    depth: reach.depth,
    ...(reach.because ? { wanted, because: reach.because } : {}),
    at: clock.now().toISOString(),
    host,
    elapsedMs: Math.round(performance.now() - begin),
  });
  try {
    await order.observer?.depth(reach.depth);
    const report = await look({ ...order, identity }, reach.depth);
    order.signal.throwIfAborted();
    return {
      ...base(),
      ok: (report?.differencesTotal ?? 0) === 0,
      ...(report ? reportOf(report) : compared(manifest)),
    };
  } catch (error) {
    if (order.signal.aborted) throw toAppError(order.signal.reason);
    const reason = await deeperReason(order, reach.depth, toAppError(error));
    if (!isVerdict(reason)) throw reason;
    return { ...base(), ok: false, error: errorOf(reason) };
  }
}

/** With the identity that the backup is encrypted for. */
type Unlocked = ProveOrder & { readonly identity: string | undefined };

async function look(order: Unlocked, depth: Depth): Promise<RestoreReport | undefined> {
  const { storage, manifest, identity, signal, config } = order;
  const total = neededBytes(manifest);
  let read = 0;
  const onBytes = (bytes: number): void => {
    read += bytes;
    order.observer?.progress(Math.min(read, total), total);
  };
  if (depth === "stored") await verifyStored(storage, manifest, { signal, onBytes });
  else if (depth === "readable")
    await verifyReadable(storage, manifest, { signal, onBytes, identity, config: sameKind(manifest, config) });
  else return await testRestore(order, onBytes);
  return undefined;
}

async function testRestore(order: Unlocked, onBytes: (bytes: number) => void): Promise<RestoreReport> {
  const { storage, manifest, identity, signal, scratch, logger } = order;
  const kind = findKind(manifest.kind);
  const { root, server, id } = scratch;
  await using folder = await makeScratch(id, root);
  // How much room there is on a server of somebody else's nobody can tell.
  if (server === undefined) await requireRoom(folder.path, kind?.scratchBytes?.(manifest) ?? unpackedBytes(manifest));
  const checked = new Set<string>();
  const onChecked = (key: string): void => void checked.add(key);
  const reader = openBackup(storage, manifest, { identity, signal, onBytes, onChecked });
  const options = { folder: folder.path, id, signal, logger, ...(server === undefined ? {} : { server }) };
  try {
    const report = await kind?.testRestore?.(reader, options, sameKind(manifest, order.config));
    if (report === undefined) throw new Error(`sources of kind ${manifest.kind} are not test-restored`);
    // What the restore had no need of is part of the backup all the same.
    await verifyStored(storage, manifest, { signal, onBytes }, checked);
    return report;
  } catch (error) {
    // A full disk says nothing against the backup, whatever it made the programs say.
    if (isVerdict(toAppError(error)) && (await isFull(folder.path))) throw filled(folder.path, error);
    throw error;
  }
}

/** Programs that make the place in which a backup is looked at, and read nothing of it. */
const placeMakers = ["initdb", "postgres", "setpriv", "test"];

/**
 * What speaks against the backup, rather than against the place where it was looked at: a program that was killed (out
 * of memory?), a server that did not start or has no memory for it is such a place.
 */
export function isVerdict({ code, permanent, text, context }: AppError): boolean {
  if (code === "manifest") return text?.key !== "error-manifest-newer";
  if (code === "encryption" || code === "storage-mismatch" || code === "not-found") return true;
  if (code === "source-failed") return permanent;
  if (code !== "tool-failed" || text?.key === "error-tool-slow") return false;
  return String(context.exit).startsWith("exit status") && !placeMakers.includes(String(context.step));
}

/** A program that stumbles over a damaged byte tells its own story: what is stored there tells the true one. */
async function deeperReason(
  { storage, manifest, signal }: ProveOrder,
  depth: Depth,
  reason: AppError,
): Promise<AppError> {
  const tellsNothing = ["internal", "source-failed", "tool-failed"].includes(reason.code);
  if (depth === "stored" || (!tellsNothing && !isVerdict(reason))) return reason;
  if (reason.code === "storage-mismatch" || reason.code === "not-found") return reason;
  try {
    await verifyStored(storage, manifest, { signal });
    return reason;
  } catch (error) {
    signal.throwIfAborted();
    const found = toAppError(error);
    return isVerdict(found) ? found : reason;
  }
}

function errorOf(error: AppError): NonNullable<Proof["error"]> {
  const { code, message, text, stderr } = runError(error, "verify");
  const last = stderr?.split("\n").findLast((line) => line.trim() !== "");
  return {
    code,
    message: last === undefined || message.includes(last) ? message : `${message}: ${last}`,
    ...(text ? { text } : {}),
    ...(typeof error.context.key === "string" ? { object: error.context.key } : {}),
  };
}

function reportOf({
  restoreMs,
  compared: what,
  differences,
  differencesTotal,
  remarks,
}: RestoreReport): Partial<Proof> {
  return {
    restoreMs,
    compared: { ...what },
    ...(differencesTotal === 0 ? {} : { differencesTotal, differences: differences.map(redactedDifference) }),
    ...(remarks === undefined || remarks.length === 0 ? {} : { remarks: [...remarks] }),
  };
}

function redactedDifference({ what, expected, found }: RestoreReport["differences"][number]) {
  return { what: redact(what), expected: redact(expected), found: redact(found) };
}

function compared(manifest: Manifest): Pick<Proof, "compared"> {
  return { compared: { objects: manifest.parts.length + manifest.references.length, bytes: neededBytes(manifest) } };
}
