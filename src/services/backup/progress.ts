import type { RunObserver, RunProgress } from "../../core/ports.ts";
import type { SourcePart } from "../../sources/types.ts";

const intervalMs = 250;

/** Tells the observer four times a second how far a run is, also while nothing comes out of the pipe. */
export class ProgressMeter implements Disposable {
  readonly #observer: Pick<RunObserver, "progress">;
  readonly #expectedRawBytes: number | undefined;
  readonly #timer: NodeJS.Timeout;
  #part: SourcePart | undefined;
  /** Raw bytes of the finished parts. */
  #rawBefore = 0;
  /** Raw bytes of the current part; kept after its process has ended and can not be asked any more. */
  #rawNow = 0;
  #bytes = 0;

  /** `onError` gets what the observer throws: the run ends then. */
  constructor(
    observer: Pick<RunObserver, "progress">,
    expectedRawBytes: number | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#observer = observer;
    this.#expectedRawBytes = expectedRawBytes;
    this.#timer = setInterval(() => {
      try {
        this.report();
      } catch (error) {
        onError(error);
      }
    }, intervalMs);
  }

  begin(part: SourcePart): void {
    this.#part = part;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  end(rawBytes: number | undefined): void {
    this.#rawBefore += rawBytes ?? this.#rawNow;
    this.#rawNow = 0;
    this.#part = undefined;
  }

  report(): void {
    this.#rawNow = Math.max(this.#rawNow, this.#part?.rawBytes?.() ?? 0);
    const rawBytes = this.#rawBefore + this.#rawNow;
    const progress: RunProgress = {
      bytes: this.#bytes,
      ...(rawBytes === 0 ? {} : { rawBytes }),
      ...(this.#expectedRawBytes === undefined ? {} : { expectedRawBytes: this.#expectedRawBytes }),
      ...(this.#part === undefined ? {} : { part: this.#part.role }),
    };
    this.#observer.progress(progress);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
