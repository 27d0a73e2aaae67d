import { hostname } from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isMetricName, type MetricUnit, metricUnits } from "../../src/core/metric.ts";
import { type LookFailure, lookFailures, type ServerReading } from "../../src/core/server.ts";
import { locales, messagesOf } from "../../src/messages/index.ts";
import { createProvider, providerKindOf, providerKinds } from "../../src/providers/index.ts";
import type { Look, Provider, ServerTarget } from "../../src/providers/types.ts";
import { startExporter } from "../../src/sandbox/servers/exporter.ts";
import { manyServers, startTimewebSandbox } from "../../src/sandbox/timeweb/index.ts";
import { allLooks, providerDeps } from "../support/providers.ts";

/** What the suite needs to know of a kind. */
interface World extends AsyncDisposable {
  readonly provider: Provider;
  /** All of them answer. */
  readonly servers: readonly ServerTarget[];
  /** What the provider has logged and remembered. */
  kept(): string;
  /** Must be found nowhere. */
  readonly secrets: readonly string[];
  /** From now on the server does not answer; absent where nobody is asked who might not. */
  readonly hold?: (server: ServerTarget) => void;
  /** How often whoever is asked was asked, and how many connections to it are open. */
  readonly asked?: () => number;
  readonly open?: () => number;
  /** Faults by their name: what to look at then, and what the looks give. */
  readonly faults: Readonly<Record<string, () => Fault | Promise<Fault>>>;
}

interface Fault {
  readonly servers: readonly ServerTarget[];
  readonly failure: LookFailure;
}

