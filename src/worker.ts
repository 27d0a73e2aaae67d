import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

// The heap's space for new objects stays as small as it starts: it would grow to 48 MB, and with it the used buffers
// that wait for being collected, while a backup needs hardly any objects.
setFlagsFromString("--semi-space-growth-factor=1");
// The rest of the heap would grow to half as much again as it holds before it is collected: 6 MB less at the peak.
setFlagsFromString("--memory-saver-mode");
// The two compilers for code that runs often take 9 MB each, for nothing: bytes are hashed, encrypted and sent by native
// code, compressed by another program.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-maglev");
// So does the one that comes before them: another 5 MB at the peak.
setFlagsFromString("--no-sparkplug");
enableCompileCache();

const { enter } = await import("./app/entry.ts");
const { loadConfig } = await import("./app/config.ts");

await enter(
  "worker",
  () => loadConfig({ requires: ["redis", "storages", "sources", "providers"] }),
  async ({ config }, logger) => {
    // Rules and histories of so many are computed here: then speed counts for more than memory.
    if (config.servers.length >= 50)
      for (const compiler of ["sparkplug", "maglev", "opt"]) setFlagsFromString(`--${compiler}`);
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
