import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { hasEnded, processIdentity } from "../../src/lib/process-identity.ts";

const [boot = "", namespace = "", pid = "", startedAt = ""] = processIdentity().split("/");
/** Connections to a port of this machine that are open at the side that has made them, as the kernel knows them. */
function connectionsTo(port: number): number {
  const sockets = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1);
  const established = sockets.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === "01");
  return established.filter((fields) => Number.parseInt(fields[2]?.split(":")[1] ?? "", 16) === port).length;
}

const identity = (...parts: (string | number)[]) => parts.join("/");

describe("a process, by its identity", () => {
  test("has not ended while it runs", () => {
    expect(processIdentity()).toBe(identity(boot, namespace, process.pid, startedAt));
    expect(hasEnded(processIdentity())).toBe(false);
  });

  test("has ended after a kill, also when its pid belongs to another one by then", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const started = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "";
    const its = identity(boot, namespace, child.pid ?? 0, started);
    expect(hasEnded(its)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(hasEnded(its)).toBe(true);
    expect(hasEnded(identity(boot, namespace, pid, Number(startedAt) - 1))).toBe(true);
  });

  test("has not ended while a thread of it still holds its connections", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const busy = `for (const _ of "1234") require("crypto").pbkdf2("a", "b", 1e7, 64, "sha512", () => {});`;
    const program = `${busy} require("net").connect(${port}, "127.0.0.1").on("connect", () => console.log(process.pid));`;
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, ["-e", program]);
      await once(child.stdout, "data");
      const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
      const its = identity(boot, namespace, child.pid ?? 0, stat.split(") ")[1]?.split(" ")[19] ?? "");
      expect(connectionsTo(port)).toBe(1);
      child.kill("SIGKILL");
      // Asked without a pause: what matters is the first moment at which it is said to have ended.
      const until = performance.now() + 5000;
      while (!hasEnded(its) && performance.now() < until);
      expect(hasEnded(its)).toBe(true);
      expect(connectionsTo(port)).toBe(0);
      await once(child, "exit");
    }
  });

  test.each([
    ["another boot or machine", identity("other", namespace, 999_999_999, 1)],
    ["another container", identity(boot, "1", 999_999_999, 1)],
    ["nothing that is known", "-"],
    ["no identity", ""],
  ])("is not said to have ended when it is of %s", (_where, its) => {
    expect(hasEnded(its)).toBe(false);
  });
});
