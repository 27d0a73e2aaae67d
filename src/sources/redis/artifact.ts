import { AppError } from "../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../core/manifest.ts";

/** The part that is the snapshot. Throws `manifest`. */
export function artifact(manifest: Manifest): ManifestPart {
  const part = manifest.parts.find(({ role }) => role === "artifact");
  if (part !== undefined) return part;
  throw new AppError("manifest", "the manifest names no snapshot", { text: { key: "error-manifest" } });
}
