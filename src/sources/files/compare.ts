import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { type Difference, mostDifferences } from "../types.ts";
import { messageOf, readableName } from "./names.ts";

/** What `tar --compare` finds, on its output: "./etc/hosts: Mod time differs". A colon in the name is escaped. */
const finding = /^((?:\\.|[^\\:])+): (.+)$/;

/** Listens to `tar --compare`, which exits with 1 when something differs. */
export class Comparison {
  readonly differences: Difference[] = [];
  total = 0;
  readonly #asRoot: boolean;
  #rest = "";
  #ignored = 0;
  #differs = false;

  /** Who is not root cannot give files to others: of that there is nothing to compare. */
  constructor(asRoot: boolean) {
    this.#asRoot = asRoot;
  }

  command(command: Command): Command {
    return {
      ...command,
      onLine: (line) => {
        const { name = "", what = line } = messageOf(line) ?? {};
        this.#add(name, what.replace(/^Warning: /, ""));
        return true;
      },
      accepts: (status) => {
        this.#differs = status === 1;
        return this.#differs;
      },
    };
  }

  /** Output, in pieces of any size. */
  take(chunk: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(chunk).toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** After the end of the output. Throws `tool-failed` when something differs of which nothing was said. */
  end(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
    if (!this.#differs || this.total + this.#ignored > 0) return;
    throw new AppError("tool-failed", "tar has found a difference and did not name it", { context: { step: "tar" } });
  }

  #line(line: string): void {
    const [, name = "", what = line] = finding.exec(line) ?? [];
    this.#add(name, what);
  }

  #add(name: string, what: string): void {
    if (!this.#asRoot && /^[UG]id differs$/.test(what)) {
      this.#ignored++;
      return;
    }
    this.total++;
    if (this.differences.length >= mostDifferences) return;
    this.differences.push({ what: readableName(name), expected: "as in the archive", found: what });
  }
}
