import { afterAll, beforeAll, expect, test } from "vitest";
import { startTimewebSandbox, type TimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { Keys } from "../../src/state/redis.ts";
import { ServerStates } from "../../src/state/servers.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/worker.ts";

const names = ["web-1", "web-2", "web-3"];
let stack: Stack;
let timeweb: TimewebSandbox;

beforeAll(async () => {
  timeweb = await startTimewebSandbox({ servers: names.map((name, index) => ({ id: 101 + index, name })) });
  stack = await startStack({
    chatOnly: true,
    configure: (config) => {
      config["backups"] = [];
      config["storages"] = {};
      config["providers"] = {
        timeweb: { token: timeweb.token, apiUrl: timeweb.url, rate: 50, burst: 50, timeout: "60s" },
      };
      config["servers"] = names.map((name, index) => ({ name, provider: "timeweb", id: 101 + index }));
    },
  });
}, 120_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await timeweb?.close();
});

test("a worker that is killed with -9 in the middle of a poll: what it has written down stays, another one looks at the rest", {
  timeout: 120_000,
}, async () => {
  const states = new ServerStates(stack.client, new Keys("stack"));
  const looked = async () => [...(await states.readAll(names)).keys()].toSorted();
  const hangs = timeweb.addFault({ kind: "silent", path: "^/api/v1/servers/102/statistics" });
  const first = await stack.startWorker();
  await until(async () => (await looked()).length === 2, { what: () => first.log() });
  await first.kill();
  expect(await looked()).toEqual(["web-1", "web-3"]);
  timeweb.removeFault(hangs);
  const second = await stack.startWorker();
  await until(async () => (await looked()).length === 3, { timeoutMs: 30_000, what: () => second.log() });
  for (const { failure, reading } of (await states.readAll(names)).values()) {
    expect(failure).toBeUndefined();
    expect(reading?.metrics.cpu).toBeGreaterThanOrEqual(0);
  }
  expect(await second.stop()).toBe(0);
});
