import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  FunctionReference,
  Identifier,
  Junk,
  Message,
  parse,
  type SelectExpression,
  VariableReference,
  Visitor,
} from "@fluent/syntax";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { incidentCard } from "../../src/bot/cards/incident.ts";
import { chartThemes } from "../../src/bot/charts/types.ts";
import { commands } from "../../src/bot/commands/index.ts";
import { powerCommands } from "../../src/bot/views/power.ts";
import { accountParts } from "../../src/bot/views/servers-state.ts";
import { identityFacts } from "../../src/core/approval.ts";
import { auditKinds } from "../../src/core/audit.ts";
import { globalsScopes } from "../../src/core/globals.ts";
import { backupPhases } from "../../src/core/ports.ts";
import { powerActions, powerStages } from "../../src/core/power.ts";
import { depths } from "../../src/core/proof.ts";
import { restorationPhases } from "../../src/core/restoration.ts";
import { tiers } from "../../src/core/retention.ts";
import { roles } from "../../src/core/roles.ts";
import { lookFailures, serverStatuses } from "../../src/core/server.ts";
import { linkKinds, severities } from "../../src/core/signal.ts";
import { verificationPhases } from "../../src/core/verification.ts";
import { redact } from "../../src/lib/redaction.ts";
import { escapeHtml, type Locale, locales, messageFiles, messagesOf } from "../../src/messages/index.ts";
import { healthReasons } from "../../src/services/backup/health.ts";
import { subjects } from "../../src/services/doctor.ts";
import { sourceKinds } from "../../src/sources/index.ts";

const src = join(import.meta.dirname, "../../src");

/** What a message is made of. */
class Parts extends Visitor {
  readonly variables = new Set<string>();
  /** Variables that a function formats: these are numbers. */
  readonly numbers = new Set<string>();
  /** The keys of each selection by a variable. */
  readonly selections: { variable: string; keys: Set<string> }[] = [];

  override visitVariableReference({ id }: VariableReference): void {
    this.variables.add(id.name);
  }

  override visitFunctionReference(node: FunctionReference): void {
    for (const argument of node.arguments.positional)
      if (argument instanceof VariableReference) this.numbers.add(argument.id.name);
    this.genericVisit(node);
  }

  override visitSelectExpression(node: SelectExpression): void {
    const { selector, variants } = node;
    const subject = selector instanceof FunctionReference ? selector.arguments.positional[0] : selector;
    if (subject instanceof VariableReference) {
      const keys = variants.map(({ key }) => (key instanceof Identifier ? key.name : key.value));
      this.selections.push({ variable: subject.id.name, keys: new Set(keys) });
    }
    this.genericVisit(node);
  }
}

function readMessages(locale: Locale): Map<string, Parts> {
  const result = new Map<string, Parts>();
  for (const file of messageFiles(locale)) {
    for (const entry of parse(readFileSync(file, "utf8"), {}).body) {
      if (entry instanceof Junk) throw new Error(`${file}: ${entry.annotations[0]?.message ?? ""} in ${entry.content}`);
      if (!(entry instanceof Message)) continue;
      const parts = new Parts();
      parts.visit(entry);
      result.set(entry.id.name, parts);
    }
  }
  return result;
}

const messages = Object.fromEntries(locales.map((locale) => [locale, readMessages(locale)])) as Record<
  Locale,
  Map<string, Parts>
>;

/** The program's own sources; the sandbox speaks for itself. */
const sources = globSync("**/*.ts", { cwd: src })
  .filter((file) => !/^(?:sandbox\/|messages\/(?:index|format)\.ts)/.test(file))
  .map((file) => ({ file, text: readFileSync(join(src, file), "utf8") }));

const allText = sources.map(({ text }) => text).join("\n");

/** The members of a union of strings in the code: `type X = "a" | "b"` or `x: "a" | "b";`. */
function unionIn(file: string, before: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  const union = text.slice(text.indexOf(before) + before.length).split(/;|\)/, 1)[0] ?? "";
  const members = [...union.matchAll(/"([a-z-]+)"/g)].map(([, member]) => member ?? "");
  if (!text.includes(before) || members.length < 2) throw new Error(`no union after ${before} in ${file}`);
  return members;
}

