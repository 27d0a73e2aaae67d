import type { Manifest } from "../core/manifest.ts";
import type { Pin, Proof } from "../core/proof.ts";
import type { Text } from "../core/text.ts";
import type { Keys, Redis } from "./redis.ts";

/** What is known of one backup's copy in one storage. */
export interface CachedCopy {
  /** Without the rows and sizes of its tables: those of thousands of tables are not needed in a list. */
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  /** Bytes of the manifest: another size, or another time of writing, is another manifest. */
  readonly manifestBytes: number;
  /** What was counted in its tables, where any were. */
  readonly counted?: { readonly tables: number; readonly rows: number };
  /** Storage class of its parts, where the store tells. */
  readonly storageClass?: string;
  readonly proofs: readonly Proof[];
  /** What tells one proof file from another: size and time of its last change. */
  readonly proofMark?: string;
  readonly pin?: Pin;
  /** A part is missing there, or has another size than the manifest says: it is no sound copy. */
  readonly incomplete?: true;
  /** The proof beside it is of another manifest: this one is not what was written. */
  readonly altered?: true;
  /** When its manifest was written there, milliseconds since 1970, where the store tells. */
  readonly storedAt?: number;
}

/** When a storage was last looked into for a name, and how that ended. */
export interface CatalogueLook {
  readonly at: string;
  /** Why it could not be looked into; what is known of it is older then. `since`: the first failure in a row. */
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly text?: Text;
    readonly since?: string;
  };
  /** Beside `error`: when it was last looked into with success. */
  readonly seenAt?: string;
  /** Beside `error`: the manifest of the newest copy that is there and could not be looked at. */
  readonly unreadNewest?: string;
  /** What has happened there since could not be read: it is looked into anew at once. */
  readonly due?: true;
  /** How many manifests there make no sense. */
  readonly unreadable?: number;
  /** Key of the newest of these. */
  readonly unreadableNewest?: string;
}

/** Fields that are read or written at the same time: ten thousand at once would hold everybody else up. */
const batch = 500;

/**
 * The cached catalogue: what the storages hold, per storage and backup name, by folder. The storages are the truth: all
 * of this may vanish at any time and is then read anew.
 */
export class CatalogueCache {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The copies of a name in one storage, by folder. */
  async read(storage: string, name: string): Promise<Map<string, CachedCopy>> {
    const all = await this.#redis.hgetall(this.#key(storage, name));
    return new Map(Object.entries(all).map(([folder, copy]) => [folder, JSON.parse(copy) as CachedCopy]));
  }

  async readOne(storage: string, name: string, folder: string): Promise<CachedCopy | undefined> {
    const copy = await this.#redis.hget(this.#key(storage, name), folder);
    return copy === null ? undefined : (JSON.parse(copy) as CachedCopy);
  }

  /** Those of these folders that are known. */
  async readSome(storage: string, name: string, folders: readonly string[]): Promise<Map<string, CachedCopy>> {
    const found = new Map<string, CachedCopy>();
    for (let from = 0; from < folders.length; from += batch) {
      const some = folders.slice(from, from + batch);
      const copies = await this.#redis.hmget(this.#key(storage, name), ...some);
      for (const [index, copy] of copies.entries())
        if (copy !== null) found.set(some[index] ?? "", JSON.parse(copy) as CachedCopy);
    }
    return found;
  }

  /** Folders that are known, oldest first: their names begin with the time. */
  async folders(storage: string, name: string): Promise<string[]> {
    return (await this.#redis.hkeys(this.#key(storage, name))).sort();
  }

  async count(storage: string, name: string): Promise<number> {
    return await this.#redis.hlen(this.#key(storage, name));
  }

  async put(storage: string, name: string, copies: ReadonlyMap<string, CachedCopy>): Promise<void> {
    const failed = new Set([...copies].filter(([, { proofs }]) => proofs.some(({ ok }) => !ok)).map(([key]) => key));
    // Before the copies, and taken out of it after them: killed in between, none of them is missing from it.
    if (failed.size > 0) await this.#redis.sadd(this.#failed(), ...[...failed].map((folder) => `${storage} ${folder}`));
    const fields = [...copies].map(([folder, copy]): [string, string] => [folder, JSON.stringify(copy)]);
    for (let from = 0; from < fields.length; from += batch) {
      const some = fields.slice(from, from + batch);
      await this.#redis.hset(this.#key(storage, name), Object.fromEntries(some));
      const good = some.map(([folder]) => folder).filter((folder) => !failed.has(folder));
      if (good.length > 0) await this.#redis.srem(this.#failed(), ...good.map((folder) => `${storage} ${folder}`));
    }
  }

  async remove(storage: string, name: string, folders: readonly string[]): Promise<void> {
    for (let from = 0; from < folders.length; from += batch) {
      const some = folders.slice(from, from + batch);
      await this.#redis.hdel(this.#key(storage, name), ...some);
      await this.#redis.srem(this.#failed(), ...some.map((folder) => `${storage} ${folder}`));
    }
  }

  /** Copies with a proof that says that they did not hold, whatever later ones say; those of all storages and names. */
  async failed(): Promise<{ readonly storage: string; readonly name: string; readonly folder: string }[]> {
    const all = await this.#redis.smembers(this.#failed());
    return all.map((member) => {
      const [storage = "", folder = ""] = member.split(" ");
      return { storage, name: folder.slice(0, folder.indexOf("/")), folder };
    });
  }

  async readLook(storage: string, name: string): Promise<CatalogueLook | undefined> {
    const look = await this.#redis.hget(this.#keys.of("catalogue-looks"), `${storage}:${name}`);
    return look === null ? undefined : (JSON.parse(look) as CatalogueLook);
  }

  /** How these storages were last looked into for a name, in their order. */
  async readLooks(storages: readonly string[], name: string): Promise<(CatalogueLook | undefined)[]> {
    if (storages.length === 0) return [];
    const fields = storages.map((storage) => `${storage}:${name}`);
    const looks = await this.#redis.hmget(this.#keys.of("catalogue-looks"), ...fields);
    return looks.map((look) => (look === null ? undefined : (JSON.parse(look) as CatalogueLook)));
  }

  /** All looks, by storage and name. */
  async looks(): Promise<{ readonly storage: string; readonly name: string; readonly look: CatalogueLook }[]> {
    const all = await this.#redis.hgetall(this.#keys.of("catalogue-looks"));
    return Object.entries(all).map(([key, look]) => {
      const cut = key.lastIndexOf(":");
      return { storage: key.slice(0, cut), name: key.slice(cut + 1), look: JSON.parse(look) as CatalogueLook };
    });
  }

  /** Has it looked into anew at once. */
  async expireLook(storage: string, name: string): Promise<void> {
    const look = await this.readLook(storage, name);
    if (look) await this.writeLook(storage, name, { ...look, due: true });
  }

  async writeLook(storage: string, name: string, look: CatalogueLook): Promise<void> {
    await this.#redis.hset(this.#keys.of("catalogue-looks"), `${storage}:${name}`, JSON.stringify(look));
  }

  #failed(): string {
    return this.#keys.of("catalogue-failed");
  }

  #key(storage: string, name: string): string {
    return this.#keys.of("catalogue", storage, name);
  }
}
