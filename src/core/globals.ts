import { createHash } from "node:crypto";

/** What is otherwise about one role: never a password, only that it is another one. */
export interface RoleChange {
  /** An attribute ("LOGIN", "CONNECTION LIMIT"), a setting ("SET work_mem"), "MEMBER OF admins", "PASSWORD", "COMMENT". */
  readonly what: string;
  /** "" where there is none. Of a password: "another". */
  readonly backup: string;
  readonly live: string;
}

/** A role that is on the server and not as the backup has it. */
export interface DifferentRole {
  readonly role: string;
  readonly changes: readonly RoleChange[];
}

/** A role of the backup that the server lacks, with what it would have. */
export interface MissingRole {
  readonly role: string;
  readonly has: readonly RoleChange[];
}

/** How the roles of a server differ from those of a backup. */
export interface GlobalsDiff {
  readonly missing: readonly MissingRole[];
  readonly different: readonly DifferentRole[];
  /** On the server, and not in the backup. */
  readonly extra: readonly string[];
  /** False: the backup has no passwords, or this user may not read the server's. */
  readonly passwordsCompared: boolean;
}

/** What was found of them, and on which server. */
export interface GlobalsLook extends GlobalsDiff {
  /** Identifier of the server; undefined where it does not tell everybody. */
  readonly system?: string;
  /** "PostgreSQL 15.18" */
  readonly server: string;
  /** The role that is connected as: it is not altered from here. */
  readonly own: string;
}

/** Which roles are applied: those that the server lacks, or those too that it has otherwise. */
export const globalsScopes = ["missing", "all"] as const;
export type GlobalsScope = (typeof globalsScopes)[number];

/** Names of the roles that can be given as the backup has them. What only the server has is left alone. */
export function applicableRoles({ missing, different, own }: GlobalsLook, scope: GlobalsScope): string[] {
  const altered = different.filter(({ role, changes }) => role !== own && changes.some(({ backup }) => backup !== ""));
  return [...missing, ...(scope === "all" ? altered : [])].map(({ role }) => role);
}

/** Changes when there is anything else to be given than what was looked at: what people agree to. */
export function globalsDigest({ missing, different }: GlobalsDiff): string {
  return createHash("sha256")
    .update(JSON.stringify([missing, different]))
    .digest("hex");
}

/** What was done with roles. */
export interface GlobalsApplied {
  readonly made: readonly string[];
  readonly altered: readonly string[];
}
