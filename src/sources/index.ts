import { z } from "zod";
import { AppError } from "../core/errors.ts";
import { commandSource } from "./command/index.ts";
import { configSource, filesSource } from "./files/index.ts";
import { postgresSource } from "./postgres/index.ts";
import { redisSource } from "./redis/index.ts";
import { s3Source } from "./s3/index.ts";
import type { Source, SourceDeps, SourceKind } from "./types.ts";

/** Every kind of source: a new one is a folder beside this file and one line here. */
const kinds = [postgresSource, redisSource, commandSource, filesSource, configSource, s3Source] as const;

const byKind = new Map<string, SourceKind>();
for (const kind of kinds) {
  if (byKind.has(kind.kind)) throw new AppError("internal", `two sources are called ${kind.kind}`);
  byKind.set(kind.kind, kind);
}

/** Names of all kinds, for the suite that walks over them. */
export const sourceKinds: readonly string[] = [...byKind.keys()];

/** The configuration of a source of any kind. */
export const sourceSchema = z.discriminatedUnion("kind", [
  postgresSource.schema,
  redisSource.schema,
  commandSource.schema,
  filesSource.schema,
  configSource.schema,
  s3Source.schema,
]);
export type SourceConfig = z.output<typeof sourceSchema>;

/** The source that the configuration describes. Connects to nothing yet. */
export function createSource(config: SourceConfig, deps: SourceDeps): Source {
  return kindOf(config.kind).create(config, deps);
}

/** Loads what backups of these sources need. */
export async function loadKinds(sources: readonly Pick<SourceConfig, "kind">[]): Promise<void> {
  const kinds = new Set(sources.map(({ kind }) => kind));
  await Promise.all([...kinds].map(async (kind) => await findKind(kind)?.load?.()));
}

/** The kind with this name, if this version knows it. */
export function findKind(kind: string): SourceKind | undefined {
  return byKind.get(kind);
}

/** The kind with this name; a manifest says of which kind its backup is. */
export function kindOf(kind: string): SourceKind {
  const found = findKind(kind);
  if (found === undefined) throw new AppError("config", `there is no source of kind ${kind}`);
  return found;
}

/** Whether backups of a source can be restored into a private place, by its kind and what is configured of it. */
export function canTestRestore(kind: SourceKind, config: unknown): boolean {
  return kind.testRestore !== undefined && (kind.canTestRestore?.(config) ?? true);
}
