import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importRules, importRulesFile } from "../../scripts/import-rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const families = ["sources", "storages", "providers", "checks", "hooks"];
const middle = [...families, "state", "queue", "messages"];

/** From a file: a target file of ours or a package, with the imported names where they matter. */
type Case = readonly [from: string, target: string, names?: string];

const refused: Case[] = [
  ...["lib/http.ts", "sources/index.ts", "services/backup.ts", "app/config.ts"].map(
    (to): Case => ["src/core/manifest.ts", `src/${to}`],
  ),
  ["src/core/manifest.ts", "node:fs/promises"],
  ["src/core/manifest.ts", "node:timers"],
  ["src/lib/http.ts", "src/state/runs.ts"],
  ["src/lib/clients/s3.ts", "src/storages/s3/index.ts"],
  ...families.flatMap((from) => families.filter((to) => to !== from).map((to) => pair(from, to))),
  ...middle.flatMap((from) => ["services", "bot", "http"].map((to) => pair(from, to))),
  ...families.flatMap((from) => ["state", "queue", "messages"].map((to) => pair(from, to))),
  pair("state", "queue"),
  pair("queue", "state"),
  pair("services", "bot"),
  pair("services", "http"),
  ["src/services/backup.ts", "src/messages/index.ts", "translate"],
  ["src/services/backup.ts", "jobs/backup.ts"],
  ["jobs/backup.ts", "src/bot/delivery.ts"],
  ["jobs/backup.ts", "src/http/server.ts"],
  ["jobs/backup.ts", "src/messages/index.ts"],
  pair("bot", "http"),
  pair("http", "bot"),
  ["src/bot/commands/backup.ts", "jobs/backup.ts"],
  ["src/bot/commands/backup.ts", "src/app/deps.ts", "createDeps"],
  ["src/bot/commands/backup.ts", "src/app/config.ts", "loadConfig"],
  ["src/bot/commands/backup.ts", "src/sandbox/telegram/api.ts"],
  ["src/app/deps.ts", "jobs/index.ts"],
  ["src/bot.ts", "jobs/index.ts"],
  ["src/cli.ts", "jobs/index.ts"],
  ["src/cli/doctor.ts", "jobs/index.ts"],
  ["src/bot.ts", "src/sandbox/telegram/api.ts"],
  ["src/worker.ts", "src/bot/create-bot.ts"],
  ["src/worker.ts", "src/sandbox/telegram/api.ts"],
  ["src/sandbox/index.ts", "src/core/manifest.ts"],
  ["src/sandbox/telegram/server.ts", "src/lib/logger.ts"],
  ["src/sandbox/telegram/methods/send.ts", "src/core/manifest.ts"],
  ["src/services/backup.ts", "node:child_process"],
  ["src/lib/http.ts", "node:child_process"],
  ["src/lib/process.ts", "node:child_process"],
  ["jobs/backup.ts", "child_process"],
  ["src/services/backup.ts", "node:process"],
  ["src/lib/environment.ts", "process"],
  ["src/lib/process.ts", "node:process"],
  ["src/sandbox/servers/redis.ts", "node:process"],
];

const allowed: Case[] = [
  ["src/core/manifest.ts", "zod"],
  ["src/core/backup/plan.ts", "src/core/manifest.ts"],
  ["src/lib/http.ts", "src/core/errors.ts"],
  ["src/lib/child.ts", "node:child_process"],
  ["src/storages/s3/index.ts", "src/lib/clients/s3.ts"],
  ["src/storages/s3/index.ts", "src/storages/types.ts"],
  ["src/storages/s3/index.ts", "@aws-sdk/lib-storage"],
  ["src/queue/producer.ts", "src/app/config.ts", "type Config"],
  ["src/services/backup.ts", "src/sources/index.ts"],
  ["src/services/backup.ts", "src/state/runs.ts"],
  ["src/services/backup.ts", "src/queue/producer.ts"],
  ["src/services/backup.ts", "src/messages/index.ts", "type Locale"],
  ["src/state/languages.ts", "src/messages/index.ts", "locales"],
  ["jobs/backup.ts", "src/services/backup.ts"],
  ["jobs/backup.ts", "src/app/deps.ts", "type Deps"],
  ["jobs/backup.ts", "src/app/deps.ts", "type WorkerDeps"],
  ["src/bot/commands/backup.ts", "src/services/backup.ts"],
  ["src/bot/cards/backup.ts", "src/messages/index.ts"],
  ["src/http/server.ts", "src/state/runs.ts"],
  ["src/app/deps.ts", "src/bot/create-bot.ts"],
  ["src/worker.ts", "jobs/index.ts"],
  ["src/demo.ts", "jobs/index.ts"],
  ["src/demo.ts", "src/sandbox/telegram/api.ts"],
  ["src/cli.ts", "src/messages/index.ts"],
  ["src/sandbox/telegram/methods/send.ts", "src/sandbox/telegram/api.ts"],
  ["src/sandbox/servers/redis.ts", "node:child_process"],
];

