import { describe, expect, test } from "vitest";
import type { Chart } from "../../src/bot/charts/types.ts";
import { autoBackupsView } from "../../src/bot/views/auto-backups.ts";
import { chartView } from "../../src/bot/views/chart.ts";
import { serversView } from "../../src/bot/views/servers.ts";
import type { ServersState } from "../../src/bot/views/servers-state.ts";
import type { ViewPress } from "../../src/bot/views/types.ts";
import type { PowerOrder } from "../../src/core/power.ts";
import type { ServerFacts } from "../../src/core/server.ts";
import type { NotedLook } from "../../src/core/server-state.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import { person } from "../support/approvals.ts";
import { account, chat, type InventoryWorld, inventoryWorld, job, minute } from "../support/inventory.ts";
import { signal } from "../support/signals.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const hour = 60 * minute;
const facts: ServerFacts = { status: "on", disks: [], addresses: ["203.0.113.7"] };

function viewOf({ deps }: InventoryWorld, locale: Locale = "en") {
  const view = serversView(deps);
  const context = () => ({ id: "view", messages: messagesOf(locale), now: deps.clock.now(), isPrivate: true });
  return {
    view,
    context,
    render: async (state: ServersState = {}) => await view.render(state, context()),
    html: async (state: ServersState = {}) => (await view.render(state, context())).html,
    /** The button whose label begins so. */
    press: async (state: ServersState, label: string): Promise<ViewPress<ServersState>> => {
      const { rows } = await view.render(state, context());
      const button = rows.flat().find((one) => one.label.includes(label));
      if (!button)
        throw new Error(
          `no button ${label} among ${rows
            .flat()
            .map((one) => one.label)
            .join(", ")}`,
        );
      return await view.press(state, button.what, context());
    },
  };
}

/** Carries a press out as alice does; the state to show and the views that were opened. */
async function carriedOut<S extends object>(press: ViewPress<S>) {
  const opened: { kind: string; state: object }[] = [];
  const state = await press.run?.({
    by: person("alice"),
    messages: messagesOf("en"),
    target: chat,
    reply: async () => undefined,
    open: async (order) => void opened.push(order),
  });
  return { state, opened };
}

const look = (name: string, change: object = {}): NotedLook => ({
  name,
  tookMs: 10,
  reading: {
    at: new Date("2026-03-01T03:00:00Z"),
    status: "on",
    metrics: { cpu: 12.4, memory: 40, disk: 61, uptime: 90_000 },
  },
  ...change,
});

