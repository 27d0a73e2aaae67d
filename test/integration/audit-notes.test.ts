import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { auditLine } from "../../src/bot/audit-text.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { writeNote } from "../../src/services/audit/notes.ts";
import { isLeasedByFile, takeLeaseFile } from "../../src/services/backup/lease-file.ts";
import { storageOf, temporaryFolder } from "../support/backup.ts";
import { aBackup, dailyManifest, putBackup, retentionWorld, signal } from "../support/catalogue.ts";
import { runHere } from "../support/cli-here.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

function world() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const storages = { local: { kind: "local", path: folder.path } };
  return retentionWorld(fixture, { storages, backups: [aBackup()] });
}

const restored = { action: "restore", host: "laptop", outcome: "restored" } as const;

describe("what was done at a command line away from Redis", () => {
  test("is taken into the audit log once, with what the note says and where it was found", async () => {
    const { deps, storage } = world();
    const local = await storage("local");
    const folder = await putBackup(local, dailyManifest(0));
    const at = "2026-02-28T23:00:00.000Z";
    const to = "postgresql://postgres:secret-word@db/app";
    const key = await writeNote(local, folder, { ...restored, at, to }, signal);
    await writeNote(
      local,
      "app/",
      { action: "prune", host: "laptop", outcome: "removed", at, removed: 3, storage: "local" },
      signal,
    );
    await Promise.all([1, 2, 3].map(async () => await deps.catalogueKeeper.refresh("local", undefined, signal)));
    await deps.catalogueKeeper.refresh("local", "app", signal);
    const entries = await deps.audit.newest(10);
    expect(entries.toSorted((a, b) => (a.what < b.what ? 1 : -1))).toMatchObject([
      {
        at: "2026-03-01T12:00:00.000Z",
        about: "cli",
        what: "restored-by-hand",
        action: "restore",
        target: "app",
        id: dailyManifest(0).id,
        host: "laptop",
        details: {
          done: at,
          note: `local: ${key}`,
          user: expect.stringMatching(/./),
          to: "postgresql://postgres:[redacted]@db/app",
        },
      },
      { about: "cli", what: "removed", action: "prune", target: "app", count: 3, details: { storage: "local" } },
    ]);
  });

  test("is left where it makes no sense, and the catalogue is none the worse for it", async () => {
    const { deps, storage } = world();
    const local = await storage("local");
    const folder = await putBackup(local, dailyManifest(0));
    const put = async (key: string, content: string): Promise<void> =>
      await local.put(key, Buffer.from(content), signal);
    await put(`${folder}audit-20260228T230000000Z.json`, "{");
    await put(`${folder}audit-20260228T230000001Z.json`, JSON.stringify({ version: 1, action: "reboot" }));
    await put(`${folder}audit-20260228T230000002Z.json`, "x".repeat(20_000));
    const key = await writeNote(local, folder, { ...restored, at: "2026-02-28T23:00:00.003Z" }, signal);
    // The same under another name is no note of that moment.
    await put(`${folder}audit-20260228T230000004Z.json`, await text(await local.read(key, signal)));
    expect(await deps.catalogueKeeper.refresh("local", undefined, signal)).toEqual({ backups: 1 });
    expect(await deps.audit.newest(10)).toMatchObject([{ what: "restored-by-hand" }]);
  });
});

test("with Redis at hand the command line writes the entry itself, and its note is not taken again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-notes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const store = { local: { kind: "local", path: `${folder}/store` } };
  const { deps } = retentionWorld(fixture, { storages: store, backups: [aBackup()] });
  const { prefix } = deps.config.redis;
  const config = join(folder, "vakhta.yaml");
  writeFileSync(join(folder, "file"), "content");
  writeFileSync(
    config,
    `redis: { url: "${fixture.server.url}", prefix: "${prefix}" }
storages: { local: { kind: local, path: "${folder}/store" } }
backups: [{ name: app, source: { kind: files, paths: ["${folder}/file"] } }]
`,
  );
  await runHere(["backup", "app", "--here", "--config", config]);
  const run = await runHere(["restore", "latest:app", "--to", `${folder}/back`, "--yes", "--config", config]);
  expect(run).toMatchObject({ status: 0 });
  const entry = { about: "cli", what: "restored-by-hand", target: "app", details: { to: `${folder}/back` } };
  expect(await deps.audit.newest(10)).toMatchObject([entry]);
  expect(globSync("store/app/*/audit-*.json", { cwd: folder })).toHaveLength(1);
  await deps.catalogueKeeper.refresh("local", undefined, signal);
  expect(await deps.audit.newest(10)).toHaveLength(1);
});

