import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AuditRecord, canonical, chainHash, exportLine, genesis, readExportLine } from "../../src/core/audit.ts";
import { type AuditFlaw, ChainCheck, type KnownHead } from "../../src/core/audit-check.ts";

/** A chain of entries with these texts. */
function chainOf(whys: readonly string[], before = 0): AuditRecord[] {
  let prev = genesis;
  return whys.map((why, index) => {
    const seq = index + 1;
    const text = canonical({ what: "approved", at: "2026-03-01T00:00:00.000Z", about: "approval", why });
    if (index < before) return { seq, text };
    const record = { seq, text, prev, hash: chainHash(seq, prev, text) };
    prev = record.hash;
    return record;
  });
}

function headOf(chain: readonly AuditRecord[]): KnownHead {
  const last = chain.at(-1);
  return { seq: last?.seq ?? 0, hash: last?.hash ?? "", chain: chain.find(({ hash }) => hash)?.hash ?? "" };
}

function check(chain: readonly AuditRecord[], heads: readonly KnownHead[], isPart = false): AuditFlaw | undefined {
  const checked = new ChainCheck(heads, isPart);
  for (const record of chain) {
    const flaw = checked.next(record);
    if (flaw) return flaw;
  }
  return checked.end();
}

const chains = fc.array(fc.string({ unit: "grapheme" }), { minLength: 2, maxLength: 12 }).map((whys) => chainOf(whys));
const inChain = chains.chain((chain) => fc.tuple(fc.constant(chain), fc.nat(chain.length - 1)));

describe("a chain", () => {
  test("is whole as it was written, with entries before it and without", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.nat(5), (whys, before) => {
        const chain = chainOf(whys, before);
        expect(check(chain, whys.length > before ? [headOf(chain)] : [])).toBeUndefined();
      }),
    );
  });

  test("any edit of one field is found, and where it is", () => {
    const field = fc.constantFrom("text", "prev", "hash", "seq");
    fc.assert(
      fc.property(inChain, field, fc.nat(200), fc.string({ minLength: 1 }), ([chain, index], name, at, put) => {
        const record = chain[index] ?? { seq: 0, text: "" };
        const value = String(record[name as keyof AuditRecord]);
        const edited = value.slice(0, at % (value.length + 1)) + put + value.slice((at % (value.length + 1)) + 1);
        fc.pre(edited !== value && !(name === "seq" && Number(edited) === record.seq));
        const changed = chain.with(index, { ...record, [name]: name === "seq" ? Number(edited) : edited });
        const flaw = check(changed, [headOf(chain)]);
        expect(flaw).toBeDefined();
        // A number that was changed shows where it is missing, or where it does not belong.
        expect(name === "seq" ? record.seq : flaw?.seq).toBe(record.seq);
      }),
    );
  });

  test("any entry that is taken out, put in or exchanged is found", () => {
    fc.assert(
      fc.property(inChain, fc.nat(11), ([chain, index], other) => {
        const head = headOf(chain);
        expect(check(chain.toSpliced(index, 1), [head])).toBeDefined();
        const at = other % chain.length;
        const [a, b] = [chain.slice(index, index + 1), chain.slice(at, at + 1)];
        expect(check(chain.toSpliced(index, 0, ...b), [head])).toBeDefined();
        fc.pre(index !== at);
        expect(check(chain.toSpliced(index, 1, ...b).toSpliced(at, 1, ...a), [head])).toBeDefined();
      }),
    );
  });

  test("whoever writes it anew from some entry on is found by the stored head", () => {
    fc.assert(
      fc.property(inChain, fc.string({ minLength: 1 }), ([chain, index], more) => {
        let prev = chain[index]?.prev ?? genesis;
        const forged = chain.map((record, at) => {
          if (at < index) return record;
          const text = at === index ? canonical({ forged: more }) : record.text;
          const made = { seq: record.seq, text, prev, hash: chainHash(record.seq, prev, text) };
          prev = made.hash;
          return made;
        });
        expect(check(forged, [])).toBeUndefined();
        expect(check(forged, [headOf(chain)])?.what).toBe(index === 0 ? "anew" : "rewritten");
      }),
    );
  });

  test("says what is wrong", () => {
    const chain = chainOf(["a", "b", "c", "d", "e"]);
    const head = { ...headOf(chain), date: "2026-03-02", where: "offsite" };
    const known = { date: "2026-03-02", where: "offsite" };
    expect(check(chain.slice(0, 3), [head])).toEqual({ what: "cut", seq: 4, to: 5, ...known });
    expect(check([], [head])).toEqual({ what: "cut", seq: 1, to: 5, ...known });
    expect(check(chain.slice(2), [])).toEqual({ what: "missing", seq: 1, to: 2 });
    expect(check(chain.toSpliced(2, 2), [])).toEqual({ what: "missing", seq: 3, to: 4 });
    expect(check(chainOf(["z", "y"]), [head])).toEqual({ what: "anew", seq: 5, ...known });
    // Longer than the one before: its numbers alone would not tell.
    expect(check(chainOf(["z", "y", "x", "w", "v", "u"]), [head])).toMatchObject({ what: "anew", seq: 5 });
    const bare = chain.map(({ seq, text }, index) => (index < 3 ? { seq, text } : (chain[index] ?? { seq, text })));
    expect(check(bare, [])).toEqual({ what: "missing", seq: 1, to: 3 });
    expect(check(chain.with(3, { seq: 4, text: chain[3]?.text ?? "" }), [])).toEqual({ what: "unchained", seq: 4 });
  });

  test("a part of it may begin and end anywhere, and is held against the heads within", () => {
    const chain = chainOf(["a", "b", "c", "d", "e"]);
    const part = chain.slice(1, 4);
    expect(check(part, [headOf(chain), headOf(chain.slice(0, 3))], true)).toBeUndefined();
    expect(check(part, [{ ...headOf(chain.slice(0, 3)), hash: genesis }], true)).toMatchObject({ what: "rewritten" });
    expect(check(part.toSpliced(1, 1), [], true)).toEqual({ what: "missing", seq: 3, to: 3 });
  });
});

describe("an export", () => {
  const line = exportLine(chainOf(["a", 'b ,"entry":{}'])[1] ?? { seq: 0, text: "{}" });

  test("is read back as it was written", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.nat(3), (whys, before) => {
        for (const record of chainOf(whys, before)) expect(readExportLine(exportLine(record))).toEqual(record);
      }),
    );
  });

  test("any edit of a line makes it no entry, or another one", () => {
    const record = readExportLine(line);
    expect(record?.seq).toBe(2);
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.nat(3), fc.string({ maxLength: 3 }), (at, cut, put) => {
        const edited = line.slice(0, at) + put + line.slice(at + cut);
        fc.pre(edited !== line);
        const read = readExportLine(edited);
        const isWhole =
          read?.hash !== undefined &&
          read.hash === record?.hash &&
          chainHash(read.seq, read.prev ?? "", read.text) === read.hash;
        expect(isWhole).toBe(false);
      }),
      { numRuns: 1000 },
    );
    expect(readExportLine(line.replace('"why":', '"why":"said otherwise","why":'))).toBeUndefined();
    expect(readExportLine(` ${line}`)).toBeUndefined();
  });
});
