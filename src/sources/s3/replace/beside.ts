import { AppError } from "../../../core/errors.ts";
import { matcherOf } from "../../../core/globs.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import type { Beside, BesideOrder, ReplacementContext } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { Index } from "../indexes.ts";
import { shownKey } from "../keys.ts";
import { Pool } from "../pool.ts";
import type { S3SourceConfig } from "../schema.ts";
import { apply, check, remove } from "./apply.ts";
import { requireIdentity, rightsMissing } from "./ground.ts";
import { nothingText } from "./look.ts";
import { besideTarget, identityOf, originOf, placeOf, type Target } from "./target.ts";

const minuteMs = 60_000;

/** Restores below another prefix of the same bucket, where there is nothing. */
class S3Beside implements Beside {
  readonly #config: S3SourceConfig;
  readonly #order: BesideOrder;
  readonly #to: string;

  constructor(config: S3SourceConfig, order: BesideOrder) {
    this.#config = config;
    this.#order = order;
    this.#to = prefixOf(order.to);
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    using target = this.#target(manifest);
    const place = placeOf(this.#config, this.#to);
    const obstacles: Text[] = [];
    const remarks: Text[] = [];
    const there = await firstOf(target, signal);
    if (there !== undefined)
      obstacles.push({ key: "error-s3-not-empty", args: { place: `s3://${place}`, object: shownKey(there) } });
    obstacles.push(...(await rightsMissing(target.bucket, this.#to, { versions: false, signal })));
    if (this.#isBackedUp()) remarks.push({ key: "replace-remark-s3-inside", args: { pattern: this.#pattern() } });
    const needed = reader ? await bytesOf(reader, target, signal) : undefined;
    if (needed?.objects === 0 && this.#order.pick !== undefined)
      obstacles.push(nothingText(placeOf(originOf(manifest), `${originOf(manifest).prefix}${this.#order.pick}`)));
    const identity = identityOf(this.#config, this.#to);
    return {
      identity,
      database: place,
      sameSystem: (manifest.source["endpoint"] ?? "") === identity.system,
      facts: { S3: target.bucket.place.server },
      liveBytes: 0,
      neededBytes: needed?.bytes ?? Number(manifest.source["bytes"] ?? 0),
      sessions: [],
      missingExtensions: [],
      otherVersions: [],
      lost: [],
      lostTotal: 0,
      unit: "objects",
      method: "beside",
      wayBack: "kept",
      jobs: target.concurrency,
      remarks,
      obstacles,
    };
  }

  async make(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    using target = this.#target(reader.manifest);
    const { signal, journal } = context;
    requireIdentity(this.#config, context.identity, this.#to);
    const facts = { to: this.#to };
    const isOwn = (journal?.step === "make" || journal?.step === "prepared") && journal.facts["to"] === this.#to;
    const there = isOwn ? undefined : await firstOf(target, signal);
    if (there !== undefined) throw notEmpty(placeOf(this.#config, this.#to), there);
    const begin = performance.now();
    await context.record({ step: "make", facts });
    signal.throwIfAborted();
    try {
      await using index = await Index.load(reader, signal);
      const readSince = new Date(0);
      await apply({ target, reader, index, context }, { readSince: isOwn ? readSince : undefined });
      const restoreMs = Math.round(performance.now() - begin);
      const left = await check({ target, index, context }, { readSince });
      if (left.objects === 0 && this.#order.pick !== undefined) throw nothingBelow(this.#order.pick);
      await context.record({ step: "prepared", facts });
      const total = left.contents + left.headers;
      const differences = total > 0 ? [{ what: left.example ?? "-", expected: "=", found: "-" }] : [];
      const compared = { objects: left.objects, bytes: left.bytes };
      return { restoreMs, compared, differences, differencesTotal: total };
    } catch (error) {
      // Who was told to stop is gone on with; everybody else leaves nothing.
      if (!signal.aborted)
        await clear(target, signal).catch((problem: unknown) => {
          this.#order.logger.warn({ to: this.#to, error: String(problem) }, "what was restored could not be removed");
        });
      throw error;
    }
  }

  async discard({ journal, signal }: ReplacementContext): Promise<void> {
    if (journal?.step !== "make" || journal.facts["to"] !== this.#to) return;
    using target = this.#target();
    await clear(target, signal);
  }

  #target(manifest?: Manifest): Target & Disposable {
    const from = manifest ? originOf(manifest).prefix : this.#config.prefix;
    const { pick = "" } = this.#order;
    const target = besideTarget(this.#config, { from, to: this.#to, pick });
    return { ...target, [Symbol.dispose]: () => target.bucket.requests.close() };
  }

  /** Whether the next backup of this bucket would have it too. */
  #isBackedUp(): boolean {
    const { prefix, exclude } = this.#config;
    return this.#to.startsWith(prefix) && !matcherOf(exclude)(`${this.#to.slice(prefix.length)}x`);
  }

  #pattern(): string {
    return `${this.#to.slice(this.#config.prefix.length)}*`;
  }
}

/** A folder in the bucket. Throws `config` for its root. */
function prefixOf(to: string): string {
  const prefix = to.replace(/^\/+/, "").replace(/\/*$/, "/");
  if (prefix !== "/") return prefix;
  throw new AppError("config", "expected a folder in the bucket: restored-20260301-0300/", {
    text: { key: "error-replace-s3-to" },
  });
}

async function firstOf({ bucket, prefix }: Target, signal: AbortSignal): Promise<string | undefined> {
  for await (const { key } of bucket.list(prefix, signal, 1)) return key;
  return undefined;
}

async function bytesOf(reader: BackupReader, target: Target, signal: AbortSignal) {
  await using index = await Index.load(reader, signal);
  const found = { objects: 0, bytes: 0 };
  for await (const { key, size } of index.objects(signal)) {
    if (!target.isMeant(target.keyOf(key))) continue;
    found.objects += 1;
    found.bytes += size;
  }
  return found;
}

/** There was nothing when it was begun: everything is what was made. */
async function clear(target: Target, signal: AbortSignal): Promise<void> {
  const pool = new Pool({ running: target.concurrency });
  try {
    for await (const { key } of target.bucket.list(target.prefix, signal))
      await pool.add(
        async () => void (await remove(target, key, AbortSignal.any([signal, AbortSignal.timeout(minuteMs)]))),
      );
    await pool.finish();
  } finally {
    await pool.end();
  }
}

function notEmpty(place: string, object: string): AppError {
  return new AppError("conflict", `${place} is not empty: it has ${shownKey(object)}`, {
    context: { step: "preflight", place },
    text: { key: "error-s3-not-empty", args: { place: `s3://${place}`, object: shownKey(object) } },
  });
}

function nothingBelow(pick: string): AppError {
  return new AppError("not-found", `the backup has no object below ${pick}`, {
    context: { step: "preflight" },
    text: nothingText(pick),
  });
}

/** Of one order. Throws `config` for a `to` that is no folder. */
export function createBeside(config: S3SourceConfig, order: BesideOrder): Beside {
  return new S3Beside(config, order);
}
