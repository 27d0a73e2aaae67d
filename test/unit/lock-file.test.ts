import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { missingOptionalPackages } from "../../scripts/complete-lock.ts";

test("the lock file has the optional packages of all platforms (node scripts/complete-lock.ts adds them)", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  expect(Object.keys(missingOptionalPackages(lock.packages))).toEqual([]);
});

test("a missing platform is added with its parent's version and kind", () => {
  const optionalDependencies = { "@a/cli-linux-x64-musl": "1.2.3", "@a/cli-darwin-arm64": "1.2.3" };
  const packages = {
    "": {},
    "node_modules/a": { dev: true, optionalDependencies },
    "node_modules/a/node_modules/@a/cli-darwin-arm64": { version: "1.2.3" },
  };
  expect(missingOptionalPackages(packages)).toEqual({
    "node_modules/@a/cli-linux-x64-musl": {
      version: "1.2.3",
      dev: true,
      optional: true,
      os: ["linux"],
      cpu: ["x64"],
      libc: ["musl"],
    },
  });
});

test("what cannot be told from the name is refused", () => {
  const packages = { "node_modules/a": { optionalDependencies: { "a-native": "1.2.3" } } };
  expect(() => missingOptionalPackages(packages)).toThrow(/a-native 1\.2\.3/);
});
