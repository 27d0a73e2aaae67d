import { describe, expect, it } from "vitest";
import { chooseDatabases } from "../../src/sources/postgres/databases.ts";
import { comparable, parseDefinitions } from "../../src/sources/postgres/definitions.ts";
import { missingGlobals, parseGlobals, splitStatements } from "../../src/sources/postgres/globals.ts";
import { partFile, quoteLiteral, sameSpelling, unquote } from "../../src/sources/postgres/names.ts";

describe("names", () => {
  it.each([
    ["shop", "artifact-shop.dump.zst"],
    ["my_shop-2", "artifact-my_shop-2.dump.zst"],
    ["Shop", "artifact-shop.a9d5361e61bb.dump.zst"],
    ["база", "artifact-database.9eb5cba9d8f0.dump.zst"],
  ])("the file of %s is %s", (name, file) => {
    expect(partFile(name).replace(/\.[0-9a-f]{12}\./, ".#.")).toBe(file.replace(/\.[0-9a-f]{12}\./, ".#."));
  });

  it("every name has a file of its own, in any case of letters", () => {
    const names = [
      "shop",
      "Shop",
      "SHOP",
      "shop ",
      " shop",
      "sh/op",
      "sh op",
      "ш",
      "щ",
      "a".repeat(63),
      "a".repeat(62),
      "..",
      "-",
    ];
    expect(new Set(names.map((name) => partFile(name).toLowerCase())).size).toBe(names.length);
    for (const name of names) expect(partFile(name)).toMatch(/^artifact-[a-z0-9_-]+(\.[0-9a-f]{12})?\.dump\.zst$/);
  });

  it("are spelled in one way", () => {
    expect(sameSpelling("public.t")).toBe('"public"."t"');
    expect(sameSpelling('public."user"')).toBe(sameSpelling("public.user"));
    expect(sameSpelling('"a.b"."c""d"')).toBe('"a.b"."c""d"');
    expect(unquote('"a""b"')).toBe('a"b');
    expect(quoteLiteral("it's \\ here")).toBe("E'it''s \\\\ here'");
  });
});

describe("statements of pg_dumpall", () => {
  it("are told apart whatever is in them", () => {
    const sql = `--
-- roles; here
\\restrict abc
SET a = on;
CREATE ROLE "x;y""z";
COMMENT ON ROLE x IS 'it''s; -- no comment
"not the end"';
COMMENT ON ROLE y IS E'back\\\\slash\\'s; here';
ALTER ROLE z SET "a-b" TO 'c';
\\unrestrict abc
`;
    expect(splitStatements(sql)).toEqual([
      "SET a = on",
      'CREATE ROLE "x;y""z"',
      `COMMENT ON ROLE x IS 'it''s; -- no comment\n"not the end"'`,
      "COMMENT ON ROLE y IS E'back\\\\slash\\'s; here'",
      `ALTER ROLE z SET "a-b" TO 'c'`,
    ]);
  });

  const globals = parseGlobals(`SET client_encoding = 'UTF8';
CREATE ROLE old; ALTER ROLE old WITH LOGIN PASSWORD 'SCRAM-old'; ALTER ROLE old SET work_mem TO '1MB';
CREATE ROLE "New One"; ALTER ROLE "New One" WITH LOGIN PASSWORD 'SCRAM-new'; COMMENT ON ROLE "New One" IS 'x';
GRANT old TO "New One" GRANTED BY postgres; GRANT "New One" TO old; GRANT pg_monitor TO old; GRANT older TO old WITH ADMIN OPTION;
GRANT SET ON PARAMETER work_mem TO old; GRANT SET ON PARAMETER work_mem TO "New One";
CREATE TABLESPACE here OWNER old LOCATION '/here'; ALTER TABLESPACE here SET (seq_page_cost=1); GRANT ALL ON TABLESPACE here TO old;
CREATE TABLESPACE there OWNER old LOCATION '/there'; GRANT ALL ON TABLESPACE there TO old;`);
  const known = { roles: new Set(["old", "older", "postgres", "pg_monitor"]), tablespaces: new Set(["there"]) };

  it("of what is there are left out", () => {
    expect(globals.roles).toEqual(["old", "New One"]);
    const roles = [
      "SET client_encoding = 'UTF8'",
      'CREATE ROLE "New One"',
      `ALTER ROLE "New One" WITH LOGIN PASSWORD 'SCRAM-new'`,
      `COMMENT ON ROLE "New One" IS 'x'`,
      'GRANT old TO "New One" GRANTED BY postgres',
      'GRANT "New One" TO old',
      'GRANT SET ON PARAMETER work_mem TO "New One"',
    ];
    expect(missingGlobals(globals, known, { tablespaces: false })).toEqual(roles);
    expect(missingGlobals(globals, known, { tablespaces: true })).toEqual([
      ...roles,
      "CREATE TABLESPACE here OWNER old LOCATION '/here'",
      "ALTER TABLESPACE here SET (seq_page_cost=1)",
      "GRANT ALL ON TABLESPACE here TO old",
    ]);
  });
});

