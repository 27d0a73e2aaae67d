/** Telegram's limits: https://core.telegram.org/bots/api#sendmessage, counted in UTF-16 units after entity parsing. */
export const textLimit = 4096;

const entity = /&(?:lt|gt|amp|quot);/y;
const tag = /<(\/?)([a-z-]+)[^>]*>/y;

interface Piece {
  /** UTF-16 units after parsing: 0 for a tag. */
  readonly units: number;
  readonly source: string;
  readonly opens?: string;
  readonly closes?: boolean;
}

function* pieces(html: string): Generator<Piece> {
  let at = 0;
  while (at < html.length) {
    tag.lastIndex = at;
    const found = tag.exec(html);
    if (found) {
      at = tag.lastIndex;
      yield { units: 0, source: found[0], ...(found[1] === "/" ? { closes: true } : { opens: found[2] ?? "" }) };
      continue;
    }
    entity.lastIndex = at;
    const escaped = entity.exec(html);
    // By code point, so that no surrogate pair is cut.
    const source = escaped?.[0] ?? String.fromCodePoint(html.codePointAt(at) ?? 0);
    at += source.length;
    yield { units: escaped ? 1 : source.length, source };
  }
}

/** Length of our HTML as Telegram counts it. */
export function textLength(html: string): number {
  let units = 0;
  for (const piece of pieces(html)) units += piece.units;
  return units;
}

/**
 * HTML that fits into `limit`. What does not fit is cut at a character, open tags are closed and `note` (plain text)
 * says so at the end. `cut` tells whether anything is missing.
 */
export function shorten(html: string, note: string, limit = textLimit): { html: string; cut: boolean } {
  if (textLength(html) <= limit) return { html, cut: false };
  const room = limit - note.length - 2;
  const open: string[] = [];
  let result = "";
  let units = 0;
  for (const piece of pieces(html)) {
    if (units + piece.units > room) break;
    units += piece.units;
    result += piece.source;
    if (piece.opens !== undefined) open.push(piece.opens);
    else if (piece.closes) open.pop();
  }
  const closing = open
    .toReversed()
    .map((name) => `</${name}>`)
    .join("");
  return { html: `${result}…${closing}\n${note.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}`, cut: true };
}

/** The text without tags and entities: for documents, and for the one attempt without a parse mode. */
export function plainText(html: string): string {
  let text = "";
  for (const piece of pieces(html)) {
    if (piece.opens !== undefined || piece.closes) continue;
    text += piece.source;
  }
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
