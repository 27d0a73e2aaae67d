import type { Terminal } from "./terminal.ts";

/** `vakhta backup <name>`: with `--here` in this process, otherwise ordered from a worker. */
export async function backup(
  terminal: Terminal,
  name: string,
  options: { readonly path?: string; readonly json?: boolean; readonly here?: boolean },
): Promise<number> {
  if (options.here) {
    const { backupHere } = await import("./backup-here.ts");
    return await backupHere(terminal, name, options);
  }
  const { backupByWorker } = await import("./backup-queue.ts");
  return await backupByWorker(terminal, name, options);
}