function pair(from: string, to: string): Case {
  return [`src/${from}/a/b.ts`, `src/${to}/index.ts`];
}

const folder = mkdtempSync(join(tmpdir(), "vakhta-import-rules-"));
let reported: ReadonlySet<string>;
let impure: ReadonlySet<string>;

/** Adds a case as a line to its file and returns where it stands: `path:line`, which the tools report. */
function place([from, target, names = "x"]: Case): string {
  const isOurs = /^(src|jobs)\//.test(target);
  const specifier = isOurs ? relative(dirname(from), target).replace(/^(?!\.)/, "./") : target;
  const path = join(folder, from);
  mkdirSync(dirname(path), { recursive: true });
  // A name of its own per line: with a redeclaration the whole file would be skipped as unparsable.
  appendFileSync(path, `import { ${names} as name${places.size} } from "${specifier}";\n`);
  return `${from}:${readFileSync(path, "utf8").trimEnd().split("\n").length}`;
}

const key = ([from, target, names = ""]: Case) => `${from} <- ${target} ${names}`.trim();
const places = new Map<string, string>();

function run(tool: string, ...args: string[]): string {
  return spawnSync(join(root, "node_modules/.bin", tool), args, { cwd: folder, encoding: "utf8" }).stdout;
}

/** `path:line` of everything that a tool has reported. */
function placesIn(reports: string): ReadonlySet<string> {
  const found = reports.matchAll(/file=([^,]+),line=(\d+)/g);
  return new Set([...found].map(([, path = "", line]) => `${relative(folder, resolve(folder, path))}:${line}`));
}

beforeAll(() => {
  for (const file of ["biome.json", "biome.imports.json", ".oxlintrc.json"])
    cpSync(join(root, file), join(folder, file));
  mkdirSync(join(folder, "scripts"));
  cpSync(join(root, "scripts/core-clock.grit"), join(folder, "scripts/core-clock.grit"));
  for (const one of [...refused, ...allowed]) places.set(key(one), place(one));
  const biome = run(
    "biome",
    "lint",
    "--only=style/noRestrictedImports",
    "--vcs-enabled=false",
    "--max-diagnostics=none",
    "--reporter=github",
  );
  const oxlint = run("oxlint", "--format=github")
    .split("\n")
    .filter((line) => line.includes("no-restricted-imports"));
  reported = placesIn(`${biome}\n${oxlint.join("\n")}`);
  const text = statements.map(([statement], index) => `export const x${index} = ${statement};\n`).join("");
  for (const file of ["src/core/pure.ts", "src/lib/impure.ts"]) writeFileSync(join(folder, file), text);
  impure = placesIn(run("biome", "lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=github"));
});

/** Statements, each with whether `core` may have it. All of them may stand elsewhere. */
const statements = [
  ["Date.now()", false],
  ["Date.now", false],
  ["new Date()", false],
  ["new Date(0)", true],
  ['Date.parse("2026-03-01")', true],
  ['fetch("http://a")', false],
  ['globalThis.fetch("http://a")', false],
  ["setTimeout(() => 1, 1)", false],
  ["setInterval(() => 1, 1)", false],
  ["performance.now()", false],
  ["process.uptime()", false],
] as const;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.for(statements.map((one, index) => [...one, index + 1] as const))("in core, %s: allowed is %s", ([, ok, line]) => {
  expect(impure.has(`src/core/pure.ts:${line}`)).toBe(!ok);
  expect(impure.has(`src/lib/impure.ts:${line}`)).toBe(false);
});

test("biome.imports.json is what the tables say (npm run format writes it)", () => {
  expect(readFileSync(importRulesFile, "utf8")).toBe(importRules());
});

test.for(refused.map((one) => [key(one), one] as const))("refused: %s", ([name]) => {
  expect(reported).toContain(places.get(name));
});

test.for(allowed.map((one) => [key(one), one] as const))("allowed: %s", ([name]) => {
  expect(reported).not.toContain(places.get(name));
});
