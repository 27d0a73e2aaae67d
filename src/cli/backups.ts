import { deepest, failure } from "../core/proof.ts";
import { storedBytes } from "../core/run.ts";
import type { Flaws } from "../core/soundness.ts";
import { formatBytes, formatTime } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import { type CatalogueEntry, readCatalogue } from "../services/catalogue.ts";
import { openPlace, type Place, type PlaceOptions } from "./place.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface BackupsOptions extends PlaceOptions {
  readonly json?: boolean;
}

/**
 * `vakhta backups [name]`: what the storages hold, newest first, with their proofs and pins. 1 when a storage or a
 * manifest could not be read, or a copy is not sound; 2 when there is no such name, neither there nor configured.
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

async function list(place: Place, name: string | undefined, json: boolean): Promise<number> {
  const { terminal, storages, timezone, config } = place;
  const { messages } = terminal;
  const { entries, problems, flaws } = await readCatalogue(storages, {
    signal: terminal.signal,
    ...(name === undefined ? {} : { name }),
  });
  const isConfigured = config?.backups.some((backup) => backup.name === name) ?? false;
  if (name !== undefined && entries.length === 0 && problems.length === 0 && !isConfigured)
    throw new UsageError("cli-verify-unknown", { which: name });
  for (const { storage, unread, key = unread, error } of problems) {
    const reason = reasonText(error, messages);
    terminal.err(key === undefined ? `${storage}: ${reason}` : `${storage}: ${key}: ${reason}`);
  }
  if (json) {
    const told = problems.map(({ storage, unread, key = unread, error }) => {
      return { storage, key, code: error.code, message: reasonText(error, messages) };
    });
    const listed = entries.map((entry) => documentOf(entry, flaws));
    terminal.out(JSON.stringify({ backups: listed, problems: told }, undefined, 2));
  } else if (entries.length === 0) {
    terminal.complain("cli-backups-none");
  } else {
    const rows = entries.map((entry) => [
      entry.manifest.id,
      formatTime(new Date(entry.manifest.startedAt), messages.locale, timezone),
      entry.manifest.name,
      formatBytes(storedBytes(entry.manifest), messages.locale),
      stateOf(entry, messages),
      copiesOf(entry, flaws, messages),
    ]);
    const titles = ["id", "time", "name", "size", "proof", "copies"].map((column) =>
      messages.plain(`cli-backups-${column}`),
    );
    for (const line of table([titles, ...rows])) terminal.out(line);
  }
  const isSound = entries.every(({ folder }) => [...flaws.values()].every((flawed) => !flawed.has(folder)));
  return problems.length === 0 && isSound ? exitCodes.ok : exitCodes.failed;
}

function documentOf({ manifest, copies, folder, proofs, pin }: CatalogueEntry, flaws: Flaws) {
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
    flaws: Object.fromEntries(
      [...flaws].flatMap(([storage, flawed]) => {
        const flaw = flawed.get(folder);
        return flaw ? [[storage, flaw]] : [];
      }),
    ),
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

/** "local, offsite (incomplete)". */
function copiesOf({ copies, folder }: CatalogueEntry, flaws: Flaws, messages: Messages): string {
  const told = copies.map((storage) => {
    const flaw = flaws.get(storage)?.get(folder);
    return flaw ? `${storage} (${messages.plain(`cli-backups-flaw-${flaw}`)})` : storage;
  });
  return told.join(", ");
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
