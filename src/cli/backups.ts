import { deepest, failure } from "../core/proof.ts";
import { storedBytes } from "../core/run.ts";
import { formatBytes, formatTime } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { type CatalogueEntry, readCatalogue } from "../services/catalogue.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { reportError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface BackupsOptions extends PlaceOptions {
  readonly json?: boolean;
}

/**
 * `vakhta backups [name]`: what the storages hold, newest first, with their proofs and pins. 1 when a storage or a
 * manifest could not be read.
 */
export async function backups(terminal: Terminal, name: string | undefined, options: BackupsOptions): Promise<number> {
  let own = terminal;
  try {
    await using place = openPlace(terminal, options);
    own = place.terminal;
    return await list(place, name, options.json ?? false);
  } catch (error) {
    return reportError(error, own, options);
  }
}

async function list({ terminal, storages, timezone }: Place, name: string | undefined, json: boolean): Promise<number> {
  const { messages } = terminal;
  const { entries, problems } = await readCatalogue(storages, {
    signal: terminal.signal,
    ...(name === undefined ? {} : { name }),
  });
  for (const { storage, key, error } of problems) {
    const reason = reasonText(error, messages);
    terminal.err(key === undefined ? `${storage}: ${reason}` : `${storage}: ${key}: ${reason}`);
  }
  if (json) {
    terminal.out(JSON.stringify(entries.map(documentOf), undefined, 2));
  } else if (entries.length === 0) {
    terminal.complain("cli-backups-none");
  } else {
    const rows = entries.map((entry) => [
      entry.manifest.id,
      formatTime(new Date(entry.manifest.startedAt), messages.locale, timezone),
      entry.manifest.name,
      formatBytes(storedBytes(entry.manifest), messages.locale),
      stateOf(entry, messages),
      entry.copies.join(", "),
    ]);
    const titles = ["id", "time", "name", "size", "proof", "copies"].map((column) =>
      messages.plain(`cli-backups-${column}`),
    );
    for (const line of table([titles, ...rows])) terminal.out(line);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

function documentOf({ manifest, copies, folder, proofs, pin }: CatalogueEntry) {
  const { id, name, kind, startedAt, finishedAt, encryption } = manifest;
  return {
    id,
    name,
    kind,
    startedAt,
    finishedAt,
    bytes: storedBytes(manifest),
    encrypted: encryption !== undefined,
    copies,
    folder,
    pin,
    proofs: proofs.map(({ storage, depth, ok, at, restoreMs }) => ({ storage, depth, ok, at, restoreMs })),
  };
}

/** The deepest proof, or that one has failed, and whether it is pinned. */
function stateOf({ proofs, pin }: CatalogueEntry, messages: Messages): string {
  const depth = deepest(proofs)?.depth;
  const proof = failure(proofs) ? messages.plain("cli-backups-failed") : (depth ?? "–");
  return pin ? `${proof}, ${messages.plain("cli-backups-pinned")}` : proof;
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
