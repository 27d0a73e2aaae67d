import { type ManifestNote, mostNotes } from "../../core/manifest.ts";
import { isClosing, messageOf, readableName, shownName } from "./names.ts";

const meanings: readonly (readonly [RegExp, ManifestNote["kind"]])[] = [
  [/^file changed as we read it$/, "changed"],
  [/^File shrank by \d+ bytes?; padding with zeros$/, "changed"],
  [/^(?:File|Directory) removed before we read it$/, "vanished"],
  [/^(?:socket|door) ignored$|; file ignored$/, "skipped"],
  [/^(?:Warning: )?Cannot \w+: Permission denied$/, "unreadable"],
];

/** Listens to a tar that makes an archive: counts the members, and notes what could not be stored as it was. */
export class TarListener {
  /** Members of the archive. */
  entries = 0;
  readonly notes: ManifestNote[] = [];
  notesTotal = 0;
  /** How many things could not be read, and the name of the first. */
  unreadable = 0;
  firstUnreadable: string | undefined;
  /** Things that changed or vanished. */
  #moved = 0;
  /** Messages that mean none of all this. */
  #others = 0;
  #lastName = "";

  /** `closed`: folders that could not be looked into before. */
  constructor(closed: readonly string[] = []) {
    this.notesTotal = closed.length;
    for (const path of closed.slice(0, mostNotes)) this.notes.push({ kind: "unreadable", name: shownName(path) });
  }

  /** Takes a line of standard error. False: it is no cause of a failure. */
  take(line: string): boolean {
    // Every name of this archive begins so, and no message does.
    if (line.startsWith("./")) {
      this.entries++;
      return false;
    }
    if (isClosing(line)) return false;
    const { name = "", what = "" } = messageOf(line) ?? {};
    const kind = meanings.find(([pattern]) => pattern.test(what))?.[1];
    if (kind === undefined) {
      this.#others++;
      return true;
    }
    this.#note(kind, name);
    return kind === "unreadable";
  }

  /**
   * Whether tar's status is one of a good backup: 1 when all that it complains of changed or vanished, 2 when there
   * was something that it may not read and that is to be noted only.
   */
  accepts(status: number, unreadable: "fail" | "note"): boolean {
    if (this.#others > 0 || (this.unreadable > 0 && unreadable === "fail")) return false;
    return (status === 1 && this.#moved > 0) || (status === 2 && this.unreadable > 0);
  }

  #note(kind: ManifestNote["kind"], name: string): void {
    if (kind === "unreadable") {
      this.unreadable++;
      this.firstUnreadable ??= readableName(name);
    } else if (kind !== "skipped") this.#moved++;
    // A file that shrinks is reported once for that and once for having changed.
    if (this.#lastName === name) return;
    this.#lastName = name;
    this.notesTotal++;
    if (this.notes.length < mostNotes) this.notes.push({ kind, name: readableName(name) });
  }
}
