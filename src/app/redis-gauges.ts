import type { Gauge } from "prom-client";

/** Redis is asked for so long, in milliseconds; what it has not told by then is left out. */
const patienceMs = 1500;

/** Values from Redis: while it is away they are missing instead of old, and the rest is there all the same. */
export async function fromRedis(gauges: readonly Gauge[], read: () => Promise<void>): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error("no answer")), patienceMs);
  try {
    await Promise.race([read(), timer.promise]);
  } catch {
    for (const gauge of gauges) gauge.remove();
  } finally {
    clearTimeout(timeout);
  }
}
