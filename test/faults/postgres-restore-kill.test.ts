import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { encodeManifest } from "../../src/core/manifest.ts";
import { kindOf } from "../../src/sources/index.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup, testRestoreIn } from "../support/postgres-restore.ts";
import { processesWith } from "../support/processes.ts";

let server: PostgresServer;
const folder = temporaryFolder();
let made: MadeBackup;
const child = fileURLToPath(new URL("../support/postgres-restore-child.ts", import.meta.url));

beforeAll(async () => {
  chmodSync(folder.path, 0o711);
  server = await startPostgres();
  await server.createDatabase(
    "shop",
    "CREATE TABLE big AS SELECT g, gen_random_uuid() AS id FROM generate_series(1, 60000) g",
  );
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
  writeFileSync(join(folder.path, "manifest.json"), encodeManifest(made.manifest));
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/**
 * Starts a test-restore in a process of its own and kills that when it stands still in the middle. Gives the number of
 * processes that worked in its folder until then.
 */
async function killHalfway(scratch: string, onServer = ""): Promise<number> {
  const args = [child, join(folder.path, "store"), join(folder.path, "manifest.json"), scratch, onServer];
  const running = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(running, "exit");
  try {
    await Promise.race([
      once(running.stdout, "data"),
      exited.then(() => {
        throw new Error("the test-restore ended before it could be killed");
      }),
    ]);
    return processesWith(scratch).length;
  } finally {
    running.kill("SIGKILL");
    await exited;
  }
}

it("a killed worker's private server ends by itself, and the next one takes its folder over", async () => {
  const scratch = join(folder.path, "private");
  mkdirSync(scratch, { mode: 0o711 });
  // The killed one itself and the server.
  expect(await killHalfway(scratch)).toBeGreaterThan(1);
  await vi.waitFor(() => expect(processesWith(scratch)).toEqual([]), { timeout: 15_000 });
  expect(readdirSync(scratch)).toEqual(["postgres"]);
  expect(await testRestoreIn(made.reader, scratch)).toMatchObject({ differences: [], compared: { rows: 60000 } });
  expect(readdirSync(scratch)).toEqual([]);
});

it("a killed worker's database on a scratch server is dropped by the next one, whoever is connected", async () => {
  const scratch = join(folder.path, "shared");
  mkdirSync(scratch, { mode: 0o711 });
  await killHalfway(scratch, server.url("postgres"));
  const query = "SELECT datname FROM pg_database WHERE datname LIKE 'vakhta%'";
  expect(await server.psql("postgres", query)).toBe("vakhta_verify_killed");
  // Nobody remembers its id: a program without Redis was killed, or Redis was emptied.
  const next = join(folder.path, "next");
  mkdirSync(next, { mode: 0o711 });
  expect(await testRestoreIn(made.reader, next, { server: server.url("postgres") })).toMatchObject({ differences: [] });
  expect(await server.psql("postgres", query)).toBe("");
  await killHalfway(scratch, server.url("postgres"));
  const dropped = await kindOf("postgres").cleanUpScratch?.(
    server.url("postgres"),
    ["killed"],
    new AbortController().signal,
  );
  expect(dropped).toBe(1);
  expect(await server.psql("postgres", query)).toBe("");
});

it("an abort ends it at once and leaves nothing", async () => {
  const scratch = join(folder.path, "aborted");
  mkdirSync(scratch, { mode: 0o711 });
  const controller = new AbortController();
  const open: typeof made.reader.open = async (part) => {
    if (part.role === "artifact") controller.abort(new Error("stop now"));
    return await made.reader.open(part);
  };
  await expect(testRestoreIn({ ...made.reader, open }, scratch, { signal: controller.signal })).rejects.toThrow(
    "stop now",
  );
  expect(processesWith(scratch)).toEqual([]);
  expect(readdirSync(scratch)).toEqual([]);
});
