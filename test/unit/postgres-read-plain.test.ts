import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { manifestFolder } from "../../src/core/manifest.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { readPlain } from "../../src/sources/postgres/archive.ts";
import { storageOf, temporaryFolder } from "../support/backup.ts";
import { aManifest } from "../support/run.ts";

const packed = (text: string): Buffer => execFileSync("zstd", ["-qc"], { input: text });
const roles = "CREATE ROLE alice;\n";
const right = packed(roles);

/** The roles of a backup as they are read where this is stored in their place. */
async function read(stored: Buffer): Promise<string> {
  using folder = temporaryFolder();
  const sha256 = createHash("sha256").update(right).digest("hex");
  const part = { role: "globals", file: "globals.sql.zst", bytes: right.length, sha256 } as const;
  const manifest = aManifest({ parts: [part] });
  const own = join(folder.path, manifestFolder(manifest));
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, part.file), stored);
  const reader = openBackup(storageOf("local", { kind: "local", path: folder.path }), manifest);
  return await readPlain({ reader, part, signal: new AbortController().signal });
}

describe("the roles of a backup", () => {
  it("are read whole", async () => {
    expect(await read(right)).toBe(roles);
  });

  it.each([
    ["others in their place", packed("CREATE ROLE mallory SUPERUSER;\n")],
    ["others behind them", Buffer.concat([right, packed("CREATE ROLE eve;\n")])],
    ["nothing", Buffer.alloc(0)],
  ])("are not taken where the storage has %s", async (_what, stored) => {
    await expect(read(stored)).rejects.toMatchObject({ code: "storage-mismatch" });
  });
});
