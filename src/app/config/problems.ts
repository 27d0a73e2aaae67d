import { AppError } from "../../core/errors.ts";
import type { MessageArgs, Messages } from "../../messages/index.ts";

export type Path = readonly (string | number)[];

/** Something to mend in the configuration. It names keys and variables, never values. */
export interface Problem {
  readonly path: Path;
  /** Key of the sentence in `messages/`: what was expected and what to do. */
  readonly key: string;
  readonly args: MessageArgs;
  /** Place in the YAML, both from 1; absent where the problem has none (a missing file). */
  readonly line?: number;
  readonly column?: number;
}

/** The exit status of sysexits.h for a wrong configuration. */
export const configExitCode = 78;

/** The configuration cannot be used. `problems` holds all of them at once; `message` begins with the first. */
export class ConfigError extends AppError {
  readonly problems: readonly Problem[];
  readonly file: string;

  constructor(file: string, problems: readonly Problem[], messages: Messages) {
    super("config", problems.map((problem) => formatProblem(problem, file, messages)).join("\n"));
    this.problems = problems;
    this.file = file;
  }
}

/** `backups[0].schedule`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** One line: place, path, what was expected, what to do. */
export function formatProblem(problem: Problem, file: string, messages: Messages): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column ?? 1}`;
  const path = formatPath(problem.path);
  const text = messages.plain(problem.key, problem.args);
  return path === "" ? `${place}: ${text}` : `${place}: ${path}: ${text}`;
}

/** The nearest of the known names (Levenshtein), when it is near enough to be meant. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const length = distance(name.toLowerCase(), candidate.toLowerCase());
    if (length < bestDistance) {
      best = candidate;
      bestDistance = length;
    }
  }
  return best;
}

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      current.push(
        Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + cost),
      );
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
