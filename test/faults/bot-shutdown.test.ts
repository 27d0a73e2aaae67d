import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answerTo, becomes, conflicts, eventually, holdDumps, now, runCount, shown } from "../support/chat.ts";
import { alice, bob, type Stack, startStack } from "../support/stack.ts";

const root = join(import.meta.dirname, "../..");
let stack: Stack;
const stops: (() => void)[] = [];

beforeEach(async () => {
  stack = await startStack({
    rows: 50,
    configure: (config) => {
      config["backups"].push({ ...config["backups"][0], name: "blog" });
    },
  });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await stack?.[Symbol.asyncDispose]();
});

/** Bot and worker as one program, as on a small machine. */
async function startBoth() {
  const child = spawn(process.execPath, [join(root, "scripts/start.ts")], {
    cwd: root,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], LANG: "C.UTF-8", VAKHTA_CONFIG: stack.configFile },
    stdio: ["ignore", "pipe", "pipe"],
  });
  stops.push(() => child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  await eventually("both ready", () => log.includes("bot ready") && log.includes("worker ready"));
  return {
    stop: async () => {
      child.kill("SIGTERM");
      const [status] = await exited;
      return { status, log };
    },
  };
}

test("SIGTERM with a dialog open and a backup running: an ordered end, nothing half-done, both go on afterwards", async () => {
  const first = await startBoth();
  const release = await holdDumps(stack);
  const running = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, running, "Confirm");
  await becomes(stack, running, /Phase: dumping/);
  const open = await answerTo(stack, stack.say(bob.id, "/backup blog"), /Back up blog now/);

  const asked = performance.now();
  const { status, log } = await first.stop();
  expect(performance.now() - asked).toBeLessThan(30_000);
  expect(status).toBe(0);
  expect(log).toContain("bot stopped");
  expect(log).toContain("worker stopped");
  expect(log).not.toMatch(/"level":[56]0/);
  expect(globSync("**/*.*", { cwd: stack.localFolder })).toEqual([]);
  expect(globSync("**/.*.tmp", { cwd: stack.localFolder })).toEqual([]);
  expect(stack.s3.openUploads()).toEqual([]);

  await release();
  const second = await startBoth();
  const done = await becomes(stack, running, /Backup shop is done/);
  expect(done.text).toMatch(/Attempt 2: a worker was interrupted while/);
  expect(shown(now(stack, open)).buttons).toEqual(["Confirm", "Cancel"]);
  await stack.press(bob.id, open, "Confirm");
  await becomes(stack, open, /Backup blog is done/);
  expect([await runCount(stack, "shop"), await runCount(stack, "blog")]).toEqual([1, 1]);
  expect(conflicts(stack)).toBe(0);
  expect((await second.stop()).status).toBe(0);
}, 120_000);
