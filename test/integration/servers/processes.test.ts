import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { startPostgres } from "../../../src/sandbox/servers/postgres.ts";
import { startRedis } from "../../support/redis.ts";

test("Redis keeps its data over a restart and a kill, and evicts nothing", async () => {
  await using server = await startRedis();
  const redis = new Redis(server.url);
  redis.on("error", () => undefined);
  await redis.set("answer", "42");
  await server.restart();
  expect(await redis.get("answer")).toBe("42");
  await server.kill();
  await server.restart();
  expect(await redis.get("answer")).toBe("42");
  expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
  redis.disconnect();
});

test("PostgreSQL takes SQL and the password, restarts on its port, reports errors", async () => {
  await using server = await startPostgres({ settings: { work_mem: "8MB" } });
  const url = await server.createDatabase('odd "name"', "CREATE TABLE t AS SELECT generate_series(1, 3) AS n");
  expect(new URL(url).port).toBe(String(server.port));
  expect(await server.psql('odd "name"', "SELECT n, 'x' FROM t")).toBe("1|x\n2|x\n3|x");
  expect(await server.psql("postgres", "SHOW work_mem")).toBe("8MB");
  await expect(server.psql("postgres", "SELECT 1/0; SELECT 2")).rejects.toThrow("division by zero");
  await server.kill();
  await expect(server.psql("postgres", "SELECT 1")).rejects.toThrow(/refused/);
  await server.restart();
  expect(await server.psql('odd "name"', "SELECT count(*) FROM t")).toBe("3");
});

test("a program that cannot be started, or ends early, is an error with its words", async () => {
  await expect(startRedis({ settings: { "no-such-setting": "1" } })).rejects.toThrow(/no-such-setting/);
  await expect(startPostgres({ major: 8 })).rejects.toThrow(/No PostgreSQL 8 server/);
});

test("nothing survives a parent that was killed", async () => {
  const parent = spawn(process.execPath, [fileURLToPath(new URL("parent.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const { pids, folders } = JSON.parse(line) as { pids: number[]; folders: string[] };
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  parent.kill("SIGKILL");
  await expect.poll(() => pids.map(isAlive), { timeout: 10_000 }).toEqual([false, false, false]);
  await expect
    .poll(() => folders.map((folder) => existsSync(folder)), { timeout: 10_000 })
    .toEqual([false, false, false]);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
