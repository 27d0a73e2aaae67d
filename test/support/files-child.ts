/** Makes a backup of files and test-restores it, as whatever user it runs as: see its test. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { kindOf } from "../../src/sources/index.ts";
import { backUp, scratchIn } from "./trees.ts";

const [folder = ""] = process.argv.slice(2);
const script =
  "mkdir -p tree/sub; echo 1 > tree/sub/file; ln -s sub tree/link; chmod 500 tree/sub; echo 2 > tree/other; chmod 500 tree";
execFileSync("sh", ["-ec", script], { cwd: folder });
const { reader } = await backUp({ paths: [join(folder, "tree")] });
mkdirSync(join(folder, "scratch"));
const report = await kindOf("files").testRestore?.(reader, scratchIn(join(folder, "scratch")));
const left = readdirSync(join(folder, "scratch"));
process.stdout.write(JSON.stringify({ compared: report?.compared, differences: report?.differences, left }));
execFileSync("chmod", ["-R", "u+rwX", join(folder, "tree")]);
