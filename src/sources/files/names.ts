/** What tar, by whatever path it was started, says of one thing; a colon in its name is escaped. */
const message = /^(?:\S*\/)?tar: ((?:\\.|[^\\:])+): (.+)$/s;

/** A message of tar about one thing: its name as tar escapes it, and what there is about it. */
export function messageOf(line: string): { readonly name: string; readonly what: string } | undefined {
  const [, name, what] = message.exec(line) ?? [];
  return name === undefined || what === undefined ? undefined : { name, what };
}

/** A message that only says that there were others. */
export function isClosing(line: string): boolean {
  return line.endsWith("tar: Exiting with failure status due to previous errors");
}

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

/**
 * A name as tar escapes it, for a person: absolute, in UTF-8, with control characters and bytes that are no UTF-8
 * as \ooo.
 */
export function readableName(escaped: string): string {
  return (
    decode(unescaped(escaped))
      .replace(/^\.(?=\/|$)/, "")
      .replace(/(?<=.)\/$/, "") || "/"
  );
}

/** A name as tar escapes it, as a path; undefined where it is no UTF-8, which no program can be given as an argument here. */
export function exactName(escaped: string): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(unescaped(escaped));
    return text.replace(/^\.(?=\/|$)/, "");
  } catch {
    return undefined;
  }
}

function unescaped(escaped: string): Buffer {
  const bytes: number[] = [];
  for (const [, octal, character, plain = ""] of escaped.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+|\\$)/gsu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (character !== undefined) bytes.push(escapes[character] ?? character.charCodeAt(0));
    else bytes.push(...Buffer.from(plain));
  }
  return Buffer.from(bytes);
}

/** A path for a person: as `readableName`. */
export function shownName(path: string): string {
  return decode(Buffer.from(path));
}

function decode(bytes: Buffer): string {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.replaceAll(/\p{Cc}/gu, (character) => [...Buffer.from(character)].map(octal).join(""));
  } catch {
    return [...bytes].map((byte) => (byte < 0x20 || byte > 0x7e ? octal(byte) : String.fromCharCode(byte))).join("");
  }
}
