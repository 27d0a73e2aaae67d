import { z } from "zod";
import { AppError } from "../core/errors.ts";
import { localStorage } from "./local/index.ts";
import { s3Storage } from "./s3/index.ts";
import type { Storage, StorageDeps, StorageKind } from "./types.ts";

/** Every kind of storage: a new one is a folder beside this file, named here and in the schema below. */
const kinds = [localStorage, s3Storage] as const;

const byKind = new Map<string, StorageKind>();
for (const kind of kinds) {
  if (byKind.has(kind.kind)) throw new AppError("internal", `two storages are called ${kind.kind}`);
  byKind.set(kind.kind, kind);
}

/** Names of all kinds, for the suite that walks over them. */
export const storageKinds: readonly string[] = [...byKind.keys()];

/** The configuration of a storage of any kind. */
export const storageSchema = z.discriminatedUnion("kind", [localStorage.schema, s3Storage.schema]);
export type StorageConfig = z.output<typeof storageSchema>;

/** The storage called `name`. Connects to nothing yet. */
export function createStorage(name: string, config: StorageConfig, deps: StorageDeps): Storage {
  return kindOf(config).create(name, config, deps);
}

/** Where a storage is, for a person, from its settings alone. */
export function describeStorage(config: StorageConfig): string {
  return kindOf(config).describe(config);
}

function kindOf({ kind }: StorageConfig): StorageKind {
  const found = byKind.get(kind);
  if (found === undefined) throw new AppError("config", `there is no kind of storage called ${kind}`);
  return found;
}
