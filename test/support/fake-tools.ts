import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "../../src/lib/environment.ts";

/** The path of a program that the tests need. */
export function toolPath(name: string): string {
  const path = findTool(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** A program that runs this shell script; resolves with its path. */
export function scriptIn(folder: string, name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/**
 * A folder of redis-cli and redis-check-rdb in which one misbehaves: `script` is the body of a shell script, in which
 * `real` is the genuine program. Of redis-cli only the transfer of a snapshot misbehaves.
 */
export function misbehavingRedisTools(folder: string, script: string, program = "redis-cli"): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["redis-cli", "redis-check-rdb"])
    if (name !== program) symlinkSync(toolPath(name), join(bin, name));
  const unchanged =
    program === "redis-cli" ? `case "$*" in *--rdb*) ;; *) exec ${toolPath(program)} "$@" ;; esac\n` : "";
  const version = `if [ "$1" = --version ]; then exec ${toolPath(program)} --version; fi\n`;
  scriptIn(bin, program, `real() { ${toolPath(program)} "$@"; }\n${version}${unchanged}${script}`);
  return bin;
}
