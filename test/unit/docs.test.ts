import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { configJsonSchema } from "../../scripts/config-schema.ts";
import { sourceKinds } from "../../src/sources/index.ts";

const root = join(import.meta.dirname, "../..");
const documents = globSync(["*.md", "docs/**/*.md", "bench/**/*.md", "deploy/**/*.md"], { cwd: root }).toSorted();

test.each(documents)("every link in %s leads somewhere", (document) => {
  const text = readFileSync(join(root, document), "utf8");
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z]+:/.test(target));
  const missing = targets.filter((target) => !existsSync(join(root, dirname(document), target)));
  expect(missing).toEqual([]);
});

test("every npm script that the documents name exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = documents.flatMap((document) => {
    const text = readFileSync(join(root, document), "utf8");
    return [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, name = ""]) => ({ document, name }));
  });
  expect(named.filter(({ name }) => scripts[name] === undefined)).toEqual([]);
});

test("every kind of source and storage has its page, which names each of its settings", () => {
  const schema = z.record(z.string(), z.any()).parse(JSON.parse(configJsonSchema()));
  const kindsIn = (value: unknown): { kind: string; settings: string[] }[] => {
    if (typeof value !== "object" || value === null) return [];
    const properties: Record<string, { const?: unknown }> = Reflect.get(value, "properties") ?? {};
    const kind = properties["kind"]?.const;
    if (typeof kind === "string") return [{ kind, settings: Object.keys(properties) }];
    return Object.values(value).flatMap(kindsIn);
  };
  const { storages, backups } = schema["properties"];
  const pages = { config: "sources/files.md" } as Record<string, string>;
  const sources = kindsIn(backups).map((one) => ({ ...one, page: pages[one.kind] ?? `sources/${one.kind}.md` }));
  const all = [...sources, ...kindsIn(storages).map((one) => ({ ...one, page: "storages.md" }))];
  expect(sources.map(({ kind }) => kind).toSorted()).toEqual(sourceKinds.toSorted());
  const missing = all.flatMap(({ kind, settings, page }) => {
    const text = readFileSync(join(root, "docs", page), "utf8");
    return settings.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)).map((name) => `${kind}: ${name}`);
  });
  expect(missing).toEqual([]);
});
