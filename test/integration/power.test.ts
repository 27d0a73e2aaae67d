import { describe, expect, test } from "vitest";
import { powerJob, powerWorld } from "../support/power.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;

describe("a reboot", () => {
  test("is looked at, confirmed, ordered once and followed until the server is back", async () => {
    const { ordered, follow, sandbox, asked, approval } = await powerWorld(fixture);
    const order = await ordered("reboot");
    expect(order).toMatchObject({ status: "following", look: { status: "on", providerName: "web-one" } });
    expect(await approval(order)).toMatchObject({
      status: "done",
      action: "reboot",
      approvals: [{ by: { name: "alice" } }],
    });
    const done = await follow(order.id, 10 * minute);
    expect(done.status).toBe("done");
    expect(Object.keys(done.stages)).toEqual(["ordered", "going-down", "down", "booting", "answering", "green"]);
    expect(asked("reboot")).toBe(1);
    expect(sandbox.server(101).status).toBe("on");
  });

  test("goes on its way only once, however often and by however many it is carried out", async () => {
    const { approved, runner, worker, asked, read } = await powerWorld(fixture);
    const order = await approved("reboot");
    const runners = [runner(), runner(worker())];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => runners[index % 2]?.execute(order.approval ?? "", powerJob)),
    );
    expect(asked("reboot")).toBe(1);
    expect((await read(order.id)).status).toBe("following");
  });
});
