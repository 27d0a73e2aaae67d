import { AppError } from "../../core/errors.ts";
import type { Text } from "../../core/text.ts";
import type { Difference } from "../types.ts";
import { ahead, type Job } from "./ahead.ts";
import { type Attributes, Bucket, type BucketConfig, type Missing } from "./bucket.ts";
import { type Change, changesOf } from "./changes.ts";
import type { Content } from "./contents.ts";
import { hasHeaders, headerDifferences } from "./headers.ts";
import { shownKey } from "./keys.ts";
import type { IndexObject } from "./lines.ts";
import type { Sink } from "./restore.ts";
import { ObjectWriter } from "./writer.ts";

/** Objects whose headers are asked for ahead of their turn, those under way and those that wait. */
const comparedAhead = 100;

/** Writes objects into a bucket, small ones several at once. */
export class BucketSink implements Sink {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  readonly #concurrency: number;
  readonly #writer: ObjectWriter;
  #nameless = 0;

  constructor(config: BucketConfig, prefix: string, signal: AbortSignal) {
    this.#bucket = new Bucket(config);
    this.#prefix = prefix;
    this.#signal = signal;
    this.#concurrency = config.concurrency;
    this.#writer = new ObjectWriter(this.#bucket, { concurrency: config.concurrency, signal });
  }

  get remarks(): readonly Text[] {
    return this.#nameless === 0 ? [] : [{ key: "remark-s3-nameless" }];
  }

  async prepare(signal: AbortSignal): Promise<void> {
    for await (const { key } of this.#bucket.list(this.#prefix, signal, 1)) {
      const place = `s3://${this.#bucket.name}/${this.#prefix}`;
      throw new AppError("conflict", `${place} is not empty: it has ${shownKey(key)}`, {
        context: { step: "preflight" },
        text: { key: "error-s3-not-empty", args: { place, object: shownKey(key) } },
      });
    }
  }

  async write(name: string, content: Content): Promise<void> {
    const key = `${this.#prefix}${name}`;
    if (key !== "") return await this.#writer.write(key, content);
    // The mark of the folder that was backed up; a bucket's own root can have none.
    this.#nameless += 1;
  }

  async finish(): Promise<void> {
    await this.#writer.finish();
  }

  async *compare(objects: AsyncIterable<IndexObject>, nameOf: (key: string) => string): AsyncIterable<Difference> {
    const changes = changesOf(this.#bucket.list(this.#prefix, this.#signal), this.#named(objects, nameOf));
    const jobOf = (change: Change) => headersJob(change, this.#bucket, this.#signal);
    const limits = { items: comparedAhead, running: this.#concurrency, bytes: 0 };
    for await (const { item, result } of ahead(changes, jobOf, limits)) yield* differenceOf(item, await result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    this.#bucket.requests.close();
  }

  /** As they are called here. A common beginning cut off or put before does not change their order. */
  async *#named(objects: AsyncIterable<IndexObject>, nameOf: (key: string) => string): AsyncGenerator<IndexObject> {
    for await (const object of objects) {
      const key = `${this.#prefix}${nameOf(object.key)}`;
      if (key !== "") yield { ...object, key };
    }
  }
}

/** What there is to be asked of an object that was written: nothing where its size tells already that it is another one. */
function headersJob(change: Change, bucket: Bucket, signal: AbortSignal): Job<Attributes | Missing> | undefined {
  if (change.kind === "deleted" || change.before?.size !== change.version.size || !hasHeaders(change.before))
    return undefined;
  const { key } = change.version;
  return { bytes: 0, run: async () => await bucket.attributes(key, undefined, signal) };
}

function* differenceOf(change: Change, found: Attributes | Missing | undefined): Generator<Difference> {
  const { before } = change;
  const size = change.kind === "deleted" || typeof found === "string" ? "-" : String(change.version.size);
  const expected = before === undefined ? "-" : String(before.size);
  const key = change.kind === "deleted" ? change.before.key : change.version.key;
  if (size !== expected) yield { what: shownKey(key), expected, found: size };
  else if (before && typeof found === "object") yield* headerDifferences(before, found);
}
