import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { dailyCard } from "../../src/bot/cards/daily.ts";
import { status as statusCommand } from "../../src/bot/commands/status.ts";
import type { BackupsState } from "../../src/bot/views/backups.ts";
import { backupsView } from "../../src/bot/views/backups.ts";
import { manifestFolder } from "../../src/core/manifest.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { readHealth } from "../../src/services/backup/health.ts";
import { dailyReport } from "../../src/services/daily.ts";
import type { CachedCopy } from "../../src/state/catalogue.ts";
import { aBackup, dailyManifest } from "../support/catalogue.ts";
import { retentionConfig } from "../support/retention-config.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();

/** A bot's own part, over a cache that says so. */
function botOf(backups: readonly object[]): Deps {
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const storages = { local: { kind: "local", path: "/nowhere" }, offsite: { kind: "s3", bucket: "b" } };
  const config = retentionConfig({ url: fixture.server.url, prefix }, { storages, backups });
  const clock = new ManualClock("2026-03-01T12:00:00.000Z");
  const { deps, close } = createDeps({ config, logger: pino({ level: "silent" }), clock, role: "test" });
  onTestFinished(close);
  return deps;
}

function copyOf(manifest: ReturnType<typeof dailyManifest>, change: Partial<CachedCopy> = {}): CachedCopy {
  return { manifest, manifestSha256: "5e".repeat(32), manifestBytes: 900, proofs: [], ...change };
}

async function fill(deps: Deps, name: string, count: number, storages = ["local", "offsite"]): Promise<void> {
  const manifests = Array.from({ length: count }, (_, index) =>
    dailyManifest(index, { name, bytes: 1000 + (index % 9) }),
  );
  const copies = new Map(manifests.map((manifest) => [manifestFolder(manifest), copyOf(manifest)]));
  for (const storage of storages) {
    await deps.catalogueCache.put(storage, name, copies);
    await deps.catalogueCache.writeLook(storage, name, { at: "2026-03-01T11:59:00.000Z" });
  }
}

function viewOf(deps: Deps) {
  const view = backupsView({ ...deps, storageLocation: (name) => name });
  const context = { id: "view", messages: messagesOf("en"), now: deps.clock.now(), isPrivate: true };
  return {
    view,
    context,
    render: async (state: BackupsState) => await view.render(state, context),
    press: async (state: BackupsState, what: string) => await view.press(state, what, context),
  };
}

const keep = { local: { last: 3 }, offsite: { daily: 7, monthly: 4 } };
const bothStorages = { storages: ["local", "offsite"], keep };

describe("with 300 names and 10,000 backups in two storages", () => {
  test("everything is answered from the cache within a second", async () => {
    const names = Array.from({ length: 300 }, (_, index) => `db-${String(index).padStart(3, "0")}`);
    const deps = botOf(
      names.map((name) => aBackup({ name, schedule: "0 3 * * *", ...bothStorages, anomaly: { below: 0.5, of: 5 } })),
    );
    for (const [index, name] of names.entries()) await fill(deps, name, index === 0 ? 5000 : 17);
    const { render, press } = viewOf(deps);
    // Of this process: on a machine that others use as well, the clock tells of them.
    const cpuMs = async (work: () => Promise<unknown>): Promise<number> => {
      const began = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    };
    const timed = async (state: BackupsState): Promise<[number, string]> => {
      let html = "";
      const ms = await cpuMs(async () => {
        html = (await render(state)).html;
      });
      return [ms, html];
    };
    await render({});
    const [all, overview] = await timed({});
    expect(overview).toContain("🟡 300");
    expect(overview).toContain("page 1 of 75");
    const [ofName, page] = await timed({ name: "db-000", namePage: 624 });
    expect(page).toContain("5,000. ");
    const [details, one] = await timed({ name: "db-000", backup: dailyManifest(1).id });
    expect(one).toContain("stays: newest of day 2026-02-28, newest of month 2026-02");
    const status = await cpuMs(async () => await readHealth(deps));
    process.stdout.write(
      `300 names, 10,083 backups in two storages: /backups ${Math.round(all)} ms, a page of a name ${Math.round(ofName)} ms, details of one of 5,000 ${Math.round(details)} ms, /status ${Math.round(status)} ms\n`,
    );
    for (const ms of [all, ofName, details, status]) expect(ms).toBeLessThan(1000);
    expect((await press({}, "page-74")).run).toBeDefined();
  }, 120_000);
});

