import { type Difference, mostDifferences } from "../types.ts";
import { exactName, messageOf, readableName } from "./names.ts";
import { Totals } from "./readable.ts";

/**
 * What tar could not make although the archive is whole and there is room: device nodes, which only the machine's root
 * may make. That is no reason to withhold everything else from somebody who needs it; it is told as a difference.
 */
export class Complaints {
  readonly totals = new Totals();
  readonly differences: Difference[] = [];
  total = 0;
  /** Whether there was no more room. */
  isFull = false;
  /** Other names of what was asked for, under which the archive has its content: absolute paths. */
  readonly linked = new Set<string>();
  #links = 0;
  #others = 0;

  listening(): { onLine: (line: string) => boolean; accepts: (status: number) => boolean } {
    return {
      onLine: (line) => this.#take(line),
      accepts: (status) => status === 2 && this.total > 0 && this.#others === 0,
    };
  }

  /** Nothing but those names was missing. */
  get lacksLinks(): boolean {
    return this.linked.size > 0 && this.linked.size <= this.#links && this.#links === this.#others;
  }

  #take(line: string): boolean {
    if (!this.totals.take(line)) return false;
    const { name = "", what = "" } = messageOf(line) ?? {};
    const link = /^Cannot hard link to '(.+)': No such file or directory$/s.exec(what)?.[1];
    const other = link === undefined ? undefined : exactName(link);
    if (other !== undefined) {
      this.linked.add(other);
      this.#links++;
    }
    if (what !== "Cannot mknod: Operation not permitted") {
      if (/^Wrote only |No space left|Disk quota exceeded/.test(what)) this.isFull = true;
      if (!what.startsWith("Warning: ")) this.#others++;
      return true;
    }
    this.total++;
    if (this.differences.length < mostDifferences)
      this.differences.push({ what: readableName(name), expected: "device", found: "not permitted" });
    return true;
  }
}
