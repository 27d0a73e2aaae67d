import { z } from "zod";
import { AppError } from "../core/errors.ts";
import { localStorage } from "./local/index.ts";
import { s3Storage } from "./s3/index.ts";
import type { Storage, StorageDeps, StorageKind } from "./types.ts";

/** Every kind of storage: a new one is a folder beside this file and one line here. */
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
  const kind = byKind.get(config.kind);
  if (kind === undefined) throw new AppError("config", `storage ${name}: there is no kind ${config.kind}`);
  return kind.create(name, config, deps);
}
