import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasEnded, processIdentity } from "../../src/lib/process-identity.ts";

const [boot = "", namespace = "", pid = "", startedAt = ""] = processIdentity().split("/");
const identity = (...parts: (string | number)[]) => parts.join("/");

/** Only where the kernel tells. */
describe.skipIf(process.platform !== "linux")("a process, by its identity", () => {
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

  test.each([
    ["another boot or machine", identity("other", namespace, 999_999_999, 1)],
    ["another container", identity(boot, "1", 999_999_999, 1)],
    ["nothing that is known", "-"],
    ["no identity", ""],
  ])("is not said to have ended when it is of %s", (_where, its) => {
    expect(hasEnded(its)).toBe(false);
  });
});
