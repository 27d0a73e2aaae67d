import { z } from "zod";
import { pointAt, readRule } from "../../core/rule-check.ts";
import { severities } from "../../core/signal.ts";
import { durationBetween, nameSchema } from "./common.ts";
import type { Outline } from "./outline.ts";
import { nearest, type Path, type Problem } from "./problems.ts";
import { statsSchema } from "./servers.ts";

const pattern = z.string().regex(/^[A-Za-z0-9._*?-]{1,63}$/, { error: "config-problem-server-pattern" });

/** Which servers something is about; nothing: all of them. */
export const serverChoice = {
  servers: z
    .array(pattern)
    .min(1)
    .optional()
    .describe('Names of servers; "web-*" stands for all that begin so. Default: all.'),
  match: z
    .record(z.string().min(1), z.union([z.string(), z.array(z.string()).min(1)], { error: "config-problem-match" }))
    .optional()
    .describe("Labels that a server has to have: a value, or a list of values."),
};

/** One of `rules:`. Durations in milliseconds. */
const ruleSchema = z.strictObject({
  name: nameSchema.describe("Name of the rule."),
  when: z.string().min(1).max(500).describe('When it fires: "cpu > 90". docs/rules.md says what can stand here.'),
  for: durationBetween("1s", "7d").optional().describe("For so long it has to hold. Default: one reading is enough."),
  clear: z.string().min(1).max(500).optional().describe("When it is over. Default: when `when` does not hold."),
  severity: z.enum(severities).default("warning").describe("How urgent it is."),
  ...serverChoice,
  text: z.string().max(1000).optional().describe("What to do then; it stands on the card."),
});

export const rulesSchema = z.array(ruleSchema).max(200).default([]);

/** `recovery:`. Durations in milliseconds. */
export const recoverySchema = z.strictObject({
  auto: z
    .union([z.literal([false, "off"]).transform((): "off" => "off"), z.enum(["ask", "on"])], {
      error: "config-problem-recovery",
    })
    .default("off")
    .describe(
      "What is done about a server that does not answer. off: nothing; ask: the chat is asked; on: it is rebooted.",
    ),
  ...serverChoice,
  signs: z
    .int()
    .min(2)
    .max(10)
    .default(2)
    .describe("So many independent signs have to say that it does not answer ..."),
  after: durationBetween("1m", "1d").prefault("5m").describe("... for so long."),
  every: durationBetween("1h", "30d")
    .prefault("6h")
    .describe("A server is rebooted by itself at most once in this time."),
  backWithin: durationBetween("1m", "1h")
    .prefault("5m")
    .describe("A server that is not back so long after a reboot, whoever ordered it, is a critical incident."),
});

export type RuleConfig = z.output<typeof ruleSchema>;

type Report = (path: Path, key: string, args?: Problem["args"]) => void;

/** Rules of one name, conditions that cannot be read or cannot work, and names of servers that there are not. */
export function checkRules({ rules, recovery, servers, stats }: Outline, report: Report): void {
  const { every, keep } = stats ?? statsSchema.parse({});
  const seen = new Set<string>();
  for (const [index, rule] of (rules ?? []).entries()) {
    if (!rule) continue;
    if (rule.name !== undefined && seen.size === seen.add(rule.name).size)
      report(["rules", index, "name"], "config-problem-duplicate-name");
    if (rule.when) {
      const read = readRule({ when: rule.when, clear: rule.clear }, { every, raw: keep.raw });
      if ("problem" in read) {
        const { field, problem, column } = read;
        const place = pointAt(rule[field] ?? "", column);
        report(["rules", index, field], "config-problem-rule", { problem, place });
      }
    }
    checkNames(rule.servers, servers, ["rules", index, "servers"], report);
  }
  checkNames(recovery?.servers, servers, ["recovery", "servers"], report);
}

function checkNames(
  names: readonly (string | undefined)[] | null | undefined,
  servers: Outline["servers"],
  path: Path,
  report: Report,
): void {
  // Half-read servers lead to no conclusion.
  if (!servers?.every((server) => server?.name !== undefined)) return;
  const known = servers.flatMap((server) => server?.name ?? []);
  for (const [index, name] of (names ?? []).entries()) {
    if (name === undefined || /[*?]/.test(name) || known.includes(name)) continue;
    report([...path, index], "config-problem-no-server", { known: nearest(name, known) ?? (known.join(", ") || "-") });
  }
}
