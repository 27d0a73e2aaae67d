import type { FastifyPluginAsync } from "fastify";

/** Looks at one dependency. Resolves with a word about its state; rejects with what is wrong. */
export type HealthCheck = () => Promise<string> | string;

/** A check that takes longer counts as failed; milliseconds. */
const checkTimeoutMs = 1500;

interface CheckResult {
  readonly ok: boolean;
  readonly state: string;
  readonly ms: number;
}

/** `/healthz`: the process answers. `/readyz`: each dependency with its state; 503 when one of them is not well. */
export function healthRoutes(checks: Readonly<Record<string, HealthCheck>>): FastifyPluginAsync {
  return async (server) => {
    server.get("/healthz", () => ({ status: "ok" }));
    server.get("/readyz", async (_request, reply) => {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await run(check)] as const),
      );
      const ready = results.every(([, result]) => result.ok);
      return await reply
        .status(ready ? 200 : 503)
        .send({ status: ready ? "ready" : "not ready", checks: Object.fromEntries(results) });
    });
  };
}

async function run(check: HealthCheck): Promise<CheckResult> {
  const started = performance.now();
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error("no answer")), checkTimeoutMs);
  const took = (): number => Math.round(performance.now() - started);
  try {
    const state = await Promise.race([Promise.resolve().then(check), timer.promise]);
    return { ok: true, state, ms: took() };
  } catch (error) {
    return { ok: false, state: error instanceof Error ? error.message : String(error), ms: took() };
  } finally {
    clearTimeout(timeout);
  }
}
