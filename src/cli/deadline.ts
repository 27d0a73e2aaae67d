import { AppError } from "../core/errors.ts";

/** The longest that Node's timers take; ms. */
const longestTimer = 2 ** 31 - 1;

/** A signal that is aborted with `timeout` after so many milliseconds; never without them. */
export function deadlineOf(timeoutMs: number | undefined): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  if (timeoutMs === undefined) return { signal: late.signal, [Symbol.dispose]: () => undefined };
  const abort = (): void => {
    const seconds = timeoutMs / 1000;
    const message = `not finished after ${seconds} s, its timeout`;
    late.abort(new AppError("timeout", message, { text: { key: "error-timeout", args: { seconds } } }));
  };
  const timer = setTimeout(abort, Math.min(timeoutMs, longestTimer));
  return { signal: late.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
