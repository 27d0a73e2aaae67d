import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow, temporaryFolder } from "../support/backup.ts";
import { runCli } from "../support/cli.ts";
import { scriptIn } from "../support/fake-tools.ts";

test("vakhta backup --here stores files, and says what it could not store as it was", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "tree"));
  writeFileSync(join(folder.path, "tree/file"), "content");
  symlinkSync("file", join(folder.path, "tree/link"));
  const script = `case "$*" in *--verbose*) "$@"; echo 'tar: ./srv/log: file changed as we read it' >&2; exit 1 ;; *) exec "$@" ;; esac`;
  const via = scriptIn(folder.path, "via", script);
  writeFileSync(
    join(folder.path, "vakhta.yaml"),
    `storages: { local: { kind: local, path: ${folder.path}/backups } }
backups: [{ name: uploads, source: { kind: files, paths: [${folder.path}/tree], via: [${via}] } }]
`,
  );
  const options = { cwd: folder.path };
  const told = await runCli(["backup", "uploads", "--here"], options);
  expect(told).toMatchObject({ status: 0, stdout: expect.stringContaining("changed: /srv/log") });
  const asData = await runCli(["backup", "uploads", "--here", "--json"], options);
  const notes = { notes: [{ kind: "changed", name: "/srv/log" }], notesTotal: 1 };
  expect(JSON.parse(asData.stdout)).toMatchObject(notes);
  const manifest = filesBelow(join(folder.path, "backups")).find((file) => file.endsWith("manifest.json")) ?? "";
  const stored: unknown = JSON.parse(readFileSync(join(folder.path, "backups", manifest), "utf8"));
  expect(stored).toMatchObject({ kind: "files", ...notes, parts: [{ file: "artifact.tar.zst", entries: 3 }] });
});
