import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { parseManifest } from "../../src/core/manifest.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { storageOf } from "./backup.ts";
import { testRestoreIn } from "./postgres-restore.ts";

/** A test-restore that stands still in the middle of its data, to be killed there. */
const [store = "", manifestPath = "", folder = "", server = ""] = process.argv.slice(2);
const manifest = parseManifest(readFileSync(manifestPath));
const whole = openBackup(storageOf("local", { kind: "local", path: store }), manifest);
let opened = 0;
const reader = {
  ...whole,
  open: async (part: (typeof manifest.parts)[number]) => {
    const stream = await whole.open(part);
    if (part.role !== "artifact") return stream;
    opened += 1;
    if (opened === 1) return stream;
    const half = new PassThrough();
    stream.once("data", (chunk: Buffer) => {
      half.write(chunk);
      half.write(Buffer.alloc(0));
      stream.destroy();
      process.stdout.write("stands still\n");
    });
    return half;
  },
};
await testRestoreIn(reader, folder, { id: "killed", ...(server === "" ? {} : { server }) });
