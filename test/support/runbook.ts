import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A block that is to be pasted, and what one should see after it. */
export interface Step {
  /** "Server lost 3": the path, and the how many-eth block of it. */
  readonly id: string;
  readonly text: string;
  /** The reader's own values stand in it. */
  readonly isVariables: boolean;
  readonly see: readonly string[];
}

/** The paths of the document by their headings, and what its first table leads to. */
export function readRunbook(): { readonly paths: ReadonlyMap<string, readonly Step[]>; readonly table: string[] } {
  const document = readFileSync(join(import.meta.dirname, "../../docs/runbook.md"), "utf8");
  const [head = "", ...sections] = document.split(/^## /m);
  const table = [...head.matchAll(/^\| .* \| \[(.+?)\]\(#(.+?)\) \|/gm)].map(([, name = ""]) => name);
  const paths = sections.map((section): [string, Step[]] => {
    const name = section.slice(0, section.indexOf("\n"));
    return [name, stepsOf(name, section)];
  });
  return { paths: new Map(paths), table };
}

function stepsOf(path: string, section: string): Step[] {
  const steps: Step[] = [];
  for (const [, info = "", text = ""] of section.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)) {
    const last = steps.at(-1);
    if (info === "sh" || info === "sh variables") {
      steps.push({ id: `${path} ${steps.length}`, text, isVariables: info !== "sh", see: [] });
    } else if (info === "text see" && last) {
      steps[steps.length - 1] = { ...last, see: text.trim().split("\n") };
    } else throw new Error(`a block of ${path} is neither pasted nor seen: ${info}`);
  }
  return steps;
}

/** The variables that a block sets, each with whether it is exported; anything else in it is none that a reader fills in. */
export function variablesOf(text: string): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const line of text.trim().split("\n")) {
    const assignments = /^(export )?((?:[A-Z_]+=(?:'[^']*'|"[^"]*"|[^\s'"#]*)\s*)+)(?:#.*)?$/.exec(line);
    if (!assignments) throw new Error(`no assignment of variables: ${line}`);
    for (const [, name = ""] of (assignments[2] ?? "").matchAll(/([A-Z_]+)=(?:'[^']*'|"[^"]*"|[^\s'"#]*)/g))
      found.set(name, assignments[1] !== undefined);
  }
  return found;
}

/** One shell, in which a reader pastes one block after another. The first command that fails ends it. */
export class Shell implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #values: Readonly<Record<string, string>>;
  readonly #exited: Promise<unknown>;
  #output = "";
  #blocks = 0;

  /** `values`: of the variables that the reader fills in. */
  constructor(folder: string, env: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#values = values;
    this.#child = spawn("bash", ["--noprofile", "--norc", "-eu", "-o", "pipefail"], {
      cwd: folder,
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "exit");
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.#child.stdin?.on("error", () => undefined);
  }

  /** Pastes a block as it stands in the document, and compares what it shows; resolves with that. */
  async paste({ id, text, isVariables, see }: Step): Promise<string> {
    const before = this.#output.length;
    const number = this.#blocks++;
    const file = join(this.#folder, `block-${number}.sh`);
    writeFileSync(file, isVariables ? this.#filledIn(text) : text);
    const end = `-- end of block ${number} --`;
    this.#child.stdin?.write(`. '${file}' < /dev/null\necho '${end}'\n`);
    const shown = (): string => this.#output.slice(before);
    while (!shown().includes(`${end}\n`)) {
      const more = once(this.#child.stdout ?? this.#child, "data").catch(() => undefined);
      const ended = await Promise.race([more.then(() => false), this.#exited.then(() => true)]);
      if (ended) throw new Error(`${id} has failed:\n${text}\n${shown()}`);
    }
    requireSeen(id, shown(), see);
    return shown();
  }

  #filledIn(text: string): string {
    const lines = [...variablesOf(text)].map(([name, isExported]) => {
      const value = this.#values[name];
      if (value === undefined) throw new Error(`the test has no value for ${name}`);
      return `${isExported ? "export " : ""}${name}='${value}'`;
    });
    return `${lines.join("\n")}\n`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** Each line is there, in this order; "…" stands for anything, and white space for white space. */
function requireSeen(id: string, shown: string, see: readonly string[]): void {
  const lines = shown.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  let at = 0;
  for (const wanted of see) {
    const escaped = wanted.replaceAll(/\s+/g, " ").replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    const pattern = new RegExp(`^${escaped.replaceAll("…", ".*")}$`);
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line));
    if (found === -1) throw new Error(`${id}: not seen: ${wanted}\n${shown}`);
    at = found + 1;
  }
}
