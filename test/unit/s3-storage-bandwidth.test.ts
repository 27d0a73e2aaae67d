import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { Bandwidth, type Pace, sharedBandwidth } from "../../src/storages/s3/bandwidth.ts";
import { storageOf } from "../support/backup.ts";
import { startS3, startS3Proxy } from "../support/s3.ts";

/** A clock that goes on when somebody waits, and only then. */
class TestPace implements Pace {
  ms = 0;
  readonly now = () => this.ms;
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.ms = Math.max(this.ms, this.ms + ms);
  }
}

async function send(limit: Bandwidth, bytes: number): Promise<number> {
  let sent = 0;
  for await (const chunk of limit.paced(Buffer.alloc(bytes))) sent += chunk.length;
  return sent;
}

describe("a limit of bytes per second", () => {
  it.each([100_000, 1_000_000, 20_000_000])("takes the time that %i bytes per second take", async (rate) => {
    const pace = new TestPace();
    const limit = new Bandwidth(rate, pace);
    expect(await send(limit, rate * 10)).toBe(rate * 10);
    // The last piece is sent when its turn comes; each wait is rounded up to a millisecond and made up for.
    expect(pace.ms).toBeGreaterThan(9800);
    expect(pace.ms).toBeLessThan(10_100);
  });

  it("is one for all that share it, in the order in which they ask", async () => {
    const waits: number[] = [];
    const pace: Pace = { now: () => 0, wait: async (ms) => void waits.push(ms) };
    const limit = new Bandwidth(1000, pace);
    for (const bytes of [500, 500, 1000]) await limit.take(bytes);
    await limit.take(1);
    expect(waits).toEqual([500, 1000, 2000]);
  });

  it("saves nothing up while nobody sends, beyond what a late timer costs", async () => {
    const pace = new TestPace();
    const limit = new Bandwidth(1000, pace);
    pace.ms = 3_600_000;
    await send(limit, 5000);
    expect(pace.ms - 3_600_000).toBeGreaterThan(4700);
  });

  it("ends with the signal", async () => {
    const limit = new Bandwidth(1000);
    const controller = new AbortController();
    await limit.take(60_000);
    const waiting = limit.take(1, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });

  it("belongs to the place, however often it is opened", () => {
    expect(sharedBandwidth("s3.test/b/", 1000)).toBe(sharedBandwidth("s3.test/b/", 1000));
    expect(sharedBandwidth("s3.test/b/", 1000)).not.toBe(sharedBandwidth("s3.test/c/", 1000));
  });
});

describe("limited uploads", () => {
  it("arrive whole, also when a part has to be sent again", async () => {
    await using server = await startS3();
    await using proxy = await startS3Proxy(server.endpoint);
    const { bucket, accessKeyId, secretAccessKey } = server;
    const config = { kind: "s3", endpoint: proxy.endpoint, bucket, accessKeyId, secretAccessKey, forcePathStyle: true };
    const storage = storageOf("offsite", { ...config, bandwidth: "200MB" });
    proxy.inject({ kind: "reset", afterBytes: 1_000_000 }, { on: ["UploadPart"], times: 1 });
    proxy.inject({ kind: "slow-down" }, { on: ["PutObject", "UploadPart"], times: 2 });
    const { signal } = new AbortController();
    for (const size of [0, 10, 12_000_000]) {
      const bytes = randomBytes(size);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const writer = await storage.create(`app/${size}`, { signal });
      await writer.write(bytes);
      await writer.commit({ bytes: size, sha256 });
      const stored = await buffer(await storage.read(`app/${size}`));
      expect(createHash("sha256").update(stored).digest("hex")).toBe(sha256);
    }
    expect(server.openUploads()).toEqual([]);
    await storage.close();
  });

  it("that are called off fail alone", async () => {
    await using server = await startS3();
    await using proxy = await startS3Proxy(server.endpoint);
    const { bucket, accessKeyId, secretAccessKey } = server;
    const config = { kind: "s3", endpoint: proxy.endpoint, bucket, accessKeyId, secretAccessKey, forcePathStyle: true };
    const storage = storageOf("offsite", { ...config, bandwidth: "1MB" });
    const stop = new AbortController();
    const writer = await storage.create("app/off", { signal: stop.signal });
    const written = (async () => {
      for (;;) await writer.write(randomBytes(1_000_000));
    })();
    await vi.waitFor(() => expect(proxy.requests.map(({ operation }) => operation)).toContain("UploadPart"));
    stop.abort(new Error("no longer wanted"));
    await expect(written).rejects.toThrow();
    await writer.abort();
    // Whatever else it would have thrown, it has by now.
    await new Promise(setImmediate);
    expect(server.openUploads()).toEqual([]);
    await storage.close();
  });
});
