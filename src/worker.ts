import { enableCompileCache } from "node:module";

enableCompileCache();

const { enter } = await import("./app/entry.ts");
const { loadConfig } = await import("./app/config.ts");

await enter(
  "worker",
  () => loadConfig({ requires: ["redis", "storages", "sources"] }),
  async ({ config }, logger) => {
    const [{ createDeps }, { runWorker }, { systemClock }, { createJobHandlers }] = await Promise.all([
      import("./app/deps.ts"),
      import("./app/run-worker.ts"),
      import("./app/clock.ts"),
      import("../jobs/index.ts"),
    ]);
    const { deps, close } = createDeps({ config, logger, clock: systemClock, role: "worker" });
    return await runWorker(deps, createJobHandlers(deps), close);
  },
);
