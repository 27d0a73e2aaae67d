import type { Config } from "../app/config.ts";
import { type AppError, toAppError } from "../core/errors.ts";
import { manifestFile } from "../core/manifest.ts";
import type { Clock } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { redact } from "../lib/redaction.ts";
import type { Producer } from "../queue/producer.ts";
import type { CachedCopy, CatalogueCache, CatalogueLook } from "../state/catalogue.ts";
import type { Storage } from "../storages/types.ts";
import { AuditNotes, type AuditNotesDeps } from "./audit/notes.ts";
import { type GoneDeps, recordGone } from "./backup/gone.ts";
import { type CatalogueProblem, lookInto, ownKey } from "./catalogue.ts";
import { enqueueAnew, hostOfCopies } from "./places.ts";

/** What is known is read anew after this time; milliseconds. */
export const refreshAfterMs = 10 * 60_000;
/** After a look that failed sooner; milliseconds. */
const retryAfterMs = 60_000;

export interface CatalogueKeeperDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly catalogueCache: CatalogueCache;
  readonly runs: GoneDeps["runs"];
  readonly audit: AuditNotesDeps["audit"];
  storage(name: string): Promise<Storage>;
}

/** Keeps the cached catalogue like the storages that this worker can reach. */
export class CatalogueKeeper {
  readonly #deps: CatalogueKeeperDeps;
  readonly #notes: AuditNotes;

  constructor(deps: CatalogueKeeperDeps) {
    this.#deps = deps;
    this.#notes = new AuditNotes(deps);
  }

  /**
   * Looks into a storage, for one name or for all, and records what is new, what has changed and what is gone. Of a name
   * whose copies could not all be looked at nothing is gone by that look; it rejects with the reason.
   */
  async refresh(storageName: string, name: string | undefined, signal: AbortSignal): Promise<{ backups: number }> {
    const { catalogueCache: cache, config, clock } = this.#deps;
    const names = new Set(name === undefined ? namesIn(config, storageName) : [name]);
    if (name === undefined)
      for (const seen of await cache.looks()) if (seen.storage === storageName) names.add(seen.name);
    const at = clock.now().toISOString();
    const known = new Map<string, CachedCopy>();
    for (const each of names) for (const [folder, copy] of await cache.read(storageName, each)) known.set(folder, copy);
    let found: Awaited<ReturnType<typeof lookInto>>;
    try {
      const storage = await this.#deps.storage(storageName);
      found = await lookInto(storage, known, { signal, ...(name === undefined ? {} : { name }) });
    } catch (error) {
      found = {
        copies: new Map(),
        problems: [{ storage: storageName, error: toAppError(error) }],
        removing: [],
        orphans: [],
        notes: [],
      };
    }
    signal.throwIfAborted();
    const failures = found.problems.filter(({ key }) => key === undefined);
    const unread = failures.flatMap((failure) => failure.unread ?? []);
    for (const at of [...found.copies.keys(), ...unread]) names.add(nameOf(at));
    for (const each of names) {
      const own = (at: string): boolean => nameOf(at) === each;
      const doubts = doubtsOf(found.problems, own);
      await this.#record(storageName, each, filter(known, own), filter(found.copies, own), doubts);
      const before = doubts.failed && (await cache.readLook(storageName, each));
      await cache.writeLook(storageName, each, lookOf(at, doubts, before));
    }
    const unlisted = failures.find((failure) => failure.unread === undefined);
    if (unlisted) throw unlisted.error;
    await this.#notes.take(await this.#deps.storage(storageName), found.notes, signal);
    if (failures[0]) throw failures[0].error;
    return { backups: found.copies.size };
  }

  /**
   * Reads one backup's copy anew: it was made, copied, proven, pinned. Gone, or with a manifest that makes no sense: it is
   * forgotten. One that could not be read at this moment stays as it was known.
   */
  async note(storageName: string, folder: string, signal: AbortSignal): Promise<void> {
    const { catalogueCache: cache } = this.#deps;
    const name = nameOf(folder);
    const storage = await this.#deps.storage(storageName);
    const { copies, problems } = await lookInto(storage, new Map(), { folder, signal });
    const [problem] = problems;
    if (problem?.key !== undefined) await cache.remove(storageName, name, [folder]);
    if (problem) throw problem.error;
    if (copies.size > 0) await cache.put(storageName, name, copies);
    else await cache.remove(storageName, name, [folder]);
  }

  /** As `note`, where a failure changes nothing of what was done: the next look makes up for it. */
  async noteSoon(storageName: string, folder: string): Promise<void> {
    try {
      await this.note(storageName, folder, AbortSignal.timeout(noteMs));
    } catch (error) {
      const { message } = toAppError(error);
      this.#deps.logger.warn({ storage: storageName, folder, error: message }, "not noted in the catalogue yet");
      await this.#deps.catalogueCache.expireLook(storageName, nameOf(folder)).catch(() => undefined);
    }
  }