describe("/servers", () => {
  test("lists them red ones first, with status, address, uptime and age, and the accounts below", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    await deps.serverStates.noteFacts("web-1", facts, clock.now());
    const reason = { key: "error-provider-timeout", args: { provider: "node-exporter", server: "::1" } };
    for (let count = 0; count < 2; count += 1)
      await deps.serverStates.note({ name: "db-1", tookMs: 1, failure: "unreachable", reason }, clock.now());
    clock.advance(2 * minute);
    const { html, rows } = await viewOf(world).render();
    expect(html).toBe(
      [
        "<b>Servers</b>: 🔴 1 · 🟢 1",
        "🔴 <b>db-1</b> · no answer\n<i>[::1] · node-exporter · nothing heard of it yet</i>",
        "🟢 <b>web-1</b> · on\n<i>203.0.113.7 · timeweb · up 1d 1h · seen 2m ago</i>",
      ].join("\n\n"),
    );
    expect(rows.map((row) => row.map(({ label }) => label))).toEqual([
      ["🔴 db-1", "🟢 web-1"],
      ["💳 timeweb"],
      ["↻ Refresh"],
    ]);
    expect(
      await viewOf(world).html({ filter: "web", matchers: [{ label: "env", operator: "=", value: "dev" }] }),
    ).toContain("No server is called so or labelled so.\nFilter: web env=");
    expect(await viewOf(world, "ru").html()).toContain("🔴 <b>db-1</b> · не отвечает");
  });

  test("marks a server by what its word says, however lately that is known", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    sandbox.setStatus(101, "off");
    clock.advance(minute);
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    expect(await viewOf(world).html()).toContain("⚫ <b>web-1</b> · off");
  });

  test("does not call a server seen that nobody could look at", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    clock.advance(hour);
    const reason = { key: "error-provider-timeout", args: { provider: account, server: "web-1" } };
    const down = { name: "web-1", tookMs: 1, failure: "account", ofApi: true, reason } as const;
    await deps.serverStates.note(down, clock.now());
    expect(await viewOf(world).html()).toContain("timeweb · last heard of 1h ago</i>");
    expect(await viewOf(world, "ru").html()).toContain("последние вести 1 ч назад");
  });

  test("says what to do where none are configured", async () => {
    const world = await inventoryWorld(fixture, {}, (config) => ({ ...config, servers: [], providers: {} }));
    expect(await viewOf(world).html()).toContain("Add them under <code>servers</code>");
  });

  test("of 1,000 servers is answered within half a second", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `srv-${index}`);
    const world = await inventoryWorld(fixture, {}, (config) => ({
      ...config,
      servers: names.map((name, index) => ({
        name,
        provider: account,
        kind: "timeweb",
        labels: {},
        config: { id: index },
      })),
    }));
    const { deps, clock } = world;
    await Promise.all(names.map(async (name) => await deps.serverStates.note(look(name), clock.now())));
    const { html } = viewOf(world);
    await html();
    const began = process.cpuUsage();
    expect(await html({ page: 3 })).toContain("page 4 of 125");
    const { user, system } = process.cpuUsage(began);
    process.stdout.write(`/servers of 1,000: ${Math.round((user + system) / 1000)} ms of processor time\n`);
    expect((user + system) / 1000).toBeLessThan(500);
  }, 60_000);
});

