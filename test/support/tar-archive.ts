/** One thing in an archive that no well-meaning tar would write. */
export interface TarMember {
  readonly name: string;
  /** A file with this content; default empty. */
  readonly content?: string;
  /** A link in its place. */
  readonly link?: { readonly kind: "symbolic" | "hard"; readonly to: string };
  readonly folder?: boolean;
}

const block = 512;

/** An archive in ustar format, names as they are given. */
export function tarOf(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.flatMap(memberBlocks), Buffer.alloc(2 * block)]);
}

function memberBlocks({ name, content = "", link, folder }: TarMember): Buffer[] {
  const header = Buffer.alloc(block);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  header.write(name, 0, 100);
  header.write(octal(folder ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.fill(" ", 148, 156);
  header.write(folder ? "5" : link === undefined ? "0" : link.kind === "hard" ? "1" : "2", 156);
  header.write(link?.to ?? "", 157, 100);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const data = Buffer.alloc(Math.ceil(content.length / block) * block);
  data.write(content);
  return [header, data];
}
