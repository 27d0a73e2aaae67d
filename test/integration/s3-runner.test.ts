import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { sourceSchema } from "../../src/sources/index.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aBackup, jobContext, retentionWorld } from "../support/catalogue.ts";
import { startCli } from "../support/cli.ts";
import { type MemoryS3, memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

async function bucket(): Promise<MemoryS3> {
  const s3 = await startMemoryS3();
  onTestFinished(() => s3[Symbol.asyncDispose]());
  s3.put("a", "1");
  s3.put("b", "2");
  return s3;
}

function place(): string {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return folder.path;
}

it("a worker builds upon the backup before, says so on the card, and keeps what is needed", async () => {
  const s3 = await bucket();
  const { deps, clock } = retentionWorld(fixture, {
    storages: { local: { kind: "local", path: place() } },
    backups: [aBackup({ source: sourceSchema.parse(memoryConfig(s3)), keep: { local: { last: 1 } } })],
  });
  const make = async () => {
    clock.advance(3_600_000);
    const { run } = await deps.orders.request({ name: "app", trigger: "cli" });
    await deps.runner.execute(run.id, jobContext());
    return await deps.runs.get(run.id);
  };
  const first = await make();
  expect(first).toMatchObject({ status: "succeeded", sourceTitle: { args: { how: "first" } } });
  s3.put("a", "new");
  const second = await make();
  expect(second).toMatchObject({
    status: "succeeded",
    sourceTitle: { key: "source-title-s3", args: { how: "changes" } },
    manifest: { source: { base: first.id, changed: "1", unchanged: "1" }, references: [{ run: first.id }] },
  });
  // The policy keeps one; what that one needs stays.
  await deps.pruner.execute({ storage: "local", name: "app" }, jobContext());
  await deps.catalogueKeeper.refresh("local", "app", jobContext().signal);
  const { entries } = await deps.catalogue.list("app");
  expect(entries.map(({ manifest }) => manifest.id)).toEqual([second.id, first.id]);
});

it("the command line does the same without Redis", async () => {
  const s3 = await bucket();
  const folder = place();
  const config = {
    storages: { local: { kind: "local", path: join(folder, "store") } },
    backups: [{ name: "app", source: memoryConfig(s3) }],
  };
  // YAML reads JSON.
  writeFileSync(join(folder, "vakhta.yaml"), JSON.stringify(config));
  const make = async () => {
    const { status, stderr } = await startCli(["backup", "app", "--here"], { cwd: folder }).done;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return s3.requests.splice(0).filter((request) => request.startsWith("GET "));
  };
  expect(await make()).toEqual(["GET a", "GET b"]);
  s3.put("b", "new");
  expect(await make()).toEqual(["GET b"]);
});
