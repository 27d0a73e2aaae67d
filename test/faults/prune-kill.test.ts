import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { manifestFile } from "../../src/core/manifest.ts";
import { temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  jobContext,
  keysOf,
  putBackup,
  retentionWorld,
} from "../support/catalogue.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const child = fileURLToPath(new URL("../support/prune-child.ts", import.meta.url));

/** Carries out the retention in a process of its own, and kills that before its deletion of number `stopAt`. */
async function killedAt(stopAt: number, redis: object, path: string, now: string): Promise<string[]> {
  const worker = spawn(process.execPath, [child, JSON.stringify({ redis, path, now, stopAt })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const deleted: string[] = [];
  for await (const line of createInterface({ input: worker.stdout })) {
    if (line === "stopped" || line === "done") break;
    deleted.push(line);
  }
  worker.kill("SIGKILL");
  await once(worker, "exit");
  return deleted;
}

// Two backups go, each with two objects: before the first, between manifest and part, between the two, before the last.
test.each([0, 1, 2, 3])(
  "killed before deletion %i, the retention is finished by the next worker, and no half backup is left",
  async (stopAt) => {
    const folder = temporaryFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    const world = retentionWorld(fixture, {
      storages: { local: { kind: "local", path: folder.path } },
      backups: [aBackup()],
    });
    const local = await world.storage("local");
    for (let index = 0; index < 5; index++) await putBackup(local, dailyManifest(index));
    const { redis } = world.deps.config;
    const deleted = await killedAt(stopAt, redis, folder.path, world.clock.now().toISOString());
    expect(deleted).toHaveLength(stopAt);
    // At every moment: what has a manifest is whole.
    for (const backup of await backupsIn(local)) expect(await keysOf(local)).toContain(`${backup}artifact.dump.zst`);
    // The lease of the dead: a process that has ended on this machine needs no waiting for.
    expect(await world.deps.pruner.execute({ storage: "local", name: "app" }, jobContext())).toMatchObject({
      done: { status: "done" },
    });
    expect(await backupsIn(local)).toHaveLength(3);
    expect(await keysOf(local)).toHaveLength(6);
    expect((await world.deps.prunes.removing("local", "app")).size).toBe(0);
    expect(deleted[0] === undefined || deleted[0].endsWith(`/${manifestFile}`)).toBe(true);
  },
);
