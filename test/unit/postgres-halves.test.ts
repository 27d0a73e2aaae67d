import { describe, expect, it } from "vitest";
import { Arrivals } from "../../src/sources/postgres/arrivals.ts";
import type { Entry } from "../../src/sources/postgres/contents.ts";
import { halvesOf, progressOfHalves } from "../../src/sources/postgres/halves.ts";

const table = (id: number, name: string, dependencies: readonly number[] = [], type = "TABLE"): Entry => ({
  id,
  oid: 16_000 + id,
  type,
  schema: "public",
  name,
  dependencies,
});
const rows = (id: number, oid: number, name: string) => ({
  id,
  line: `${id}; 0 ${oid} TABLE DATA public ${name} postgres`,
});

const entries = [table(1, "a"), table(2, "B b"), table(3, "c"), table(4, "d")];
const data = [rows(11, 16_001, "a"), rows(12, 16_002, "B b"), rows(13, 16_003, "c"), rows(14, 16_004, "d")];
const sizes = (a: number, b: number, c: number, d: number) => ({
  "public.a": a,
  'public."B b"': b,
  // As an older server quotes it.
  'public."c"': c,
  "public.d": d,
});

/** The ids of both halves, and the share of the first. */
function split(...bytes: [number, number, number, number]): unknown {
  const halves = halvesOf(data, entries, sizes(...bytes));
  return halves && [...halves.map(({ lines }) => lines.map(({ id }) => id)), halves[0].share];
}

describe("the halves of an archive's rows", () => {
  it("are of about the same size and in its order", () => {
    expect(split(10, 10, 10, 10)).toEqual([[11, 12], [13, 14], 0.5]);
    expect(split(70, 10, 10, 10)).toEqual([[11], [12, 13, 14], 0.7]);
    expect(split(10, 10, 10, 70)).toEqual([[11, 12, 13], [14], 0.3]);
    expect(split(0, 30, 70, 0)).toEqual([[11, 12], [13, 14], 0.3]);
  });

  it("are none where one table is nearly all, or nothing tells how large they are", () => {
    expect(split(1, 2, 95, 2)).toBeUndefined();
    expect(split(0, 0, 0, 0)).toBeUndefined();
    expect(halvesOf(data, entries, undefined)).toBeUndefined();
    expect(halvesOf(data, entries, {})).toBeUndefined();
    expect(halvesOf([], [], {})).toBeUndefined();
  });

  it("have what else there is of data in the second one, in its order: what fills a large object after what makes it", () => {
    const more = [
      { id: 20, line: "20; 2613 4711 BLOB METADATA - 4711 postgres" },
      { id: 21, line: "21; 0 0 COMMENT - LARGE OBJECT 4711 postgres" },
      ...data,
      { id: 22, line: "22; 0 0 SEQUENCE SET public a_id_seq postgres" },
      { id: 23, line: "23; 0 0 BLOBS - 4711 postgres" },
    ];
    const halves = halvesOf(more, entries, sizes(10, 10, 10, 10)) ?? [];
    expect(halves.map(({ lines }) => lines.map(({ id }) => id))).toEqual([
      [11, 12],
      [20, 21, 13, 14, 22, 23],
    ]);
  });

  it("are none where there are rows of an extension's tables, which may refer to each other", () => {
    const own = rows(15, 17_000, "spatial_ref_sys");
    expect(halvesOf([...data, own], entries, sizes(10, 10, 10, 10))).toBeUndefined();
  });

  it.for([
    ["a check calls a function of the backup", [table(5, "f(int)", [], "FUNCTION"), table(6, "e", [5])]],
    ["a domain does", [table(5, "f(int)", [], "FUNCTION"), table(6, "positive", [5], "DOMAIN"), table(7, "e", [6])]],
    ["a default does", [table(5, "f(int)", [], "FUNCTION"), table(6, "e n", [7, 5], "DEFAULT"), table(7, "e")]],
    ["an operator is in one", [table(5, "=#=", [], "OPERATOR"), table(6, "e", [5])]],
    [
      "a partition's bounds do",
      [
        table(5, "f(int, bigint)", [], "FUNCTION"),
        table(6, "ops", [5], "OPERATOR FAMILY"),
        table(7, "ops", [6], "OPERATOR CLASS"),
        table(8, "e", [7]),
      ],
    ],
  ] as const)("are none where %s: it may look into what came before", ([, own]) => {
    expect(halvesOf(data, [...entries, ...own], sizes(10, 10, 10, 10))).toBeUndefined();
  });

  it("are some where a function is only an index's or a trigger's", () => {
    const own = [
      table(5, "f(int)", [], "FUNCTION"),
      table(6, "a_f", [1, 5], "INDEX"),
      table(7, "t", [1, 5], "TRIGGER"),
    ];
    expect(halvesOf(data, [...entries, ...own], sizes(10, 10, 10, 10))).toBeDefined();
  });
});

