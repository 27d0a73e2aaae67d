import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs once before all tests: the programs that they need must be there, or it says how to install them. */
export function setup(): void {
  const bootstrap = fileURLToPath(new URL("../../scripts/bootstrap.mjs", import.meta.url));
  const result = spawnSync(process.execPath, [bootstrap, "test", "--check"], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr.trim() || `bootstrap ended with ${result.status}`);
}
