import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const linesOf = (file: string) =>
  readFileSync(join(root, file), "utf8")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");

const dockerfile = linesOf("Dockerfile");
const copied = dockerfile
  .filter((line) => /^COPY (?!--from=)/.test(line))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));

/** By Docker's rules: a line means a path and all below it (`*` everything), the last one that matches decides. */
function isSent(path: string): boolean {
  const parents = path.split("/").map((_, index, steps) => steps.slice(0, index + 1).join("/"));
  let sent = true;
  for (const line of linesOf(".dockerignore").filter((each) => each !== "" && !each.startsWith("#"))) {
    const pattern = line.replace(/^!/, "");
    if (pattern === "*" || parents.includes(pattern)) sent = line.startsWith("!");
  }
  return sent;
}

describe("the image", () => {
  test("is built of files that exist and that .dockerignore lets through", () => {
    expect(copied).toContain("deploy/warm-up.mjs");
    for (const path of copied) {
      expect({ path, exists: existsSync(join(root, path)), sent: isSent(path) }).toEqual({
        path,
        exists: true,
        sent: true,
      });
    }
  });

  test("has neither the sandbox nor anything that was not named", () => {
    for (const path of ["src/sandbox/telegram/index.ts", "src/demo.ts", ".env", "vakhta.yaml", "secrets/bot_token"]) {
      expect({ path, sent: isSent(path) }).toEqual({ path, sent: false });
    }
  });

  test("has the packages that its code imports, and no others", () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const imported = globSync("{src,jobs}/**/*.ts", { cwd: root })
      .filter(isSent)
      .flatMap((file) => [
        ...readFileSync(join(root, file), "utf8").matchAll(
          /(?:from|import|import\(|import\.meta\.resolve\() ?"((?:@[\w-]+\/)?[\w-]+)/g,
        ),
      ])
      .map(([, name]) => name);
    const packages = new Set(imported.filter((name) => name !== "node"));
    expect(packages).toEqual(new Set(Object.keys(dependencies)));
  });

  test("has the programs of every source, servers for private test-restores included, and none that starts by itself", () => {
    const install = dockerfile.find((line) => line.includes("apt-get install")) ?? "";
    for (const name of ["zstd", "redis-server", "redis-tools", "postgresql-client-$major", "postgresql-$major"])
      expect(install.split(/[\s;"]+/)).toContain(name);
    const cluster = install.indexOf("create_main_cluster = false");
    expect(cluster).toBeGreaterThan(-1);
    expect(cluster).toBeLessThan(install.indexOf("install -y --no-install-recommends $majors"));
  });

  test("compiles the code as the user that runs it, into a folder of that user", () => {
    const at = (start: string) => dockerfile.findIndex((line) => line.startsWith(start));
    expect(at("RUN install -d")).toBeGreaterThan(-1);
    expect(dockerfile[at("RUN install -d")]).toContain("install -d -o node -g node .compile-cache");
    expect(at("USER node")).toBeGreaterThan(at("RUN install -d"));
    expect(at("RUN node deploy/warm-up.mjs")).toBeGreaterThan(at("USER node"));
    expect(dockerfile).toContain("ENV NODE_COMPILE_CACHE=/app/.compile-cache");
  });

  test("compiles it under the flags of the processes: V8 rejects what was compiled under others", () => {
    for (const file of ["deploy/warm-up.mjs", "src/bot.ts", "src/worker.ts"]) {
      const text = readFileSync(join(root, file), "utf8");
      expect({ file, own: text.includes("setFlagsFromString") }).toEqual({ file, own: false });
      // Nothing is compiled before them but the file that sets them.
      const imported = [...text.matchAll(/^import .* from "(.+)";$/gm)].map(([, from]) => from ?? "");
      expect(imported.filter((from) => !from.startsWith("node:"))).toEqual([
        expect.stringMatching(/app\/v8-flags\.ts$/),
      ]);
      const set = text.indexOf("\nsaveMemory();\n");
      expect({ file, isFirst: set > 0 && set < text.search(/\bimport\(/) }).toEqual({ file, isFirst: true });
    }
  });
});
