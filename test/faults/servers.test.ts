import { describe, expect, it } from "vitest";
import { hour, minute, second, serversWorld } from "../support/servers.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();

describe("the API of an account", () => {
  it("down for an hour is one incident, critical when it lasts, and no server's; all is well afterwards", async () => {
    const world = await serversWorld(fixture);
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
    const fault = world.sandbox.addFault({ kind: "status", status: 503, body: "html" });
    await world.pass(8 * minute);
    expect(await world.open()).toEqual(["warning silence-account-api timeweb"]);
    await world.pass(52 * minute);
    expect(await world.open()).toEqual(["critical silence-account-api timeweb"]);
    world.sandbox.removeFault(fault);
    await world.pass(6 * minute);
    expect(await world.open()).toEqual([]);
    expect(await world.all()).toEqual(["silence-account-api 1"]);
    const state = await world.deps.serverStates.read("web-1");
    expect(state?.failure).toBeUndefined();
    expect(state?.reading?.metrics.cpu).toBeGreaterThanOrEqual(0);
  }, 60_000);
});
