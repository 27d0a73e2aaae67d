import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkConfig, formatPath } from "../../src/app/config.ts";
import type { Manifest } from "../../src/core/manifest.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { noteLines } from "../../src/messages/notes.ts";
import { lookAtRoots } from "../../src/sources/files/look.ts";
import { readableName } from "../../src/sources/files/names.ts";
import type { TreeConfig } from "../../src/sources/files/schema.ts";
import { expandPatterns, expandSet, setNames } from "../../src/sources/files/sets.ts";
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
    const there = (name: (typeof setNames)[number]) => expandSet(name).paths;
    const absent = setNames.filter((name) => there(name).length + expandSet(name).closed.length === 0);
    const present = setNames.filter((name) => there(name).length > 0);
    const signal = new AbortController().signal;
    const info = await sourceOf({ kind: "config", sets: [...setNames], unreadable: "note" }).inspect(signal);
    for (const path of present.flatMap(there)) {
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

describe("what of a set is here", () => {
  const root = mkdtempSync(join(tmpdir(), "vakhta-sets-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const at = (...names: string[]): string[] => names.map((name) => join(root, name));
  const signal = new AbortController().signal;
  const common = { exclude: [], oneFileSystem: false, followSymlinks: false, level: 3 };
  const look = (config: Pick<TreeConfig, "kind" | "paths" | "sets">, ...more: [typeof expandSet] | []) =>
    lookAtRoots({ ...common, unreadable: "fail", ...config }, signal, ...more);

  it("is found by patterns, without what is none", () => {
    mkdirSync(join(root, "app"));
    for (const file of at("app/compose.yml", "app/docker-compose.prod.yaml", "app/compose.txt", "plain", "odd\nname"))
      writeFileSync(file, "");
    symlinkSync("gone", join(root, "app/.env"));
    const files = "{compose,docker-compose}*.{yml,yaml}";
    expect(expandPatterns([`${root}/*/${files}`, `${root}/*/.env`, `${root}/app/.env`, `${root}/no/thing`])).toEqual({
      paths: at("app/.env", "app/compose.yml", "app/docker-compose.prod.yaml"),
      closed: [],
    });
    expect(expandPatterns([`${root}/*`]).paths).toEqual(at("app", "odd\nname", "plain"));
  });

  it("may be a link that leads nowhere, and that is stored as it is", async () => {
    const [link = "", file = ""] = at("app/.env", "plain");
    const roots = await look({ kind: "config", paths: [], sets: ["env"] }, () => ({
      paths: [link, file],
      closed: [],
    }));
    expect(roots).toEqual({ paths: [link, file], absent: [], closed: [] });
    await expect(look({ kind: "config", paths: [link] })).rejects.toMatchObject({
      text: { key: "error-files-missing" },
    });
  });

  it("may lie in a folder with lines in its name", async () => {
    symlinkSync("odd\nname", join(root, "link"));
    const [link = "", odd = "", file = ""] = at("link", "odd\nname", "plain");
    const roots = await look({ kind: "files", paths: [link, file] });
    expect(roots.paths).toEqual([link, odd, file]);
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
    expect(read([{ kind: "changed", name: "/a" }])).toEqual(["⚠️ Not in the backup as it was: 1", "changed: /a"]);
    const many = Array.from({ length: 100 }, (_, index) => ({ kind: "vanished" as const, name: `/${index}` }));
    expect(read(many, 12_345)).toEqual([
      "⚠️ Not in the backup as it was: 12,345",
      "vanished: /0",
      "vanished: /1",
      "vanished: /2",
      "… and 12,342 more: see the manifest",
    ]);
  });

  it("are loud about a database that is not in it", () => {
    expect(read([{ kind: "left-out", name: "database closed" }])).toEqual([
      "⚠️ Not in the backup as it was: 1",
      "left out: database closed",
    ]);
  });

  it("are quiet about what is no file", () => {
    expect(read([{ kind: "skipped", name: "/run/sock" }])).toEqual(["Not stored, being no files (sockets): 1"]);
  });
});
