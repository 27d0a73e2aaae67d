import type { TreeConfig } from "./schema.ts";

/** Beside what is picked, or the first path; a machine's settings in a folder that is nobody's. */
export function besideName(
  config: TreeConfig,
  { pick, stamp }: { readonly pick?: string; readonly stamp: string },
): string {
  const first = config.kind === "files" && config.via === undefined ? (pick ?? config.paths[0]) : undefined;
  return first === undefined || first === "/" ? `/var/tmp/restored-${stamp}` : `${first}.restored-${stamp}`;
}
