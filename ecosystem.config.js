import { existsSync } from "node:fs";
import { join } from "node:path";

/** The Node that `npm ci` has installed; without development dependencies, the machine's own, which has to be 24 or newer. */
const ownNode = join(import.meta.dirname, "node_modules/.bin/node");

// PM2: node_modules/.bin/pm2 start ecosystem.config.js. A named export, because PM2 does not find a default one in an ES module.
const common = {
  cwd: import.meta.dirname,
  // Node runs the sources as they are; PM2 would otherwise look for an interpreter for .ts files.
  interpreter: existsSync(ownNode) ? ownNode : "node",
  // A small heap for new objects, and compiled code kept from earlier starts: about 35 MB less per process.
  interpreter_args: "--max-semi-space-size=1",
  exec_mode: "fork",
  env: { NODE_ENV: "production", NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compile") },
  // Longer than the orderly end of either takes at most: PM2 sends SIGINT, waits, then kills.
  kill_timeout: 40_000,
  // A broken configuration (78) does not mend itself by another start.
  stop_exit_codes: [78],
  exp_backoff_restart_delay: 200,
  // The logs are JSON lines with their own time.
  merge_logs: true,
  time: false,
};

export const apps = [
  { ...common, name: "vakhta-bot", script: "src/bot.ts" },
  { ...common, name: "vakhta-worker", script: "src/worker.ts" },
];
