import { backupHere } from "./backup-here.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** `vakhta backup <name>`: with `--here` in this process, otherwise ordered from a worker. */
export async function backup(
  terminal: Terminal,
  name: string,
  options: { readonly path?: string; readonly json?: boolean; readonly here?: boolean },
): Promise<number> {
  if (options.here) return await backupHere(terminal, name, options);
  terminal.complain("cli-backup-needs-here");
  return exitCodes.usage;
}