const worlds: Readonly<Record<string, () => Promise<World>>> = {
  "node-exporter": async () => {
    const password = "sesame-of-exporters";
    const key = "sesame-of-headers";
    const exporter = await startExporter({ authorization: `Basic ${btoa(`vakhta:${password}`)}` });
    const { deps, lines, memories } = providerDeps();
    const schema = providerKindOf("node-exporter").serverSchema;
    const entry = (name: string, auth = password, rest: object = {}): ServerTarget => ({
      name,
      config: schema.parse({
        url: `${exporter.url(name)}?key=sesame-of-addresses`,
        auth: { username: "vakhta", password: auth },
        headers: { "X-Key": key },
        ...rest,
      }),
    });
    const servers = ["web-1", "web-2", "db-1", "cache-1", "queue-1"].map((name) => entry(name));
    const faulty = (failure: LookFailure, fault: Parameters<typeof exporter.inject>[0]) => () => {
      exporter.inject(fault);
      return { servers, failure };
    };
    const leaky = `{"password": "sesame-of-answers", "ok": false}\n`;
    return {
      provider: createProvider("node-exporter", undefined, deps),
      servers,
      kept: () => [...lines, ...memories.entries()].join("\n"),
      secrets: [password, btoa(`vakhta:${password}`), key, "sesame-of-addresses", "sesame-of-answers"],
      hold: ({ name }) => void exporter.inject({ kind: "stall" }, { host: new RegExp(`^${name}$`) }),
      asked: () => exporter.requests.length,
      open: () => exporter.connections.open,
      faults: {
        "nobody listens": async () => {
          await exporter.refuse();
          return { servers, failure: "unreachable" };
        },
        "no answer in time": () => {
          exporter.inject({ kind: "halt" });
          return {
            servers: servers.map(({ name }) => entry(name, password, { timeout: "150ms" })),
            failure: "unreachable",
          };
        },
        "broken off": faulty("unreachable", { kind: "cut" }),
        "a gateway alone": faulty("unreachable", { kind: "status", status: 503, body: leaky }),
        "a password that is wrong": () => ({
          servers: servers.map(({ name }) => entry(name, "sesame-of-answers")),
          failure: "refused",
        }),
        "another page": faulty("garbage", { kind: "status", status: 404, body: leaky }),
        "something else": faulty("garbage", { kind: "body", body: leaky }),
        "no end": () => {
          exporter.inject({ kind: "endless" });
          return { servers: [entry("web-1", password, { timeout: "60s" })], failure: "garbage" };
        },
        "nothing measured": faulty("no-data", { kind: "body", body: "# EOF\n" }),
      },
      [Symbol.asyncDispose]: () => exporter.stop(),
    };
  },
  timeweb: timewebWorld,
  local: async () => {
    const { deps, lines, memories } = providerDeps({ host: hostname() });
    const schema = providerKindOf("local").serverSchema;
    return {
      provider: createProvider("local", undefined, deps),
      servers: [{ name: "here", config: schema.parse({ host: hostname() }) }],
      kept: () => [...lines, ...memories.entries()].join("\n"),
      secrets: ["DATABASE_URL", "PATH="],
      faults: {
        "another host": () => ({
          servers: [{ name: "there", config: schema.parse({ host: `not-${hostname()}` }) }],
          failure: "unreachable",
        }),
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

async function timewebWorld(): Promise<World> {
  const token = "sesame-of-timeweb";
  const sandbox = await startTimewebSandbox({ tokens: [token], servers: manyServers(5) });
  const { deps, lines, memories } = providerDeps();
  const kind = providerKindOf("timeweb");
  const open = (entry: object = {}): Provider =>
    createProvider(
      "timeweb",
      { name: "main", config: kind.accountSchema?.parse({ token, apiUrl: sandbox.url, ...entry }) },
      deps,
    );
  const servers = sandbox.servers().map(({ id, name }) => ({ name, config: kind.serverSchema.parse({ id }) }));
  const faulty = (failure: LookFailure, fault: Parameters<typeof sandbox.addFault>[0]) => () => {
    sandbox.addFault(fault);
    return { servers, failure };
  };
  return {
    provider: open(),
    servers,
    kept: () => [...lines, ...memories.entries()].join("\n"),
    secrets: [
      token,
      "secret-vnc-pass",
      "secret-root-pass",
      "secret-cloud-init",
      "secret-database",
      "secret-access-key",
    ],
    hold: ({ config }) =>
      void sandbox.addFault({ kind: "silent", path: `^/api/v1/servers/${(config as { id: number }).id}/statistics` }),
    asked: () => sandbox.requests().length,
    faults: {
      "nobody listens": async () => {
        await sandbox.refuse();
        return { servers, failure: "account" };
      },
      "a token that is revoked": () => {
        sandbox.revokeToken(token);
        return { servers, failure: "account" };
      },
      "an API that is down": faulty("account", { kind: "status", status: 502, body: "html" }),
      "an edge that has lost the API": faulty("account", { kind: "status", status: 404, body: "html" }),
      "an API that is tired of us": faulty("account", { kind: "status", status: 429, body: "empty" }),
      "something else": faulty("account", { kind: "garbage" }),
      "no end": faulty("account", { kind: "endless" }),
      "servers that were deleted": () => {
        for (const { config } of servers) sandbox.deleteServer((config as { id: number }).id);
        return { servers, failure: "gone" };
      },
      "nothing measured": () => {
        for (const { id } of sandbox.servers()) sandbox.hang(id);
        sandbox.advance(3_600_000);
        return { servers, failure: "no-data" };
      },
    },
    [Symbol.asyncDispose]: () => sandbox.close(),
  };
}

const never = new AbortController().signal;
const names = (looks: readonly Look[]): string[] => looks.map(({ name }) => name).sort();

/** What values of a unit can be on any machine: no kilobytes for bytes, no shares of 1 for percents of a full disk. */
const bounds: Readonly<Record<MetricUnit, readonly [number, number]>> = {
  percent: [0, 100],
  bytes: [1e6, 1e18],
  number: [0, 1e5],
  "bytes-per-second": [0, 1e12],
  seconds: [0, 1e10],
};

function checkReading({ at, metrics, bootedAt }: ServerReading): void {
  expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(15 * 60_000);
  expect(bootedAt?.getTime() ?? 0).toBeLessThanOrEqual(Date.now());
  expect(Object.keys(metrics).length).toBeGreaterThan(0);
  for (const [name, value] of Object.entries(metrics)) {
    if (!isMetricName(name)) throw new Error(`${name} is no metric`);
    const [least, most] = bounds[metricUnits[name]];
    expect(value).toBeGreaterThanOrEqual(least);
    expect(value).toBeLessThanOrEqual(most);
  }
}

/** What people read of it; fails where there is nothing to read. */
function saidOf(look: Look): string[] {
  if (!("failure" in look)) throw new Error(JSON.stringify(look));
  expect(lookFailures).toContain(look.failure);
  const said = locales.map((locale) => messagesOf(locale).plain(look.reason.key, look.reason.args));
  for (const text of said) expect(text).toMatch(/\S/);
  return said;
}

it("has a world for every registered kind", () => {
  expect(Object.keys(worlds).sort()).toEqual([...providerKinds].sort());
});

describe.each(Object.keys(worlds))("provider %s", (kind) => {
  let world: World;
  beforeEach(async () => {
    const make = worlds[kind];
    if (make === undefined) throw new Error(`no world for ${kind}`);
    world = await make();
  });
  afterEach(async () => {
    await world.provider.close();
    await world[Symbol.asyncDispose]();
  });

  it("gives each server exactly once, with values in their units", async () => {
    const looks = await allLooks(world.provider.looks(world.servers, never));
    expect(names(looks)).toEqual(names(world.servers as unknown as Look[]));
    for (const look of looks) {
      if (!("reading" in look)) throw new Error(JSON.stringify(look));
      checkReading(look.reading);
      expect(look.tookMs).toBeGreaterThanOrEqual(0);
    }
  });

  it("gives the same a second time, and to two at the same time", async () => {
    const all = await Promise.all([1, 2].map(() => allLooks(world.provider.looks(world.servers, never))));
    all.push(await allLooks(world.provider.looks(world.servers, never)));
    for (const looks of all) {
      expect(names(looks)).toEqual(names(world.servers as unknown as Look[]));
      expect(looks.every((look) => "reading" in look)).toBe(true);
    }
  });

  it("has nothing to say of no servers", async () => {
    expect(await allLooks(world.provider.looks([], never))).toEqual([]);
  });

  it("asks nobody and rejects when it is aborted before", async () => {
    const gone = AbortSignal.abort(new Error("not now"));
    await expect(allLooks(world.provider.looks(world.servers, gone))).rejects.toThrow("not now");
    expect(world.asked?.() ?? 0).toBe(0);
  });

  it("says why there is nothing, for every server, in both languages, without a secret", async () => {
    expect(Object.keys(world.faults).length).toBeGreaterThan(0);
    await Promise.all(Object.keys(world.faults).map(checkFault));
  });

  /** In a world of its own: what is broken stays broken. */
  async function checkFault(name: string): Promise<void> {
    await using faulty = (await worlds[kind]?.()) ?? world;
    const fault = await faulty.faults[name]?.();
    if (!fault) throw new Error(`${name} is no fault`);
    const looks = await allLooks(faulty.provider.looks(fault.servers, never));
    expect([name, ...names(looks)]).toEqual([name, ...fault.servers.map((server) => server.name).sort()]);
    for (const look of looks) {
      expect({ name, look }).toMatchObject({
        name,
        look: { failure: fault.failure, reason: { key: expect.any(String) } },
      });
      const all = [...saidOf(look), JSON.stringify(look), faulty.kept()].join("\n");
      for (const secret of world.secrets) expect(all).not.toContain(secret);
    }
    await faulty.provider.close();
    await vi.waitFor(() => expect(faulty.open?.() ?? 0).toBe(0));
  }

  it("keeps no secret, and says none", async () => {
    const looks = await allLooks(world.provider.looks(world.servers, never));
    const facts = (await world.provider.facts?.(world.servers, never)) ?? new Map();
    const all = [JSON.stringify(looks), JSON.stringify([...facts]), world.kept()].join("\n");
    for (const secret of world.secrets) expect(all).not.toContain(secret);
  });

  it("knows the facts of its servers by their names in the configuration", async () => {
    const { provider, servers } = world;
    const facts = provider.facts && (await provider.facts(servers, never));
    expect([...(facts?.keys() ?? names(servers as unknown as Look[]))].sort()).toEqual(
      names(servers as unknown as Look[]),
    );
    for (const { addresses, disks } of facts?.values() ?? []) {
      expect(new Set(addresses).size).toBe(addresses.length);
      for (const { bytes } of disks) expect(bytes).toBeGreaterThan(1_000_000);
    }
  });

  it("leaves nothing open, and looks no more once it is closed", async () => {
    await allLooks(world.provider.looks(world.servers, never));
    await world.provider.close();
    await vi.waitFor(() => expect(world.open?.() ?? 0).toBe(0));
    const asked = world.asked?.() ?? 0;
    await expect(allLooks(world.provider.looks(world.servers, never))).rejects.toThrow();
    expect(world.asked?.() ?? 0).toBe(asked);
  });

  // Those who ask nobody are never kept waiting.
  const held = async () => {
    const [slow, ...others] = world.servers;
    if (!slow || !world.hold) return undefined;
    world.hold(slow);
    return { slow, others };
  };

  const isAsked = () => vi.waitFor(() => expect(world.asked?.() ?? 1).toBeGreaterThan(0));

  it("gives the others while one does not answer", async () => {
    const { slow, others } = (await held()) ?? {};
    const expected = names((others ?? world.servers) as unknown as Look[]);
    const got: string[] = [];
    for await (const { name } of world.provider.looks(world.servers, never)) {
      got.push(name);
      if (got.length === expected.length) break;
    }
    expect(got.sort()).toEqual(expected);
    expect(got).not.toContain(slow?.name);
    // Whoever stops reading ends what is still under way.
    await vi.waitFor(() => expect(world.open?.() ?? 0).toBe(0));
  });

  it("ends at once when it is aborted, with the reason, and leaves nothing open", async () => {
    await held();
    const controller = new AbortController();
    const looking = allLooks(world.provider.looks(world.servers, controller.signal));
    const outcome = looking.then(
      () => "ended",
      (error: unknown) => error,
    );
    await isAsked();
    const before = performance.now();
    controller.abort(new Error("stop now"));
    expect(await outcome).toMatchObject({ message: "stop now" });
    expect(performance.now() - before).toBeLessThan(2000);
    await vi.waitFor(() => expect(world.open?.() ?? 0).toBe(0));
  });

  it("ends what is under way when it is closed", async () => {
    await held();
    const looking = allLooks(world.provider.looks(world.servers, never)).then(
      () => "ended",
      () => "ended",
    );
    await isAsked();
    await world.provider.close();
    expect(await looking).toBe("ended");
    await vi.waitFor(() => expect(world.open?.() ?? 0).toBe(0));
  });
});
