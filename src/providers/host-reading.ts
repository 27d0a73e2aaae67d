import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type RememberedCounters, ratesBetween } from "../core/counters.ts";
import { AppError, type ErrorCode } from "../core/errors.ts";
import { gaugesOf, type HostSample } from "../core/host-sample.ts";
import { metricNames } from "../core/metric.ts";
import type { LookFailure, ServerReading } from "../core/server.ts";
import type { Text } from "../core/text.ts";
import type { Look, ProviderDeps } from "./types.ts";

/** A look at a host that gave nothing: what `lookAt` makes a failed look of. */
export class LookError extends AppError {
  readonly failure: LookFailure;
  readonly reason: Text;

  constructor(failure: LookFailure, reason: Text, options: { readonly cause?: unknown } = {}) {
    super(codes[failure], `${failure}: ${JSON.stringify(reason)}`, { permanent: false, text: reason, ...options });
    this.failure = failure;
    this.reason = reason;
  }
}

const codes: Readonly<Record<LookFailure, ErrorCode>> = {
  account: "provider-failed",
  gone: "not-found",
  unreachable: "provider-unreachable",
  refused: "provider-refused",
  garbage: "provider-failed",
  "no-data": "provider-failed",
};

/** Without what was remembered a look is worth waiting so long for it; milliseconds. */
const mostWait = 2000;

/** Intervals after which the counters of an earlier look are too old for what is said of now. */
const mostIntervals = 3;

const devices = z.record(z.string(), z.object({ in: z.number(), out: z.number() }));
const rememberedSchema = z.object({
  place: z.string(),
  at: z.number(),
  uptime: z.number().optional(),
  startedAt: z.number().optional(),
  boot: z.string().optional(),
  cpu: z.object({ busy: z.number(), total: z.number(), cores: z.number() }).optional(),
  network: devices,
  disks: devices,
  bootedAt: z.number().optional(),
  rates: z.partialRecord(z.enum(metricNames), z.number()).optional(),
});

/**
 * What a sample and the one before it say of a host. `place`: where it was read; what is remembered of another place under
 * the same name is not its past.
 */
export async function readingOf(
  name: string,
  place: string,
  sample: HostSample,
  deps: Pick<ProviderDeps, "memory" | "every" | "logger">,
  signal: AbortSignal,
): Promise<ServerReading> {
  const { counters } = sample;
  const before = await recall(name, place, deps, signal);
  const { rates, bootedAt, remember } = ratesBetween(before, counters, deps.every * mostIntervals);
  const written = JSON.stringify({ ...remember, place });
  await orNothing(deps.memory.write(name, written), name, deps, signal);
  return {
    at: new Date(counters.at),
    metrics: { ...rates, ...gaugesOf(sample) },
    ...(bootedAt !== undefined && { bootedAt: new Date(bootedAt) }),
  };
}

async function recall(
  name: string,
  place: string,
  deps: Pick<ProviderDeps, "memory" | "logger">,
  signal: AbortSignal,
): Promise<RememberedCounters | undefined> {
  const json = await orNothing(deps.memory.read(name), name, deps, signal);
  if (json === undefined) return undefined;
  try {
    const remembered = rememberedSchema.parse(JSON.parse(json));
    return remembered.place === place ? remembered : undefined;
  } catch (error) {
    deps.logger.warn({ server: name, err: error }, "what was remembered of a server can not be read");
    return undefined;
  }
}

/** What is remembered is not worth a look: without it there are no rates this time. */
async function orNothing<T>(
  work: Promise<T>,
  name: string,
  { logger }: Pick<ProviderDeps, "logger">,
  signal: AbortSignal,
): Promise<T | undefined> {
  const waited = new AbortController();
  const limit = sleep(mostWait, undefined, { signal: AbortSignal.any([signal, waited.signal]), ref: false }).then(
    () => {
      throw new Error(`no answer within ${mostWait} ms`);
    },
  );
  // Whichever of the two comes later is nobody's business.
  limit.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ server: name, error: String(error) }, "what is remembered of a server is not to be had");
    return undefined;
  } finally {
    waited.abort();
  }
}

/** Makes a look of what `read` gives or throws. Rejects only when `signal` is aborted. */
export async function lookAt(
  name: string,
  signal: AbortSignal,
  { logger }: Pick<ProviderDeps, "logger">,
  read: () => Promise<ServerReading>,
): Promise<Look> {
  const startedAt = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedAt);
  try {
    const reading = await read();
    return { name, reading, tookMs: tookMs() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LookError) {
      return { name, failure: error.failure, reason: error.reason, tookMs: tookMs() };
    }
    logger.error({ server: name, err: error }, "a look at a server failed");
    const reason = { key: "error-internal", args: { reason: error instanceof Error ? error.message : String(error) } };
    return { name, failure: "no-data", reason, tookMs: tookMs() };
  }
}
