/** One line of metrics. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be infinite or not a number. */
  readonly value: number;
}

const newline = 0x0a;
const hash = 0x23;
const brace = 0x7b;
const space = 0x20;
const tab = 0x09;

/** A line that is longer is no metric of a host; bytes. */
const longestLine = 64 * 1024;

/**
 * Reads the text in which exporters give their metrics (Prometheus' own format or OpenMetrics), piece by piece: only lines
 * of metrics in `wanted` are looked at, and nothing but the beginning of the last line is kept. Comments, timestamps and
 * exemplars are passed over, and so is what can not be read, which is counted.
 */
export class Exposition {
  readonly #wanted: ReadonlySet<string>;
  readonly #take: (metric: Metric) => void;
  /** The beginning of a line whose end has not come yet; undefined while a line that is too long is passed over. */
  #rest: Buffer | undefined = Buffer.alloc(0);
  /** Lines that were metrics, wanted or not. */
  metrics = 0;
  /** Lines that were nothing. */
  unreadable = 0;

  constructor(wanted: ReadonlySet<string>, take: (metric: Metric) => void) {
    this.#wanted = wanted;
    this.#take = take;
  }

  write(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      this.#endOfLine(chunk, from, end);
      from = end + 1;
    }
    if (from === chunk.length || this.#rest === undefined) return;
    const rest = Buffer.concat([this.#rest, chunk.subarray(from)]);
    this.#rest = rest.length > longestLine ? undefined : rest;
  }

  /** The last line need not have an end. */
  end(): void {
    this.write(Buffer.of(newline));
  }

  #endOfLine(chunk: Buffer, from: number, end: number): void {
    const before = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (before === undefined) this.unreadable += 1;
    else if (before.length === 0) this.#line(chunk, from, end);
    else this.#line(Buffer.concat([before, chunk.subarray(from, end)]), 0, before.length + end - from);
  }

  #line(bytes: Buffer, start: number, stop: number): void {
    let from = start;
    let end = stop;
    while (from < end && isBlank(bytes[from])) from += 1;
    while (from < end && isBlank(bytes[end - 1])) end -= 1;
    if (from === end || bytes[from] === hash) return;
    let after = from;
    while (after < end && isOfName(bytes[after] ?? 0)) after += 1;
    const next = bytes[after];
    if (after === from || after === end || !(next === brace || isBlank(next))) {
      this.unreadable += 1;
      return;
    }
    const name = bytes.toString("latin1", from, after);
    // Most of what an exporter gives is never looked at: its first word is all that is read.
    if (!this.#wanted.has(name)) {
      if (endsLikeNumber(bytes[end - 1] ?? 0)) this.metrics += 1;
      else this.unreadable += 1;
      return;
    }
    const metric = readMetric(name, bytes.toString("utf8", after, end));
    if (metric === undefined) {
      this.unreadable += 1;
      return;
    }
    this.metrics += 1;
    this.#take(metric);
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab || byte === 0x0d;
}

/** A digit, or the end of `Inf` or `NaN`. */
function endsLikeNumber(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x66 || byte === 0x46 || byte === 0x6e || byte === 0x4e;
}

/** `[a-zA-Z0-9_:]` */
function isOfName(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x3a) || byte === 0x5f
  );
}

const label = /\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const value = /^\s*(\S+)(?:\s+[-+0-9.eE]+)?(?:\s+#.*)?$/;

/** What follows the name: labels, the value, perhaps a timestamp and an exemplar. */
function readMetric(name: string, text: string): Metric | undefined {
  const labels: Record<string, string> = {};
  let rest = text.trimStart();
  if (rest.startsWith("{")) {
    let at = 1;
    for (;;) {
      label.lastIndex = at;
      const found = label.exec(rest);
      if (!found) break;
      labels[found[1] ?? ""] = unescaped(found[2] ?? "");
      at = label.lastIndex;
    }
    const closing = /\s*\}/y;
    closing.lastIndex = at;
    if (!closing.test(rest)) return undefined;
    rest = rest.slice(closing.lastIndex);
  }
  const word = value.exec(rest)?.[1];
  const number = word === undefined ? undefined : numberOf(word);
  return number === undefined ? undefined : { name, labels, value: number };
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

function numberOf(word: string): number | undefined {
  if (/^[-+]?inf(?:inity)?$/i.test(word))
    return word.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(word)) return Number.NaN;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(word) ? Number(word) : undefined;
}