describe("the progress of two halves", () => {
  const both = (share: number) => {
    const halves = [
      { lines: [], share },
      { lines: [], share: 1 - share },
    ] as const;
    let told = 0;
    const steps: number[] = [];
    const progress = progressOfHalves(1000, halves, (bytes) => {
      told += bytes;
      steps.push(told);
    });
    return { ...progress, steps };
  };

  it("is that of one reader: what the second one passes over does not count", () => {
    const { first, second, end, steps } = both(0.4);
    second(300);
    first(100);
    second(200);
    first(300);
    end();
    second(500);
    expect(steps).toEqual([100, 200, 500, 1000]);
  });

  it("never goes back and ends at all of it, also where the middle lies elsewhere", () => {
    for (const middle of [100, 900]) {
      const { first, second, end, steps } = both(0.5);
      for (let read = 0; read < 1000; read += 50) {
        if (read < middle) first(50);
        second(50);
      }
      end();
      expect(steps.at(-1)).toBe(1000);
      expect(steps).toEqual(steps.toSorted((a, b) => a - b));
      expect(new Set(steps).size).toBe(steps.length);
    }
  });
});

describe("the progress of one who is let in only later", () => {
  it("is no more than all of it", () => {
    let told = 0;
    const halves = [
      { lines: [], share: 0.5 },
      { lines: [], share: 0.5 },
    ] as const;
    const { first, second, end } = progressOfHalves(1000, halves, (bytes) => {
      told += bytes;
    });
    second(700);
    first(500);
    end();
    second(1000);
    expect(told).toBe(1000);
  });
});

describe("what pg_restore tells", () => {
  const at = (name: string): string => `pg_restore: processing data for table "public.${name}"`;

  /** Waits for what is told until the turn of the event loop is over. */
  async function told(names: AsyncIterator<readonly string[]>): Promise<readonly string[] | undefined | "nothing yet"> {
    const nothing = new Promise<"nothing yet">((resolve) => setImmediate(resolve, "nothing yet"));
    const next = names.next().then(({ value, done }) => (done === true ? undefined : value));
    return await Promise.race([next, nothing]);
  }

  it("is a table's end when the next one begins, of each of two", async () => {
    const arrivals = new Arrivals();
    const [one, two] = [arrivals.listen(), arrivals.listen()];
    const names = arrivals[Symbol.asyncIterator]();
    one.hear(at("a"));
    two.hear(at("c"));
    one.hear(at("b"));
    expect(await told(names)).toEqual(["public.a"]);
    two.hear("pg_restore: executing SEQUENCE SET c_id_seq");
    expect(await told(names)).toEqual(["public.c"]);
    expect(one.hear("pg_restore: error: could not")).toBe(true);
    expect(one.hear(at("x"))).toBe(false);
  });

  it("is the last table of one that has ended well, while the other one goes on", async () => {
    const arrivals = new Arrivals();
    const [one, two] = [arrivals.listen(), arrivals.listen()];
    const names = arrivals[Symbol.asyncIterator]();
    one.hear(at("a"));
    two.hear(at("c"));
    one.end(true);
    expect(await told(names)).toEqual(["public.a"]);
    expect(arrivals.isOver).toBe(false);
    two.end(true);
    expect(arrivals.isOver).toBe(true);
    // The last one of all is left to the end.
    expect(await told(names)).toBeUndefined();
  });

  it("is nothing of one that has failed in the middle", async () => {
    const arrivals = new Arrivals();
    const [one, two] = [arrivals.listen(), arrivals.listen()];
    const names = arrivals[Symbol.asyncIterator]();
    one.hear(at("a"));
    one.end(false);
    two.end(true);
    expect(await told(names)).toBeUndefined();
  });

  it("begins when each is connected or has ended", async () => {
    const arrivals = new Arrivals();
    const [one, two] = [arrivals.listen(), arrivals.listen()];
    let hasBegun = false;
    const begun = arrivals.begun.then(() => {
      hasBegun = true;
    });
    one.hear("pg_restore: connecting to database for restore");
    one.hear(at("a"));
    await new Promise(setImmediate);
    expect(hasBegun).toBe(false);
    two.end(false);
    await begun;
  });
});
