import { AppError } from "../../core/errors.ts";
import type { MessageArgs, Messages } from "../../messages/index.ts";

export { nearest } from "../../core/nearest.ts";

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
