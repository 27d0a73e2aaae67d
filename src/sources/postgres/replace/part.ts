import { AppError } from "../../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";

/** The dump of the database that is meant. Throws `config` where a backup is of several and none of them is named. */
export function partOf(manifest: Manifest, only: string | undefined): ManifestPart {
  const parts = manifest.parts.filter(
    ({ role, database }) => role === "artifact" && (only === undefined || database === only),
  );
  const [part] = parts;
  if (part !== undefined && parts.length === 1 && (only !== undefined || manifest.source.databases === undefined))
    return part;
  const { id } = manifest;
  throw new AppError("config", `backup ${id} is of several databases: say which one is to be restored`, {
    text: { key: "error-replace-choose", args: { id } },
  });
}
