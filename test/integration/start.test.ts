import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "vakhta-start-"));
mkdirSync(join(folder, "src"));
mkdirSync(join(folder, "scripts"));
cpSync(join(import.meta.dirname, "../../scripts/start.ts"), join(folder, "scripts/start.ts"));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');

const lives = 'setInterval(() => undefined, 60_000); console.log("up", process.pid);';
const endsInOrder = `process.on("SIGTERM", () => { console.log("bye"); process.exit(0); }); ${lives}`;
const ignoresTheEnd = `process.on("SIGTERM", () => console.log("no")); ${lives}`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(bot: string, worker: string) {
  writeFileSync(join(folder, "src/bot.ts"), bot);
  writeFileSync(join(folder, "src/worker.ts"), worker);
  const child = spawn(process.execPath, ["scripts/start.ts"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const saw = (pattern: RegExp, times = 1) =>
    expect.poll(() => output.match(new RegExp(pattern, "g"))?.length ?? 0, { timeout: 10_000 }).toBe(times);
  return { child, saw };
}

async function statusOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

test.for(["SIGTERM", "SIGINT"] as const)("%s ends both in order", async (signal) => {
  const { child, saw } = start(endsInOrder, endsInOrder);
  await saw(/up/, 2);
  child.kill(signal);
  expect(await statusOf(child)).toBe(0);
  await saw(/bye/, 2);
});

test("when one dies the other is ended and the status is passed on", async () => {
  const { child, saw } = start(endsInOrder, "process.exit(3)");
  expect(await statusOf(child)).toBe(3);
  await saw(/worker ended with 3: stopping bot/);
});

test("a configuration that cannot be used has been explained already: nothing is added to it", async () => {
  const { child, saw } = start(
    'console.error("no vakhta.yaml"); process.exitCode = 78;',
    "setTimeout(() => undefined, 60_000);",
  );
  const closed = once(child, "close");
  expect(await statusOf(child)).toBe(78);
  await closed;
  await saw(/no vakhta\.yaml/);
  await saw(/ended with/, 0);
});

test("an end that nobody asked for is a failure, even in order", async () => {
  const { child } = start("process.exit(0)", endsInOrder);
  expect(await statusOf(child)).toBe(1);
});

test("a second request ends what does not want to end", async () => {
  const { child, saw } = start(ignoresTheEnd, endsInOrder);
  await saw(/up/, 2);
  child.kill("SIGTERM");
  await saw(/no/);
  child.kill("SIGTERM");
  expect(await statusOf(child)).toBe(137);
});
