/**
 * Order of keys as S3 lists them, by the bytes of their UTF-8. JavaScript compares UTF-16, which differs where one of
 * two differing characters lies beyond the first plane.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters behind all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** A key of a listing in `encoding-type=url`; a space is `+` there. Throws `URIError` for what is no UTF-8. */
export function decodeKey(text: string): string {
  return text.includes("%") || text.includes("+") ? decodeURIComponent(text.replaceAll("+", " ")) : text;
}

/** Beginning of the objects by which a restore into a bucket marks where it stands; below the prefix of its source. */
const markName = ".vakhta-restore-";

/** The beginning of all marks below a prefix. */
export function marksBelow(prefix: string): string {
  return `${prefix}${markName}`;
}

/** Whether an object is such a mark, which belongs into no backup. */
export function isMark(key: string, prefix: string): boolean {
  return key.startsWith(marksBelow(prefix));
}

/** A key for a person's eyes: control characters as \\ooo, no longer than a line. */
export function shownKey(key: string): string {
  const plain = Array.from(key)
    .map((char) => {
      const code = char.codePointAt(0) ?? 0;
      if (char === "\\") return "\\\\";
      return code < 32 || code === 127 ? `\\${code.toString(8).padStart(3, "0")}` : char;
    })
    .join("");
  return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
}
