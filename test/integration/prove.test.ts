import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Depth } from "../../src/core/proof.ts";
import { generateIdentity, recipientOf } from "../../src/lib/crypto.ts";
import { temporaryFolder } from "../support/backup.ts";
import { flipBit, provable } from "../support/verify.ts";

function folder(): string {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

const source = (more: object = {}) => ({ kind: "command", argv: ["seq", "1", "20000"], file: "numbers.txt", ...more });
const counting = source({ testRestore: ["sh", "-c", "cat > got.txt; test $(wc -l < got.txt) = 20000"] });
const all: readonly Depth[] = ["stored", "readable", "restored"];

describe("a look at a copy", () => {
  it.each(all)("that is good says so: %s", async (depth) => {
    const { look, root } = await provable(folder(), counting);
    const progress: number[] = [];
    const seen: Depth[] = [];
    const observer = {
      depth: async (at: Depth) => void seen.push(at),
      progress: (bytes: number, total: number) => void progress.push(bytes / total),
    };
    const proof = await look({ depth, observer });
    expect(proof).toMatchObject({ depth, ok: true, host: "here" });
    expect(proof.because).toBeUndefined();
    expect(proof.restoreMs !== undefined).toBe(depth === "restored");
    expect(seen).toEqual([depth]);
    expect(progress.at(-1)).toBe(1);
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(all)("finds a bit that was flipped in the artifact: %s", async (depth) => {
    const { look, artifact, root } = await provable(folder(), counting);
    flipBit(artifact);
    expect(await look({ depth })).toMatchObject({ depth, ok: false, error: { code: "storage-mismatch" } });
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(all)(
    "finds a bit that was flipped in what is encrypted, and blames the storage, not the key: %s",
    async (depth) => {
      const identity = await generateIdentity();
      const { look, artifact } = await provable(folder(), counting, { recipients: [await recipientOf(identity)] });
      flipBit(artifact, 0.9);
      expect(await look({ depth, identities: [identity] })).toMatchObject({
        depth,
        ok: false,
        error: { code: "storage-mismatch" },
      });
    },
  );

  it.each(all)("finds what is cut off, and what has vanished: %s", async (depth) => {
    const { look, artifact } = await provable(folder(), counting);
    truncateSync(artifact, 1000);
    expect(await look({ depth })).toMatchObject({ ok: false, error: { code: "storage-mismatch" } });
    rmSync(artifact);
    expect(await look({ depth })).toMatchObject({ ok: false, error: { code: "not-found" } });
  });

  it("finds at the second depth what was stored as it was made, and is no whole archive", async () => {
    const made = await provable(
      folder(),
      source({ argv: ["printf", "no archive"], compress: "none", check: ["sh", "-c", "cat > /dev/null; exit 3"] }),
    );
    expect(await made.look({ depth: "stored" })).toMatchObject({ ok: true });
    expect(await made.look({ depth: "readable" })).toMatchObject({ ok: false, error: { code: "tool-failed" } });
  });

  it("finds at the third depth what can be read and is not what was backed up", async () => {
    const { look, root } = await provable(
      folder(),
      source({ testRestore: ["sh", "-c", "cat > got.txt; echo too few >&2; exit 1"] }),
    );
    expect(await look({ depth: "readable" })).toMatchObject({ ok: true });
    const proof = await look({ depth: "restored" });
    expect(proof).toMatchObject({ ok: false, error: { code: "tool-failed" } });
    expect(proof.error?.message).toContain("too few");
    expect(readdirSync(root)).toEqual([]);
  });

  it("looks at what a test-restore has not read as well", async () => {
    const { look, artifact } = await provable(folder(), source({ testRestore: ["sh", "-c", "cat > /dev/null"] }));
    expect(await look()).toMatchObject({ depth: "restored", ok: true });
    flipBit(artifact);
    expect(await look()).toMatchObject({ ok: false, error: { code: "storage-mismatch" } });
  });

  it("goes only as deep as it can, and says why", async () => {
    const plain = await provable(folder(), source());
    const because = (key: string) => ({ ok: true, wanted: "restored", because: { key } });
    expect(await plain.look()).toMatchObject({ depth: "readable", ...because("verify-because-command") });
    const identity = await generateIdentity();
    const locked = await provable(folder(), counting, { recipients: [await recipientOf(identity)] });
    expect(await locked.look()).toMatchObject({ depth: "stored", ...because("verify-because-identity") });
    expect(await locked.look({ identities: [identity] })).toMatchObject({ depth: "restored", ok: true });
    const future = { ...plain.manifest, kind: "mainframe" };
    expect(await plain.look({ manifest: future })).toMatchObject({
      depth: "stored",
      ...because("verify-because-kind"),
    });
  });

  it("takes what a fitting key does not open for a backup that nobody can restore, and another key for no proof", async () => {
    const [identity, other] = [await generateIdentity(), await generateIdentity()];
    const { look, manifest } = await provable(folder(), counting, { recipients: [await recipientOf(identity)] });
    const foreign = { ...manifest, encryption: { format: "age" as const, recipients: [await recipientOf(other)] } };
    expect(await look({ manifest: foreign, identities: [other] })).toMatchObject({
      ok: false,
      error: { code: "encryption" },
    });
    for (const wrong of [other, "AGE-SECRET-KEY-1NONE"])
      await expect(look({ identities: [wrong] })).rejects.toMatchObject({ code: "encryption" });
    expect(await look({ identities: [other], depth: "stored" })).toMatchObject({ ok: true });
    // After a change of keys, both are there.
    expect(await look({ identities: [other, identity] })).toMatchObject({ depth: "restored", ok: true });
  });

  it("says nothing against the backup when there is no room for it, and leaves nothing behind", async () => {
    const { look, manifest, root } = await provable(folder(), counting);
    const huge = { ...manifest, parts: manifest.parts.map((part) => ({ ...part, rawBytes: 2 ** 52 })) };
    await expect(look({ manifest: huge })).rejects.toMatchObject({ code: "storage-full", permanent: false });
    expect(readdirSync(root)).toEqual([]);
  });

  it("says nothing against the backup when the disk becomes full meanwhile", async () => {
    const script = "cat > /dev/null; dd if=/dev/zero of=big bs=1M count=100 2> /dev/null; cat big > bigger";
    const { look, manifest, root } = await provable(folder(), source({ testRestore: ["sh", "-c", script] }));
    const small = { ...manifest, parts: manifest.parts.map((part) => ({ ...part, rawBytes: 0 })) };
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", root]);
    try {
      await expect(look({ manifest: small })).rejects.toMatchObject({ code: "storage-full", permanent: false });
      expect(readdirSync(root)).toEqual([]);
    } finally {
      execFileSync("umount", [root]);
    }
  });

  it("ends at once when it is to stop, and leaves nothing behind", async () => {
    const { look, root } = await provable(folder(), source({ testRestore: ["sleep", "3600"] }));
    const stop = new AbortController();
    const looking = look({ signal: stop.signal });
    const begun = async () => {
      while (readdirSync(root).length === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    await begun();
    stop.abort(new Error("enough"));
    await expect(looking).rejects.toThrow("enough");
    expect(readdirSync(root)).toEqual([]);
  });

  it("takes a program of the configuration only from a source of the same kind", async () => {
    const { look } = await provable(folder(), counting);
    const proof = await look({ config: { kind: "redis", url: "redis://127.0.0.1:1" } as never });
    expect(proof).toMatchObject({ depth: "readable", because: { key: "verify-because-command" } });
  });

  it("removes what a test-restore has made, whatever rights that has", async () => {
    const script = "cat > /dev/null; mkdir -p a/b; touch a/b/c; chmod 000 a/b; chmod 500 a";
    const { look, root } = await provable(folder(), source({ testRestore: ["sh", "-c", script] }));
    expect(await look()).toMatchObject({ ok: true });
    expect(readdirSync(root)).toEqual([]);
  });

  it("does not mistake a foreign file beside it for anything", async () => {
    const { look, folder: own } = await provable(folder(), counting);
    writeFileSync(join(own, "notes.txt"), "mine");
    expect(await look({ depth: "stored" })).toMatchObject({ ok: true });
  });
});
