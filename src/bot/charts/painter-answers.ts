import type { PainterAnswer } from "./painter.ts";

const lineEnd = 0x0a;

/** Puts together what the program that draws says: a line of JSON, and behind it the picture, in pieces of any size. */
export class Answers {
  readonly #onAnswer: (answer: PainterAnswer, png: Uint8Array) => void;
  #rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  #head: PainterAnswer | undefined;

  constructor(onAnswer: (answer: PainterAnswer, png: Uint8Array) => void) {
    this.#onAnswer = onAnswer;
  }

  add(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (!this.#head) {
        const end = this.#rest.indexOf(lineEnd);
        if (end < 0) return;
        this.#head = JSON.parse(this.#rest.toString("utf8", 0, end)) as PainterAnswer;
        this.#rest = this.#rest.subarray(end + 1);
      }
      const bytes = "bytes" in this.#head ? this.#head.bytes : 0;
      if (this.#rest.length < bytes) return;
      const [head, png] = [this.#head, Buffer.from(this.#rest.subarray(0, bytes))];
      this.#head = undefined;
      this.#rest = this.#rest.subarray(bytes);
      this.#onAnswer(head, png);
    }
  }
}
