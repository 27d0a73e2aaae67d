import type { CachedCopy, CatalogueCache } from "../state/catalogue.ts";

/** What the catalogue is read from. */
export type CatalogueReads = Pick<
  CatalogueCache,
  "read" | "readOne" | "readSome" | "folders" | "count" | "readLook" | "readLooks"
>;

/**
 * Reads folders and copies once, however often they are asked for: for the length of one answer, which looks at the same
 * backups from several sides. Whatever else is asked goes to the cache. Memory: every copy that was asked for.
 */
export function remembered(cache: CatalogueReads): CatalogueReads {
  const folders = new Map<string, Promise<string[]>>();
  const copies = new Map<string, Promise<CachedCopy | undefined>>();
  const keyOf = (storage: string, folder: string): string => `${storage} ${folder}`;
  const readSome: CatalogueReads["readSome"] = async (storage, name, wanted) => {
    const unread = wanted.filter((folder) => !copies.has(keyOf(storage, folder)));
    if (unread.length > 0) {
      const read = cache.readSome(storage, name, unread);
      // Told to whoever waits for one of them.
      read.catch(() => undefined);
      for (const folder of unread) {
        const copy = read.then((found) => found.get(folder));
        copy.catch(() => undefined);
        copies.set(keyOf(storage, folder), copy);
      }
    }
    const found = new Map<string, CachedCopy>();
    for (const folder of wanted) {
      const copy = await copies.get(keyOf(storage, folder));
      if (copy !== undefined) found.set(folder, copy);
    }
    return found;
  };
  return {
    read: (storage, name) => cache.read(storage, name),
    count: (storage, name) => cache.count(storage, name),
    readLook: (storage, name) => cache.readLook(storage, name),
    readLooks: (storages, name) => cache.readLooks(storages, name),
    readOne: async (storage, name, folder) => (await readSome(storage, name, [folder])).get(folder),
    readSome,
    folders: async (storage, name) => {
      const key = keyOf(storage, name);
      const known = folders.get(key) ?? cache.folders(storage, name);
      folders.set(key, known);
      return [...(await known)];
    },
  };
}
