import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manifestFile, manifestFolder } from "../../src/core/manifest.ts";
import type { ReplacementIdentity, ReplacementJournal, ReplacementStep } from "../../src/core/replacement.ts";
import { temporaryFolder } from "../support/backup.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { backUp, type MadeBackup } from "../support/postgres-restore.ts";
import { databasesOf, identityOf, Memory, replacerOf, stubbornSession } from "../support/replace.ts";
import type { ChildOrder } from "../support/replace-child.ts";

let server: PostgresServer;
let made: MadeBackup;
let identity: ReplacementIdentity;
const folder = temporaryFolder();
const journalFile = join(folder.path, "journal.json");

beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 20000) g");
  made = await backUp({ kind: "postgres", url: server.url("shop") }, folder.path);
  await server.psql("shop", "INSERT INTO t VALUES (0)");
  identity = await identityOf(server, "shop");
  writeFileSync(journalFile, "null");
});
afterAll(async () => {
  await server?.stop();
  folder[Symbol.dispose]();
});

/** A fresh object with what the killed one has recorded. */
function fresh() {
  const memory = new Memory();
  const journal = JSON.parse(readFileSync(journalFile, "utf8")) as ReplacementJournal | null;
  if (journal !== null) memory.journal = journal;
  memory.onRecord = () => writeFileSync(journalFile, JSON.stringify(memory.journal));
  return { memory, replacer: replacerOf(server.url("shop")), context: () => memory.context(identity) };
}

/** Starts a process that does it, and kills itself at this step. */
function child(operation: ChildOrder["operation"], dieAt: ReplacementStep | "bytes" | "never") {
  const order: ChildOrder = {
    operation,
    dieAt,
    url: server.url("shop"),
    store: join(folder.path, "store"),
    manifest: join(folder.path, "store", manifestFolder(made.manifest), manifestFile),
    journal: journalFile,
    identity,
  };
  const file = join(import.meta.dirname, "../support/replace-child.ts");
  return spawn(process.execPath, [file, JSON.stringify(order)], { stdio: "inherit" });
}

async function killed(...how: Parameters<typeof child>): Promise<void> {
  expect((await once(child(...how), "exit"))[1]).toBe("SIGKILL");
}

/** Rows that an application sees: 20,001 in the old one, 20,000 in the backup. */
const rows = () => server.psql("shop", "SELECT count(*) FROM t");

describe("a process that is killed", () => {
  it.each([
    ["make", "nothing"],
    ["fill", "rolled-back"],
    ["bytes", "rolled-back"],
    ["compare", "rolled-back"],
    ["prepared", "rolled-back"],
  ] as const)("at %s of the preparation leaves nothing after its recovery: %s", async (dieAt, outcome) => {
    await killed("prepare", dieAt);
    const { replacer, context } = fresh();
    expect(await replacer.recover(context())).toBe(outcome);
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await rows()).toBe("20001");
    expect(await replacer.recover(context())).toBe("nothing");
  });

  it("goes on without a recovery too", async () => {
    await killed("prepare", "bytes");
    const { replacer, context } = fresh();
    const report = await vi.waitFor(() => replacer.prepare(made.reader, context()), { timeout: 15_000, interval: 100 });
    expect(report).toMatchObject({ differencesTotal: 0, compared: { rows: 20_000 } });
    expect(await replacer.recover(context())).toBe("prepared");
    // What is prepared is compared again, and not made again.
    const oid = () => identityOf(server, "shop_restore_r1");
    const before = await oid();
    expect(await replacer.prepare(made.reader, context())).toMatchObject({ compared: { rows: 20_000 }, restoreMs: 0 });
    expect(await oid()).toEqual(before);
  });

  it("while the live one is closed does not leave it closed: the server itself opens it again", async () => {
    const stubborn = await stubbornSession(server, "shop");
    try {
      const swapping = child("swap", "never");
      const ended = once(swapping, "exit");
      await vi.waitFor(async () => expect(await databasesOf(server, "shop")).toContain("shop f"), 15_000);
      swapping.kill("SIGKILL");
      await ended;
      await vi.waitFor(async () => expect(await databasesOf(server, "shop")).toContain("shop t"), 15_000);
      expect(await rows()).toBe("20001");
    } finally {
      await stubborn.release();
    }
  });

  it.each([
    ["swap", "swap", "prepared", "20001", "shop t, shop_restore_r1 t"],
    ["swap", "swapped", "swapped", "20000", "shop t, shop_before_r1 f"],
    ["undo", "undo", "swapped", "20000", "shop t, shop_before_r1 f"],
    ["undo", "undone", "undone", "20001", "shop t, shop_undone_r1 f"],
    ["discard", "discard", "undone", "20001", "shop t, shop_undone_r1 f"],
  ] as const)("in %s at %s is found %s", async (operation, dieAt, outcome, count, databases) => {
    await killed(operation, dieAt);
    const { replacer, context } = fresh();
    expect(await replacer.recover(context())).toBe(outcome);
    expect(await databasesOf(server, "shop")).toBe(databases);
    expect(await rows()).toBe(count);
    expect(await replacer.recover(context())).toBe(outcome);
  });

  it("has everything dropped in the end", async () => {
    const { replacer, context } = fresh();
    await replacer.discard(context());
    expect(await databasesOf(server, "shop")).toBe("shop t");
    expect(await rows()).toBe("20001");
  });
});

describe("what has the name of the one that is made", () => {
  const journal: ReplacementJournal = { step: "make", facts: {} };
  it("and is empty is dropped when it was just about to be made", async () => {
    await server.createDatabase("shop_restore_r1");
    const { replacer, memory, context } = fresh();
    memory.journal = undefined;
    expect(await replacer.recover(context())).toBe("nothing");
    await expect(replacer.prepare(made.reader, context())).rejects.toMatchObject({ code: "conflict" });
    await replacer.discard(context());
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_restore_r1 t");
    memory.journal = journal;
    expect(await replacer.recover(context())).toBe("rolled-back");
    expect(await databasesOf(server, "shop")).toBe("shop t");
  });

  it("and is somebody else's is left alone", async () => {
    await server.createDatabase("shop_restore_r1", "CREATE TABLE theirs (id int)");
    const { replacer, memory, context } = fresh();
    memory.journal = journal;
    await expect(replacer.recover(context())).rejects.toMatchObject({ code: "conflict" });
    await expect(replacer.prepare(made.reader, context())).rejects.toMatchObject({ code: "conflict" });
    expect(await databasesOf(server, "shop")).toBe("shop t, shop_restore_r1 t");
    await server.psql("postgres", "DROP DATABASE shop_restore_r1");
  });
});
