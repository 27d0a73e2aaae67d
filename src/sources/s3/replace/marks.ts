import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { AppError, toAppError } from "../../../core/errors.ts";
import type { Bucket } from "../bucket.ts";
import { marksBelow } from "../keys.ts";
import { copyVersion } from "./copy.ts";
import { type Entry, historiesOf } from "./versions.ts";

/**
 * Milliseconds after which whatever is written has a later date. Many servers keep the second only, some of several machines
 * whose clocks are not quite the same.
 */
const secondMs = 1100;
const millisecondMs = 5;

/** A stretch of time in which a restore changes the bucket. */
export type Stretch = "swap" | "undo";

/** What a bucket tells of a restore: by its own clock, as its objects are dated. */
export interface Timeline {
  /** `clean`: nothing was ever done. `-ing`: it was begun and not ended. */
  readonly state: "clean" | "swapping" | "swapped" | "undoing" | "undone";
  /** What is dated later than this was written by the swap or after it. */
  readonly swapFrom?: Date;
  /** What is not dated before this was written after the swap. */
  readonly swapTo?: Date;
  readonly undoFrom?: Date;
}

type Event = { readonly at: Date; readonly stretch: Stretch; readonly kind: "begin" | "end" };

/**
 * Marks of one restore: an object for each stretch, put when it begins and removed when it ends. Its versions stay, and their
 * dates are those by which the versions of all other objects are told apart.
 */
export class Marks {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #id: string;

  /** `prefix`: of the source, whatever part of it is restored. Throws `internal` for an id that is none. */
  constructor(bucket: Bucket, prefix: string, id: string) {
    if (!/^[A-Za-z0-9]{1,32}$/.test(id))
      throw new AppError("internal", "the id of a replacement is letters and digits, 32 at most");
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#id = id;
  }

