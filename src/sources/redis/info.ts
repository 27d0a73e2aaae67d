/** What INFO says: `key:value` lines by key. */
export type Info = ReadonlyMap<string, string>;

/** Reads the answer to INFO; undefined when it is none (an error, which redis-cli prints like an answer). */
export function parseInfo(text: string): Info | undefined {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (!line.startsWith("#") && colon > 0) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info.has("redis_version") ? info : undefined;
}

/** Keys of every database that has any, by its number. */
export function keyspace(info: Info): ReadonlyMap<number, number> {
  const result = new Map<number, number>();
  for (const [key, value] of info) {
    const database = /^db(\d+)$/.exec(key)?.[1];
    const keys = /\bkeys=(\d+)/.exec(value)?.[1];
    if (database !== undefined && keys !== undefined) result.set(Number(database), Number(keys));
  }
  return result;
}

/** Keys of all databases. */
export function totalKeys(info: Info): number {
  return [...keyspace(info).values()].reduce((sum, keys) => sum + keys, 0);
}

/** "db0=5 db3=1", for the manifest. */
export function keyspaceText(info: Info): string {
  return [...keyspace(info)].map(([database, keys]) => `db${database}=${keys}`).join(" ");
}

/** Which server it is: Valkey calls itself Redis 7.2.4 for the sake of old clients. */
export function versionOf(info: Info): { readonly product: "Redis" | "Valkey"; readonly version: string } {
  const valkey = info.get("valkey_version");
  if (valkey !== undefined) return { product: "Valkey", version: valkey };
  return { product: "Redis", version: info.get("redis_version") ?? "" };
}

/** Major and minor version as one number that can be compared: 7.2.4 is 7002. NaN for what is no version. */
export function release(version: string): number {
  const [major, minor] = version.split(".").map(Number);
  return (major ?? Number.NaN) * 1000 + (minor ?? Number.NaN);
}

/** The version of snapshots that a release of Redis writes; releases to come count as newer than all known ones. */
export function snapshotVersion(version: string): number {
  const number = release(version);
  if (number < 5000) return 8;
  if (number < 7000) return 9;
  if (number < 7002) return 10;
  if (number < 7004) return 11;
  return number <= 8000 ? 12 : number;
}
