import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { run, startPipeline } from "../../src/lib/process.ts";
import { processesWith } from "../support/processes.ts";

const sh = (script: string) => ({ argv: ["sh", "-c", script], step: "talker" });

describe("a program that is listened to", () => {
  it("has told every line, in order, before it counts as ended", async () => {
    let next = 0;
    let wrong = 0;
    const command = {
      ...sh("seq 0 199999 >&2; echo end; printf unended >&2"),
      onLine: (line: string) => {
        if (line === String(next)) next++;
        else if (line !== "unended") wrong++;
        return line === "unended";
      },
    };
    expect(await run(command)).toEqual({ stdout: "end\n", stderr: "unended" });
    expect({ next, wrong }).toEqual({ next: 200_000, wrong: 0 });
  });

  it("counts as ended when it has, whatever it has left running that could say more", async () => {
    const heard: string[] = [];
    const command = {
      ...sh("echo started >&2; setsid sleep 300 & echo $!; echo done >&2"),
      onLine: (line: string) => heard.push(line) > 0,
    };
    const pipe = startPipeline([command]);
    const pid = once(pipe.stdout, "data").then(([chunk]) => Number(chunk));
    pipe.stdout.resume();
    await pipe.done;
    process.kill(await pid, "SIGKILL");
    expect(heard).toEqual(["started", "done"]);
  });

  it("shows in its error what it was told to show", async () => {
    const command = {
      ...sh("echo chatter >&2; echo 'the cause' >&2; echo chatter >&2; exit 3"),
      onLine: (line: string) => line !== "chatter",
    };
    await expect(run(command)).rejects.toMatchObject({
      message: "talker failed (exit status 3): the cause",
      context: { stderr: "the cause" },
    });
  });

  it("has its status judged after its last line", async () => {
    let last = "";
    const command = {
      ...sh("seq 1 1000 >&2; exit 1"),
      onLine: (line: string) => {
        last = line;
        return true;
      },
      accepts: (status: number) => status === 1 && last === "1000",
    };
    await run(command);
    await expect(run({ ...command, accepts: () => false })).rejects.toMatchObject({ code: "tool-failed" });
    await expect(run({ ...sh("exit 2"), accepts: (status: number) => status === 1 })).rejects.toMatchObject({
      context: { exit: "exit status 2" },
    });
  });

  it("is not good when a signal has ended it, whatever is accepted", async () => {
    await expect(run({ ...sh("kill -9 $$"), accepts: () => true })).rejects.toMatchObject({
      context: { exit: "killed by SIGKILL" },
    });
  });

  it("takes a line without an end without keeping it", async () => {
    let longest = 0;
    const command = {
      ...sh("head -c 50000000 /dev/zero | tr '\\0' x >&2; echo >&2"),
      onLine: (line: string) => {
        longest = Math.max(longest, line.length);
        return false;
      },
    };
    await run(command);
    expect(longest).toBeLessThan(300_000);
  });

  it("is not listened to at the cost of everything else, when it says much", async () => {
    const controller = new AbortController();
    const command = {
      ...sh("yes 'a flood of complaints' >&2"),
      onLine: (line: string) => line.split("").reverse().join("") === "",
    };
    const pipe = startPipeline([command], { signal: controller.signal });
    pipe.stdout.resume();
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks++;
      if (ticks === 20) controller.abort(new Error("stop now"));
    }, 5);
    await expect(pipe.done).rejects.toMatchObject({ message: "stop now" });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThanOrEqual(20);
  });

  it("ends on abort with everything that was started for it", async () => {
    const mark = `mark-${process.pid}-listened`;
    const controller = new AbortController();
    const pipe = startPipeline([{ ...sh(`sleep 1000 # ${mark}`), onLine: () => true }], { signal: controller.signal });
    pipe.stdout.resume();
    await vi.waitFor(() => expect(processesWith(mark).length).toBeGreaterThan(0));
    controller.abort(new Error("stop now"));
    await expect(pipe.done).rejects.toMatchObject({ message: "stop now" });
    expect(processesWith(mark)).toEqual([]);
  });
});
