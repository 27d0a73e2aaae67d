import type { Config } from "../app/config.ts";
import type { BackupRun } from "../core/run.ts";
import { type Flaw, flawsIn } from "../core/soundness.ts";
import type { CachedCopy, CatalogueLook } from "../state/catalogue.ts";
import type { Verifications } from "../state/verifications.ts";
import { type CatalogueEntry, type CatalogueProblem, mergeCopies } from "./catalogue.ts";
import { type CatalogueReads, remembered } from "./remembered-catalogue.ts";

/** How a storage was last looked into. */
export interface CatalogueLookOf extends CatalogueLook {
  readonly storage: string;
}

/** The backups of a name, as far as they are known. */
export interface CatalogueList {
  /** Newest first. */
  readonly entries: readonly CatalogueEntry[];
  /** Copies that say something else than the others. */
  readonly conflicts: readonly CatalogueProblem[];
  /** Of each storage that was looked into for this name; what is missing has not been seen yet. */
  readonly looks: readonly CatalogueLookOf[];
}

/** What one storage holds of a name, by folder, and what speaks against its copies; the others are sound. */
export interface StorageCopies {
  readonly storage: string;
  readonly copies: ReadonlyMap<string, CachedCopy>;
  readonly flaws: ReadonlyMap<string, Flaw>;
}

interface CachedCatalogueDeps {
  readonly config: Pick<Config, "storages">;
  readonly cache: CatalogueReads;
  readonly verifications: Pick<Verifications, "suspicions">;
}

/**
 * The catalogue for those that open no storages: what the workers have read of them. It may be minutes old, and says
 * so; nothing is deleted or restored by it alone.
 */
export class CachedCatalogue {
  readonly #deps: CachedCatalogueDeps;
  readonly #cache: CatalogueReads;
  readonly #verifications: Pick<Verifications, "suspicions">;
  readonly #storages: readonly string[];

  constructor(deps: CachedCatalogueDeps, reads = deps.cache) {
    this.#deps = deps;
    this.#cache = reads;
    this.#verifications = deps.verifications;
    this.#storages = Object.keys(deps.config.storages);
  }

  /**
   * The same for the length of one answer: what it is asked for it reads once. A further one of it remembers copies for
   * itself alone, and knows already what is suspected.
   */
  forOneAnswer(): CachedCatalogue {
    const { config, cache, verifications } = this.#deps;
    let known: ReturnType<typeof verifications.suspicions> | undefined;
    const suspicions: typeof verifications.suspicions = async () => {
      known ??= verifications.suspicions();
      return await known;
    };
    return new CachedCatalogue({ config, cache, verifications: { suspicions } }, remembered(cache));
  }

