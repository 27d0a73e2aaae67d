import { confirm, isCancel, log, password, select, text } from "@clack/prompts";
import { AppError } from "../../core/errors.ts";
import type { Choice, Prompter, TextQuestion } from "./prompter.ts";

/** The answer, unless the person has given up with Ctrl-C or Escape. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new AppError("cancelled", "given up");
  return answer as Exclude<T, symbol>;
}

const logs = { info: log.info, success: log.success, warning: log.warn, error: log.error } as const;

/** Questions on a real terminal: arrow keys, hidden secrets. */
export class RichPrompter implements Prompter {
  async text({ message, initial, validate }: TextQuestion): Promise<string> {
    const check = validate && ((answer: string | undefined) => validate(answer?.trim() || (initial ?? "")));
    const question = { message, ...(initial ? { defaultValue: initial, placeholder: initial } : {}) };
    return answered(await text({ ...question, ...(check ? { validate: check } : {}) })).trim();
  }

  async secret({ message, validate }: Omit<TextQuestion, "initial">): Promise<string> {
    const check = validate && ((answer: string | undefined) => validate(answer?.trim() ?? ""));
    return answered(await password({ message, ...(check ? { validate: check } : {}) })).trim();
  }

  async choose<T extends string>(message: string, choices: readonly Choice<T>[], initial: T): Promise<T> {
    const options = choices.map(({ value, label }) => ({ value: String(value), label }));
    const answer = answered(await select({ message, options, initialValue: String(initial) }));
    return choices.find(({ value }) => value === answer)?.value ?? initial;
  }

  async confirm(message: string, initial: boolean): Promise<boolean> {
    return answered(await confirm({ message, initialValue: initial }));
  }

  tell(line: string, kind: keyof typeof logs = "info"): void {
    logs[kind](line);
  }

  during<T>(message: string, work: () => Promise<T>): Promise<T> {
    // Not the library's spinner: it takes the keyboard, and its Ctrl-C ends the process with 0.
    log.step(message);
    return work();
  }

  [Symbol.dispose](): void {
    // Each prompt gives the terminal back by itself.
  }
}
