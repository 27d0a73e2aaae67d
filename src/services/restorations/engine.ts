import { AppError } from "../../core/errors.ts";
import type { Manifest } from "../../core/manifest.ts";
import type { ReplacementLook } from "../../core/replacement.ts";
import type { Restoration } from "../../core/restoration.ts";
import { findKind } from "../../sources/index.ts";
import type { Beside, ReplacementOrder, Replacer } from "../../sources/replacement.ts";
import type { BackupReader } from "../../sources/types.ts";
import type { RestoreDeps } from "./deps.ts";
import { given } from "./ordering.ts";

/** What carries out one restore on its target: one of the two. */
export type Engine =
  | { readonly place: "in-place"; readonly replacer: Replacer }
  | { readonly place: "beside"; readonly beside: Beside };

type EngineDeps = Pick<RestoreDeps, "config" | "logger" | "redis">;

/** What carries it out, by the configuration as it is now. @throws AppError config when that can not do it any more. */
export function engineOf({ config, logger, redis }: EngineDeps, restoration: Restoration): Engine {
  const { id, name, kind, place, only, pick, method, to } = restoration;
  const settings = config.backups.find((candidate) => candidate.name === name);
  if (!settings) throw unconfigured(name);
  if (settings.source.kind !== kind) throw otherKind(name, kind, settings.source.kind);
  const found = findKind(kind);
  const order: ReplacementOrder = {
    id,
    ...given({ only, pick, method }),
    ownRunId: async () => /^run_id:(\w+)/m.exec(await redis.info("server"))?.[1],
    logger: logger.child({ restoration: id }),
  };
  const replacer = place === "in-place" ? found?.replacer?.(settings.source, order) : undefined;
  if (replacer) return { place: "in-place", replacer };
  const beside =
    place === "beside" && to !== undefined ? found?.beside?.(settings.source, { ...order, to }) : undefined;
  if (beside) return { place: "beside", beside };
  throw new AppError("config", `backups of kind ${kind} are not restored ${place}`, {
    text: { key: "restoration-reason-kind", args: { kind } },
  });
}

/** The same where what is replaced can be taken back. */
export function replacerOf(deps: EngineDeps, restoration: Restoration): Replacer {
  const engine = engineOf(deps, restoration);
  if (engine.place === "in-place") return engine.replacer;
  throw new AppError("internal", `restore ${restoration.id} replaces nothing`);
}

/** What is there now. Changes nothing. */
export async function lookWith(
  engine: Engine,
  manifest: Manifest,
  options: { readonly reader?: BackupReader; readonly signal: AbortSignal },
): Promise<ReplacementLook> {
  return await (engine.place === "in-place" ? engine.replacer : engine.beside).look(manifest, options);
}

function unconfigured(name: string): AppError {
  const text = { key: "error-backup-gone", args: { name } };
  return new AppError("config", `backup ${name} is no longer configured`, { text });
}

function otherKind(name: string, was: string, kind: string): AppError {
  const text = { key: "restoration-reason-other-kind", args: { was, kind } };
  return new AppError("config", `backup ${name} is of kind ${kind} now, no longer of ${was}`, { text });
}
