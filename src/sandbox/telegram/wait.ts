import type { Journal } from "./journal.ts";

interface WaitOptions {
  readonly journal: Journal;
  /** What is shown when the time is over. */
  readonly report: () => string;
  /** Real milliseconds; default 5000. */
  readonly timeoutMs?: number;
  readonly what?: string;
}

/** Asks `probe` now and after every change until it returns something; no polling. Rejects when the time is over. */
export async function waitFor<T>(probe: () => T | undefined | null | false, options: WaitOptions): Promise<T> {
  const first = probe();
  if (isThere(first)) return first;
  const timeoutMs = options.timeoutMs ?? 5000;
  return await new Promise<T>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      stop();
      settle();
    };
    const timer = setTimeout(() => {
      finish(() =>
        reject(
          new Error(
            `${options.what ?? "what was waited for"} did not come within ${timeoutMs} ms; so far:\n${options.report()}`,
          ),
        ),
      );
    }, timeoutMs);
    const stop = options.journal.onChange(() => {
      try {
        const value = probe();
        if (isThere(value)) finish(() => resolve(value));
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    });
  });
}

function isThere<T>(value: T | undefined | null | false): value is T {
  return value !== undefined && value !== null && value !== false;
}
