import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { Messages } from "../../messages/index.ts";

export interface TextQuestion {
  readonly message: string;
  /** Taken when the answer is empty. */
  readonly initial?: string;
  /** Says what is wrong with an answer; then it is asked again. */
  readonly validate?: (answer: string) => string | undefined;
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** How questions are asked. All of them reject with `cancelled` when the person gives up or the input ends. */
export interface Prompter extends Disposable {
  text(question: TextQuestion): Promise<string>;
  /** Not shown while it is typed, where that is possible. */
  secret(question: Omit<TextQuestion, "initial">): Promise<string>;
  choose<T extends string>(message: string, choices: readonly Choice<T>[], initial: T): Promise<T>;
  confirm(message: string, initial: boolean): Promise<boolean>;
  tell(line: string, kind?: "info" | "success" | "warning" | "error"): void;
  /** Shows that something is being waited for. */
  during<T>(message: string, work: () => Promise<T>): Promise<T>;
}

const given = () => new AppError("cancelled", "no more answers");

const marks = { info: " ", success: "✓", warning: "!", error: "✗" } as const;

/** Questions as plain lines: for pipes, scripts and terminals that can do nothing else. */
export class LinePrompter implements Prompter {
  readonly #messages: Messages;
  readonly #output: Writable;
  readonly #reader: ReturnType<typeof createInterface>;
  readonly #lines: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #ended = false;

  constructor(messages: Messages, input: Readable, output: Writable, signal: AbortSignal) {
    this.#messages = messages;
    this.#output = output;
    this.#reader = createInterface({ input, terminal: false });
    this.#reader.on("line", (line) => {
      if (this.#waiting) this.#answer(line);
      else this.#lines.push(line);
    });
    this.#reader.on("close", () => this.#end());
    signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  async text({ message, initial, validate }: TextQuestion): Promise<string> {
    for (;;) {
      const answer = (await this.#ask(initial ? `${message} [${initial}]` : message)).trim() || (initial ?? "");
      const problem = validate?.(answer);
      if (problem === undefined) return answer;
      this.tell(problem, "error");
    }
  }

  secret(question: Omit<TextQuestion, "initial">): Promise<string> {
    return this.text(question);
  }

  async choose<T extends string>(message: string, choices: readonly Choice<T>[], initial: T): Promise<T> {
    for (const [index, { label }] of choices.entries()) this.#output.write(`  ${index + 1}) ${label}\n`);
    const find = (answer: string) =>
      choices.find(({ value }, index) => answer === value || answer === String(index + 1));
    const known = choices.map(({ value }) => value).join(", ");
    const validate = (answer: string) => {
      return find(answer) ? undefined : this.#messages.plain("config-problem-one-of", { values: known });
    };
    const answer = await this.text({ message, initial, validate });
    return find(answer)?.value ?? initial;
  }

  async confirm(message: string, initial: boolean): Promise<boolean> {
    const [yes, no] = ["init-yes", "init-no"].map((key) => this.#messages.plain(key));
    for (;;) {
      const answer = (await this.#ask(`${message} (${yes}/${no}) [${initial ? yes : no}]`)).trim().toLowerCase();
      if (answer === "") return initial;
      if (["y", "yes", "д", "да"].includes(answer)) return true;
      if (["n", "no", "н", "нет"].includes(answer)) return false;
    }
  }

  tell(line: string, kind: keyof typeof marks = "info"): void {
    this.#output.write(`${marks[kind]} ${line}\n`);
  }

  during<T>(message: string, work: () => Promise<T>): Promise<T> {
    this.tell(message);
    return work();
  }

  [Symbol.dispose](): void {
    this.#reader.close();
  }

  #ask(prompt: string): Promise<string> {
    this.#output.write(`${prompt}: `);
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#ended) return Promise.reject(given());
    return new Promise((resolve, reject) => {
      this.#waiting = (answer) => (answer === undefined ? reject(given()) : resolve(answer));
    });
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }

  #end(): void {
    this.#ended = true;
    this.#answer(undefined);
  }
}
