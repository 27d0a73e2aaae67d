import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "vakhta-pm2-"));

/** A machine's own Node that is too old for the sources: PM2 itself runs by it, and says so of whatever it starts. */
const oldNode = `#!/bin/sh
case "$*" in *--max-semi-space-size*) echo "started by the old node" >&2; exit 1 ;; esac
exec "${process.execPath}" "$@"
`;

/** A PM2 of its own: its daemon, its logs and its list live in this folder. */
const pm2 = async (...args: string[]) =>
  await run(join(root, "node_modules/.bin/pm2"), args, {
    cwd: folder,
    env: { ...process.env, PATH: `${join(folder, "bin")}:/usr/bin:/bin`, PM2_HOME: join(folder, "home") },
  });

const log = (name: string) => readFileSync(join(folder, `home/logs/${name}-out.log`), "utf8");

afterAll(async () => {
  await pm2("kill");
  rmSync(folder, { recursive: true, force: true });
});

test("PM2 reads ecosystem.config.js, starts both sources by the checkout's own Node, and ends them by SIGINT", async () => {
  for (const file of ["ecosystem.config.js", "package.json"]) cpSync(join(root, file), join(folder, file));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/node"), oldNode, { mode: 0o755 });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "src"));
  for (const name of ["bot", "worker"]) {
    const source = `const name: string = "${name}";
      process.on("SIGINT", () => { console.log(name, "ends"); process.exit(0); });
      setInterval(() => undefined, 60_000);
      console.log(name, "is up in", process.cwd());`;
    writeFileSync(join(folder, `src/${name}.ts`), source);
  }
  await pm2("start", "ecosystem.config.js");
  for (const name of ["bot", "worker"]) {
    await expect.poll(() => log(`vakhta-${name}`), { timeout: 10_000 }).toBe(`${name} is up in ${folder}\n`);
  }
  await pm2("stop", "all");
  expect(log("vakhta-bot")).toContain("bot ends");
  expect(log("vakhta-worker")).toContain("worker ends");
});
