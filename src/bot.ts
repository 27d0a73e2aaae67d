import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

// Before anything fills the heap: its space for new objects stays small. The start scripts also set its limit.
setFlagsFromString("--semi-space-growth-factor=1");
// The rest of the heap grows in small steps: it would grow to half as much again as it holds before it is collected.
setFlagsFromString("--memory-saver-mode");
// The compilers for code that runs often take 6 MB and more, and nothing here computes for long enough to need them.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-maglev");
setFlagsFromString("--no-sparkplug");
enableCompileCache();

const { enter } = await import("./app/entry.ts");
const { loadConfig } = await import("./app/config.ts");

await enter(
  "bot",
  () => loadConfig({ requires: ["telegram", "redis"] }),
  async ({ config }, logger) => {
    const [{ createDeps }, { runBot }, { systemClock }] = await Promise.all([
      import("./app/deps.ts"),
      import("./app/run-bot.ts"),
      import("./app/clock.ts"),
    ]);
    const { deps, close } = createDeps({ config, logger, clock: systemClock, role: "bot" });
    return await runBot({ ...deps, config }, close);
  },
);
