import { loadConfig } from "../app/config.ts";
import { storedBytes } from "../core/run.ts";
import { createLogger } from "../lib/logger.ts";
import { formatBytes, formatTime } from "../messages/format.ts";
import { reasonText } from "../messages/index.ts";
import { readCatalogue } from "../services/catalogue.ts";
import { closeStorages, openStorages } from "./open-storages.ts";
import { reportError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** `vakhta backups [name]`: what the storages hold, newest first. 1 when a storage could not be read. */
export async function backups(
  terminal: Terminal,
  name: string | undefined,
  options: { readonly path?: string; readonly json?: boolean },
): Promise<number> {
  const { config } = loadConfig({ ...options, requires: ["storages"] });
  const own = terminal.in(config.locale);
  const storages = openStorages(config, Object.keys(config.storages), createLogger({ name: "cli", level: "silent" }));
  try {
    const { entries, problems } = await readCatalogue(storages, {
      signal: terminal.signal,
      ...(name === undefined ? {} : { name }),
    });
    for (const { storage, key, error } of problems) {
      const reason = reasonText(error, own.messages);
      own.err(key === undefined ? `${storage}: ${reason}` : `${storage}: ${key}: ${reason}`);
    }
    if (options.json) {
      const list = entries.map(({ manifest, copies, folder }) => {
        const { id, name: backup, startedAt, finishedAt, encryption } = manifest;
        const encrypted = encryption !== undefined;
        return { id, name: backup, startedAt, finishedAt, bytes: storedBytes(manifest), encrypted, copies, folder };
      });
      own.out(JSON.stringify(list, undefined, 2));
    } else if (entries.length === 0) {
      own.complain("cli-backups-none");
    } else {
      const rows = entries.map(({ manifest, copies }) => [
        manifest.id,
        formatTime(new Date(manifest.startedAt), config.locale, config.timezone),
        manifest.name,
        formatBytes(storedBytes(manifest), config.locale),
        copies.join(", "),
      ]);
      const titles = ["id", "time", "name", "size", "copies"].map((column) =>
        own.messages.plain(`cli-backups-${column}`),
      );
      for (const line of table([titles, ...rows])) own.out(line);
    }
    return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    return reportError(error, own);
  } finally {
    await closeStorages(storages);
  }
}

/** Columns of equal width, two spaces between them. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
