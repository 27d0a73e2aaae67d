import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Manifest, manifestFile } from "../../src/core/manifest.ts";
import { encodePin, encodeProofs, pinFile, proofFile, withProof } from "../../src/core/proof.ts";
import { readCatalogue } from "../../src/services/catalogue.ts";
import { refreshCatalogue } from "../../src/services/catalogue-keeper.ts";
import { copiesOf } from "../../src/services/restorations/copies.ts";
import { findBackup, findCopies } from "../../src/services/restore/choose.ts";
import { fillStorage } from "../../src/services/restore/copies.ts";
import { storageSchema } from "../../src/storages/index.ts";
import type { StoredObject } from "../../src/storages/types.ts";
import { temporaryFolder } from "../support/backup.ts";
import {
  aBackup,
  backupsIn,
  dailyManifest,
  idOf,
  jobContext,
  putBackup,
  referenceTo,
  retentionWorld,
  signal,
} from "../support/catalogue.ts";
import { aRun } from "../support/run.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
let s3: S3Server;
let proxy: S3Proxy;
let prefix = 0;

beforeAll(async () => {
  s3 = await startS3();
  proxy = await startS3Proxy(s3.endpoint);
});
afterAll(() => Promise.all([proxy.stop(), s3.stop()]));
beforeEach(() => proxy.heal());

