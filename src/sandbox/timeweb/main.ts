import { parseArgs } from "node:util";
import { manyServers, sandboxToken, startTimewebSandbox } from "./index.ts";

const USAGE =
  "usage: node main.ts [--port 8082] [--host 127.0.0.1] [--token <token>] [--servers 5] [--limit <requests a second>]\n";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8082" },
      host: { type: "string", default: "127.0.0.1" },
      token: { type: "string", default: sandboxToken },
      servers: { type: "string", default: "5" },
      limit: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const sandbox = await startTimewebSandbox({
    port: Number(values.port),
    host: values.host,
    tokens: [values.token],
    servers: manyServers(Number(values.servers)),
    databases: [{ id: 501, name: "app" }],
    buckets: [{ id: 701, name: "backups" }],
    domains: [{ fqdn: "example.org", expiration: "0000-00-00" }],
    ...(values.limit === undefined ? {} : { limit: Number(values.limit) }),
  });
  process.stdout.write(`api url: ${sandbox.url}\ntoken: ${values.token}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void sandbox.close());
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
}
