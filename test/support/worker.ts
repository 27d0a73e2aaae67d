import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "@grammyjs/types";
import { Queue } from "bullmq";
import { expect } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import { type Manifest, manifestFile, manifestSchema } from "../../src/core/manifest.ts";
import type { Clock } from "../../src/core/ports.ts";
import { type BackupRun, isFinal } from "../../src/core/run.ts";
import type { PostgresServer } from "../../src/sandbox/servers/postgres.ts";
import { filesBelow, quiet } from "./backup.ts";
import { alice, bob, type RunningProcess, type Stack, type StackOptions, startStack, vera } from "./stack.ts";

/** A table whose dump is 12 MiB that cannot be compressed below that: several parts of a multipart upload. */
export const blobsSql = `
  CREATE TABLE blobs (id serial PRIMARY KEY, data bytea);
  INSERT INTO blobs (data) SELECT string_agg(sha512(random()::text::bytea), '')
    FROM generate_series(1, 196608) n GROUP BY n % 96;`;

/** A stack for tests of the worker as a process: with gates in the database's tools, and with our own hand on its state. */
export interface WorkerStack extends Stack {
  /** The same use cases and state as the worker's, in this process. */
  readonly deps: WorkerDeps;
  readonly tools: Tools;
  /** The bot that was started last. */
  bot(): RunningProcess;
  /** A worker whose children can be told from all others. */
  startOurWorker(): Promise<RunningProcess>;
  /** The one that runs, or a new one when none does. */
  ourWorker(): Promise<RunningProcess>;
  /** Has the upload of a run done now that waits for its next attempt. */
  hastenUpload(run: string, storage: string): Promise<void>;
  /** Orders a backup as if alice had confirmed it; the card is in one of three chats, or in her own. */
  order(name?: string, where?: "alice"): Promise<string>;
  runOf(id: string): Promise<BackupRun>;
  /** Waits until the run satisfies the predicate. */
  runUntil(id: string, predicate: (run: BackupRun) => boolean, timeoutMs?: number): Promise<BackupRun>;
  ended(id: string, timeoutMs?: number): Promise<BackupRun>;
  /** Waits for the run's card to show this text. */
  card(id: string, text: RegExp, timeoutMs?: number): Promise<Message>;
  /** What the newest worker has logged. */
  log(): string;
  /** What the worker has started and what still lives, as command lines. */
  children(): string[];
  /**
   * Checks that `local` and `offsite` hold complete backups and nothing else: no temporary file, no open upload, no part
   * without a manifest, no manifest without its parts. Gives the manifests by `storage folder`.
   */
  sound(): Promise<Map<string, Manifest>>;
  /** Heals and empties the storages, between tests. */
  empty(): Promise<void>;
  /** Kills all workers, then `empty`. */
  reset(): Promise<void>;
}

export interface WorkerStackOptions extends StackOptions {
  readonly clock?: Clock;
}