test("a removal at a command line leaves its note beside the backups, and a worker takes it into the log", async () => {
  const { deps, storage } = world();
  const local = await storage("local");
  for (const index of [0, 1, 2]) await putBackup(local, dailyManifest(index));
  const address = `file://${local.location.replace(/^[^/]*/, "")}`;
  const pruned = await runHere(["prune", "app", "--keep", "last=1", "--yes", "--storage", address]);
  expect(pruned).toMatchObject({ status: 0 });
  await deps.catalogueKeeper.refresh("local", undefined, signal);
  const entry = {
    about: "cli",
    what: "removed",
    action: "prune",
    target: "app",
    count: 2,
    details: { storage: address },
  };
  expect(await deps.audit.newest(10)).toMatchObject([entry]);
  // The chat names the user and the machine: no person of the list has done it.
  const [stored] = await deps.audit.newest(1);
  if (!stored) throw new Error("no entry");
  const line = auditLine(stored, messagesOf("en"), "UTC").replaceAll("\u2060", "");
  expect(line).toContain(`${stored.details?.["user"]}@${stored.host}: removed at`);
});

describe("a restore at a command line", () => {
  const restoreHere = async (folder: string) => {
    const back = `${folder}/back`;
    return await runHere(["restore", "app", "--to", back, "--yes", "--storage", `file://${folder}/store`]);
  };
  const backedUp = async (): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), "vakhta-notes-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "file"), "content");
    const config = join(folder, "vakhta.yaml");
    const source = `{ kind: files, paths: ["${folder}/file"] }`;
    writeFileSync(
      config,
      `redis: { url: "redis://127.0.0.1:1" }
storages: { local: { kind: local, path: "${folder}/store" } }
backups: [{ name: app, source: ${source} }]
`,
    );
    await runHere(["backup", "app", "--here", "--config", config]);
    return folder;
  };
  const held = (work: string) => ({
    version: 1,
    work,
    host: "elsewhere",
    process: "-",
    until: new Date(Date.now() + 60_000).toISOString(),
  });

  test("does not begin while backups of that name are being removed", async () => {
    const folder = await backedUp();
    writeFileSync(join(folder, "store/app/lease-0123456789abcdef.json"), JSON.stringify(held("prune")));
    const refused = await restoreHere(folder);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("prune on elsewhere") });
    expect(existsSync(join(folder, "back"))).toBe(false);
  });

  test.each(["backup", "restore", "copy"])("goes on beside a %s, and leaves no lease", async (work) => {
    const folder = await backedUp();
    const other = join(folder, "store/app/lease-0123456789abcdef.json");
    writeFileSync(other, JSON.stringify(held(work)));
    expect(await restoreHere(folder)).toMatchObject({ status: 0 });
    expect(globSync("store/app/lease-*", { cwd: folder })).toEqual(["store/app/lease-0123456789abcdef.json"]);
  });

  test("keeps removals away while it reads", async () => {
    const folder = await backedUp();
    const local = storageOf("local", { kind: "local", path: join(folder, "store") });
    const lease = { name: "app", host: "here", signal } as const;
    await using _lease = await takeLeaseFile(local, { ...lease, work: "restore" });
    await expect(takeLeaseFile(local, { ...lease, work: "prune" })).rejects.toMatchObject({ code: "busy" });
    expect(await isLeasedByFile(local, "app", signal)).toBe(true);
  });
});
