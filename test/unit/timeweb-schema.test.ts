import { describe, expect, test } from "vitest";
import {
  autoBackupsSchema,
  bucketsSchema,
  databasesSchema,
  domainsSchema,
  newBackupSchema,
  parseTime,
  seriesSchema,
  serversSchema,
  statisticsSchema,
} from "../../src/lib/clients/timeweb-schema.ts";
import { factsOf, statusOf } from "../../src/providers/timeweb/facts.ts";
import { timewebAccountSchema, timewebServerSchema } from "../../src/providers/timeweb/schema.ts";
import { diskMetrics, newestOf, newestOfSeries } from "../../src/providers/timeweb/statistics.ts";

/** Every status that the documentation names. */
const documented =
  "installing software_install reinstalling on off turning_on turning_off hard_turning_off rebooting hard_rebooting removing removed cloning transfer blocked configuring no_paid permanent_blocked".split(
    " ",
  );

const server = (parts: object = {}) => serversSchema.parse({ servers: [{ id: 1, ...parts }] }).servers[0];

describe("what Timeweb answers is read tolerantly", () => {
  test("passwords, keys and scripts end at the boundary", () => {
    const read = [
      serversSchema.parse({
        servers: [{ id: 1, root_pass: "secret-1", vnc_pass: "secret-2", cloud_init: "secret-3" }],
      }),
      bucketsSchema.parse({ buckets: [{ id: 1, name: "b", access_key: "secret-4", secret_key: "secret-5" }] }),
      databasesSchema.parse({ dbs: [{ id: 1, name: "d", password: "secret-6", login: "secret-7" }] }),
    ];
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  test("an entry that can not be read does not take the others with it", () => {
    const { servers } = serversSchema.parse({
      servers: [null, { name: "no id" }, { id: "7" }, { id: 8, disks: "none" }],
    });
    expect(servers.map(({ id, disks }) => [id, disks])).toEqual([
      [7, []],
      [8, []],
    ]);
  });

  test("numbers may come as text, and what is no number is nothing", () => {
    expect(server({ cpu: "4", ram: "2048" })).toMatchObject({ cpu: 4, ram: 2048 });
    for (const value of ["", "x", null, Number.NaN, {}, true]) expect(server({ cpu: value })?.cpu).toBeUndefined();
  });

  test("times come in several ways", () => {
    const at = new Date("2026-03-01T03:00:00.000Z");
    for (const value of ["2026-03-01T03:00:00.000Z", "2026-03-01T06:00:00+03:00", "2026-03-01T03:00:00"])
      expect(parseTime(value)).toEqual(at);
    for (const value of ["2026-03-01 03:00:00", at.getTime(), at.getTime() / 1000, String(at.getTime() / 1000)])
      expect(parseTime(value)).toEqual(at);
    for (const value of ["2026-03-01 06:00:00+03", "2026-02-28T22:00:00.000-05", "2026-03-01 03:00:00 UTC"])
      expect(parseTime(value)).toEqual(at);
    for (const value of ["0000-00-00", "0000-00-00 00:00:00", "", "soon", null, undefined, 0, {}])
      expect(parseTime(value)).toBeUndefined();
  });

  test("a domain that is not known to expire has no time of it", () => {
    const { domains } = domainsSchema.parse({
      domains: [
        { fqdn: "a.org", expiration: "0000-00-00" },
        { fqdn: "b.org", expiration: "2027-01-31" },
      ],
    });
    expect(domains.map(({ expiration }) => expiration)).toEqual([undefined, new Date("2027-01-31T00:00:00Z")]);
  });

  test("a new backup may be null, and settings may lack anything", () => {
    expect(newBackupSchema.parse({ backup: null }).backup).toBeNull();
    expect(newBackupSchema.parse({ backup: { what: "else" } }).backup).toBeUndefined();
    expect(autoBackupsSchema.parse({ auto_backups_settings: {} }).auto_backups_settings.is_enabled).toBeUndefined();
  });
});

describe("a server's facts", () => {
  test("know every documented status, and let a new one be unknown", () => {
    expect(documented.filter((word) => statusOf(word) === "unknown")).toEqual([]);
    expect(statusOf("dreaming")).toBe("unknown");
    expect(statusOf(undefined)).toBe("unknown");
  });

  test("have public addresses first, the main one before all, each once", () => {
    const networks = [
      { type: "local", ips: [{ type: "ipv4", ip: "192.168.0.4", is_main: true }] },
      {
        type: "public",
        ips: [
          { type: "ipv6", ip: "2001:db8::1", is_main: false },
          { type: "ipv4", ip: "203.0.113.9", is_main: false },
          { type: "ipv4", ip: "203.0.113.4", is_main: true },
          { type: "ipv4", ip: "203.0.113.4" },
        ],
      },
    ];
    const one = server({ networks });
    expect(one && factsOf(one).addresses).toEqual(["203.0.113.4", "203.0.113.9", "2001:db8::1", "192.168.0.4"]);
  });

  test("are in bytes, and a disk of no size is none", () => {
    const disks = [
      { id: 1, size: 100, used: 25, is_system: true },
      { id: 2, size: 0, used: 0 },
      { id: 3, size: 10, used: 99 },
    ];
    const one = server({
      ram: 2,
      disks,
      os: { name: "ubuntu", version: "24.04" },
      availability_zone: "spb-3",
      location: "ru-1",
    });
    if (!one) throw new Error("not read");
    const facts = factsOf(one);
    expect(facts).toMatchObject({ memory: 2 * 1024 ** 2, os: "ubuntu 24.04", location: "spb-3" });
    expect(facts.disks).toEqual([
      { id: "1", bytes: 100 * 1024 ** 2, usedBytes: 25 * 1024 ** 2, isSystem: true },
      { id: "3", bytes: 10 * 1024 ** 2, usedBytes: 10 * 1024 ** 2, isSystem: false },
    ]);
    expect(diskMetrics(facts.disks)).toEqual({ disk: 100, disk_free: 0 });
    expect(diskMetrics([])).toEqual({});
  });
});

describe("measurements", () => {
  const at = (minute: number, second = 0) =>
    `2026-03-01T03:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}.000Z`;
  const read = (parts: object) => newestOf(statisticsSchema.parse(parts));

  test("are those of the newest moment at which nothing is missing, in our units", () => {
    const sample = read({
      cpu: [
        { logged_at: at(3), load: 0.9 },
        { logged_at: at(1), load: 0.1 },
        { logged_at: at(2), load: 0.25 },
      ],
      network_traffic: [{ logged_at: at(2, 10), incoming: 2, outgoing: 0.5 }],
      disk: [{ logged_at: at(2), write: 1, read: 0 }],
      ram: [
        { logged_at: at(2), total: 1000, used: 900, used_cached: 950, available: 600 },
        { logged_at: at(3, 50), total: 1000, used: null },
      ],
    });
    // At 03:00 the processors were measured and the rest was of a minute before: together, as far as anybody knows.
    expect(sample?.at).toEqual(new Date(at(3)));
    expect(sample?.metrics).toEqual({
      cpu: 90,
      memory: 40,
      network_in: 2 * 1024 ** 2,
      network_out: 512 * 1024,
      disk_write: 1024 ** 2,
      disk_read: 0,
    });
  });

  test("of a moment that is only half there are passed over for the last whole one", () => {
    const sample = read({
      cpu: [
        { logged_at: at(10), load: 0.9 },
        { logged_at: at(5), load: 0.2 },
      ],
      ram: [{ logged_at: at(5), total: 1000, used: 300 }],
    });
    expect(sample).toEqual({ at: new Date(at(5)), metrics: { cpu: 20, memory: 30 } });
  });

  test("that never come together give the newest there is", () => {
    const sample = read({
      cpu: [{ logged_at: at(10), load: 0.9 }],
      ram: [{ logged_at: at(1), total: 1000, used: 300 }],
    });
    expect(sample).toEqual({ at: new Date(at(10)), metrics: { cpu: 90 } });
  });

  test("are never more than all, never less than nothing, and never NaN", () => {
    const sample = read({
      cpu: [{ logged_at: at(1), load: 1.7 }],
      network_traffic: [{ logged_at: at(1), incoming: -1, outgoing: "x" }],
      ram: [{ logged_at: at(1), total: 0, used: 5 }],
    });
    expect(sample?.metrics).toEqual({ cpu: 100 });
    expect(read({ cpu: [], ram: [] })).toBeUndefined();
    expect(read({})).toBeUndefined();
    expect(read({ cpu: [{ logged_at: "0000-00-00", load: 1 }] })).toBeUndefined();
  });

  test("of the other form have no memory, and nothing that no network carries", () => {
    const list = (value: number) => [{ value, time: at(4) }];
    const sample = newestOfSeries(
      seriesSchema.parse({
        statistics: [
          { name: "system.cpu.util", list: list(42), meta: { amount: 1 } },
          { name: "network.request", list: list(1.5), meta: { amount: 1 } },
          { name: "network.response", list: list(5_000_000), meta: { amount: 1 } },
          { name: "something.new", list: list(1) },
        ],
      }),
    );
    expect(sample).toEqual({ at: new Date(at(4)), metrics: { cpu: 42, network_in: 1.5 * 1024 ** 2 } });
  });

  test("what is measured no more does not hold back the rest", () => {
    const load = Array.from({ length: 20 }, (_, n) => ({ logged_at: `2026-08-01T10:${n + 10}:00Z`, load: 0.5 }));
    const ram = [{ logged_at: "2026-08-01T10:12:00Z", total: 100, used: 50, available: 50 }];
    expect(read({ cpu: load, ram })).toEqual({ at: new Date("2026-08-01T10:29:00Z"), metrics: { cpu: 50 } });
    // What only comes late is waited for.
    const late = [{ logged_at: "2026-08-01T10:25:00Z", total: 100, used: 50, available: 50 }];
    expect(read({ cpu: load, ram: late })?.metrics).toEqual({ cpu: 50, memory: 50 });
  });
});

describe("an account's settings", () => {
  test("have what the API bears as their default", () => {
    expect(timewebAccountSchema.parse({ token: "t" })).toEqual({
      token: "t",
      apiUrl: "https://api.timeweb.cloud",
      rate: 2,
      burst: 3,
      timeout: 10_000,
      warn: { hoursLeft: 259_200_000, bucket: 90 },
    });
  });

  test("refuse what can not be", () => {
    for (const bad of [
      {},
      { token: "" },
      { token: "t", rate: 0 },
      { token: "t", apiUrl: "ftp://x" },
      { token: "t", x: 1 },
    ])
      expect(timewebAccountSchema.safeParse(bad).success).toBe(false);
    for (const bad of [{}, { id: "101" }, { id: 0 }, { id: 1.5 }])
      expect(timewebServerSchema.safeParse(bad).success).toBe(false);
  });
});
