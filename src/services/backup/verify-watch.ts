import type { Clock } from "../../core/ports.ts";
import type { Depth } from "../../core/proof.ts";
import type { Verification, VerificationPhase } from "../../core/verification.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Verifications } from "../../state/verifications.ts";
import { timedOut, WorkWatch } from "../work-watch.ts";
import type { ProveObserver } from "./prove.ts";

/** Writes how far a verification is and learns whether it is to stop. */
export class VerifyWatch implements ProveObserver {
  readonly #clock: Clock;
  readonly #watch: WorkWatch<Verification>;

  /** `timeoutMs`: it is ended after this time. */
  constructor(
    deps: { readonly verifications: Verifications; readonly clock: Clock; readonly logger: Logger },
    { id, fence }: Verification,
    timeoutMs: number,
  ) {
    const { verifications: store, clock, logger } = deps;
    this.#clock = clock;
    const deadline = { ms: timeoutMs, error: () => timedOut("verification", timeoutMs) };
    this.#watch = new WorkWatch({ store, clock, logger, id, fence, noun: "verification", deadline });
  }

  /** Aborted when it is cancelled, takes too long or was taken over. */
  get signal(): AbortSignal {
    return this.#watch.signal;
  }

  async depth(depth: Depth): Promise<void> {
    await this.phase(depth);
  }

  /** `more`: what is to be on record before this phase begins. */
  async phase(phase: VerificationPhase, more: Partial<Verification> = {}): Promise<void> {
    await this.#watch.step("normal", (current) => ({ ...current, phase, ...more }));
  }

  progress(bytes: number, total: number): void {
    const progress = { bytes, total, at: this.#clock.now().toISOString() };
    this.#watch.progress((current) => ({ ...current, progress }));
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }
}
