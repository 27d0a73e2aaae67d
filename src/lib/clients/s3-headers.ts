import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";

/**
 * Headers with bytes beyond ASCII (a file name in Content-Disposition) go the way they came: Node gives each byte of
 * a header as one character and takes it so; servers sign bytes, and the SDK signs the UTF-8 of what it is given.
 */
interface Parts {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const beyondAscii = /[^\p{ASCII}]/u;

/** The request with headers whose UTF-8 is the bytes that will be sent. */
export function asSigned<T>(request: T): T {
  return withHeaders(request, (value) => {
    const bytes = Buffer.from(value, "latin1");
    // Beyond a byte: it is text already.
    return bytes.toString("latin1") === value && isUtf8(bytes) ? bytes.toString("utf8") : value;
  });
}

/** The signed request with a character for each byte, as Node's HTTP client takes them. */
export function asSent<T>(request: T): T {
  const sent = withHeaders(request, (value) => Buffer.from(value, "utf8").toString("latin1"));
  const { headers, body } = sent as Parts;
  const disposition = headers["content-disposition"] ?? "";
  if (!beyondAscii.test(disposition) || !(body instanceof Uint8Array) || body.length === 0) return sent;
  // Node decodes this one header anew, and so damages it, when it is given the body together with the headers.
  return Object.assign(sent as object, { body: Readable.from([body]) }) as T;
}

function withHeaders<T>(request: T, change: (value: string) => string): T {
  const { headers } = request as Parts;
  const changed = Object.entries(headers).filter(([, value]) => beyondAscii.test(value));
  if (changed.length === 0) return request;
  Object.assign(headers, Object.fromEntries(changed.map(([name, value]) => [name, change(value)])));
  return request;
}