describe("a page", () => {
  test("says when a backup goes, and what is locked, cold and damaged", async () => {
    const deps = botOf([aBackup({ schedule: "0 3 * * *", ...bothStorages })]);
    await fill(deps, "app", 12);
    const manifest = dailyManifest(1);
    const proof = { depth: "stored" as const, ok: false, at: "2026-03-01T11:00:00.000Z", host: "h", elapsedMs: 5 };
    const folder = manifestFolder(manifest);
    const cold = copyOf(manifest, { storageClass: "STANDARD_IA", proofs: [proof] });
    await deps.catalogueCache.put("offsite", "app", new Map([[folder, cold]]));
    const { render } = viewOf(deps);
    const { html } = await render({ name: "app", backup: manifest.id });
    expect(html).toContain("❌ <b>offsite</b> <code>offsite</code>: it did not hold\n<i>STANDARD_IA · stays: ");
    // Two of the newest three are newer after the next two runs.
    expect(html).toMatch(/✓ <b>local@db-1<\/b> .*\n<i>stays: among the newest · until about 3 Mar 2026, 03:00/);
    expect((await render({})).html).toContain("🔴 <b>app</b>: a copy did not hold, never proven");
    const gone = await render({ name: "app", backup: "000000000011" });
    expect(gone.html).toContain("goes with the next removal");
    expect((await render({ name: "app", backup: "nothing" })).html).toContain("is not there any more");
  });

  test("a press on what is gone or no longer configured does nothing, and says so", async () => {
    const deps = botOf([aBackup({ ...bothStorages })]);
    await fill(deps, "app", 2);
    const { press } = viewOf(deps);
    const [digest] = (await viewOf(deps).render({})).rows.flat();
    const target = digest?.what.replace("name-", "") ?? "";
    expect((await press({}, `pin-${target}-000000000009`)).toast).toMatch(/not there any more/);
    expect((await press({}, "name-0123456789ab")).toast).toMatch(/out of date/);
    expect((await press({}, "nonsense")).toast).toMatch(/out of date/);
    const pin = await press({}, `pin-${target}-000000000001`);
    expect(pin).toMatchObject({ role: "admin" });
    expect(await press({}, `link-${target}-000000000001`)).toMatchObject({ role: "admin" });
  });
});

