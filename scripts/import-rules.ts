/**
 * Writes `biome.imports.json`: who may import whom, one rule per folder. Biome's overrides replace a rule's options
 * instead of adding to them, so each folder's list must be whole, and nobody would keep twenty of them right by hand.
 * Edit the tables here, then run `npm run format`; a test fails when the file is not current or a rule does not bite.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Folders of `src` (and `jobs`) from the bottom up: each may import those of the rows below it, not its own row's. */
const families = ["sources", "storages", "providers", "checks", "hooks"];
const middle = [...families, "state", "queue", "messages"];
const faces = ["jobs", "bot", "http"];
const layers = [["core"], ["lib"], middle, ["services"], faces];

/** `core` is pure: whatever reaches outside the process or has a clock of its own is refused there. */
const impure = ["child_process", "cluster", "dgram", "dns", "fs", "http", "http2", "https", "net", "os", "process"]
  .concat("readline", "timers", "tls", "worker_threads")
  .flatMap((name) => [`node:${name}`, `node:${name}/*`]);

/** What does the same without an import. `core-clock.grit` refuses `Date.now()` and `new Date()`, which have no rule. */
const impureGlobals = ["fetch", "globalThis", "performance", "process", "setImmediate", "setInterval", "setTimeout"];
const pureRules = {
  plugins: ["./scripts/core-clock.grit"],
  globals: {
    level: "error",
    options: {
      deniedGlobals: Object.fromEntries(
        impureGlobals.map((name) => [name, "core is pure: no I/O, no clock of its own."]),
      ),
    },
  },
};

interface Pattern {
  group: readonly string[];
  importNamePattern?: string;
  invertImportNamePattern?: boolean;
  message: string;
}

const folders = (names: readonly string[]) => names.map((name) => `**/${name}/**`);

/** Biome sees no difference between a type and a value, but their names differ, and tsc insists on `import type`. */
const onlyTypesOf = (folder: string, importNamePattern: string, message: string): Pattern => ({
  group: folders([folder]),
  importNamePattern,
  invertImportNamePattern: true,
  message,
});

const onlyAppTypes = onlyTypesOf(
  "app",
  "([A-Z][A-Za-z]*)?(Config|Deps)",
  "Of app/ only types called ...Config and ...Deps may be imported here.",
);

const override = (includes: string, patterns: readonly Pattern[]) => ({
  includes: [includes],
  linter: { rules: { style: { noRestrictedImports: { level: "error", options: { patterns } } } } },
});

/** Texts belong to those who speak to people; others may name a language, but render nothing. */
const onlyLanguages = onlyTypesOf("messages", "[A-Z][A-Za-z]*|locales", "Of messages/ only types and `locales` here.");
const speechless = [...middle, "services", "jobs"].filter((name) => name !== "messages");

function layerRule(name: string, row: number) {
  const mayName = speechless.includes(name) ? ["messages"] : [];
  const peers = (layers[row] ?? []).filter((peer) => peer !== name && !mayName.includes(peer));
  const above = layers.slice(row + 1).flat();
  const patterns: Pattern[] = [
    {
      group: folders([...peers, ...above, "sandbox"]),
      message: `${name} may import ${layers.slice(0, row).flat().join(", ") || "nothing of ours"}.`,
    },
    onlyAppTypes,
  ];
  if (name === "core") patterns.push({ group: impure, message: "core is pure: no I/O, no clock of its own." });
  if (mayName.length > 0) patterns.push(onlyLanguages);
  const rule = override(name === "jobs" ? "jobs/**" : `src/${name}/**`, patterns);
  if (name !== "core") return rule;
  const style = { ...rule.linter.rules.style, noRestrictedGlobals: pureRules.globals };
  return { ...rule, plugins: pureRules.plugins, linter: { rules: { style } } };
}

/** From each depth of the sandbox, the first step that leaves it: folders inside it may have any name. */
const sandboxRules = [1, 2, 3, 4].map((depth) =>
  override(`src/sandbox${"/*".repeat(depth - 1)}/*.ts`, [
    {
      group: [`${"../".repeat(depth)}**`],
      message: "The sandbox imports nothing of ours: it can be lifted out whole.",
    },
  ]),
);

const entryRules = [
  override("src/cli/**", [
    { group: folders(["jobs", "sandbox"]), message: "Only worker.ts and demo.ts import jobs/." },
  ]),
  override("src/app/**", [
    { group: folders(["jobs", "sandbox"]), message: "Only worker.ts and demo.ts import jobs/." },
  ]),
  override("src/*.ts", [{ group: folders(["jobs", "sandbox"]), message: "Only worker.ts and demo.ts import jobs/." }]),
  override("src/worker.ts", [{ group: folders(["bot", "sandbox"]), message: "The worker knows nothing of the chat." }]),
  override("src/demo.ts", [{ group: ["**/test/**"], message: "The program does not import its tests." }]),
];

/** The whole content of `biome.imports.json`. */
export function importRules(): string {
  const overrides = [
    ...layers.flatMap((names, row) => names.map((name) => layerRule(name, row))),
    ...sandboxRules,
    ...entryRules,
  ];
  return `${JSON.stringify({ root: false, overrides }, undefined, 2)}\n`;
}

/** Where the rules are kept: beside `biome.json`, which extends them. */
export const importRulesFile = fileURLToPath(new URL("../biome.imports.json", import.meta.url));

if (import.meta.main) writeFileSync(importRulesFile, importRules());
