import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runFolder } from "../../src/core/manifest.ts";
import { processIdentity } from "../../src/lib/process-identity.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { orderOf, sourceOf, storageOf } from "../support/backup.ts";
import type { CliResult } from "../support/cli.ts";
import { runHere } from "../support/cli-here.ts";
import { startOnTerminal } from "../support/pty.ts";
import { rewriteParts } from "../support/verify.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vakhta-cli-prune-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Backups of these days of March 2026, at three o'clock. */
async function backups(...days: readonly number[]): Promise<void> {
  const storages = [storageOf("local", { kind: "local", path: join(folder, "store") })];
  for (const day of days) {
    const startedAt = new Date(Date.UTC(2026, 2, day, 3));
    const runId = `run${day}`;
    const source = sourceOf({ kind: "command", argv: ["seq", "1", "9"], file: "numbers.txt" });
    const run = { runId, startedAt, folder: runFolder("app", startedAt, runId), clock: { now: () => startedAt } };
    await runBackup(orderOf({ source, storages, ...run }));
  }
}

async function prune(...args: readonly string[]): Promise<CliResult> {
  return await runHere(["prune", ...args, "--storage", `file://${folder}/store`]);
}

const stored = (): string[] =>
  globSync("store/app/*/manifest.json", { cwd: folder }).map((file) => file.slice(-24, -14));
const days = (): number[] =>
  stored()
    .map((name) => Number(/run(\d+)$/.exec(name)?.[1]))
    .toSorted((a, b) => a - b);

describe("vakhta prune on a bare machine", () => {
  it("explains every decision, and removes nothing in a dry run", async () => {
    await backups(1, 2, 3, 4);
    const { status, stdout, stderr } = await prune("--keep", "daily=2", "--dry-run");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual([
      expect.stringMatching(/^Backups of app in file:.*\(daily: 2\).*: 2 stay, 2 go\.$/),
      expect.stringMatching(/^run4 .* stays, the last good one, newest of day 2026-03-04$/),
      expect.stringMatching(/^run3 .* stays, newest of day 2026-03-03$/),
      expect.stringMatching(/^run2 .* goes$/),
      expect.stringMatching(/^run1 .* goes$/),
    ]);
    expect(days()).toEqual([1, 2, 3, 4]);
    const told = await prune("app", "--keep", "last=1", "--dry-run", "--json");
    expect(JSON.parse(told.stdout)).toMatchObject([
      { name: "app", policy: "last: 1", removed: 0, backups: [{ id: "run4", stays: true }, {}, {}, { stays: false }] },
    ]);
  });

  it("removes what goes when it is told to, and never what is pinned or foreign", async () => {
    await backups(1, 2, 3, 4);
    const [first = ""] = globSync(`${folder}/store/app/*run1`);
    writeFileSync(join(first, "pin.json"), '{"version":1,"at":"2026-03-01T00:00:00Z","by":"alice"}');
    writeFileSync(join(folder, "store/app/mine.txt"), "foreign");
    const { status, stderr } = await prune("--keep", "last=1", "--yes");
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `2 backups of app removed from file://${folder}/store.\n`,
    });
    expect(days()).toEqual([1, 4]);
    expect(readFileSync(join(folder, "store/app/mine.txt"), "utf8")).toBe("foreign");
  });

  it("wants to be told what to keep, somebody to ask, and a name that there is", async () => {
    await backups(1, 2);
    for (const args of [
      ["--yes"],
      ["--keep", "daily=2"],
      ["--keep", "hourly=2", "--yes"],
      ["--keep", "daily=0", "--yes"],
    ])
      expect(await prune(...args)).toMatchObject({ status: 2, stdout: "" });
    expect(await prune("else", "--keep", "last=1", "--yes")).toMatchObject({ status: 2 });
    expect(days()).toEqual([1, 2]);
  });

  it("has somebody at a terminal type the name when very much would go", async () => {
    await backups(1, 2, 3, 4, 5);
    expect(await prune("--keep", "last=1", "--yes")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("more than half of the backups of app would go"),
    });
    expect(days()).toHaveLength(5);
    const args = ["prune", "--keep", "last=1", "--storage", `file://${folder}/store`];
    await using terminal = startOnTerminal(args, { cwd: folder });
    await terminal.see(/Type the backup's name \(app\) to remove what goes: /);
    terminal.type("app\r");
    expect(await terminal.done).toBe(0);
    expect(days()).toEqual([5]);
  });

  it("does nothing beside a backup that is being made, and goes by no lease of a process that has ended", async () => {
    await backups(1, 2);
    const lease = join(folder, "store/app/lease-0123456789abcdef.json");
    const until = new Date(Date.now() + 60_000).toISOString();
    const held = { version: 1, work: "backup", host: "db-1", process: processIdentity(), until };
    writeFileSync(lease, JSON.stringify(held));
    const busy = await prune("--keep", "last=1", "--yes");
    expect(busy).toMatchObject({ status: 1, stderr: expect.stringContaining("is being worked on (backup on db-1)") });
    expect(days()).toEqual([1, 2]);
    const [boot, namespace] = processIdentity().split("/");
    writeFileSync(lease, JSON.stringify({ ...held, process: `${boot}/${namespace}/4194304/1` }));
    expect(await prune("--keep", "last=1", "--yes")).toMatchObject({ status: 0 });
    expect(days()).toEqual([2]);
    expect(globSync(`${folder}/store/app/lease-*`)).toEqual([]);
    // Of another machine, and not renewed.
    await backups(1);
    writeFileSync(lease, JSON.stringify({ ...held, process: "-", until: new Date(0).toISOString() }));
    expect(await prune("--keep", "last=1", "--yes")).toMatchObject({ status: 0 });
    expect(days()).toEqual([2]);
  });

  it("removes nothing where a manifest makes no sense, or the newest backup is far smaller than usual", async () => {
    await backups(1, 2, 3);
    const [third = ""] = globSync(`${folder}/store/app/*run3/manifest.json`);
    rewriteParts(third, { bytes: 1 });
    expect(await prune("--keep", "last=1", "--yes")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/far smaller than those before it/),
    });
    writeFileSync(third, "{");
    expect(await prune("--keep", "last=1", "--yes")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/makes no sense/),
    });
    expect(days()).toEqual([1, 2, 3]);
  });

  it("goes by a configuration's policy, also when its Redis is down, and says that it is", async () => {
    await backups(1, 2, 3);
    const config = join(folder, "vakhta.yaml");
    writeFileSync(
      config,
      `redis: { url: "redis://127.0.0.1:1" }
storages: { local: { kind: local, path: "${folder}/store" } }
backups: [{ name: app, source: { kind: command, argv: [seq, "9"] }, keep: { local: { last: 2 } } }]
`,
    );
    const { status, stderr } = await runHere(["prune", "--yes", "--config", config]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `Redis does not answer: that a worker makes a backup at this moment cannot be seen.\n1 backup of app removed from local.\n`,
    });
    expect(days()).toEqual([2, 3]);
  });
});
