import { pino } from "pino";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps } from "../../src/app/worker-deps.ts";

/** A worker that takes its turn to recover a server, and is killed before it has ordered anything. */
const [path = "", now = ""] = process.argv.slice(2);
const { config } = loadConfig({ path, env: {}, requires: ["telegram", "redis", "providers"] });
const clock = { now: () => new Date(now) };
const { deps } = createWorkerDeps({ config, logger: pino({ level: "silent" }), clock, role: "test" });
deps.powerOrders.request = async () => {
  process.kill(process.pid, "SIGKILL");
  return await Promise.reject(new Error("it is gone"));
};
await deps.recovery.step();
process.exit(1);