  /** Copies that the retention has deleted. */
  async forget(storageName: string, name: string, folders: readonly string[]): Promise<void> {
    await this.#deps.catalogueCache.remove(storageName, name, folders);
    await recordGone(this.#deps, storageName, folders, { pruned: true });
  }

  /**
   * What was noted while the listing was under way is newer than the listing: what is not in it and was not known
   * before stays, and so does what has changed since.
   */
  async #record(
    storage: string,
    name: string,
    known: ReadonlyMap<string, CachedCopy>,
    found: ReadonlyMap<string, CachedCopy>,
    { isWhole, unsure }: Doubts,
  ): Promise<void> {
    const { catalogueCache: cache } = this.#deps;
    const isSame = (a: CachedCopy | undefined, b: CachedCopy | undefined): boolean =>
      JSON.stringify(a) === JSON.stringify(b);
    const changed = [...found].filter(([folder, copy]) => !isSame(known.get(folder), copy));
    const now = await cache.readSome(
      storage,
      name,
      changed.map(([folder]) => folder),
    );
    await cache.put(storage, name, new Map(changed.filter(([folder]) => isSame(now.get(folder), known.get(folder)))));
    if (!isWhole) return;
    const gone = [...known.keys()].filter((folder) => !found.has(folder) && !unsure.has(folder));
    await cache.remove(storage, name, gone);
    await recordGone(this.#deps, storage, gone);
  }
}

/** Milliseconds for a look into one backup's folder. */
const noteMs = 30_000;

/** Backup names that have copies in a storage by the configuration. */
function namesIn({ backups }: Pick<Config, "backups">, storage: string): string[] {
  return backups.filter(({ storages }) => storages.includes(storage)).map(({ name }) => name);
}

/** What a look has not told of a name. */
interface Doubts {
  /** The list of what is there was read to its end. */
  readonly isWhole: boolean;
  /** Why not all of it could be seen. */
  readonly failed: AppError | undefined;
  /** Keys of manifests that make no sense, oldest first. */
  readonly unreadable: readonly string[];
  /** Keys of the manifests of copies that could not be looked at, oldest first. */
  readonly unread: readonly string[];
  /** Folders that are in the list and could not be read: only a list without them says that they are gone. */
  readonly unsure: ReadonlySet<string>;
}

function doubtsOf(problems: readonly CatalogueProblem[], isOwn: (key: string) => boolean): Doubts {
  const own = problems.filter(({ unread, key = unread }) => key === undefined || isOwn(key));
  const readable = own.filter(({ error }) => !isNonsense(error));
  return {
    isWhole: own.every(({ unread, key = unread }) => key !== undefined),
    failed: own.find(({ key }) => key === undefined)?.error,
    unreadable: own.flatMap(({ key }) => key ?? []).toSorted(),
    unread: own.flatMap(({ unread }) => unread ?? []).toSorted(),
    unsure: new Set(readable.flatMap(({ unread, key = unread }) => key?.slice(0, -manifestFile.length) ?? [])),
  };
}

/** A manifest that was read, and is none: the copy it was of is none either. */
function isNonsense({ code }: AppError): boolean {
  return code === "manifest";
}

/** The name of a backup by its folder or by a key in it. */
function nameOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

function filter<T>(map: ReadonlyMap<string, T>, keep: (key: string) => boolean): Map<string, T> {
  return new Map([...map].filter(([key]) => keep(key)));
}

function lookOf(at: string, { failed, unreadable, unread }: Doubts, before: CatalogueLook | undefined): CatalogueLook {
  const [newest, unreadNewest] = [unreadable.at(-1), unread.at(-1)];
  const rest = newest === undefined ? {} : { unreadable: unreadable.length, unreadableNewest: newest };
  if (!failed) return { at, ...rest };
  const { code, message, text } = failed;
  const seen = before?.error ? before.seenAt : before?.at;
  return {
    at,
    error: { code, message: redact(message), ...(text ? { text } : {}), since: before?.error?.since ?? at },
    ...(seen === undefined ? {} : { seenAt: seen }),
    ...(unreadNewest === undefined ? {} : { unreadNewest }),
    ...rest,
  };
}

export interface CatalogueDueDeps {
  readonly config: Pick<Config, "backups" | "storages">;
  readonly clock: Clock;
  readonly catalogueCache: CatalogueCache;
  readonly producer: Producer;
}

/** Has every storage looked into again whose last look is too old, or of which nothing is known: Redis was emptied. */
export async function refreshCatalogue(deps: CatalogueDueDeps, afterMs = refreshAfterMs): Promise<string[]> {
  const { config, clock, catalogueCache, producer } = deps;
  const now = clock.now().getTime();
  const looks = new Map((await catalogueCache.looks()).map(({ storage, name, look }) => [`${storage}:${name}`, look]));
  const isDue = (storage: string, name: string): boolean => {
    const look = looks.get(`${storage}:${name}`);
    if (!look || look.due) return true;
    const age = now - Date.parse(look.at);
    // A clock that was set back must not stop it.
    return age < 0 || age >= Math.min(look.error ? retryAfterMs : refreshAfterMs, afterMs);
  };
  const asked: string[] = [];
  for (const storage of Object.keys(config.storages)) {
    const names = namesIn(config, storage);
    if (!names.some((name) => isDue(storage, name))) continue;
    const hosts = new Set(names.map((name) => hostOfCopies(config, storage, name)));
    // Several workers may have a disk under the same name: each looks for its own backups then.
    const looks = hosts.size === 1 ? [{ storage }] : names.map((name) => ({ storage, name }));
    for (const look of looks) {
      const name = "name" in look ? look.name : undefined;
      const id = name === undefined ? `catalogue.${storage}` : `catalogue.${storage}.${name}`;
      const host = name === undefined ? [...hosts][0] : hostOfCopies(config, storage, name);
      if (await enqueueAnew(producer, "catalogue", look, { id, host })) asked.push(id);
    }
  }
  return asked;
}

/** True for what is ours below a storage's prefix; everything else is never touched. */
export function isOurs(key: string): boolean {
  return ownKey(key) !== undefined;
}
