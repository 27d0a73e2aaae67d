import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Manifest, ManifestReference } from "../../src/core/manifest.ts";
import { failure, type Proof } from "../../src/core/proof.ts";
import { type KeepPolicy, planRetention, removalOrder } from "../../src/core/retention.ts";
import { type Flaw, flawsIn, type SeenCopy, type SeenStorage, type Suspect } from "../../src/core/soundness.ts";

const hash = (text: string): string => Buffer.from(text).toString("hex").padEnd(64, "0").slice(0, 64);

function proof(ok: boolean, more: Partial<Proof> & { object?: string } = {}): Proof {
  const { object, ...rest } = more;
  const error = { code: "storage-mismatch", message: "damaged", ...(object === undefined ? {} : { object }) };
  const base = { depth: "stored" as const, at: "2026-11-21T03:00:00.000Z", host: "h", elapsedMs: 1 };
  return { ...base, ok, ...(ok ? {} : { error }), ...rest };
}

function copy(id: string, needs: readonly string[] = [], more: Partial<SeenCopy> = {}): SeenCopy {
  const parts: Manifest["parts"] = [{ role: "artifact", file: "part", bytes: 1, sha256: hash(id) }];
  const references = needs.map(
    (run): ManifestReference => ({ run, folder: `app/${run}/`, file: "part", bytes: 1, sha256: hash(run) }),
  );
  return { manifest: { parts, references }, manifestSha256: hash(`manifest ${id}`), proofs: [], ...more };
}

function storage(name: string, copies: Readonly<Record<string, SeenCopy>>): SeenStorage {
  return { storage: name, copies: new Map(Object.entries(copies).map(([id, one]) => [`app/${id}/`, one])) };
}

const suspect = (id: string, more: Partial<Suspect> = {}): Suspect => ({
  storage: "one",
  folder: `app/${id}/`,
  proven: true,
  error: {},
  ...more,
});

/** By id, of the storage "one". */
function flaws(looks: readonly SeenStorage[], suspicions: readonly Suspect[] = []): Record<string, Flaw> {
  const own = flawsIn(looks, suspicions).get("one") ?? new Map<string, Flaw>();
  return Object.fromEntries([...own].map(([folder, flaw]) => [folder.slice(4, -1), flaw]));
}

describe("a copy is sound", () => {
  test("when nothing speaks against it nor against what it needs", () => {
    expect(flaws([storage("one", { a: copy("a"), b: copy("b", ["a"]) })])).toEqual({});
  });

  test("not when a part of an earlier run is not there, is another one, or lies in a copy that is not sound", () => {
    expect(flaws([storage("one", { b: copy("b", ["a"]) })])).toEqual({ b: "chain" });
    const other = copy("a", [], { manifest: copy("x").manifest });
    expect(flaws([storage("one", { a: other, b: copy("b", ["a"]) })])).toEqual({ b: "chain" });
    const incomplete = copy("a", [], { incomplete: true });
    expect(flaws([storage("one", { a: incomplete, b: copy("b", ["a"]) })])).toEqual({ a: "incomplete", b: "chain" });
    const damaged = copy("a", [], { proofs: [proof(false)] });
    expect(flaws([storage("one", { a: damaged, b: copy("b", ["a"]) })])).toEqual({ a: "damaged", b: "chain" });
  });

  test("not when a look at another one has found a part damaged that both need", () => {
    const bad = copy("b", ["a"], { proofs: [proof(false, { object: "app/a/part" })] });
    const chain = storage("one", { a: copy("a"), b: bad, c: copy("c", ["a"]), d: copy("d", ["b"]), e: copy("e") });
    // What b itself has written is not spoken against.
    expect(flaws([chain])).toEqual({ a: "damaged", b: "damaged", c: "chain" });
  });

  test("not while anything that was proven is on record against it, whether or not it is written there", () => {
    const own = storage("one", { a: copy("a"), b: copy("b", ["a"]) });
    expect(flaws([own], [suspect("a")])).toEqual({ a: "damaged", b: "chain" });
    expect(flaws([own], [suspect("b", { error: { object: "app/a/part" } })])).toEqual({ a: "damaged", b: "damaged" });
    expect(flaws([own], [suspect("a", { proven: false }), suspect("a", { storage: "two" })])).toEqual({});
  });

  test("not when the proof beside it is of another manifest", () => {
    expect(flaws([storage("one", { a: copy("a", [], { altered: true }) })])).toEqual({ a: "damaged" });
  });

  test("not when another storage has another manifest and nothing tells which is right", () => {
    const [good, bad] = [copy("a"), copy("a", [], { manifestSha256: hash("other") })];
    expect(flaws([storage("one", { a: good }), storage("two", { a: bad })])).toEqual({ a: "conflict" });
    const three = [storage("one", { a: good }), storage("two", { a: bad }), storage("three", { a: good })];
    expect(flaws(three)).toEqual({});
    expect(flawsIn(three, []).get("two")?.get("app/a/")).toBe("conflict");
    const proven = copy("a", [], { proofs: [proof(true)] });
    expect(flaws([storage("one", { a: proven }), storage("two", { a: bad }), storage("three", { a: bad })])).toEqual(
      {},
    );
    expect(flaws([storage("one", { a: good })])).toEqual({});
  });
});

