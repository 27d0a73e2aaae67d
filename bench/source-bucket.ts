import { createHash } from "node:crypto";
import { S3 } from "@aws-sdk/client-s3";
import { startS3 } from "../src/sandbox/servers/s3.ts";
import { startS3Proxy } from "../src/sandbox/servers/s3-proxy.ts";
import { markdown, median } from "./report.ts";
import type { SourceWorld } from "./source-world.ts";

/**
 * A bucket of so many objects, 1 to 20 kB: the first run over it and the second, in which nothing has changed. Counts
 * what is asked of the bucket, by a proxy in front of it, whose time is in both.
 */
export async function measureBucket(
  world: SourceWorld,
  objects: number,
  runs: number,
  say: (line: string) => void,
): Promise<string> {
  const server = await startS3({ bucket: "source" });
  world.defer(() => server.stop());
  const proxy = await startS3Proxy(server.endpoint);
  world.defer(() => proxy.stop());
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  say(`writing ${objects} objects`);
  const client = new S3({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  let next = 0;
  const write = async (): Promise<void> => {
    for (let number = next++; number < objects; number = next++) {
      const line = createHash("sha256").update(String(number)).digest("base64");
      const Body = line.repeat(23 + (number % 430));
      await client.putObject({ Bucket: "source", Key: `photos/${String(number).padStart(6, "0")}`, Body });
    }
  };
  await Promise.all(Array.from({ length: 16 }, write));
  client.destroy();
  const access = { region, accessKeyId, secretAccessKey, forcePathStyle: true };
  const source = { kind: "s3", endpoint: proxy.endpoint, bucket: "source", ...access };
  // A name for each round: the first run of a name is one that reads everything.
  const rounds = Array.from({ length: runs + 1 }, (_, round) => `bucket-${round}`);
  const worker = await world.startWorker(Object.fromEntries(rounds.map((name) => [name, { source }])));
  const rows = ["first run", "second run, nothing changed"].map((title) => {
    return { title, ms: [] as number[], cpuMs: [] as number[], gets: [] as number[], lists: [] as number[], peak: 0 };
  });
  for (const [round, name] of rounds.entries()) {
    for (const row of rows) {
      const before = proxy.requests.length;
      const { ms, cpuMs } = await worker.backUp(name, { keep: true });
      const asked = proxy.requests.slice(before).map(({ operation }) => operation);
      row.peak = worker.peakMemory().worker;
      say(`${round === 0 ? "warm-up" : `run ${round}`}  ${(ms / 1000).toFixed(2)} s  ${row.title}`);
      if (round === 0) continue;
      row.ms.push(ms);
      row.cpuMs.push(cpuMs);
      row.gets.push(asked.filter((operation) => operation === "GetObject" || operation === "HeadObject").length);
      row.lists.push(asked.filter((operation) => operation === "ListObjects").length);
    }
  }
  const head = ["S3 source", "median s", "processor s", "objects asked for", "pages listed", "worker's peak MB"];
  const lines = rows.map(({ title, ms, cpuMs, gets, lists, peak }) => [
    `${objects} objects, ${title}`,
    (median(ms) / 1000).toFixed(2),
    (median(cpuMs) / 1000).toFixed(2),
    String(Math.max(...gets)),
    String(Math.max(...lists)),
    (peak / 1e6).toFixed(0),
  ]);
  return `### A bucket\n\n${markdown([head, ...lines])}`;
}
