import type { Changes, Recovered, ReplacementLook, SwapReport, UndoReport } from "../core/replacement.ts";
import type { Beside, Replacer } from "./replacement.ts";
import type { RestoreReport } from "./types.ts";

/** Loads when it is first called, once for all calls: some of what is loaded keep what they have prepared. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}

/** A function of a module that is loaded when it is called: most of what a source can do is wanted by one process in ten. */
export function lazily<A extends readonly unknown[], R>(
  load: () => Promise<(...args: A) => Promise<R>>,
): (...args: A) => Promise<R> {
  return async (...args) => await (await load())(...args);
}

/**
 * A replacer whose code is loaded when it is first asked for something: every process knows every kind, and hardly any
 * ever restores.
 */
export class LazyReplacer implements Replacer {
  readonly #get: () => Promise<Replacer>;

  constructor(load: () => Promise<Replacer>) {
    this.#get = once(load);
  }

  async look(...args: Parameters<Replacer["look"]>): Promise<ReplacementLook> {
    return await (await this.#get()).look(...args);
  }

  async prepare(...args: Parameters<Replacer["prepare"]>): Promise<RestoreReport> {
    return await (await this.#get()).prepare(...args);
  }

  async swap(...args: Parameters<Replacer["swap"]>): Promise<SwapReport> {
    return await (await this.#get()).swap(...args);
  }

  async changes(...args: Parameters<Replacer["changes"]>): Promise<Changes> {
    return await (await this.#get()).changes(...args);
  }

  async undo(...args: Parameters<Replacer["undo"]>): Promise<UndoReport> {
    return await (await this.#get()).undo(...args);
  }

  async discard(...args: Parameters<Replacer["discard"]>): Promise<void> {
    await (await this.#get()).discard(...args);
  }

  async recover(...args: Parameters<Replacer["recover"]>): Promise<Recovered> {
    return await (await this.#get()).recover(...args);
  }
}

/** The same of a restore beside. */
export class LazyBeside implements Beside {
  readonly #get: () => Promise<Beside>;

  constructor(load: () => Promise<Beside>) {
    this.#get = once(load);
  }

  async look(...args: Parameters<Beside["look"]>): Promise<ReplacementLook> {
    return await (await this.#get()).look(...args);
  }

  async make(...args: Parameters<Beside["make"]>): Promise<RestoreReport> {
    return await (await this.#get()).make(...args);
  }

  async discard(...args: Parameters<Beside["discard"]>): Promise<void> {
    await (await this.#get()).discard(...args);
  }
}
