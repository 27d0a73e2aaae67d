import { Gauge, type GaugeConfiguration, type Registry } from "prom-client";

/** Redis is asked for so long, in milliseconds; what it has not told by then is left out. */
const patienceMs = 1500;

/**
 * A gauge whose values `read` takes from Redis when they are asked for: while it is away they are missing instead of old,
 * and the rest is there all the same.
 */
export function redisGauge(
  registry: Registry,
  about: Pick<GaugeConfiguration<string>, "name" | "help" | "labelNames">,
  read: (gauge: Gauge) => Promise<void>,
): void {
  new Gauge({
    ...about,
    registers: [registry],
    async collect() {
      if (about.labelNames) this.reset();
      const timer = Promise.withResolvers<never>();
      const timeout = setTimeout(() => timer.reject(new Error("no answer")), patienceMs);
      try {
        await Promise.race([read(this), timer.promise]);
      } catch {
        // The one of a gauge without labels, which would be 0 otherwise.
        if (!about.labelNames) this.remove();
      } finally {
        clearTimeout(timeout);
      }
    },
  });
}
