/** A worker that carries out one approved order and is there to be killed: `node managed-child.ts <JSON>`. */
import { pino } from "pino";
import type { Config } from "../../src/app/config.ts";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";

const { config, now, id } = JSON.parse(process.argv[2] ?? "") as { config: Config; now: string; id: string };
const clock = { now: () => new Date(now) };
const { deps } = createWorkerDeps({ config, logger: pino({ level: "silent" }), clock, role: "worker" });
const signal = new AbortController().signal;
await deps.approvalRunner.execute(id, { signal, jobId: "job", attempt: 1, maxAttempts: 1 });
