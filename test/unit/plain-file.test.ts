import { once } from "node:events";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { writePlainFile } from "../../src/sources/plain-file.ts";
import { filesBelow, temporaryFolder } from "../support/backup.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const part = join(folder.path, "part");
writeFileSync(part, "what is in it");

const options = (unpack: boolean) => ({ unpack, signal: new AbortController().signal, onBytes: () => undefined });

describe.each([true, false])("a file of a part, unpacked: %s", (unpack) => {
  it("has its part closed when it can not be made", async () => {
    const stream = createReadStream(part);
    await once(stream, "open");
    const attempt = writePlainFile(join(folder.path, "missing", "out"), stream, options(unpack));
    await expect(attempt).rejects.toMatchObject({ code: "ENOENT" });
    expect(stream.destroyed).toBe(true);
  });

  it("leaves alone what somebody else writes under its name", async () => {
    using own = temporaryFolder();
    const file = join(own.path, "out");
    writeFileSync(`${file}.part`, "somebody else's");
    const stream = createReadStream(part);
    await expect(writePlainFile(file, stream, options(unpack))).rejects.toMatchObject({ code: "EEXIST" });
    expect(stream.destroyed).toBe(true);
    expect(readFileSync(`${file}.part`, "utf8")).toBe("somebody else's");
    expect(filesBelow(own.path)).toEqual(["out.part"]);
  });

  it("fails as its part does, also before that is read, and leaves nothing", async () => {
    using own = temporaryFolder();
    const stream = new PassThrough();
    const attempt = writePlainFile(join(own.path, "out"), stream, options(unpack));
    const damaged = new AppError("storage-mismatch", "damaged");
    stream.destroy(damaged);
    await expect(attempt).rejects.toBe(damaged);
    expect(filesBelow(own.path)).toEqual([]);
  });
});
