import { describe, expect, it } from "vitest";
import { finishesOf, isRight, needsOrder, parseContents, parseList } from "../../src/sources/postgres/contents.ts";

const entry = (id: number, type: string, name: string, dependencies: readonly number[] = [], schema = "public") =>
  `--
-- TOC entry ${id} (class 1259 OID ${16_000 + id})
${dependencies.length === 0 ? "" : `-- Dependencies: ${dependencies.join(" ")}\n`}-- Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: postgres
-- Data Pos: 0
--

SELECT 'the statement';
`;

const text = [
  entry(10, "FUNCTION", "f(text)"),
  entry(11, "TABLE", "a"),
  entry(12, "TABLE", "b; Type: VIEW"),
  entry(13, "TABLE", "a", [], "other"),
  entry(20, "CONSTRAINT", "a a_pkey", [11]),
  entry(21, "INDEX", "a_rank", [11, 10]),
  entry(22, "INDEX", "b_id", [12]),
  entry(23, "FK CONSTRAINT", "b b_fkey", [12, 11, 20]),
  entry(24, "STATISTICS", "b_both", [12]),
  entry(30, "ACL", "TABLE a", [11]),
  entry(31, "DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES"),
].join("\n");

const post = new Set([20, 21, 22, 23, 24]);

describe("what is in an archive", () => {
  it("is read with what depends on what", () => {
    const entries = parseContents(text);
    expect(entries.map(({ id }) => id)).toEqual([10, 11, 12, 13, 20, 21, 22, 23, 24, 30, 31]);
    expect(entries[2]).toEqual({
      id: 12,
      oid: 16_012,
      type: "TABLE",
      schema: "public",
      name: "b; Type: VIEW",
      dependencies: [],
    });
    expect(entries[7]?.dependencies).toEqual([12, 11, 20]);
  });

  it("follows the rows of its table where it needs nothing else", () => {
    const finishes = finishesOf(parseContents(text), post);
    const found = [...finishes].map(([name, { entries, whole }]) => [name, entries, whole]);
    expect(found).toEqual([
      ["public.a", [20], false],
      ["public.b; Type: VIEW", [22, 24], true],
      ["other.a", [], true],
    ]);
  });

  it("is left to the end where it is not known to come after the rows, or whose it is", () => {
    const finishes = finishesOf(parseContents(text), new Set([20]));
    expect(finishes.get("public.b; Type: VIEW")).toMatchObject({ entries: [], whole: true });
    const twice = parseContents([entry(1, "TABLE", "b", [], "c.a"), entry(2, "TABLE", "a.b", [], "c")].join("\n"));
    expect([...finishesOf(twice, new Set())]).toEqual([]);
  });

  it("is made in its order where there are references and partitioned tables", () => {
    const types = (...names: string[]) => names.map((type) => ({ type }));
    expect(needsOrder(types("TABLE", "INDEX ATTACH", "FK CONSTRAINT"))).toBe(true);
    expect(needsOrder(types("TABLE", "FK CONSTRAINT"))).toBe(false);
    expect(needsOrder(types("TABLE", "INDEX ATTACH"))).toBe(false);
  });

  it("is listed with comments, which are left out", () => {
    const list = ";\n; Archive created\n;\n20; 2606 16426 CONSTRAINT public a a_pkey postgres\n30; 0 0 ACL - x y\n";
    expect(parseList(list)).toEqual([
      { id: 20, line: "20; 2606 16426 CONSTRAINT public a a_pkey postgres" },
      { id: 30, line: "30; 0 0 ACL - x y" },
    ]);
  });

  it("has rights of everything, large objects too", () => {
    const list = `30; 0 0 ACL public TABLE a postgres
31; 0 0 ACL - LARGE OBJECT 4711 postgres
32; 826 16392 DEFAULT ACL app DEFAULT PRIVILEGES FOR TABLES postgres
33; 1259 16400 TABLE public ACL postgres`;
    expect(
      parseList(list)
        .filter(isRight)
        .map(({ id }) => id),
    ).toEqual([30, 31, 32]);
  });
});