/** Starts the servers, the bot, and opens the state; starts no worker. */
export async function startWorkerStack(options: WorkerStackOptions = {}): Promise<WorkerStack> {
  const stack = await startStack({ sql: blobsSql, ...options });
  const tools = gatedTools(stack.folder, stack.postgres.programs);
  stack.configure((config) => {
    config["storages"]["offsite"]["partSize"] = "5MiB";
    for (const backup of config["backups"]) backup.source.bin = tools.bin;
  });
  const { config } = loadConfig({ path: stack.configFile, env: {}, requires: ["redis", "storages", "sources"] });
  const clock = options.clock ?? { now: () => new Date() };
  const { deps, close } = createWorkerDeps({ config, logger: quiet, clock, role: "test" });
  let bot = await stack.startBot();
  const storages = () => Promise.all(["local", "offsite"].map((name) => deps.storage(name)));
  let log = () => "";
  const workers: RunningProcess[] = [];
  // Cards go to several chats in turn, so that the budget of one does not delay what a test waits for.
  const chats = [alice.id, bob.id, vera.id];
  let orders = 0;
  for (const chat of chats) stack.say(chat, "/start", "private");
  const ours: WorkerStack = {
    ...stack,
    deps,
    tools,
    bot: () => bot,
    startBot: async (env) => {
      bot = await stack.startBot(env);
      return bot;
    },
    startOurWorker: async () => {
      const worker = await stack.startWorker({ HOME: stack.folder });
      workers.push(worker);
      log = () => worker.log();
      return worker;
    },
    ourWorker: async () => {
      const running = workers.findLast((worker) => worker.isRunning());
      if (!running) return await ours.startOurWorker();
      log = () => running.log();
      return running;
    },
    hastenUpload: async (run, storage) => {
      const queue = new Queue(`work@${deps.host}`, { connection: stack.client, prefix: config.redis.prefix });
      try {
        await until(async () => {
          const job = await queue.getJob(`upload-${run}-${storage}`);
          if (await job?.isDelayed()) await job?.promote();
          return job !== undefined;
        });
      } finally {
        await queue.close();
      }
    },
    order: async (name, where) => {
      const requestedBy = { id: alice.id, name: "alice" };
      const chatId = where === "alice" ? alice.id : (chats[orders++ % chats.length] ?? alice.id);
      const target = { chatId };
      return (await deps.orders.request({ name: name ?? "shop", trigger: "chat", requestedBy, target })).run.id;
    },
    runOf: (id) => deps.runs.get(id),
    runUntil: async (id, predicate, timeoutMs = 60_000) => {
      let last: BackupRun | undefined;
      return await until(
        async () => {
          last = await deps.runs.get(id);
          return predicate(last) ? last : undefined;
        },
        { timeoutMs, what: () => `run ${JSON.stringify(last, null, 1)}; worker: ${log()}` },
      );
    },
    ended: (id, timeoutMs) => ours.runUntil(id, (run) => isFinal(run.status), timeoutMs),
    card: async (id, text, timeoutMs = 60_000) => {
      const isCard = ({ text: shown = "" }: Message) => text.test(shown) && shown.includes(`Run ${id}`);
      const find = () => chats.flatMap((chat) => stack.sandbox.messages(chat)).find(isCard);
      const cards = () => chats.flatMap((chat) => stack.sandbox.messages(chat)).map((message) => message.text);
      return await until(find, { timeoutMs, what: () => `${text} on ${cards().find((card) => card?.includes(id))}` });
    },
    log: () => log(),
    children: () => processesWith(`HOME=${stack.folder}`).filter((line) => !line.includes("worker.ts")),
    sound: async () => {
      expect(stack.s3.openUploads()).toEqual([]);
      expect(
        existsSync(stack.localFolder) ? filesBelow(stack.localFolder).filter((file) => file.endsWith(".tmp")) : [],
      ).toEqual([]);
      const manifests = new Map<string, Manifest>();
      for (const storage of await storages()) {
        const keys: string[] = [];
        for await (const { key } of storage.list("")) keys.push(key);
        for (const folder of new Set(keys.map((key) => key.slice(0, key.lastIndexOf("/") + 1)))) {
          expect(keys, `${storage.name} has objects without a manifest`).toContain(`${folder}${manifestFile}`);
          const bytes = await buffer(await storage.read(`${folder}${manifestFile}`));
          const manifest = manifestSchema.parse(JSON.parse(bytes.toString()));
          const files = keys.filter((key) => key.startsWith(folder) && !key.endsWith(manifestFile)).sort();
          expect(files).toEqual(manifest.parts.map((part) => `${folder}${part.file}`).sort());
          for (const part of manifest.parts) {
            const content = await buffer(await storage.read(`${folder}${part.file}`));
            expect(createHash("sha256").update(content).digest("hex")).toBe(part.sha256);
          }
          manifests.set(`${storage.name} ${folder}`, manifest);
        }
      }
      return manifests;
    },
    reset: async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.kill()));
      await ours.empty();
    },
    empty: async () => {
      await stack.proxy.heal();
      for (const storage of await storages()) {
        const keys: string[] = [];
        for await (const { key } of storage.list("")) keys.push(key);
        await storage.delete(keys);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await stack[Symbol.asyncDispose]();
    },
  };
  return ours;
}

/** Asks until there is an answer. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 60_000, what = () => "it" }: { timeoutMs?: number; what?: () => string } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what()}`);
    await sleep(25);
  }
}

/** Locks a table so that nothing can read it. Gives what ends that. */
export async function lockTable(
  postgres: PostgresServer,
  database: string,
  table: string,
): Promise<() => Promise<void>> {
  const sleeping = `SELECT pg_sleep(3600) AS ${table}`;
  const session = postgres.psql(database, `BEGIN; LOCK TABLE ${table};\n${sleeping}`).catch(() => undefined);
  const sessions = `FROM pg_stat_activity WHERE query LIKE '${sleeping}%' AND pid <> pg_backend_pid()`;
  await until(async () => (await postgres.psql(database, `SELECT count(*) > 0 ${sessions}`)) === "t");
  return async () => {
    await postgres.psql(database, `SELECT pg_terminate_backend(pid) ${sessions}`);
    await session;
  };
}

/** The database's programs, each behind a gate that a test can close; calls are counted. */
export interface Tools {
  readonly bin: string;
  /** Calls of a program wait until its gate is opened. Gives what opens it. */
  close(program: Program): () => void;
  /** What the shell is to do instead of the program; "" for the program itself. */
  replace(program: Program, script: string): void;
  /** Calls so far, questions for the version not counted. */
  calls(program: Program): number;
}

type Program = "psql" | "pg_dump" | "pg_dumpall";

function gatedTools(folder: string, programs: string): Tools {
  const bin = join(folder, "bin");
  const log = join(folder, "calls");
  mkdirSync(bin);
  writeFileSync(log, "");
  const gate = (program: Program) => join(folder, `gate-${program}`);
  const script = (program: Program) => join(folder, `script-${program}`);
  for (const program of ["psql", "pg_dump", "pg_dumpall"] as const) {
    const real = join(programs, program);
    writeFileSync(
      join(bin, program),
      `#!/bin/sh
real=${real}
[ "$1" = --version ] && exec $real --version
echo ${program} >> ${log}
while [ -e ${gate(program)} ]; do sleep 0.05; done
[ -e ${script(program)} ] && . ${script(program)}
exec $real "$@"
`,
    );
    chmodSync(join(bin, program), 0o755);
  }
  return {
    bin,
    close: (program) => {
      writeFileSync(gate(program), "");
      return () => rmSync(gate(program), { force: true });
    },
    replace: (program, text) => {
      if (text === "") rmSync(script(program), { force: true });
      else writeFileSync(script(program), text);
    },
    calls: (program) =>
      readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line === program).length,
  };
}

/** Command lines of the processes that have this in their environment. */
function processesWith(variable: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()];
      } catch {
        return [];
      }
    });
}
