import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { localSchema } from "../../src/storages/local/schema.ts";
import { s3Schema } from "../../src/storages/s3/schema.ts";
import { parseStorageUrl } from "../../src/storages/url.ts";
import { storageOf } from "../support/backup.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/storages.md"), "utf8");
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map(([, block = ""]) => block);
const examples = blocks("yaml").flatMap((block) =>
  Object.entries((parse(block) as { storages: Record<string, object> }).storages),
);

it("has an example of every kind of server", () => {
  expect(examples.map(([name]) => name)).toEqual(
    expect.arrayContaining(["local", "aws", "minio", "timeweb", "b2", "r2"]),
  );
});

it.each(examples)("the documented storage %s is one", async (name, config) => {
  const storage = storageOf(name, config);
  expect(storage.name).toBe(name);
  await storage.close();
});

it("says what every setting means", () => {
  const settings = [...Object.keys(localSchema.shape), ...Object.keys(s3Schema.shape)].filter((key) => key !== "kind");
  expect(settings.filter((key) => !new RegExp(`^\\| .*\`${key}\`.* \\|`, "m").test(text))).toEqual([]);
});

it("has addresses and rights that can be read", () => {
  const addresses = text.match(/^(?:s3|file):\/\/\S+$/gm) ?? [];
  expect(addresses).toHaveLength(2);
  for (const address of addresses) expect(parseStorageUrl(address, {}).kind).toBeDefined();
  for (const block of blocks("json")) expect(JSON.parse(block)).toBeTypeOf("object");
});
