/** Work of which several pieces are under way at once, the first failure of which ends it. */
export class Pool {
  readonly #running: number;
  readonly #bytes: number;
  readonly #pending = new Map<Promise<void>, number>();
  #failure: { readonly error: unknown } | undefined;

  /** `bytes`: memory of those that are under way, together; one may have more than that alone. */
  constructor({ running, bytes = Number.POSITIVE_INFINITY }: { readonly running: number; readonly bytes?: number }) {
    this.#running = running;
    this.#bytes = bytes;
  }

  /** Begins it as soon as there is room. Rejects with the failure of any earlier one. */
  async add(work: () => Promise<void>, bytes = 0): Promise<void> {
    while (this.#isFull(bytes)) await Promise.race(this.#pending.keys());
    this.#check();
    const pending = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#pending.delete(pending));
    this.#pending.set(pending, bytes);
  }

  /** Resolves when nothing is under way any more; rejects with the first failure. */
  async finish(): Promise<void> {
    await this.end();
    this.#check();
  }

  /** Resolves when nothing is under way any more, whatever has become of it. */
  async end(): Promise<void> {
    await Promise.all(this.#pending.keys());
  }

  #isFull(bytes: number): boolean {
    const held = [...this.#pending.values()].reduce((sum, each) => sum + each, 0);
    return this.#pending.size >= this.#running || (held > 0 && held + bytes > this.#bytes);
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
