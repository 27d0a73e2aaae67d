import { splitStatements } from "./globals.ts";
import { identifierPattern, unquote } from "./names.ts";

/** One role as pg_dumpall writes it: what it is by the name of each property, and the statements that give it. */
export interface Role {
  readonly name: string;
  /** Makes it, without anything. */
  readonly create: string;
  readonly properties: ReadonlyMap<string, Property>;
}

export interface Property {
  /** In one spelling, whichever version has written it; of a password its hash. */
  readonly value: string;
  /** Gives exactly this. Of attributes: all of them at once. */
  readonly statement: string;
  /** The role that has to be there for it. */
  readonly group?: string;
}

/** Stands for a password wherever one could be shown. */
export const passwordProperty = "PASSWORD";

/** In front of the name of a group. */
export const memberOf = "MEMBER OF ";

const id = `(${identifierPattern})`;
const createRole = new RegExp(`^CREATE ROLE ${id}$`, "s");
const attributes = new RegExp(`^ALTER ROLE ${id} WITH (.*)$`, "s");
const setting = new RegExp(`^ALTER ROLE ${id} SET (.*?) TO (.*)$`, "s");
const comment = new RegExp(`^COMMENT ON ROLE ${id} IS (.*)$`, "s");
const membership = new RegExp(`^GRANT ${id} TO ${id}(?: WITH (.*?))?(?: GRANTED BY ${id})?$`, "s");

/** An attribute with or without a value: what pg_dumpall writes behind WITH. */
const attribute =
  /(CONNECTION LIMIT) (-?\d+)|(PASSWORD) ('(?:[^']|'')*')|(VALID UNTIL) ('(?:[^']|'')*')|(NO)?(SUPERUSER|INHERIT|CREATEROLE|CREATEDB|LOGIN|REPLICATION|BYPASSRLS)/g;

/** The roles of a dump of globals, without those that PostgreSQL itself has. Statements that are about no role are left out. */
export function parseRoles(sql: string): Map<string, Role> {
  const roles = new Map<string, { name: string; create: string; properties: Map<string, Property> }>();
  const statements = splitStatements(sql);
  for (const statement of statements) {
    const [, quoted] = createRole.exec(statement) ?? [];
    if (quoted === undefined || quoted.startsWith("pg_")) continue;
    const name = unquote(quoted);
    roles.set(name, { name, create: statement, properties: new Map() });
  }
  for (const statement of statements) {
    for (const { role, what, ...property } of propertiesOf(statement)) {
      const properties = roles.get(unquote(role))?.properties;
      const before = properties?.get(what);
      properties?.set(what, before === undefined ? property : merged(before, property));
    }
  }
  return roles;
}

interface Found extends Property {
  readonly role: string;
  readonly what: string;
}

/** What one statement says of a role. */
function propertiesOf(statement: string): Found[] {
  const [, whose = "", list] = attributes.exec(statement) ?? [];
  if (list !== undefined) {
    return [...attributesOf(list)].map(([what, value, one]) => {
      return { role: whose, what, value, statement: `ALTER ROLE ${whose} WITH ${one}` };
    });
  }
  const [, setOf, key = "", to = ""] = setting.exec(statement) ?? [];
  if (setOf !== undefined) return [{ role: setOf, what: `SET ${key}`, value: to, statement }];
  const [, about, text = ""] = comment.exec(statement) ?? [];
  if (about !== undefined) return [{ role: about, what: "COMMENT", value: text, statement }];
  const [, group, member, options = ""] = membership.exec(statement) ?? [];
  if (group === undefined || member === undefined) return [];
  const name = unquote(group);
  // Without who has granted it: that is whoever gives it again.
  const grant = `GRANT ${group} TO ${member}${options === "" ? "" : ` WITH ${options}`}`;
  return [{ role: member, what: `${memberOf}${name}`, value: membershipOf(options), statement: grant, group: name }];
}

/** From PostgreSQL 16 on a membership is there once for each who has granted it: what any of them gives is given. */
function merged(before: Property, after: Property): Property {
  const [one, other] = [before, after].map(({ value }) => new Set(value.split(", ")));
  const admin = [one, other].some((each) => each?.has("ADMIN")) ? ["ADMIN"] : [];
  const without = ["NOINHERIT", "NOSET"].filter((each) => one?.has(each) && other?.has(each));
  const value = [...admin, ...without].join(", ") || "yes";
  return { ...after, value, statement: `${before.statement};\n${after.statement}` };
}

function* attributesOf(list: string): Iterable<[string, string, string]> {
  for (const match of list.matchAll(attribute)) {
    const [whole, limit, most = "", password, hash = "", until, when = "", no, flag] = match;
    if (limit !== undefined) yield ["CONNECTION LIMIT", most, whole];
    else if (password !== undefined) yield [passwordProperty, hash, whole];
    else if (until !== undefined) yield ["VALID UNTIL", moment(when.slice(1, -1)), whole];
    else if (flag !== undefined) yield [flag, no === undefined ? "yes" : "no", whole];
  }
}

/** Written down in the time zone of whoever dumps. */
function moment(text: string): string {
  const time = Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(time) ? text : new Date(time).toISOString();
}

/** Of a membership that which is not as it is by itself: with INHERIT and SET, without ADMIN. */
function membershipOf(options: string): string {
  const found = [
    /\bADMIN (?:OPTION|TRUE)/.test(options) ? "ADMIN" : "",
    /\bINHERIT FALSE/.test(options) ? "NOINHERIT" : "",
    /\bSET FALSE/.test(options) ? "NOSET" : "",
  ];
  return found.filter(Boolean).join(", ") || "yes";
}
