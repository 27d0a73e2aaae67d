import type { Wanted } from "../contents.ts";
import { IndexWriter } from "../indexes.ts";
import type { IndexObject } from "../lines.ts";

const level = 3;

/** Some objects of an index, kept on this machine's disk while they are worked through: there may be millions. */
export class Selection implements Wanted, AsyncDisposable {
  readonly #writer: IndexWriter;
  readonly runs = new Set<string>();
  own = false;
  count = 0;
  /** Of their contents. */
  bytes = 0;

  private constructor(writer: IndexWriter) {
    this.#writer = writer;
  }

  static async create(signal: AbortSignal): Promise<Selection> {
    return new Selection(await IndexWriter.create({ bucket: "", prefix: "" }, level, signal));
  }

  async add(object: IndexObject): Promise<void> {
    if (object.in === undefined) this.own = true;
    else this.runs.add(object.in);
    this.count += 1;
    this.bytes += object.size;
    await this.#writer.add(object);
  }

  /** Nothing is added any more: to be awaited before anything is read. */
  async finish(): Promise<void> {
    await this.#writer.finish();
  }

  objects(signal: AbortSignal): AsyncGenerator<IndexObject> {
    return this.#writer.objects(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }
}