const object = (type: string, name: string, sql: string) =>
  `--\n-- Name: ${name}; Type: ${type}; Schema: app; Owner: me\n--\n\n${sql}\n\n`;

describe("definitions", () => {
  const same = (type: string, a: string, b: string) =>
    expect(comparable(parseDefinitions(object(type, "x", a)))).toEqual(
      comparable(parseDefinitions(object(type, "x", b))),
    );
  const differ = (type: string, a: string, b: string) =>
    expect(comparable(parseDefinitions(object(type, "x", a)))).not.toEqual(
      comparable(parseDefinitions(object(type, "x", b))),
    );

  it("are the same when a server has only written an expression down anew", () => {
    same(
      "TABLE",
      "CREATE TABLE x (s varchar, CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))));",
      "SET default_tablespace = '';\nCREATE TABLE x (s varchar, CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))));",
    );
    same(
      "ACL",
      "GRANT SELECT ON TABLE x TO a;\nGRANT ALL ON TABLE x TO b;",
      "GRANT ALL ON TABLE x TO b;\nGRANT SELECT ON TABLE x TO a;",
    );
    same("VIEW", "\\restrict abc\nCREATE VIEW x AS SELECT 1;", "CREATE VIEW x AS\n  SELECT 1;");
  });

  it("differ in a column, its type, a default, a right, an owner", () => {
    differ("TABLE", "CREATE TABLE x (a int);", "CREATE TABLE x (a int, b int);");
    differ("TABLE", "CREATE TABLE x (a varchar(10));", "CREATE TABLE x (a varchar(20));");
    differ("TABLE", "CREATE TABLE x (a int DEFAULT 1);", "CREATE TABLE x (a int DEFAULT 2);");
    differ("ACL", "GRANT SELECT ON TABLE x TO a;", "GRANT ALL ON TABLE x TO a;");
    differ("TABLE", "CREATE TABLE x ();\nALTER TABLE x OWNER TO a;", "CREATE TABLE x ();\nALTER TABLE x OWNER TO b;");
  });

  it("leave the database itself, data and large objects out", () => {
    const text = ["DATABASE", "DATABASE PROPERTIES", "BLOB", "MATERIALIZED VIEW DATA"]
      .map((type) => object(type, "x", "y;"))
      .join("");
    expect(
      comparable(
        parseDefinitions(`${text}${object("COMMENT", "DATABASE x", "y;")}${object("ACL", "LARGE OBJECT 1", "y;")}`),
      ).size,
    ).toBe(0);
  });
});

describe("chooseDatabases", () => {
  const all = [
    { name: "a", bytes: 1, open: true, template: false },
    { name: "b", bytes: 1, open: true, template: false },
    { name: "closed", bytes: 1, open: false, template: false },
    { name: "template0", bytes: 1, open: false, template: true },
    { name: "template1", bytes: 1, open: true, template: true },
    { name: "vakhta_verify_x", bytes: 1, open: true, template: false },
    { name: "a_before_1", bytes: 1, open: false, template: false, comment: '{"vakhta":"replacement","id":"1"}' },
    { name: "b_restore_1", bytes: 1, open: true, template: false, comment: '{"vakhta":"replacement","id":"1"}' },
  ];
  const names = (config: Parameters<typeof chooseDatabases>[0]) =>
    chooseDatabases(config, all).chosen.map(({ name }) => name);

  it("takes neither templates nor what test-restores and restores made", () => {
    expect(names({ databases: "all" })).toEqual(["a", "b"]);
    expect(chooseDatabases({ databases: "all" }, all).closed).toEqual(["closed"]);
    expect(names({ databases: "all", exclude: ["a", "closed"] })).toEqual(["b"]);
    expect(names({ databases: ["b", "a"] })).toEqual(["b", "a"]);
  });

  it("refuses a named one that is not there or closed", () => {
    for (const name of ["nothing", "closed"])
      expect(() => names({ databases: ["a", name] })).toThrow(`there is no database ${name}`);
  });
});
