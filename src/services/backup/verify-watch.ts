import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Depth } from "../../core/proof.ts";
import type { Verification, VerificationPhase } from "../../core/verification.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { ProveObserver } from "./prove.ts";

/** How often progress is written and a cancellation looked for, in milliseconds. */
const beatMs = 1000;
/** Above this a timer of Node would fire at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Writes how far a verification is once a second and learns whether it is to stop. A beat that Redis refuses ends
 * nothing: the next one tries again.
 */
export class VerifyWatch implements ProveObserver {
  readonly #deps: { readonly verifications: Verifications; readonly clock: Clock; readonly logger: Logger };
  readonly #id: string;
  readonly #fence: number;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #deadline: NodeJS.Timeout;
  #latest: { readonly bytes: number; readonly total: number } | undefined;
  #beat: Promise<void> = Promise.resolve();
  #beating = false;
  #missing = false;

  /** `timeoutMs`: it is ended after this time. */
  constructor(
    deps: { readonly verifications: Verifications; readonly clock: Clock; readonly logger: Logger },
    verification: Verification,
    timeoutMs: number,
  ) {
    this.#deps = deps;
    this.#id = verification.id;
    this.#fence = verification.fence;
    this.#timer = setInterval(() => this.#tick(), beatMs);
    this.#deadline = setTimeout(() => this.#stopped.abort(late(timeoutMs)), Math.min(timeoutMs, longestTimer));
  }

  /** Aborted when it is cancelled, takes too long or was taken over. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  async depth(depth: Depth): Promise<void> {
    await this.phase(depth);
  }

  /** `more`: what is to be on record before this phase begins. */
  async phase(phase: VerificationPhase, more: Partial<Verification> = {}): Promise<void> {
    const { verifications, clock } = this.#deps;
    const change = (current: Verification): Verification => ({ ...current, phase, ...more });
    this.#look(await verifications.record(this.#id, "normal", clock.now(), change, this.#fence));
    this.#stopped.signal.throwIfAborted();
  }

  progress(bytes: number, total: number): void {
    this.#latest = { bytes, total };
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    await this.#beat;
  }

  #tick(): void {
    if (this.#beating) return;
    this.#beating = true;
    const { verifications, clock } = this.#deps;
    const now = clock.now();
    const latest = this.#latest;
    this.#latest = undefined;
    const progress = latest && { ...latest, at: now.toISOString() };
    const written = progress
      ? verifications.update(this.#id, "progress", now, (current) => ({ ...current, progress }), this.#fence)
      : verifications.get(this.#id);
    this.#beat = written
      .then((verification) => {
        this.#missing = false;
        this.#look(verification);
      })
      .catch((error: unknown) => this.#missed(error))
      .finally(() => {
        this.#beating = false;
      });
  }

  #missed(error: unknown): void {
    if (error instanceof AppError && (error.code === "lease-lost" || error.code === "not-found")) {
      this.#stopped.abort(error);
    } else if (!this.#missing) {
      this.#missing = true;
      const message = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn(
        { verification: this.#id, error: message },
        "progress could not be recorded; trying again",
      );
    }
  }

  #look({ cancelRequestedBy, fence }: Verification): void {
    if (fence > this.#fence)
      this.#stopped.abort(new AppError("lease-lost", "another worker has taken it over", { permanent: false }));
    if (!cancelRequestedBy) return;
    const by = cancelRequestedBy.name;
    this.#stopped.abort(
      new AppError("cancelled", `cancelled by ${by}`, { text: { key: "error-cancelled", args: { by } } }),
    );
  }
}

function late(timeoutMs: number): AppError {
  return new AppError("timeout", `the verification was not finished after ${timeoutMs / 1000} s, its timeout`, {
    permanent: false,
    text: { key: "error-timeout", args: { seconds: timeoutMs / 1000 } },
  });
}
