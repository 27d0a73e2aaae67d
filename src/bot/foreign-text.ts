/** Text that others have written: alerts carry whatever their senders put into them. */

/** Marks and letters that turn the direction of what follows. */
const turns = /[\u0590-\u08FF\u200E\u200F\u202A-\u202E\u2066-\u2069\uFB1D-\uFDFF\uFE70-\uFEFC]/;
const [isolate, endOfIsolate] = ["\u2068", "\u2069"];

/** On one line, without control characters, at most `limit` UTF-16 units; what is cut ends with "…". */
export function oneLine(text: string, limit = Number.POSITIVE_INFINITY): string {
  return upright(
    cut(
      text
        .toWellFormed()
        .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
        .trim(),
      limit,
    ),
  );
}

/** Lines as they are, without control characters, at most `limit` UTF-16 units. */
export function lines(text: string, limit = Number.POSITIVE_INFINITY): string {
  return upright(cut(tidy(text), limit));
}

/** Well-formed, with plain line ends and no control characters. */
export function tidy(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .trim();
}

/**
 * Phones make a command of "/silence" and a link of "@alice", whoever has written that: a joiner without width behind
 * the mark keeps it a word.
 */
export function unlinked(text: string): string {
  return text.replaceAll(/(?:@|(?<![\p{L}\p{N}_])[/#])(?=[\p{L}\p{N}_])/gu, "$&\u2060");
}

/** Cut by code point; "…" says so. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = Math.max(0, limit - 1);
  const end = isHighSurrogate(text.charCodeAt(room - 1)) ? room - 1 : room;
  return `${text.slice(0, end).trimEnd()}…`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdb_ff;
}

/** Whatever direction it has, what stands around it keeps its own. */
function upright(text: string): string {
  return turns.test(text) ? `${isolate}${text.replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, "")}${endOfIsolate}` : text;
}