/** The buttons of the incident's card are called by what they do. */
const incidentActions = Object.keys(incidentCard({} as never).actions);
const statuses = unionIn("core/run.ts", "export type RunStatus =");

const waysBack = unionIn("core/replacement.ts", "export type WayBack =");

/** Keys that are put together, by the fixed part, with everything that the code can put behind it. */
const composed: Readonly<Record<string, readonly string[]>> = {
  "advice-": [...unionIn("bot/cards/backup.ts", "adviceKeys = ["), "other"],
  "approval-again-": unionIn("core/approval.ts", "readonly again?:"),
  "approval-expired-": unionIn("core/approval.ts", "readonly waitedFor?:"),
  "approval-fact-": identityFacts,
  "approval-is-": unionIn("core/approval.ts", "export type ApprovalStatus ="),
  "approval-title-": [...unionIn("core/approval.ts", "export type ApprovalStatus ="), "ordered"],
  "approval-void-": unionIn("core/approval.ts", "export type VoidReason ="),
  "audit-": ["at", "about", "action", "target", "why", "count", "host"],
  "audit-about-": auditKinds,
  "audit-what-": [
    ...unionIn("core/approval.ts", "readonly what:"),
    "turned-away",
    "turned-away-others",
    "pinned",
    "unpinned",
    "silenced",
    "unsilenced",
    "link-ordered",
    "link-made",
    "link-failed",
    "removal-agreed",
    "removal-declined",
    "restored-by-hand",
    "restored-differs",
    "restore-failed",
    "removed",
    "heads-put-aside",
    "unreadable",
    ...unionIn("services/restorations/entries.ts", "export type RestoreEvent ="),
    ...unionIn("services/power/words.ts", "export type PowerEvent ="),
  ],
  "auto-backups-": unionIn("bot/views/auto-backups.ts", "readonly ended?:"),
  "backup-title-": statuses,
  "button-": [...incidentActions, "acknowledge-all", "full-list", "alerts", ...accountParts],
  "button-auto-": ["day", "week", "month"],
  "check-": subjects,
  "cli-audit-flaw-": unionIn("core/audit-check.ts", "readonly what:"),
  "cli-audit-who-": ["redis", "file", "stored"],
  "cli-backups-flaw-": ["incomplete", "damaged", "conflict", "chain"],
  "cli-backups-": ["id", "time", "name", "size", "proof", "copies"],
  "cli-restore-phase-": ["check", "restore"],
  "cli-phase-": backupPhases,
  // /start greets and is in no menu.
  "command-": commands.map((command) => command.name).filter((name) => name !== "start"),
  "count-": severities,
  "backups-run-": ["running", "queued"],
  "health-": [...healthReasons, "unseen-old", "unseen-yet", "unseen-unreadable"],
  "database-backup-title-": unionIn("core/database-backup.ts", "export type DatabaseBackupStatus ="),
  "databases-status-": unionIn("core/managed.ts", "readonly type: string;\n  readonly status:"),
  "daily-backups-": unionIn("core/daily.ts", "readonly state:"),
  "button-depth-": depths,
  "depth-": depths,
  "verify-because-": ["no-test", "command"],
  "verify-depth-": depths.map((depth) => `${depth}-text`),
  "verify-phase-": verificationPhases,
  "verify-restored-": ["keys", "entries", "objects"],
  "verify-title-": unionIn("core/verification.ts", "export type VerificationStatus ="),
  "config-variable-": unionIn("app/config/interpolate.ts", "readonly kind:"),
  "demo-starting-": unionIn("demo/world.ts", "say(what:"),
  "backup-note-": ["changed", "vanished", "unreadable", "skipped", "left-out"],
  "demo-step-": unionIn("demo/story.ts", "readonly step:"),
  "error-s3-": unionIn("storages/s3/errors.ts", "type Key ="),
  "error-source-s3-": unionIn("sources/s3/errors.ts", "type Key ="),
  "incident-event-": unionIn("core/incident.ts", "export type IncidentEvent ="),
  "incident-is-": [...unionIn("core/incident.ts", "export type IncidentStatus ="), "again"],
  "init-encryption-": ["new", "own", "none"],
  "init-pair-": ["private", "group"],
  "init-refused-": unionIn("cli/init/pairing.ts", "readonly onRefused: (reason:"),
  "init-storage-": ["s3", "local", "both"],
  "drill-counted-": ["rows", "keys", "entries", "objects"],
  "drill-over-": unionIn("core/drill.ts", "export type DrillLimit ="),
  "drill-time-": unionIn("core/drill.ts", "export type DrillLimit ="),
  "drill-trend-": unionIn("core/drill.ts", "export type DrillLimit ="),
  "drill-title-": [...unionIn("core/drill.ts", "export type DrillStatus ="), "empty"],
  "link-": linkKinds,
  "phase-": backupPhases,
  "power-choose-": Object.keys(powerCommands),
  "power-choose-server-": Object.keys(powerCommands),
  "power-late-now-": unionIn("core/power.ts", "export type LateCause ="),
  "power-late-text-": unionIn("core/power.ts", "export type LateCause ="),
  "power-stage-": powerStages,
  "power-title-": [...unionIn("core/power.ts", "export type PowerStatus ="), "done-alerts"],
  "power-order-": powerActions,
  "power-what-": powerActions,
  "power-work-": unionIn("core/power.ts", "export interface PowerWork {\n  readonly kind:"),
  "server-status-": serverStatuses,
  "silence-": [
    ...unionIn("core/server-faults.ts", "export type FaultKind ="),
    ...["deleted", "blocked", "off", "stuck"].map((kind) => `${kind}-text`),
  ],
  "silence-account-": unionIn("core/server-faults.ts", "before it works again. */\n  readonly kind:"),
  "recovery-sign-": ["silence", "exporter"],
  "process-": unionIn("state/presence.ts", "readonly role:"),
  "provider-backup-": unionIn("core/managed.ts", "readonly at: Date;\n  readonly status:"),
  "prune-title-": unionIn("core/prune.ts", "export type PruneStatus ="),
  "restore-ask-": unionIn("core/soundness.ts", "export type Flaw ="),
  "restore-ask-moment-": [
    ...unionIn("core/moment-words.ts", "export type MomentProblem ="),
    ...unionIn("core/moment-words.ts", "readonly note?:"),
  ],
  "restore-ask-pick-": ["schema", "path", "prefix"],
  "restore-ask-pick-here-": ["schema", "path", "prefix"],
  "restore-part-": ["schema", "path", "prefix"],
  "restore-method-": unionIn("core/replacement.ts", "export type ReplacementMethod ="),
  "restore-card-": unionIn("core/replacement.ts", "export type LostUnit ="),
  "restore-card-attempt-": unionIn("core/replacement.ts", "export type Recovered ="),
  "restore-card-back-": unionIn("core/replacement.ts", "export type WayBack =").flatMap((way) => [way, `${way}-for`]),
  "restore-card-live-": ["untouched", "stopped", "back", "unknown"],
  "restore-card-phase-": restorationPhases,
  "restore-card-steps-": ["tables", ...unionIn("core/replacement.ts", "export type LostUnit =")],
  "restore-card-title-": [...unionIn("core/restoration.ts", "export type RestorationStatus ="), "done-beside"],
  "restore-card-undo-until-": waysBack.filter((way) => way !== "kept"),
  "restoration-detail-back-": [...waysBack, "none"],
  "restoration-detail-undo-": waysBack,
  "restoration-ended-": ["done", "undone", "cancelled", "failed", "refused", "expired", "elsewhere"],
  "restoration-ended-void-": unionIn("core/approval.ts", "export type VoidReason ="),
  "restoration-passed-": ["other", "unsound", "error", "elsewhere"],
  "restoration-reason-only-": ["in-place", "beside"],
  "restoration-refused-": unionIn("services/restorations/refusals.ts", "export type RestorationDecision ="),
  "restoration-refused-role-": ["operator", "admin", "viewer"],
  "restoration-title-": ["in-place", "beside"].flatMap((place) => [place, `${place}-part`]),
  "restoration-title-globals-": globalsScopes,
  "restore-roles-": ["made", "altered"].flatMap((what) => [`${what}-to-be`, `${what}-were`]),
  "restore-roles-title-": [
    "same",
    ...unionIn("core/restoration.ts", "export type RestorationStatus =").filter((status) => !status.startsWith("undo")),
  ],
  "retention-reason-": [...tiers, "all", "pinned", "last-good", "none-good", "future", "copying", "needed", "locked"],
  "role-": roles,
  "rule-over-": [...unionIn("core/rule-state.ts", "export type OverReason ="), "plain"],
  "severity-": severities,
  "servers-failure-": lookFailures.filter((failure) => failure !== "account"),
  "servers-metric-": ["cpu", "memory", "disk"],
  "servers-status-": serverStatuses,
  "silence-ask-": unionIn("bot/views/silence.ts", "readonly why:"),
  "silence-scope-": unionIn("bot/views/silence.ts", "const scopes ="),
  "source-": sourceKinds,
  "chart-": ["cpu", "memory", "disk", "network"],
  "chart-label-": ["in", "out"],
  "stats-column-": ["server", "cpu", "memory", "disk", "load"],
  "stats-count-": ["on", "off", "silent", "never"],
  "stats-range-": ["1h", "24h", "7d", "30d"],
  "stats-silent-": [...lookFailures, "old"],
  "stats-status-": serverStatuses,
  "stats-value-": ["cpu", "memory", "disk", "load"],
  "toast-stats-theme-": chartThemes,
  "status-no-": unionIn("state/presence.ts", "readonly role:"),
  // Of the role there is a text already, and one for all that is over says how it ended.
  "toast-approval-": unionIn("core/approval.ts", "export type Refusal =").filter((why) => why !== "role"),
  "watch-account-": ["finances", "domains", "buckets", "databases"],
  "watch-drill-over-": ["rto", "rpo", "both"].flatMap((which) => [which, `${which}-text`]),
  "watch-drill-text-": unionIn("core/drill.ts", "readonly finding?:"),
  "toast-dialog-": unionIn("state/dialogs.ts", "readonly status:").filter((status) => status !== "open"),
};

