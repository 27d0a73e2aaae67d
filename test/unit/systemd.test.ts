import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test.each(["bot", "worker"])(
  "the unit of the %s runs a source that is there by the Node that npm ci brings",
  (name) => {
    const unit = readFileSync(join(root, `deploy/vakhta-${name}.service`), "utf8");
    const [, folder = ""] = /^WorkingDirectory=(\S+)$/m.exec(unit) ?? [];
    const [, node = "", script] = /^ExecStart=(\S+) \S+ (\S+)$/m.exec(unit) ?? [];
    expect(relative(folder, node)).toBe("node_modules/.bin/node");
    expect(existsSync(join(root, relative(folder, node)))).toBe(true);
    expect(script).toBe(`src/${name}.ts`);
    expect(existsSync(join(root, `src/${name}.ts`))).toBe(true);
  },
);
