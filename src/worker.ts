import { enableCompileCache } from "node:module";
import { compileFor, saveMemory } from "./app/v8-flags.ts";

saveMemory();
enableCompileCache();

const { enter } = await import("./app/entry.ts");
const { loadConfig } = await import("./app/config.ts");

await enter(
  "worker",
  () => loadConfig({ requires: ["redis", "storages", "sources", "providers"] }),
  async ({ config }, logger) => {
    compileFor(config.servers.length);
    const [{ createWorkerDeps }, { runWorker }, { systemClock }, { createJobHandlers }] = await Promise.all([
      import("./app/worker-deps.ts"),
      import("./app/run-worker.ts"),
      import("./app/clock.ts"),
      import("../jobs/index.ts"),
    ]);
    const { deps, close } = createWorkerDeps({ config, logger, clock: systemClock, role: "worker" });
    return await runWorker(deps, createJobHandlers(deps), close);
  },
);