describe("one server", () => {
  test("that is gone has no button for its power, and its values are as old as they were measured", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock } = world;
    const reading = { at: new Date(clock.now().getTime() - 9 * minute), status: "off", metrics: { cpu: 12 } } as const;
    await deps.serverStates.note(look("web-1", { reading }), clock.now());
    const shown = await viewOf(world).render({ server: "web-1" });
    expect(shown.html).toContain("CPU 12 % (9m ago)");
    expect(shown.rows.flat().map(({ label }) => label)).toContain("⏻ Start…");
    const reason = { key: "look-gone", args: { id: "101" } };
    await deps.serverStates.note({ name: "web-1", tookMs: 1, failure: "gone", reason }, clock.now());
    const { rows } = await viewOf(world).render({ server: "web-1" });
    expect(rows.flat().map(({ label }) => label)).toEqual(["📈 Stats", "↻ Refresh", "◀ Back"]);
  });

  test("is shown with all that its provider tells, and asked for by whoever opens it", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    sandbox.power(101, "reboot");
    sandbox.advance(2 * minute);
    const opened = await carriedOut(await viewOf(world).press({}, "web-1"));
    expect(opened.state).toEqual({ server: "web-1" });
    const waits = await viewOf(world).html({ server: "web-1" });
    expect(waits).toContain("The provider is being asked");
    expect(await deps.producer.isPending("inventory", "inventory.server.web-1")).toBe(true);
    const { view } = viewOf(world);
    const before = await view.pulse?.({ server: "web-1" }, clock.now());
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    expect(await view.pulse?.({ server: "web-1" }, clock.now())).not.toBe(before);
    const html = await viewOf(world).html({ server: "web-1" });
    for (const part of [
      /^🟢 <b>web-1<\/b> · on\n<i>env=prod<\/i>/,
      /up 1d 1h \(since 28 Feb 2026, 02:00\)/,
      /CPU 12 % · memory 40 % · disk 61 %/,
      /Provider: timeweb · spb-3\nubuntu 24\.04 · 2 cores · 4 GiB of memory/,
      /💾 Disk .*: .* of /,
      /🌐 <code>203\.0\.113\.7<\/code>/,
      /No open incidents/,
      /<b>Action log of the provider<\/b>\n1 Mar 2026, 03:\d\d · /,
      /System disk \d+: 1\n✓ 27 Feb 2026, .*before the update/,
      /kept by the same provider: they are no off-site copy/,
      /<a href="https:\/\/timeweb\.cloud\/my\/servers\/101\/console">Open the console<\/a>/,
    ])
      expect(html).toMatch(part);
    expect(html).not.toContain("secret");
  });

  test("has open incidents also when somebody keeps them quiet", async () => {
    const world = await inventoryWorld(fixture);
    const { deps } = world;
    await deps.alerts.receive([signal("cpu", { labels: { server: "web-1" } })]);
    const { html } = viewOf(world);
    expect(await html({ server: "web-1" })).toContain("Open incidents: 1");
    const matchers = [{ label: "server", operator: "=", value: "web-1" }] as const;
    await deps.alerts.silence({ by: person("alice"), durationMs: hour, matchers });
    expect(await html({ server: "web-1" })).toContain("🔕 1 open incident is kept quiet");
    expect(await html({ server: "web-1" })).not.toContain("No open incidents");
  });

  test("shows the status that its provider tells when it is newer than the last poll", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    sandbox.setStatus(101, "no_paid");
    clock.advance(minute);
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    expect(await viewOf(world).html({ server: "web-1" })).toContain("<b>web-1</b> · blocked by its provider (no_paid)");
    expect(await viewOf(world).html()).toContain("<b>web-1</b> · blocked by its provider (no_paid)");
  });

  test("keeps what is known while its provider cannot be asked, and says why", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock, sandbox } = world;
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    sandbox.addFault({ kind: "status", status: 401, body: "empty" });
    clock.advance(hour);
    await deps.inventoryReader.execute({ kind: "server", id: "web-1" }, job);
    const html = await viewOf(world).html({ server: "web-1" });
    expect(html).toContain("As of 1h ago");
    expect(html).toContain("refuses the token");
    expect(html).toContain("203.0.113.7");
  });

  test("leads to its picture, and for an operator to a reboot or a start", async () => {
    const world = await inventoryWorld(fixture);
    const { deps, clock } = world;
    await deps.serverStates.note(look("web-1"), clock.now());
    const { press } = viewOf(world);
    expect((await carriedOut(await press({ server: "web-1" }, "Stats"))).opened).toMatchObject([
      { kind: "chart", state: { server: "web-1" } },
    ]);
    const reboot = await press({ server: "web-1" }, "Reboot");
    expect(reboot.role).toBe("operator");
    const choice = { kind: "power", state: { command: "reboot", server: "web-1" } };
    expect((await carriedOut(reboot)).opened).toEqual([choice]);
    await deps.serverStates.noteFacts("web-1", { ...facts, status: "off" }, clock.now());
    expect((await carriedOut(await press({ server: "web-1" }, "Start"))).opened).toMatchObject([
      { state: { command: "startserver" } },
    ]);
    // Its provider has no hand on it.
    const { rows } = await viewOf(world).render({ server: "db-1" });
    expect(rows.flat().map(({ label }) => label)).toEqual(["📈 Stats", "↻ Refresh", "◀ Back"]);
  });

  test("has the reboots that were ordered here in its picture, whatever its provider tells of starts", async () => {
    const { deps, clock } = await inventoryWorld(fixture);
    const at = (seconds: number): string => new Date(clock.now().getTime() + seconds * 1000).toISOString();
    const order = { status: "done", source: "chat", title: "", createdAt: at(0) };
    for (const [id, server, action] of [
      ["a", "web-1", "reboot"],
      ["b", "db-1", "reboot"],
      ["c", "web-1", "shutdown"],
    ])
      await deps.powerStates.create(
        { ...order, id, server, action, stages: { ordered: at(0), booting: at(40) } } as unknown as PowerOrder,
        clock.now(),
      );
    clock.advance(hour);
    const drawn: Chart[] = [];
    const painter = {
      paint: async (chart: Chart) => {
        drawn.push(chart);
        return new Uint8Array();
      },
    };
    await chartView({ ...deps, painter }).render(
      { server: "web-1" },
      { id: "view", messages: messagesOf("en"), now: clock.now(), isPrivate: true },
    );
    expect(drawn.map(({ boots }) => boots)).toEqual([[clock.now().getTime() - hour + 40_000]]);
  });

  test("that is not configured any more, like a button out of date, leads nowhere", async () => {
    const world = await inventoryWorld(fixture);
    expect(await viewOf(world).html({ server: "gone-1" })).toContain("<b>Servers</b>");
    const { view, context } = viewOf(world);
    expect((await view.press({}, "show-0123456789ab", context())).toast).toMatch(/out of date/);
    expect((await view.press({}, "backup-0123456789ab-0123456789ab", context())).toast).toMatch(/out of date/);
  });
});

