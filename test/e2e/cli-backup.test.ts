import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startCli } from "../support/cli.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
const cli = "src/cli.ts";

beforeAll(async () => {
  stack = await startStack();
  await stack.startBot();
}, 180_000);

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

test("says that no worker is alive, and can be left while the run waits", async () => {
  const session = startCli(["backup", "shop"], { cwd: stack.folder, env: { VAKHTA_CONFIG: stack.configFile } });
  await vi.waitUntil(() => session.errors().includes("no worker is alive"), { timeout: 60_000 });
  session.kill("SIGINT");
  const { status, stderr } = await session.done;
  expect(stderr).toMatch(/no longer following; run [0-9a-f]{12} goes on/);
  expect(status).toBe(130);
});

test("orders a backup from a worker and follows it to its end", async () => {
  await stack.startWorker();
  const { status, stdout, stderr } = await stack.run([cli, "backup", "shop", "--json"]);
  expect(stderr).toMatch(/ordered: run [0-9a-f]{12}\n/);
  expect(status).toBe(0);
  const result = JSON.parse(stdout) as { id: string; status: string; sha256: string; copies: { status: string }[] };
  expect(result.status).toBe("succeeded");
  expect(result.copies.map((copy) => copy.status)).toEqual(["stored", "stored"]);
  // The chat shows the same run.
  const card = await stack.message(new RegExp(`is done[\\s\\S]*${result.id}`));
  expect(card.text).toContain("From the command line");
});

test("tells a failed run with its step, and exits with 1", async () => {
  await stack.postgres.psql("postgres", "ALTER DATABASE shop RENAME TO gone");
  try {
    const { status, stderr } = await stack.run([cli, "backup", "shop"]);
    expect(stderr).toMatch(/failed in: \S+/);
    expect(stderr).toContain('database "shop" does not exist');
    expect(status).toBe(1);
  } finally {
    await stack.postgres.psql("postgres", "ALTER DATABASE gone RENAME TO shop");
  }
});

test("says in one line that Redis does not answer", async () => {
  const file = join(stack.folder, "no-redis.yaml");
  writeFileSync(file, readFileSync(stack.configFile, "utf8").replace(stack.redis.url, "redis://127.0.0.1:9"));
  const { status, stderr } = await stack.run([cli, "backup", "shop"], { VAKHTA_CONFIG: file });
  expect(stderr).toBe("Redis at 127.0.0.1:9 does not answer: start it, or make the backup with --here\n");
  expect(status).toBe(1);
});
