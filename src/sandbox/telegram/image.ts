/** The media type of an image that `imageSize` knows, by its first bytes. */
export function imageType(data: Buffer): string {
  const head = data.toString("latin1", 0, 12);
  if (head.startsWith("\x89PNG")) return "image/png";
  if (head.startsWith("GIF")) return "image/gif";
  return head.endsWith("WEBP") ? "image/webp" : "image/jpeg";
}

/** Width and height in pixels of a PNG, JPEG, GIF or WebP; undefined when it is none of them or cut short. */
export function imageSize(data: Buffer): { width: number; height: number } | undefined {
  if (data.length >= 24 && data.readUInt32BE(0) === 0x89504e47)
    return valid(data.readUInt32BE(16), data.readUInt32BE(20));
  if (data.length >= 10 && data.toString("latin1", 0, 3) === "GIF")
    return valid(data.readUInt16LE(6), data.readUInt16LE(8));
  if (data.length >= 30 && data.toString("latin1", 8, 15) === "WEBPVP8") return webpSize(data);
  if (data.length >= 4 && data.readUInt16BE(0) === 0xffd8) return jpegSize(data);
  return undefined;
}

function webpSize(data: Buffer): { width: number; height: number } | undefined {
  const kind = data.toString("latin1", 15, 16);
  if (kind === "X") return valid(data.readUIntLE(24, 3) + 1, data.readUIntLE(27, 3) + 1);
  if (kind === " ") return valid(data.readUInt16LE(26) & 0x3fff, data.readUInt16LE(28) & 0x3fff);
  const bits = data.readUInt32LE(21);
  return valid((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
}

function jpegSize(data: Buffer): { width: number; height: number } | undefined {
  let at = 2;
  while (at + 9 < data.length) {
    if (data[at] !== 0xff) return undefined;
    const marker = data[at + 1] ?? 0;
    // start-of-frame markers carry the size; C4, C8 and CC are tables
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return valid(data.readUInt16BE(at + 7), data.readUInt16BE(at + 5));
    }
    at += 2 + data.readUInt16BE(at + 2);
  }
  return undefined;
}

function valid(width: number, height: number): { width: number; height: number } | undefined {
  return width > 0 && height > 0 ? { width, height } : undefined;
}