const composedKeys = Object.entries(composed).flatMap(([prefix, ends]) => ends.map((end) => prefix + end));

describe("every language", () => {
  it.each(locales)("%s has the keys of all the others, with the same variables", (locale) => {
    const own = [...messages[locale]].map(([key, { variables }]) => `${key}(${[...variables].sort().join(", ")})`);
    const others = [...messages.en].map(([key, { variables }]) => `${key}(${[...variables].sort().join(", ")})`);
    expect(own.toSorted()).toEqual(others.toSorted());
  });

  it("has each key in the file of the same name", () => {
    const files = (locale: Locale) => messageFiles(locale).map((file) => basename(file));
    for (const locale of locales) expect(files(locale)).toEqual(files("en"));
  });

  it.each(locales)("%s has every form of a number that the language knows", (locale) => {
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    const isPlural = (variable: string, key: string) =>
      locales.some((other) => {
        const selections = messages[other].get(key)?.selections ?? [];
        return selections.some(({ variable: name, keys }) => name === variable && keys.has("one"));
      });
    const incomplete = [...messages[locale]].flatMap(([key, { selections }]) =>
      selections
        .filter(({ variable, keys }) => isPlural(variable, key) && !forms.every((form) => keys.has(form)))
        .map(({ variable }) => `${key}: ${variable}`),
    );
    expect(incomplete).toEqual([]);
  });
});