describe("an account", () => {
  test("is shown with its money, what ends soon and what is full", async () => {
    const world = await inventoryWorld(fixture, {
      finances: { balance: 48, hourly_cost: 2 },
      domains: [
        { fqdn: "soon.example", expiration: "2026-03-06" },
        { fqdn: "unknown.example", expiration: "0000-00-00" },
      ],
      buckets: [
        { id: 1, name: "full", size: 1_000_000, used: 980_000, objects: 3 },
        { id: 2, name: "endless", size: 0, used: 1000 },
      ],
    });
    expect(await viewOf(world).html({ account })).toContain("The provider is being asked");
    await world.readAccount();
    const html = await viewOf(world).html({ account });
    expect(html).toContain(
      "Balance: <b>48 RUB</b>\nCost: 2 RUB an hour, about 1,460 a month\n🟡 Lasts 1d, until 2 Mar 2026, 03:00",
    );
    expect(html).toContain("🔴 soon.example: until 6 Mar 2026, 00:00, 4 d");
    expect(html).toContain("🔴 <b>full</b>");
    const { render, press } = viewOf(world);
    const { rows } = await render({ account });
    expect(rows[0]?.map(({ label }) => label)).toEqual(["Databases: 2", "Buckets: 2", "Domains: 2"]);
    const buckets = await carriedOut(await press({ account }, "Buckets"));
    expect(await viewOf(world).html(buckets.state)).toMatch(
      /🔴 <b>full<\/b>: 1 GB of 1.02 GB ▓{10} 98 %\n<i>3 objects · ru-1<\/i>\n🟢 <b>endless<\/b>: 1.02 MB, no limit/,
    );
    expect(await viewOf(world).html({ account, part: "domains" })).toContain(
      "⚪ unknown.example: its end is not known",
    );
    expect(await viewOf(world, "ru").html({ account })).toContain("🟡 Хватит на 1 д");
    // What was told a while ago ends when it did then.
    world.clock.advance(6 * hour);
    expect(await viewOf(world).html({ account })).toContain("Lasts 18h, until 2 Mar 2026, 03:00");
    world.clock.advance(18 * hour);
    expect(await viewOf(world).html({ account })).toContain("🟡 Lasts less than an hour, by what was told last.");
  });
});

