import { AppError } from "../core/errors.ts";

/** Of what is longer the place of the mistake is not searched for; bytes. */
const searchedBytes = 256 * 1024;

/** Reads a body, whatever its content type says. @throws AppError `http` that tells the line and column of the mistake. */
export function readJson(raw: Buffer): unknown {
  const text = raw.toString("utf8").replace(/^\uFEFF/, "");
  if (text.trim() === "") throw new AppError("http", "the body is empty: JSON was expected");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
}

function notJson(text: string, cause: unknown): AppError {
  const at = mistakeAt(text, cause);
  return new AppError("http", `the body is not JSON${at === undefined ? "" : `: ${placeIn(text, at)}`}`, { cause });
}

function placeIn(text: string, at: number): string {
  const before = text.slice(0, at).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Where JSON.parse gave up. It names the position in some of its messages only. */
function mistakeAt(text: string, error: unknown): number | undefined {
  const named = positionIn(error);
  if (named !== undefined) return named;
  if (isIncomplete(error)) return text.length;
  if (text.length > searchedBytes) return undefined;
  // The shortest beginning of the text that nothing could complete ends with the mistake.
  let [good, bad] = [0, text.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (canGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function canGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    return isIncomplete(error) || (positionIn(error) ?? 0) >= text.length;
  }
}

function positionIn(error: unknown): number | undefined {
  const found = /at position (\d+)/.exec(String(error))?.[1];
  return found === undefined ? undefined : Number(found);
}

function isIncomplete(error: unknown): boolean {
  return /end of JSON input|Unterminated string/.test(String(error));
}
