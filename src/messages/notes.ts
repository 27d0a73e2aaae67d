import type { Manifest } from "../core/manifest.ts";
import type { Text } from "../core/text.ts";
import { formatCount } from "./format.ts";
import type { Locale } from "./index.ts";

/** How many things are named. */
const named = 3;

/** Lines on what a backup does not hold as it was, the loud ones first; none when there is nothing to say. */
export function noteLines({ notes = [], notesTotal = 0 }: Manifest, locale: Locale): Text[] {
  if (notesTotal === 0) return [];
  const loud = notes.filter(({ kind }) => kind !== "skipped");
  const args = { totalText: formatCount(notesTotal, locale) };
  if (loud.length === 0) return [{ key: "backup-notes-skipped", args }];
  const shown = loud.slice(0, named);
  const more = notesTotal - shown.length;
  return [
    { key: "backup-notes-moved", args },
    ...shown.map(({ kind, name }) => ({ key: `backup-note-${kind}`, args: { name } })),
    ...(more === 0 ? [] : [{ key: "backup-notes-more", args: { moreText: formatCount(more, locale) } }]),
  ];
}