describe("a managed database", () => {
  const state: ServersState = { account, part: "databases", database: "7" };

  async function read(world: InventoryWorld): Promise<void> {
    await world.readAccount();
    await world.deps.inventoryReader.execute({ kind: "database", id: `${account}/7` }, job);
  }

  test("is shown with its backups, when they are made, and that they are with the same provider", async () => {
    const world = await inventoryWorld(fixture);
    await read(world);
    const list = await viewOf(world).html({ account, part: "databases" });
    expect(list).toMatch(/🟢 <b>shop<\/b> · postgres16 · on\nDisk: 2.05 GB of 8.59 GB \(24 %\)\nAutomatic backups: on/);
    expect(list).toContain("no off-site copy");
    const opened = await carriedOut(await viewOf(world).press({ account, part: "databases" }, "shop"));
    expect(opened.state).toEqual(state);
    const html = await viewOf(world).html(state);
    expect(html).toMatch(/<b>Backups at the provider: 1<\/b>\n✓ 28 Feb 2026, 03:00 · 2\.05 GB/);
    expect(html).toContain("they are no off-site copy");
    expect(html).toContain("Made: daily\nCopies kept: 7\nFrom: 30 Jan 2026, 03:00");
  });

  test("is backed up by its button, through an approval", async () => {
    const world = await inventoryWorld(fixture);
    await read(world);
    const press = await viewOf(world).press(state, "Back up now");
    expect(press.role).toBe("operator");
    await carriedOut(press);
    const [approval] = await world.deps.approvalStates.list(5);
    expect(approval).toMatchObject({ action: "database-backup", target: "shop", status: "open" });
    // Pressed twice: the first one is still open.
    await expect(carriedOut(press)).rejects.toMatchObject({ text: { key: "error-approval-asked" } });
  });

  test("has a form for other settings, which shows what changes and ends in an approval", async () => {
    const world = await inventoryWorld(fixture);
    await read(world);
    const { opened } = await carriedOut(await viewOf(world).press(state, "Automatic backups"));
    const [order] = opened;
    expect(order?.kind).toBe("auto-backups");
    const form = autoBackupsView(world.deps);
    const context = { ...viewOf(world).context(), now: world.clock.now() };
    // Kept in Redis between two presses.
    const kept = <S extends object>(value: S): S => JSON.parse(JSON.stringify(value)) as S;
    let now = kept(order?.state ?? {}) as Parameters<typeof form.render>[0];
    expect((await form.press(now, "ask", context)).toast).toBe("Nothing would change.");
    for (const what of ["week", "weekday", "many-more", "later"]) {
      const { state: next } = await carriedOut(await form.press(now, what, context));
      if (!next) throw new Error(`${what} leads nowhere`);
      now = kept(next);
    }
    const { html } = await form.render(now, context);
    expect(html).toContain("• Copies kept: 7 → <b>14</b>\n• Made: daily → <b>weekly</b>\n• Day: – → <b>Tuesday</b>");
    expect(html).toContain("Fewer backups are made or kept than now");
    expect(html).toContain("no off-site copy");
    const { state: asked } = await carriedOut(await form.press(now, "ask", context));
    expect((await form.render(kept(asked ?? now), context)).rows).toEqual([]);
    const [approval] = await world.deps.approvalStates.list(5);
    expect(approval).toMatchObject({
      action: "auto-backups",
      status: "typing",
      args: { wanted: { copies: 14, interval: "week", dayOfWeek: 2 } },
    });
  });

  test("whose settings cannot be asked for now has no form, and one that is gone says so", async () => {
    const world = await inventoryWorld(fixture);
    await world.readAccount();
    expect((await viewOf(world).press(state, "Automatic backups")).toast).toMatch(/not known now/);
    expect(await viewOf(world).html({ ...state, database: "99" })).toContain("timeweb has no database 99");
  });

  test("of which nothing was told yet has no count of backups, and is not called gone", async () => {
    const world = await inventoryWorld(fixture);
    const nothing = await viewOf(world).html(state);
    expect(nothing).not.toContain("has no database");
    expect(nothing).toContain("The provider is being asked");
    await world.readAccount();
    expect(await viewOf(world).html(state)).toContain("<b>Backups at the provider: ?</b>");
    const { view, context } = viewOf(world);
    const button = (await view.render(state, context())).rows.flat().find(({ label }) => label.includes("Back up now"));
    await world.deps.inventoryStates.retain("account", () => false);
    const press = await view.press(state, button?.what ?? "", context());
    expect(press.toast).toMatch(/not known now/);
    expect(press.role).toBeUndefined();
  });
});