describe("a look that failed", () => {
  test("is made good by a later one, which is what comes later and not what a clock said", () => {
    const ahead = proof(true, { depth: "restored", at: "2031-01-01T00:00:00.000Z" });
    const bad = proof(false, { at: "2026-11-21T03:00:00.000Z" });
    expect(failure([ahead, bad])).toBe(bad);
    expect(failure([bad, ahead])).toBeUndefined();
    expect(failure([proof(false, { depth: "restored" }), proof(true)])).toMatchObject({ depth: "restored" });
  });

  test("is not made good by one at another storage's copy", () => {
    const bad = { ...proof(false), storage: "offsite" };
    const good = { ...proof(true, { depth: "restored" }), storage: "local" };
    expect(failure([bad, good])).toBe(bad);
    expect(failure([bad, good, { ...good, storage: "offsite" }])).toBeUndefined();
  });
});

/** One backup of a chain as it really is, and what is known of it. */
interface Made {
  readonly needs: readonly number[];
  readonly lost: boolean;
  /** How the loss is known: by the list, by a look, by one on record only, by a look at one that needs it. */
  readonly known: "list" | "look" | "record" | "heir";
  /** Something speaks against it, and it is whole all the same. */
  readonly doubted: boolean;
  readonly ageMinutes: number;
  readonly pinned: boolean;
}

const made = fc.record({
  needs: fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 4 }),
  lost: fc.boolean(),
  known: fc.constantFrom("list" as const, "look" as const, "record" as const, "heir" as const),
  doubted: fc.boolean(),
  // Clocks go back, too: what needs another one may be dated before it.
  ageMinutes: fc.integer({ min: -3000, max: 100_000 }),
  pinned: fc.boolean(),
});

const count = fc.option(fc.nat({ max: 3 }), { nil: undefined });
const policies: fc.Arbitrary<KeepPolicy> = fc.oneof(
  fc.constant("all" as const),
  fc.record({ last: count, daily: count, monthly: count }),
);

describe("the retention", () => {
  test("leaves, stopped anywhere, a backup that can be restored, where there was one; and what it left can be", () => {
    const now = new Date("2026-11-21T12:00:00Z");
    fc.assert(
      fc.property(fc.array(made, { minLength: 1, maxLength: 12 }), policies, fc.nat(), (list, policy, stuck) => {
        const id = (index: number): string => `n${index}`;
        const needsOf = list.map((one, index) => one.needs.filter((need) => need < index));
        // A look names one object: each heir tells of one loss, the others are told by a look at what was lost.
        const told = new Map<number, number>();
        const tellers = list.map((one, index) => {
          const heir = needsOf.findIndex((needs) => needs.includes(index));
          if (!one.lost || one.known !== "heir" || heir < 0 || list[heir]?.lost || told.has(heir)) return undefined;
          told.set(heir, index);
          return heir;
        });
        const isKnown = (index: number, by: Made["known"]): boolean => {
          const known = list[index]?.known === "heir" && tellers[index] === undefined ? "look" : list[index]?.known;
          return list[index]?.lost === true && known === by;
        };
        const copies = Object.fromEntries(
          list.map((_, index) => {
            const named = told.get(index);
            const looks = isKnown(index, "look") ? [proof(false)] : [];
            if (named !== undefined) looks.push(proof(false, { object: `app/${id(named)}/part` }));
            const incomplete = isKnown(index, "list") ? { incomplete: true as const } : {};
            return [id(index), copy(id(index), needsOf[index]?.map(id), { proofs: looks, ...incomplete })];
          }),
        );
        const suspicions = list.flatMap((one, index) =>
          one.doubted || isKnown(index, "record") ? [suspect(id(index))] : [],
        );
        const own = flaws([storage("one", copies)], suspicions);
        const kept = list.map((one, index) => ({
          id: id(index),
          startedAt: new Date(now.getTime() - one.ageMinutes * 60_000),
          pinned: one.pinned,
          sound: own[id(index)] === undefined,
          needs: needsOf[index]?.map(id) ?? [],
        }));
        const plan = planRetention(kept, policy, { timezone: "UTC", now });
        const there = new Set(kept.map((one) => one.id));
        // By what is really so, not by what is known.
        const restorable = (): string[] =>
          list.flatMap((one, index) => {
            const whole = (at: number): boolean => there.has(id(at)) && list[at]?.lost === false;
            return whole(index) && !one.lost && (needsOf[index] ?? []).every(whole) ? [id(index)] : [];
          });
        const before = restorable();
        const order = removalOrder(plan.remove, (each) => kept.find((one) => one.id === each)?.needs ?? []);
        expect([...order].sort()).toEqual([...plan.remove].sort());
        for (const going of order.slice(0, stuck % (order.length + 1))) {
          there.delete(going);
          const left = restorable();
          expect(left.length > 0 || before.length === 0).toBe(true);
          // Nothing that could be restored and is still there needs what has gone.
          expect(left).toEqual(before.filter((one) => there.has(one)));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
