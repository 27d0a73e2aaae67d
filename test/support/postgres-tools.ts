import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder of PostgreSQL client programs in which pg_dump misbehaves: `script` is the body of a shell script, in which
 * `real_pg_dump` is the genuine program. Asked for its version it answers as the genuine one.
 */
export function misbehavingTools(folder: string, programs: string, script: string, program = "pg_dump"): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["pg_dump", "pg_dumpall", "psql", "pg_restore"]) {
    if (name !== program) symlinkSync(join(programs, name), join(bin, name));
  }
  const text = `#!/bin/sh
real_${program}() { ${join(programs, program)} "$@"; }
if [ "$1" = --version ]; then real_${program} --version; exit; fi
${script}
`;
  writeFileSync(join(bin, program), text);
  chmodSync(join(bin, program), 0o755);
  return bin;
}