describe("a storage that cannot be looked at", () => {
  const error = { code: "storage-unreachable", message: "connect ECONNREFUSED" };
  const proof = { depth: "restored" as const, ok: true, at: "2026-03-01T04:00:00.000Z", host: "h", elapsedMs: 5 };

  /** Made this morning, proven, in both storages, all seen a minute ago. */
  async function wellWorld(): Promise<Deps & { readonly clock: ManualClock }> {
    const deps = botOf([aBackup({ ...bothStorages })]);
    await fill(deps, "app", 1);
    const manifest = dailyManifest(0);
    const copies = new Map([[manifestFolder(manifest), copyOf(manifest, { proofs: [proof] })]]);
    for (const storage of ["local", "offsite"]) await deps.catalogueCache.put(storage, "app", copies);
    return { ...deps, clock: deps.clock as ManualClock };
  }
  const failed = async (deps: Deps, storage: string, since: string): Promise<void> =>
    await deps.catalogueCache.writeLook(storage, "app", {
      at: deps.clock.now().toISOString(),
      seenAt: since,
      error: { ...error, since: "2026-03-01T11:59:30.000Z" },
    });
  const pageOf = async (deps: Deps): Promise<string> => {
    const { view, context } = viewOf(deps);
    return (await view.render({}, { ...context, now: deps.clock.now() })).html;
  };

  test("spoils green with the reason, and is red when no copy can be reached for an hour", async () => {
    const deps = await wellWorld();
    expect(await pageOf(deps)).toMatch(/🟢 <b>app<\/b>\n[^?]*✓ local@db-1 · ✓ offsite/);
    await failed(deps, "offsite", "2026-03-01T11:12:00.000Z");
    const page = await pageOf(deps);
    expect(page).toContain(
      "🟡 <b>app</b>: offsite could not be looked at since 1 Mar 2026, 11:12: connect ECONNREFUSED\n",
    );
    expect(page).toContain("✓ local@db-1 · ? offsite");
    const report = await dailyReport(deps);
    expect(report.backups).toMatchObject([{ state: "unseen", storages: ["offsite"] }]);
    const [card] = dailyCard(deps)
      .render(report, { messages: messagesOf("en") } as never)
      .html.split("\n")
      .filter((line) => line.startsWith("Backups"));
    expect(card).toBe("Backups: 1 of which offsite cannot be looked at (app)");
    await failed(deps, "local", "2026-03-01T11:12:00.000Z");
    expect((await readHealth(deps))[0]).toMatchObject({ mark: "amber", reasons: ["unseen"] });
    deps.clock.advance(13 * 60_000);
    expect((await readHealth(deps))[0]).toMatchObject({ mark: "red", reasons: ["out-of-reach", "unseen"] });
  });

  test("is also one at which nobody has looked for long, or in which something makes no sense", async () => {
    const deps = await wellWorld();
    deps.clock.advance(29 * 60_000);
    expect((await readHealth(deps))[0]).toMatchObject({ mark: "green" });
    deps.clock.advance(60_001);
    expect(await pageOf(deps)).toContain("🟡 <b>app</b>: local was last looked at 1 Mar 2026, 11:59, offsite was");
    const at = deps.clock.now().toISOString();
    await deps.catalogueCache.writeLook("local", "app", { at });
    await deps.catalogueCache.writeLook("offsite", "app", { at, unreadable: 2 });
    expect(await pageOf(deps)).toContain("🟡 <b>app</b>: offsite holds 2 manifests that cannot be read");
  });

  test("is told by the time of the look, which Refresh has done anew", async () => {
    const deps = await wellWorld();
    expect(await pageOf(deps)).toMatch(/Storages looked at 1 Mar 2026, 11:59$/);
    await viewOf(deps).press({}, "refresh");
    expect(await deps.producer.isPending("catalogue", "catalogue.offsite")).toBe(true);
  });

  test("leaves open whether there is a backup: that there is none is only said when all of them were looked at", async () => {
    const deps = botOf([aBackup({ ...bothStorages })]);
    const status = async (): Promise<string> => {
      const said: string[] = [];
      const ctx = { texts: messagesOf("en"), reply: (text: string) => said.push(text) };
      const report = async () => ({ processes: [], backups: await readHealth(deps) });
      await statusCommand.run(ctx as never, "", { ...deps, status: report } as never);
      return said.join("\n");
    };
    const { render } = viewOf(deps);
    expect(await status()).toContain(
      "🟡 <b>app</b>: no backup is known yet · <b>local has not been looked at yet, offsite has not been looked at yet</b>",
    );
    await deps.catalogueCache.writeLook("local", "app", { at: "2026-03-01T11:59:00.000Z" });
    await deps.catalogueCache.writeLook("offsite", "app", {
      at: "2026-03-01T11:59:00.000Z",
      error: { ...error, since: "2026-03-01T11:58:00.000Z" },
    });
    const { html } = await render({ name: "app" });
    expect(html).toMatch(/^🟡 <b>app<\/b>: offsite could not be looked at since .*11:58.*\nLast good: not known yet\n/);
    expect(html).toContain("None is known yet");
    expect(html).not.toMatch(/never|was ever made|There is no backup/);
    await deps.catalogueCache.writeLook("offsite", "app", { at: "2026-03-01T11:59:00.000Z" });
    expect(await status()).toContain("🔴 <b>app</b>: never backed up");
    expect((await render({ name: "app" })).html).toMatch(/^🔴 <b>app<\/b>: none was ever made\nLast good: none\n/);
  });

  test("is not said to lack what it was never seen to lack", async () => {
    const deps = botOf([aBackup({ ...bothStorages })]);
    await fill(deps, "app", 1, ["local"]);
    await deps.catalogueCache.writeLook("offsite", "app", { at: "2026-03-01T11:59:00.000Z", error });
    expect((await readHealth(deps))[0]).toMatchObject({
      stored: ["local"],
      missing: [],
      reasons: ["unseen", "unproven"],
    });
    await deps.catalogueCache.writeLook("offsite", "app", { at: "2026-03-01T11:59:00.000Z" });
    expect((await readHealth(deps))[0]).toMatchObject({ missing: ["offsite"], reasons: ["copy-missing", "unproven"] });
  });
});
