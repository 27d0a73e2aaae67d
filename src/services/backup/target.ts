import { AppError, lostLease, toAppError } from "../../core/errors.ts";
import type { OpenObject, RunObserver } from "../../core/ports.ts";
import type { ExpectedObject, ObjectWriter, Storage } from "../../storages/types.ts";

/** Milliseconds for the removal of what a failed run has left in one storage. */
const removalMs = 60_000;

/** The error with the step in which it happened, unless it names one already. */
export function withStep(error: unknown, step: string): AppError {
  const cause = toAppError(error);
  if (cause.context.step !== undefined) return cause;
  return new AppError(cause.code, cause.message, {
    permanent: cause.permanent,
    context: { ...cause.context, step },
    ...(cause.text ? { text: cause.text } : {}),
    cause: cause.cause ?? cause,
  });
}

/** An object on its way into one storage. */
interface Upload {
  readonly key: string;
  /** Undefined until the storage has given one. */
  writer: ObjectWriter | undefined;
  opened: OpenObject | undefined;
  committed: boolean;
}

export interface TargetOptions {
  readonly observer: Pick<RunObserver, "opened" | "closed" | "left">;
  readonly signal: AbortSignal;
  /** Called when the observer throws: the whole run ends then, not only this copy. */
  readonly onRunFailure: (error: unknown) => void;
}

/**
 * The run's copy in one storage. When the storage fails, this copy drops out and the others go on: every later call
 * does nothing. What it had written is removed in the background; `settled` waits for that.
 */
export class Target {
  readonly storage: Storage;
  readonly #options: TargetOptions;
  readonly #uploads: Upload[] = [];
  #error: AppError | undefined;
  #removal: Promise<void> | undefined;
  #manifest: string | undefined;

  constructor(storage: Storage, options: TargetOptions) {
    this.storage = storage;
    this.#options = options;
  }

  /** Why this copy dropped out, or undefined while it is good. */
  get error(): AppError | undefined {
    return this.#error;
  }

  /** Begins the next object; the following `write` calls go into it. Sizes as in `CreateOptions`. */
  begin(key: string, expectedBytes: number | undefined, neededBytes?: number): Promise<void> {
    return this.#attempt(async () => {
      const upload: Upload = { key, writer: undefined, opened: undefined, committed: false };
      this.#uploads.push(upload);
      upload.writer = await this.storage.create(key, {
        signal: this.#options.signal,
        ...(expectedBytes === undefined ? {} : { expectedBytes }),
        ...(neededBytes === undefined ? {} : { neededBytes }),
        opened: async (object) => {
          upload.opened = object;
          await this.#tell(() => this.#options.observer.opened(object));
        },
      });
    });
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#attempt(async () => this.#uploads.at(-1)?.writer?.write(chunk));
  }

  /** Ends the current object: it has all its bytes. */
  end(): void {
    if (this.#error === undefined) this.#uploads.at(-1)?.writer?.end?.();
  }

  /** Commits all objects; `expected` has one entry for each, in the order of their beginning. */
  commit(expected: readonly ExpectedObject[], manifest: string): Promise<void> {
    return this.#attempt(async () => {
      this.#manifest = manifest;
      // An earlier attempt of this run may have left one here while the store could not be reached for the clean-up.
      await this.storage.delete([manifest], this.#options.signal);
      const results = await Promise.allSettled(
        this.#uploads.map((upload, index) => this.#commit(upload, expected[index])),
      );
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    });
  }

  /** Writes the manifest beside the committed objects: from then on the backup exists here. */
  writeManifest(bytes: Uint8Array): Promise<void> {
    return this.#attempt(async () => {
      if (this.#manifest !== undefined) await this.storage.put(this.#manifest, bytes, this.#options.signal);
    });
  }

  /** Gives this copy up for the reason given and removes what was written. */
  drop(error: AppError): void {
    this.#error ??= error;
    this.#removal ??= this.#remove();
  }

  /** Waits until what was dropped is removed as far as possible. */
  async settled(): Promise<void> {
    await this.#removal;
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      await action();
    } catch (error) {
      this.drop(
        withStep(error, this.storage.local ? `write to ${this.storage.name}` : `upload to ${this.storage.name}`),
      );
    }
  }

  async #commit(upload: Upload, expected: ExpectedObject | undefined): Promise<void> {
    if (expected === undefined || upload.writer === undefined) {
      throw new AppError("internal", `${upload.key} was not written`);
    }
    await upload.writer.commit(expected);
    upload.committed = true;
    await this.#tell(async () => this.#closed(upload));
  }

  async #closed(upload: Upload): Promise<void> {
    const { opened } = upload;
    upload.opened = undefined;
    if (opened !== undefined) await this.#options.observer.closed(opened);
  }

  /** A throwing observer (lease lost, cancelled) ends the run. */
  async #tell(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.onRunFailure(error);
      throw error;
    }
  }

  async #remove(): Promise<void> {
    // The manifest first: what remains of a backup without it is not a backup.
    const committed = this.#uploads.filter((upload) => upload.committed).map((upload) => upload.key);
    let keys = this.#manifest === undefined ? committed : [this.#manifest, ...committed];
    // A successor may have found the backup finished and be making up its copies under these names.
    if (lostLease(this.#options.signal)) keys = [];
    let left = false;
    const fail = (): void => {
      left = true;
    };
    if (keys.length > 0) await this.storage.delete(keys, AbortSignal.timeout(removalMs)).catch(fail);
    for (const upload of this.#uploads) {
      if (upload.committed) continue;
      // The record stays for what could not be aborted: the next clean-up needs it.
      await Promise.resolve(upload.writer?.abort())
        .then(() => this.#closed(upload))
        .catch(fail);
    }
    // Objects that are committed or sent whole have no record of their own: the storage is named instead.
    if (left) await this.#options.observer.left(this.storage.name).catch(() => undefined);
  }
}