/** A disk, and a bucket with five daily backups of "app" and one of "crm", all looked into; the runs of the five are on record. */
async function world(manifests: readonly Manifest[] = [0, 1, 2, 3, 4].map((index) => dailyManifest(index))) {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  prefix += 1;
  const { bucket, accessKeyId, secretAccessKey } = s3;
  const keys = { accessKeyId, secretAccessKey, forcePathStyle: true };
  const storages = {
    offsite: storageSchema.parse({ kind: "s3", endpoint: proxy.endpoint, bucket, prefix: `p${prefix}`, ...keys }),
    local: storageSchema.parse({ kind: "local", path: folder.path }),
  };
  const made = retentionWorld(fixture, {
    storages,
    backups: ["app", "crm"].map((name) =>
      aBackup({ name, storages: ["offsite"], keep: { offsite: { last: 3 } }, maxAge: undefined }),
    ),
  });
  const { deps, clock } = made;
  const offsite = await made.storage("offsite");
  const folders: string[] = [];
  for (const manifest of [...manifests, dailyManifest(0, { name: "crm", id: idOf(9) })]) {
    const place = await putBackup(offsite, manifest);
    folders.push(place);
    const copies = [{ storage: "offsite", location: "", local: false, status: "stored" as const }];
    const { id, name } = manifest;
    await deps.runs.create(aRun({ id, name, status: "succeeded", folder: place, copies, manifest }), clock.now());
  }
  const refresh = async () => await deps.catalogueKeeper.refresh("offsite", undefined, signal);
  await refresh();
  const [newest = ""] = folders;
  return {
    ...made,
    offsite,
    local: await made.storage("local"),
    folders,
    newest,
    refresh,
    listed: async (name = "app") => (await deps.catalogue.list(name)).entries.map((entry) => entry.folder),
    statusOf: async (id: string) => (await deps.runs.get(id)).copies.map(({ status }) => status),
    /** A proof, beside a copy, that nobody has read yet. */
    prove: async (place: string) => {
      const sha256 = (await deps.catalogueCache.readOne("offsite", "app", place))?.manifestSha256 ?? "";
      const proof = { depth: "stored" as const, ok: true, at: "2026-03-01T11:00:00.000Z", host: "db-1", elapsedMs: 5 };
      await offsite.put(`${place}${proofFile}`, encodeProofs(withProof(undefined, sha256, proof)), signal);
    },
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** Ways in which the reading of an object breaks off; each gives what ends it. */
const breaks: readonly (readonly [string, (world: Pick<World, "offsite">, file: string) => () => void])[] = [
  [
    "a connection that breaks off",
    (_, file) => proxy.inject({ kind: "reset", afterBytes: 40 }, { on: ["GetObject"], path: new RegExp(file) }),
  ],
  [
    "an error without a code",
    ({ offsite }, file) => {
      const read = offsite.read.bind(offsite);
      offsite.read = async (key, ...rest) => {
        if (!new RegExp(file).test(key)) return await read(key, ...rest);
        const broken = async function* () {
          yield Buffer.from("{");
          throw new Error("aborted");
        };
        return Readable.from(broken());
      };
      return () => {
        offsite.read = read;
      };
    },
  ],
];

describe.each(breaks)("a copy that can not be read for %s", (_, breakOff) => {
  test("is not gone: it stays known as it was, and is looked at again soon", async () => {
    const made = await world();
    const { deps, clock, refresh, prove, folders, newest, listed, statusOf } = made;
    const before = await listed();
    await prove(newest);
    await made.offsite.delete([`${folders[4]}${manifestFile}`]);
    const mend = breakOff(made, proofFile);
    clock.advance(60_000);
    await expect(refresh()).rejects.not.toMatchObject({ code: "manifest" });
    // The list itself was whole: what is not in it is gone.
    const rest = before.filter((folder) => folder !== folders[4]);
    expect(await listed()).toEqual(rest);
    expect(await statusOf(idOf(0))).toEqual(["stored"]);
    expect(await statusOf(idOf(4))).toEqual(["gone"]);
    const look = await deps.catalogue.look("offsite", "app");
    expect(look).toMatchObject({ seenAt: "2026-03-01T12:00:00.000Z", error: { since: "2026-03-01T12:01:00.000Z" } });
    expect(look).not.toHaveProperty("unreadable");
    // What all of could be read has been seen.
    expect(await deps.catalogue.look("offsite", "crm")).toEqual({ at: "2026-03-01T12:01:00.000Z" });
    clock.advance(60_000);
    expect(await refreshCatalogue(deps)).toEqual(["catalogue.offsite"]);
    mend();
    await refresh();
    expect(await listed()).toEqual(rest);
    expect((await deps.catalogue.list("app")).entries[0]?.proofs).toHaveLength(1);
  });

  test("is not forgotten when it alone is looked at", async () => {
    const made = await world();
    const { deps, newest, listed } = made;
    const before = await listed();
    breakOff(made, manifestFile);
    await expect(deps.catalogueKeeper.note("offsite", newest, signal)).rejects.toThrow();
    expect(await listed()).toEqual(before);
    await deps.catalogueKeeper.noteSoon("offsite", newest);
    expect(await listed()).toEqual(before);
    expect(await deps.catalogue.look("offsite", "app")).toMatchObject({ due: true });
  });

  test("lets nothing be removed, and is no manifest that makes no sense", async () => {
    const made = await world();
    const { deps, offsite, prove, folders, newest } = made;
    await prove(newest);
    const mend = breakOff(made, proofFile);
    const prune = async () => await deps.pruner.execute({ storage: "offsite", name: "app" }, jobContext());
    await expect(prune()).rejects.not.toMatchObject({ code: "manifest" });
    expect((await backupsIn(offsite)).filter((folder) => folders.includes(folder))).toHaveLength(6);
    mend();
    expect(await prune()).toMatchObject({ done: { status: "done", removed: 2 } });
  });

  test("is told by its name where it is missing from a list, and where the others are copied", async () => {
    const made = await world();
    const { offsite, local, folders, newest } = made;
    breakOff(made, `${newest}${manifestFile}`);
    const { entries, problems } = await readCatalogue([offsite], { name: "app", signal });
    expect(entries).toHaveLength(4);
    expect(problems).toEqual([{ storage: "offsite", unread: `${newest}${manifestFile}`, error: expect.anything() }]);
    expect(problems[0]?.error.code).not.toBe("manifest");
    const observer = { begins: () => {}, progress: () => {}, copied: () => {}, failed: () => {} };
    const filled = await fillStorage({ from: offsite, to: local, which: "app", host: "db-1", signal, observer });
    expect(filled.failed).toMatchObject([{ folder: newest }]);
    expect(filled.copied.toSorted()).toEqual(folders.slice(1, 5).toSorted());
  });

  test("is not one that is known to be damaged, for who restores from it", async () => {
    const full = dailyManifest(1, { kind: "s3" });
    const made = await world([dailyManifest(0, { kind: "s3", references: [referenceTo(full)] }), full]);
    const { deps, offsite, folders, newest } = made;
    const mend = breakOff(made, `${folders[1]}${manifestFile}`);
    const found = await findBackup([offsite], idOf(0), signal);
    if (!found) throw new Error("no backup");
    const { copies } = await findCopies(found, signal);
    expect(copies).toMatchObject([{ sound: false, unseen: { name: "AppError" } }]);
    const wanted = copiesOf(deps, { name: "app", backup: idOf(0), folder: newest }, signal);
    await expect(wanted).rejects.toMatchObject({ permanent: false });
    await expect(wanted).rejects.not.toMatchObject({ code: "no-copy" });
    mend();
    expect((await findCopies(found, signal)).copies).toMatchObject([{ sound: true }]);
  });
});

describe("what has vanished since it was listed", () => {
  /** Whatever is done there happens between the listing and what is read by it. */
  function afterListing({ offsite }: Pick<World, "offsite">, work: () => Promise<void>): void {
    const list = offsite.list.bind(offsite);
    offsite.list = async function* (...args) {
      const objects: StoredObject[] = [];
      for await (const object of list(...args)) objects.push(object);
      offsite.list = list;
      await work();
      yield* objects;
    };
  }

  test("is gone when the next list is without it", async () => {
    const made = await world();
    const { offsite, deps, refresh, listed, statusOf, newest } = made;
    // Known, and read again since it has another size.
    await offsite.put(`${newest}${manifestFile}`, Buffer.from("{}"), signal);
    afterListing(made, async () => await offsite.delete([`${newest}${manifestFile}`]));
    await refresh();
    expect(await listed()).toContain(newest);
    expect(await statusOf(idOf(0))).toEqual(["stored"]);
    expect(await deps.catalogue.look("offsite", "app")).toMatchObject({ unreadable: 1 });
    await refresh();
    expect(await listed()).not.toContain(newest);
    expect(await statusOf(idOf(0))).toEqual(["gone"]);
    expect(await deps.catalogue.look("offsite", "app")).not.toHaveProperty("unreadable");
  });

  test("and is no manifest says nothing against the copy that it lay beside", async () => {
    const made = await world();
    const { offsite, refresh, listed, statusOf, newest } = made;
    const pin = encodePin({ version: 1, at: "2026-03-01T03:00:00.000Z", by: "alice" });
    await offsite.put(`${newest}${pinFile}`, pin, signal);
    afterListing(made, async () => await offsite.delete([`${newest}${pinFile}`]));
    await expect(refresh()).rejects.toMatchObject({ code: "not-found" });
    expect(await listed()).toContain(newest);
    expect(await statusOf(idOf(0))).toEqual(["stored"]);
    expect(await refresh()).toEqual({ backups: 6 });
  });
});

test("a manifest that was read and makes no sense is none any more", async () => {
  const { offsite, deps, refresh, listed, newest } = await world();
  await offsite.put(`${newest}${manifestFile}`, Buffer.from("{}"), signal);
  await refresh();
  expect(await listed()).not.toContain(newest);
  expect(await deps.catalogue.look("offsite", "app")).toMatchObject({ unreadable: 1 });
});