  async read(signal: AbortSignal): Promise<Timeline> {
    return timelineOf(await this.#events(this.#id, signal));
  }

  /**
   * Begins a stretch, or goes on with it. Resolves when whatever is written from now on is dated later. `note`: what it is
   * about, for `noteOf`.
   */
  async begin(stretch: Stretch, signal: AbortSignal, note?: string): Promise<void> {
    await this.#put(stretch, signal, note);
    await this.settle(signal);
  }

  /** What the swap is about, as it was noted when it was begun; undefined where there was none. */
  async note(signal: AbortSignal): Promise<string | undefined> {
    for await (const { key, entries } of historiesOf(this.#bucket, this.#keyOf("swap"), signal)) {
      const newest = entries.find(({ kind }) => kind === "version");
      if (key !== this.#keyOf("swap") || newest === undefined) continue;
      const input = { Bucket: this.#bucket.name, Key: key, VersionId: newest.id };
      const { Body } = await this.#bucket.call((s3, options) => s3.getObject(input, options), signal, key);
      return (await Body?.transformToString()) || undefined;
    }
    return undefined;
  }

  /** Ends a stretch. What was written before is dated earlier than its end, what is written from now on is not. */
  async end(stretch: Stretch, signal: AbortSignal): Promise<void> {
    await this.settle(signal);
    await this.#remove(stretch, signal);
  }

  /**
   * Puts an object, brings its version back and removes it: whether the key may do all that, and whether the bucket keeps
   * versions indeed.
   */
  async tryOut(signal: AbortSignal): Promise<void> {
    const id = await this.#put("probe", signal);
    try {
      const key = this.#keyOf("probe");
      await copyVersion(this.#bucket, { key, id, size: 0, storageClass: undefined }, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toAppError(error).code === "source-refused" ? notReadable(this.#bucket, error) : error;
    } finally {
      await this.#remove("probe", signal);
    }
  }

  /** The mark of another restore that is at work in the same bucket, or was killed at it. */
  async other(signal: AbortSignal): Promise<string | undefined> {
    const own = this.#keyOf("");
    for await (const { key } of this.#bucket.list(marksBelow(this.#prefix), signal))
      if (!key.startsWith(own) && /-(swap|undo)$/.test(key)) return key;
    return undefined;
  }

  /** Of several that have begun at once, another one that was first: it goes on, and this one has to withdraw. */
  async earlier(signal: AbortSignal): Promise<string | undefined> {
    const own = this.#keyOf("swap");
    const begun: { readonly key: string; readonly modified: Date }[] = [];
    for await (const { key, modified } of this.#bucket.list(marksBelow(this.#prefix), signal))
      if (/-(swap|undo)$/.test(key)) begun.push({ key, modified });
    const [first] = begun.toSorted((a, b) => a.modified.getTime() - b.modified.getTime());
    return first === undefined || first.key === own ? undefined : first.key;
  }

  /** The id of another restore that has replaced the same since a moment, and was not taken back. */
  async successor(since: Date, signal: AbortSignal): Promise<string | undefined> {
    const ids = new Set<string>();
    const beginning = marksBelow(this.#prefix);
    for await (const { key } of historiesOf(this.#bucket, beginning, signal))
      ids.add(/^([A-Za-z0-9]+)-/.exec(key.slice(beginning.length))?.[1] ?? this.#id);
    ids.delete(this.#id);
    for (const id of ids) {
      const { state, swapFrom } = timelineOf(await this.#events(id, signal));
      if (state !== "undone" && swapFrom !== undefined && swapFrom >= since) return id;
    }
    return undefined;
  }

  /** Removes what is left of a swap that was not ended. */
  async dropSwap(signal: AbortSignal): Promise<void> {
    for await (const { key } of this.#bucket.list(this.#keyOf("swap"), signal))
      if (key === this.#keyOf("swap")) await this.#remove("swap", signal);
  }

  /** Gives up a stretch in which nothing was written. */
  async withdraw(signal: AbortSignal): Promise<void> {
    await this.#put("undo", signal);
    for (const stretch of ["swap", "undo"] as const) await this.#remove(stretch, signal);
  }

  /** Waits until the server dates later what is written than what was. */
  async settle(signal: AbortSignal): Promise<void> {
    let isSecond = true;
    for await (const { entries } of historiesOf(this.#bucket, this.#keyOf(""), signal))
      isSecond &&= entries.every(({ modified }) => modified.getMilliseconds() === 0);
    await delay(isSecond ? secondMs : millisecondMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  async #events(id: string, signal: AbortSignal): Promise<Event[]> {
    const events: Event[] = [];
    const beginning = `${marksBelow(this.#prefix)}${id}-`;
    for await (const { key, entries } of historiesOf(this.#bucket, beginning, signal)) {
      const stretch = key.slice(beginning.length);
      if (stretch !== "swap" && stretch !== "undo") continue;
      const toEvent = ({ modified: at, kind }: Entry): Event => ({
        at,
        stretch,
        kind: kind === "version" ? "begin" : "end",
      });
      events.push(...entries.map(toEvent));
    }
    return events.sort((a, b) => a.at.getTime() - b.at.getTime() || rankOf(a) - rankOf(b));
  }

  #keyOf(name: string): string {
    return `${marksBelow(this.#prefix)}${this.#id}-${name}`;
  }

  async #put(name: Stretch | "probe", signal: AbortSignal, note = ""): Promise<string> {
    const body = Buffer.from(note);
    const input = {
      Bucket: this.#bucket.name,
      Key: this.#keyOf(name),
      Body: body,
      ContentLength: body.length,
      ContentType: "application/json",
      ContentMD5: createHash("md5").update(body).digest("base64"),
    };
    const { VersionId } = await this.#bucket.write((s3, options) => s3.putObject(input, options), signal);
    return requireVersion(this.#bucket, VersionId);
  }

  async #remove(name: Stretch | "probe", signal: AbortSignal): Promise<void> {
    const input = { Bucket: this.#bucket.name, Key: this.#keyOf(name) };
    await this.#bucket.write((s3, options) => s3.deleteObject(input, options), signal);
  }
}

/** In the order in which they happen, where a server tells the same date. */
function rankOf({ stretch, kind }: Event): number {
  return (stretch === "swap" ? 0 : 2) + (kind === "begin" ? 0 : 1);
}

function timelineOf(events: readonly Event[]): Timeline {
  return events.reduce<Timeline>(after, { state: "clean" });
}

function after(before: Timeline, { at, stretch, kind }: Event): Timeline {
  const { state, undoFrom } = before;
  const swapFrom = before.swapFrom ?? at;
  if (stretch === "undo") {
    if (kind === "end") return { state: "undone" };
    return { ...before, state: "undoing", undoFrom: state === "undoing" ? (undoFrom ?? at) : at };
  }
  // While it is taken back, and when it was, the end of its mark says nothing.
  if (kind === "end") return state === "swapping" ? { state: "swapped", swapFrom, swapTo: at } : before;
  return { state: "swapping", swapFrom };
}

/** Fails when what was written has no version of its own: what it has replaced is gone then. */
export function requireVersion({ name, place }: Bucket, versionId: string | undefined): string {
  if (versionId !== undefined && versionId !== "null") return versionId;
  const { server } = place;
  throw new AppError("conflict", `bucket ${name} on ${server} keeps no versions: nothing could be taken back`, {
    context: { step: "versions", bucket: name },
    text: { key: "error-replace-s3-versions", args: { bucket: name, server } },
  });
}

/** What is written over could be had again, and not by this key. */
function notReadable({ name, place }: Bucket, cause: unknown): AppError {
  const { server } = place;
  return new AppError("source-refused", `the key may not bring back an older version of an object in bucket ${name}`, {
    context: { step: "versions", bucket: name },
    text: { key: "error-replace-s3-read-versions", args: { bucket: name, server } },
    cause,
  });
}
