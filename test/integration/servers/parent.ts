/** Starts all three servers, says which they are, and waits to be killed. */
import { startPostgres } from "../../../src/sandbox/servers/postgres.ts";
import { startRedis } from "../../support/redis.ts";
import { startS3 } from "../../support/s3.ts";

const servers = await Promise.all([startRedis(), startPostgres(), startS3()]);
const pids = servers.map((server) => server.pid());
process.stdout.write(`${JSON.stringify({ pids, folders: servers.map(({ folder }) => folder) })}\n`);
setInterval(() => undefined, 60_000);
