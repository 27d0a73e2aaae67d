import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { findTool, outputBuffer } from "../../src/lib/environment.ts";
import { bytesWritten, converse, run, startPipeline, Unread } from "../../src/lib/process.ts";
import { registerSecret } from "../../src/lib/redaction.ts";
import { processesWith, wordsOf } from "../support/processes.ts";

const node = process.execPath;
const js = (code: string, step: string) => ({ argv: [node, "-e", code], step });

/** What a condition is waited for: starting a program takes its time on a busy machine. */
const soon = { timeout: 15_000 };

/** Processes whose command line contains the mark. */
const running = (mark: string): number[] => processesWith(mark).map(({ pid }) => pid);

/** Sleeping programs that have inherited this mark in their environment. */
const sleepers = (mark: string): number[] => running("sleep").filter((pid) => wordsOf(pid, "environ").includes(mark));

function endSleepers(mark: string): void {
  for (const pid of sleepers(mark)) process.kill(pid, "SIGKILL");
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`);
  return error;
}

describe("run", () => {
  it("returns the output and passes input and environment", async () => {
    const command = {
      ...js("process.stdin.pipe(process.stdout); process.stderr.write(process.env.EXTRA)", "cat"),
      env: { EXTRA: "extra" },
    };
    expect(await run(command, { input: "hello" })).toEqual({ stdout: "hello", stderr: "extra" });
  });

  it("does not let a child inherit this process's secrets", async () => {
    vi.stubEnv("BOT_TOKEN", "123:abcdef");
    const { stdout } = await run(js("console.log(JSON.stringify(process.env))", "env"));
    vi.unstubAllEnvs();
    expect(Object.keys(JSON.parse(stdout)).sort()).toEqual(expect.not.arrayContaining(["BOT_TOKEN"]));
    expect(JSON.parse(stdout)).toMatchObject({ LC_ALL: "C.UTF-8" });
  });

  it("has a program gather its output, which ends as it would by itself", async () => {
    const env = outputBuffer(32 * 1024);
    expect(env).toEqual({ LD_PRELOAD: expect.stringMatching(/^\/.*libstdbuf\.so$/), _STDBUF_O: "32768" });
    // By itself it would have written the first 4 KiB long before.
    const { stdin, stdout, done } = converse({ argv: ["fold", "-w", "100"], env });
    stdin.write("a".repeat(30_000));
    stdin.write("b".repeat(30_000));
    const [first] = (await once(stdout, "data")) as [Buffer];
    expect(first.length).toBe(32 * 1024);
    stdin.end();
    expect(first.length + (await text(stdout)).length).toBe(60_000 + 599);
    await done;
    const shell = (line: string) => ({ argv: ["sh", "-c", line], env });
    expect(await failure(run(shell("seq 30000; echo why >&2; exit 3")))).toMatchObject({
      context: { step: "sh", exit: "exit status 3", stderr: "why" },
    });
  });

  it("passes the container client's variables only to a container client", async () => {
    vi.stubEnv("DOCKER_HOST", "tcp://10.0.0.1:2375");
    const print = js("console.log(process.env.DOCKER_HOST)", "env");
    expect((await run(print)).stdout).toBe("undefined\n");
    expect((await run({ ...print, via: true })).stdout).toBe("tcp://10.0.0.1:2375\n");
    vi.unstubAllEnvs();
  });

  it("takes no shell syntax", async () => {
    expect((await run({ argv: ["echo", "$HOME; `id` | $(id)"] })).stdout).toBe("$HOME; `id` | $(id)\n");
  });

  it("reports exit status, step and the last lines of standard error without secrets", async () => {
    registerSecret("s3cr3t-value");
    const code =
      "for (let i = 0; i < 30; i++) console.error('line ' + i); console.error('password s3cr3t-value'); process.exit(3)";
    const error = await failure(run(js(code, "tool")));
    expect(error).toMatchObject({
      code: "tool-failed",
      permanent: false,
      context: { step: "tool", exit: "exit status 3" },
    });
    const lines = String(error.context.stderr).split("\n");
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe("password [redacted]");
    expect(error.message).not.toContain("s3cr3t-value");
  });

  it("says which program is missing and what to do", async () => {
    const error = await failure(run({ argv: ["no-such-tool"], install: "apt-get install no-such-tool" }));
    expect(error).toMatchObject({
      code: "tool-missing",
      message: "no-such-tool is not installed on this machine: apt-get install no-such-tool",
    });
    expect(findTool("no-such-tool")).toBeUndefined();
  });

  it("ends a program that takes too long or prints too much", async () => {
    expect(await failure(run(js("setInterval(() => {}, 1000)", "slow"), { timeoutMs: 50 }))).toMatchObject({
      code: "tool-failed",
      message: "slow did not finish within 0.05 s",
    });
    const error = await failure(
      run(js("for (;;) process.stdout.write('x'.repeat(1000))", "loud"), { maxOutput: 10_000 }),
    );
    expect(error.message).toBe("loud printed more than 10000 bytes");
  });

  it("ends in time although what the program has left running holds its output open", async () => {
    const mark = `mark-${process.pid}-left`;
    onTestFinished(() => endSleepers(mark));
    const left = { argv: ["sh", "-c", "sleep 1000 & echo started"], step: "starter", env: { MARK: mark } };
    expect(await failure(run(left, { timeoutMs: 500 }))).toMatchObject({
      code: "tool-failed",
      message: "starter did not finish within 0.5 s",
    });
    const controller = new AbortController();
    const pipe = startPipeline([left], { signal: controller.signal });
    await pipe.done;
    controller.abort(new AppError("cancelled", "cancelled by alice"));
    expect(await failure(text(pipe.stdout))).toMatchObject({ code: "cancelled", message: "cancelled by alice" });
  });

  it("waits for nothing that a program has left running with a discarded output", async () => {
    const mark = `mark-${process.pid}-discarded`;
    onTestFinished(() => endSleepers(mark));
    const command = (exit: number) => ({
      argv: ["sh", "-c", `sleep 1000 & yes | head -c 100000; echo said >&2; exit ${exit}`],
      step: "starter",
      env: { MARK: mark },
    });
    const options = { discard: true, maxOutput: 10, timeoutMs: 30_000 };
    expect(await run(command(0), options)).toEqual({ stdout: "", stderr: "said" });
    expect(await failure(run(command(4), options))).toMatchObject({
      context: { step: "starter", exit: "exit status 4", stderr: "said" },
    });
    expect(sleepers(mark)).toHaveLength(2);
  });

  it("has every byte and the exact status while this process is too busy to read", async () => {
    const bytes = 300_000;
    const script = (status: number) => `head -c ${bytes} /dev/zero | tr '\\0' ${status}; printf end; exit ${status}`;
    const statuses = Array.from({ length: 12 }, (_, index) => index % 4);
    let isBusy = true;
    const block = (): void => {
      const until = performance.now() + 300;
      while (performance.now() < until);
      if (isBusy) setImmediate(block);
    };
    block();
    const results = await Promise.all(
      statuses.map(async (status) => {
        const accepted = { argv: ["sh", "-c", script(status)], accepts: (code: number) => code === status };
        const { stdout } = await run(accepted, { signal: new AbortController().signal });
        const { context } = await failure(run({ argv: ["sh", "-c", `printf x; exit ${status + 1}`] }));
        return { whole: stdout === `${String(status).repeat(bytes)}end`, exit: context.exit };
      }),
    ).finally(() => {
      isBusy = false;
    });
    expect(results).toEqual(statuses.map((status) => ({ whole: true, exit: `exit status ${status + 1}` })));
  });

  it("counts death by a signal", async () => {
    expect(await failure(run(js("process.kill(process.pid, 'SIGKILL')", "victim")))).toMatchObject({
      context: { exit: "killed by SIGKILL" },
    });
  });
});

describe("startPipeline", () => {
  it("connects programs and resolves when all exited with 0", async () => {
    const pipe = startPipeline([js("for (let i = 0; i < 3; i++) console.log(i)", "a"), { argv: ["sort", "-r"] }]);
    expect(await text(pipe.stdout)).toBe("2\n1\n0\n");
    expect(await pipe.done).toEqual(["", ""]);
  });

  it("keeps the output of programs that have exited before anybody reads", async () => {
    const pipe = startPipeline([{ argv: ["echo", "kept"] }, { argv: ["cat"] }]);
    await vi.waitFor(() => expect(pipe.pids.map((pid) => existsSync(`/proc/${pid}`))).toEqual([false, false]), soon);
    await pipe.done;
    expect(await text(pipe.stdout)).toBe("kept\n");
  });

  it("ends the programs when the output is destroyed", async () => {
    const pipe = startPipeline([{ argv: ["yes"] }, { argv: ["cat"] }]);
    await once(pipe.stdout, "readable");
    pipe.stdout.destroy();
    expect(await failure(pipe.done)).toMatchObject({ code: "tool-failed" });
  });

  it("feeds a stream to the first program", async () => {
    const pipe = startPipeline([{ argv: ["cat"] }, { argv: ["wc", "-c"] }], {
      input: Readable.from([Buffer.alloc(300_000)]),
    });
    expect(Number(await text(pipe.stdout))).toBe(300_000);
    await pipe.done;
  });

  it("ends the programs where the stream has failed before it was fed", async () => {
    const input = new PassThrough();
    input.on("error", () => undefined);
    input.destroy(new Error("damaged"));
    await new Promise((resolve) => input.once("close", resolve));
    const pipe = startPipeline([{ argv: ["cat"] }, { argv: ["wc", "-c"] }], { input });
    expect(Number(await text(pipe.stdout))).toBe(0);
    await pipe.done;
    await expect(pipe.fed).rejects.toThrow("damaged");
  });

  describe("of which each has to read everything", () => {
    const give = async (bytes: Buffer, ...argvs: readonly (readonly string[])[]): Promise<void> => {
      const input = Readable.from([bytes], { objectMode: false });
      const pipe = startPipeline(
        argvs.map((argv) => ({ argv })),
        { input, whole: true },
      );
      pipe.stdout.resume();
      await pipe.done;
      await pipe.fed;
    };
    const some = Buffer.alloc(10_000, "some");

    it("is told when it has", async () => {
      await expect(give(some, ["cat"])).resolves.toBeUndefined();
      await expect(give(Buffer.alloc(3_000_000, "more"), ["cat"], ["wc", "-c"])).resolves.toBeUndefined();
      await expect(give(Buffer.alloc(0), ["true"])).resolves.toBeUndefined();
    });

    it.each([
      [["cat"], ["true"]],
      [["cat"], ["head", "-c", "10"]],
      [["cat"], ["cat"], ["head", "-c", "9999"]],
    ])("is told when it has not, however little it is: %j", async (...argvs) => {
      const outcome = await give(some, ...argvs).catch((error: unknown) => error);
      // Whoever writes to it may have seen it first.
      const isTold = outcome instanceof Unread ? outcome.step === argvs.at(-1)?.[0] : outcome instanceof AppError;
      expect(isTold).toBe(true);
    });

    it("may leave the padding of an archive", async () => {
      const padded = Buffer.concat([some, Buffer.alloc(10_240)]);
      await expect(give(padded, ["cat"], ["head", "-c", "10000"])).resolves.toBeUndefined();
    });
  });

  it("gives the reader its end of file when the writer dies, and reports the writer", async () => {
    const pipe = startPipeline([
      js("process.stdout.write('half', () => process.kill(process.pid, 'SIGKILL'))", "pg_dump"),
      { argv: ["cat"] },
    ]);
    expect(await text(pipe.stdout)).toBe("half");
    expect(await failure(pipe.done)).toMatchObject({ context: { step: "pg_dump", exit: "killed by SIGKILL" } });
  });

  it("ends the writer when the reader dies, and reports the reader", async () => {
    const pipe = startPipeline([{ argv: ["yes"] }, js("console.error('no space'); process.exit(1)", "zstd")]);
    pipe.stdout.resume();
    expect(await failure(pipe.done)).toMatchObject({
      context: { step: "zstd", exit: "exit status 1", stderr: "no space" },
    });
  });

  it("reports a writer that failed on its own although its reader failed after it", async () => {
    const pipe = startPipeline([
      js("console.error('connection lost'); process.exit(1)", "pg_dump"),
      js("process.stdin.on('end', () => process.exit(2)).resume()", "zstd"),
    ]);
    pipe.stdout.resume();
    expect(await failure(pipe.done)).toMatchObject({ context: { step: "pg_dump", stderr: "connection lost" } });
  });

  it("reports the writer also when the reader's end is seen first", async () => {
    // What the writer leaves running holds its standard error open: its end is known a second later.
    const pipe = startPipeline([
      { argv: ["sh", "-c", "sleep 5 >/dev/null & echo lost >&2; exit 1"], step: "pg_dump" },
      js("process.stdin.on('end', () => process.exit(2)).resume()", "zstd"),
    ]);
    pipe.stdout.resume();
    expect(await failure(pipe.done)).toMatchObject({ context: { step: "pg_dump", stderr: "lost" } });
  });

  it("reports the reader when a shell says that its program wrote to nobody", async () => {
    const pipe = startPipeline([
      { argv: ["sh", "-c", "yes | cat; yes; exit 141"], step: "dump" },
      { argv: ["sh", "-c", "head -c 10 >/dev/null; echo full >&2; exit 3"], step: "zstd" },
    ]);
    pipe.stdout.resume();
    expect(await failure(pipe.done)).toMatchObject({ context: { step: "zstd", stderr: "full" } });
  });

  it("ends everything on abort, grandchildren too, and rejects with the reason", async () => {
    const mark = `mark-${process.pid}-abort`;
    const controller = new AbortController();
    const child = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '${mark}'], { stdio: 'ignore' }); setInterval(() => console.log('x'), 10)`;
    const pipe = startPipeline([{ argv: [node, "-e", child, mark] }, { argv: ["cat"] }], { signal: controller.signal });
    await once(pipe.stdout, "readable");
    await vi.waitFor(() => expect(running(mark)).toHaveLength(2), soon);
    controller.abort(new AppError("cancelled", "cancelled by alice"));
    expect(await failure(pipe.done)).toMatchObject({ code: "cancelled", message: "cancelled by alice" });
    await vi.waitFor(() => expect(running(mark)).toEqual([]), soon);
  });

  it("starts nothing when one of the programs is missing", async () => {
    const mark = `mark-${process.pid}-missing`;
    const input = new PassThrough();
    expect(() =>
      startPipeline([js(`setInterval(() => {}, 1000) // ${mark}`, "a"), { argv: ["no-such-tool"] }], { input }),
    ).toThrow("no-such-tool");
    expect(input.destroyed).toBe(true);
    await vi.waitFor(() => expect(running(mark)).toEqual([]), soon);
  });

  it("tells how much a running program has written", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const code = "process.stdout.write('x'.repeat(5000)); setInterval(() => {}, 1000)";
    const pipe = startPipeline([js(code, "a")], { signal });
    await once(pipe.stdout, "readable");
    expect(bytesWritten(pipe.pids[0] ?? 0)).toBeGreaterThanOrEqual(5000);
    controller.abort(new Error("enough"));
    await failure(pipe.done);
    expect(bytesWritten(pipe.pids[0] ?? 0)).toBeUndefined();
  });
});

