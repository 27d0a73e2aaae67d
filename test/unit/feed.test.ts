import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { feed } from "../../src/sources/feed.ts";

const signal = new AbortController().signal;

describe("a part that is given to programs", () => {
  it.each([100, 100_000, 3_000_000])("of %i bytes is not restored by one that reads nothing", async (size) => {
    const part = Readable.from([Buffer.alloc(size, "row")], { objectMode: false });
    await expect(feed([{ argv: ["cat"] }, { argv: ["true"], step: "psql" }], part, { signal })).rejects.toMatchObject({
      code: "source-failed",
      context: { step: "psql" },
      text: { key: "error-part-unread" },
    });
  });

  it("is given up with the reason for which it is called off", async () => {
    const stop = new AbortController();
    const reason = new Error("no longer wanted");
    const part = new Readable({ read: () => {} });
    const feeding = feed([{ argv: ["cat"] }], part, { signal: stop.signal });
    stop.abort(reason);
    await expect(feeding).rejects.toBe(reason);
    expect(part.destroyed).toBe(true);
  });

  it("that has failed before tells why", async () => {
    const part = new Readable({ read: () => {} });
    part.on("error", () => undefined);
    part.destroy(new Error("damaged"));
    await expect(feed([{ argv: ["cat"] }], part, { signal })).rejects.toThrow("damaged");
  });
});