describe("keys and code", () => {
  it("agree: every key is used", () => {
    const literals = new Set([...allText.matchAll(/["'`]([a-z0-9][a-z0-9-]*)["'`]/g)].map(([, literal]) => literal));
    const unused = [...messages.en.keys()].filter((key) => !literals.has(key) && !composedKeys.includes(key));
    expect(unused).toEqual([]);
  });

  it("agree: every key that the code names exists", () => {
    const call = /\b(?:t|plain|say|complain|ok|warning|failed|skipped|addIssue)\(\s*(?:context,\s*)?"([a-z0-9-]+)"/g;
    const named = /(?:\bkey|\berror|\bproblem): "([a-z]+(?:-[a-z0-9]+)+)"/g;
    const prefixed = /"((?:cli|config|doctor|error|init)-[a-z0-9-]+[a-z0-9])"/g;
    const missing = sources.flatMap(({ file, text }) =>
      [call, named, prefixed].flatMap((pattern) =>
        [...text.matchAll(pattern)]
          .map(([, key]) => key ?? "")
          // The ends of composed keys may be said by themselves.
          .filter((key) => !messages.en.has(key) && !composedKeys.some((whole) => whole.endsWith(`-${key}`)))
          .map((key) => `${file}: ${key}`),
      ),
    );
    expect(missing).toEqual([]);
  });

  it("agree: every key that is put together exists", () => {
    expect(composedKeys.filter((key) => !messages.en.has(key))).toEqual([]);
  });

  it("agree: the list above knows every way in which keys are put together", () => {
    const call = /(?:\b(?:t|plain|say|complain)\(\s*(?:context,\s*)?|\bkey: )`([^`$]*)\$\{/g;
    const used = sources.flatMap(({ text }) => [...text.matchAll(call)].map(([, prefix]) => prefix ?? ""));
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((prefix) => !(prefix in composed))).toEqual([]);
  });
});

/** The names in `args: { a, b: c }`, from the text behind its opening brace. */
function argumentNames(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (const [token, name] of text.matchAll(/[{}()[\]]|(?<=(?:^|[{,])\s*)(\w+)(?=\s*[:,}])/g)) {
    if (name !== undefined) {
      if (depth === 0) names.push(name);
    } else if (/[{([]/.test(token)) depth += 1;
    else if (depth === 0) break;
    else depth -= 1;
  }
  return names;
}

describe("the texts of errors", () => {
  it("are given exactly the variables that they have", () => {
    const given = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/key: "(error-[a-z0-9-]+)"(?:, args: \{| \})/g)].map(({ 0: match, 1: key = "", index }) => {
        const names = match.endsWith("{") ? argumentNames(text.slice(index + match.length)) : [];
        return { file, key, names };
      }),
    );
    expect(given.length).toBeGreaterThan(40);
    const wrong = given.filter(({ key, names }) => {
      return names.toSorted().join() !== [...(messages.en.get(key)?.variables ?? [])].toSorted().join();
    });
    expect(wrong).toEqual([]);
  });
});

describe("redaction", () => {
  it.each(locales)("leaves every text of %s whole", (locale) => {
    const touched = [...messages[locale]].filter(([key, { variables, numbers }]) => {
      const args = [...variables].map((name) => [name, numbers.has(name) ? 1 : "x"]);
      const text = messagesOf(locale).plain(key, Object.fromEntries(args));
      return redact(text) !== text;
    });
    expect(touched.map(([key]) => key)).toEqual([]);
  });
});

describe("variables", () => {
  const cases = locales.flatMap((locale) => [...messages[locale]].map(([key, parts]) => ({ locale, key, parts })));
  const withVariables = cases.filter(({ parts }) => parts.variables.size > 0);

  it("are escaped in every text of every language", () => {
    const nasty = fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "b", "/", "{", "$", "\u202E", "я", " ") });
    fc.assert(
      fc.property(
        fc.constantFrom(...withVariables),
        fc.array(nasty, { minLength: 1, maxLength: 8 }),
        (chosen, texts) => {
          const { locale, key, parts } = chosen;
          const values = [...parts.variables].map((name, index) => {
            const value: string | number = parts.numbers.has(name) ? index : (texts[index % texts.length] ?? "");
            return [name, value] as const;
          });
          const escaped = values.map(([name, value]) => [name, typeof value === "string" ? escapeHtml(value) : value]);
          const texts1 = messagesOf(locale);
          expect(texts1.t(key, Object.fromEntries(values))).toBe(texts1.plain(key, Object.fromEntries(escaped)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each(cases)("leave $key ($locale) with balanced tags that Telegram knows", ({ locale, key, parts }) => {
    const args = Object.fromEntries([...parts.variables].map((name) => [name, parts.numbers.has(name) ? 1 : "<"]));
    const open: string[] = [];
    const wrong: string[] = [];
    const known = ["b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"];
    for (const [, end, tag = ""] of messagesOf(locale)
      .t(key, args)
      .matchAll(/<(\/?)([^\s>]*)[^>]*>/g)) {
      if (end === "") open.push(tag);
      if (!known.includes(tag) || (end !== "" && open.pop() !== tag)) wrong.push(tag);
    }
    expect(wrong).toEqual([]);
    expect(open).toEqual([]);
  });
});

describe("escaping", () => {
  it("gives the four entities that Telegram knows", () => {
    expect(escapeHtml(`<a href="x">&'</a>`)).toBe("&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;");
  });
});