  /** Every backup of a name. */
  async list(name: string): Promise<CatalogueList> {
    const looks = await Promise.all(
      this.#storages.map(async (storage) => ({ storage, copies: await this.#cache.read(storage, name) })),
    );
    const known = await Promise.all(this.#storages.map((storage) => this.#cache.readLook(storage, name)));
    return {
      ...mergeCopies(looks),
      looks: known.flatMap((look, index) => (look ? [{ storage: this.#storages[index] ?? "", ...look }] : [])),
    };
  }

  /** What each storage holds of a name. */
  async copies(name: string): Promise<StorageCopies[]> {
    return await this.#judge(name, async (storage) => await this.#cache.read(storage, name));
  }

  /** What each storage holds of a name, the newest `limit` of each. */
  async newestCopies(name: string, limit: number): Promise<StorageCopies[]> {
    return await this.#judge(name, async (storage) => {
      const folders = (await this.#cache.folders(storage, name)).slice(-limit);
      return await this.#cache.readSome(storage, name, folders);
    });
  }

  /** Reads copies and, beside them, those whose parts they need. */
  async #judge(
    name: string,
    read: (storage: string) => Promise<ReadonlyMap<string, CachedCopy>>,
  ): Promise<StorageCopies[]> {
    const suspicions = await this.#verifications.suspicions();
    const looks = await Promise.all(
      this.#storages.map(async (storage) => {
        const copies = await read(storage);
        const needed = new Set(
          [...copies.values()].flatMap(({ manifest }) => manifest.references.map((r) => r.folder)),
        );
        const rest = [...needed].filter((folder) => !copies.has(folder));
        return { storage, copies, needed: await this.#cache.readSome(storage, name, rest) };
      }),
    );
    const seen = looks.map(({ storage, copies, needed }) => ({ storage, copies: new Map([...needed, ...copies]) }));
    const flaws = flawsIn(seen, suspicions);
    return looks.map(({ storage, copies }) => ({ storage, copies, flaws: flaws.get(storage) ?? new Map() }));
  }

  /** Whether a storage was seen to hold a backup's manifest. */
  async holds(storage: string, name: string, folder: string): Promise<boolean> {
    return (await this.#cache.readOne(storage, name, folder)) !== undefined;
  }

  /** What each storage was seen to hold of one backup. */
  async copiesOf(name: string, folder: string): Promise<readonly (readonly [storage: string, copy: CachedCopy])[]> {
    const copies = await Promise.all(this.#storages.map((storage) => this.#cache.readOne(storage, name, folder)));
    return this.#storages.flatMap((storage, index) => {
      const copy = copies[index];
      return copy ? [[storage, copy] as const] : [];
    });
  }

  /** How many backups of a name each storage holds. */
  async counts(name: string): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(this.#storages.map((storage) => this.#cache.count(storage, name)));
    return new Map(this.#storages.map((storage, index) => [storage, counts[index] ?? 0]));
  }

  /** Whether a storage may hold what a run has stored there, since it was not looked into since then. */
  async mayHold(storage: string, run: BackupRun | undefined): Promise<boolean> {
    if (!run?.copies.some((copy) => copy.storage === storage && copy.status === "stored")) return false;
    const suspicions = await this.#verifications.suspicions();
    if (suspicions.some((one) => one.proven && one.storage === storage && one.folder === run.folder)) return false;
    const look = await this.look(storage, run.name);
    return (
      !look ||
      look.due === true ||
      look.error !== undefined ||
      Date.parse(look.at) <= Date.parse(run.finishedAt ?? run.createdAt)
    );
  }

  /** One page of the backups of a name, newest first, and how many there are, without reading the others. */
  async page(
    name: string,
    from: number,
    count: number,
  ): Promise<{ readonly total: number; readonly entries: readonly CatalogueEntry[] }> {
    const folders = (await this.#folders(name)).toSorted().toReversed();
    return { total: folders.length, entries: await this.#some(name, folders.slice(from, from + count)) };
  }

  /** One backup by the id of its run. */
  async find(name: string, id: string): Promise<CatalogueEntry | undefined> {
    const folders = (await this.#folders(name)).filter((folder) => folder.endsWith(`-${id}/`));
    return (await this.#some(name, folders))[0];
  }

  /** Folders of a name in any storage. */
  async #folders(name: string): Promise<string[]> {
    const all = await Promise.all(this.#storages.map(async (storage) => await this.#cache.folders(storage, name)));
    return [...new Set(all.flat())];
  }

  async #some(name: string, folders: readonly string[]): Promise<readonly CatalogueEntry[]> {
    const looks = await Promise.all(
      this.#storages.map(async (storage) => ({ storage, copies: await this.#cache.readSome(storage, name, folders) })),
    );
    return mergeCopies(looks).entries;
  }

  /** How these storages were last looked into for a name, in their order. */
  async looks(storages: readonly string[], name: string): Promise<(CatalogueLook | undefined)[]> {
    return await this.#cache.readLooks(storages, name);
  }

  /** How a storage was last looked into for a name; undefined: not yet. */
  async look(storage: string, name: string): Promise<CatalogueLook | undefined> {
    return await this.#cache.readLook(storage, name);
  }
}
