import { enableCompileCache } from "node:module";
import { saveMemory } from "./app/v8-flags.ts";

saveMemory();
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