describe("a killed worker", () => {
  it("leaves none of its programs running, not even those that neither read nor write", async () => {
    const mark = `mark-${process.pid}-killed`;
    const module = fileURLToPath(new URL("../../src/lib/process.ts", import.meta.url));
    const code = `
      import { startPipeline, converse } from ${JSON.stringify(module)};
      
      converse({ argv: [process.execPath, "-e", "setInterval(() => {}, 1000)", "${mark}"] });
      startPipeline([{ argv: ["yes", "${mark}"] }, { argv: ["grep", "-c", "${mark}"] }]);
      console.log("started");
    `;
    const worker = spawn(node, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(worker.stdout, "data");
    await vi.waitFor(
      () => expect(running(mark).filter((pid) => pid !== worker.pid).length).toBeGreaterThanOrEqual(3),
      soon,
    );
    worker.kill("SIGKILL");
    await vi.waitFor(() => expect(running(mark)).toEqual([]), soon);
  });
});

describe("converse", () => {
  it("talks to a program while it runs", async () => {
    const conversation = converse({ argv: ["cat"] });
    conversation.stdin.write("one\n");
    const [chunk] = (await once(conversation.stdout, "data")) as [Buffer];
    expect(chunk.toString()).toBe("one\n");
    conversation.stdin.end();
    await conversation.done;
  });
});
