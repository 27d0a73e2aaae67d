import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkConfig, formatPath } from "../../src/app/config.ts";
import type { Manifest } from "../../src/core/manifest.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { noteLines } from "../../src/messages/notes.ts";
import { readableName } from "../../src/sources/files/names.ts";
import { expandSet, setNames } from "../../src/sources/files/sets.ts";
import { sourceOf } from "../support/backup.ts";
import { aManifest } from "../support/run.ts";

function problems(yaml: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-config-"));
  try {
    const file = join(folder, "vakhta.yaml");
    writeFileSync(file, yaml);
    return checkConfig({ path: file, env: {}, requires: [] }).problems.map(
      ({ path, key }) => `${formatPath(path)} ${key}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const storages = "storages: { local: { kind: local, path: /var/backups/vakhta } }\n";
const encryption = "encryption: { recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p] }\n";
const backup = (source: string, more = ""): string => `backups: [{ name: a, source: { ${source} }${more} }]\n`;

describe("a machine's settings", () => {
  const config = "kind: config, sets: [nginx]";

  it("are made only encrypted", () => {
    const refused = ["backups[0].encrypt config-problem-config-plain"];
    expect(problems(storages + backup(config))).toEqual(refused);
    expect(problems(storages + encryption + backup(config, ", encrypt: false"))).toEqual(refused);
    expect(
      problems(storages + encryption + backup(config)).filter((problem) => problem.includes("config-plain")),
    ).toEqual([]);
    expect(problems(storages + backup("kind: files, paths: [/etc]"))).toEqual([]);
  });

  it("need a set or a path", () => {
    expect(problems(storages + backup("kind: config")).join()).toContain("config-problem-config-nothing");
  });

  it("are what is there of the sets, and what is not is said", async () => {
    const absent = setNames.filter((name) => expandSet(name).length === 0);
    const present = setNames.filter((name) => expandSet(name).length > 0);
    const signal = new AbortController().signal;
    const info = await sourceOf({ kind: "config", sets: [...setNames], unreadable: "note" }).inspect(signal);
    for (const path of present.flatMap(expandSet)) {
      expect(existsSync(path)).toBe(true);
      expect(`${info.facts["paths"]}, `).toContain(`${path}, `);
    }
    expect(info.facts["absentSets"] ?? "").toBe(absent.join(", "));
    expect(JSON.stringify(info.title)).toContain(absent.length > 0 ? absent.join(", ") : "source-title-config");
    const [missing] = absent;
    if (missing === undefined) return;
    await expect(sourceOf({ kind: "config", sets: [missing] }).inspect(signal)).rejects.toMatchObject({
      text: { key: "error-config-absent", args: { sets: missing } },
    });
  });
});

describe("backups that lie in what is backed up", () => {
  it.each([
    ["paths: [/]", true],
    ["paths: [/var]", true],
    ["paths: [/var/backups/vakhta]", true],
    ["paths: [/var/backups/vakhta-2, /va]", false],
    ['paths: [/], exclude: ["*.log"]', true],
    ["paths: [/], exclude: [/var/backups]", false],
    ["paths: [/], exclude: [/var/backups/]", false],
    ["paths: [/], exclude: [/backups]", true],
    ["paths: [/], exclude: [backups]", false],
    ['paths: [/], exclude: ["/var/*/vakhta"]', false],
    ['paths: [/], exclude: ["vakht?"]', false],
    ['paths: [/], exclude: ["vak(.[ta"]', true],
    ["paths: [/], via: [docker, exec, -i, app]", false],
  ])("are refused: %s %s", (source, refused) => {
    const expected = refused ? ["backups[0].source.exclude config-problem-files-storage"] : [];
    expect(problems(storages + backup(`kind: files, ${source}`))).toEqual(expected);
  });
});

describe("names", () => {
  it.each([
    ["./etc/hosts", "/etc/hosts"],
    ["./srv/sub/", "/srv/sub"],
    ["./", "/"],
    ["./a\\nb\\tc\\\\d\\:", "/a\\012b\\011c\\d:"],
    ["./\\320\\272\\320\\273\\321\\216\\321\\207", "/ключ"],
    ["./\\377x\\320\\272", "/\\377x\\320\\272"],
    ["./\\001\\302\\205", "/\\001\\302\\205"],
    [".hidden", ".hidden"],
  ])("%j is read as %j", (escaped, name) => {
    expect(readableName(escaped)).toBe(name);
  });
});

describe("the notes of a backup", () => {
  const read = (notes: NonNullable<Manifest["notes"]>, notesTotal = notes.length): string[] =>
    noteLines(aManifest(notesTotal === 0 ? {} : { notes, notesTotal }), "en").map(({ key, args }) =>
      messagesOf("en").plain(key, args),
    );

  it("are shown, the first three of them", () => {
    expect(read([])).toEqual([]);
    expect(read([{ kind: "changed", name: "/a" }])).toEqual([
      "⚠️ 1 file or folder is not stored as it was:",
      "changed: /a",
    ]);
    const many = Array.from({ length: 100 }, (_, index) => ({ kind: "vanished" as const, name: `/${index}` }));
    expect(read(many, 12_345)).toEqual([
      "⚠️ 12,345 files and folders are not stored as they were:",
      "vanished: /0",
      "vanished: /1",
      "vanished: /2",
      "… and 12,342 more: see the manifest",
    ]);
  });

  it("are quiet about what is no file", () => {
    expect(read([{ kind: "skipped", name: "/run/sock" }])).toEqual(["Not stored, being no files (sockets): 1"]);
  });
});
