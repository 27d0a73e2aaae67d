#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Before anything else is loaded: what was compiled before it is compiled at every start.
enableCompileCache();

const { processTerminal, terminalLocale } = await import("./cli/terminal.ts");
const { run } = await import("./cli/program.ts");

const interrupt = new AbortController();
// A second Ctrl-C ends the process at once.
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());

process.exitCode = await run(process.argv, processTerminal(terminalLocale(), interrupt.signal));
