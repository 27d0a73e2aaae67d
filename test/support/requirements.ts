import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where clusters are kept of which the next ones are copies, and the password of all of them. */
    postgresTemplates: { readonly folder: string; readonly password: string };
  }
}

/** Runs once before all tests: the programs that they need must be there, or it says how to install them. */
export function setup({ provide }: TestProject): () => void {
  const bootstrap = fileURLToPath(new URL("../../scripts/bootstrap.mjs", import.meta.url));
  const result = spawnSync(process.execPath, [bootstrap, "test", "--check"], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr.trim() || `bootstrap ended with ${result.status}`);
  const folder = mkdtempSync(join(tmpdir(), "vakhta-templates-"));
  provide("postgresTemplates", { folder, password: randomBytes(18).toString("base64url") });
  return () => rmSync(folder, { recursive: true, force: true });
}
