import { deepest, failure, type Proof } from "../core/proof.ts";
import type { Text } from "../core/text.ts";
import { formatBytes, formatCount, formatDuration } from "../messages/format.ts";
import { type Messages, reasonOf } from "../messages/index.ts";

/** How many differences a message names. */
const namedDifferences = 8;
const longestName = 120;

/** What a proof has found, as lines of HTML that a tired person understands. */
export function proofLines(proof: Proof, messages: Messages, encrypted: boolean): string[] {
  const { locale } = messages;
  if (!proof.ok) return [...differenceLines(proof, messages), ...reasonLines(proof, messages)];
  const lines: string[] = [];
  if (proof.depth === "stored") {
    lines.push(messages.t("verify-stored-ok", { size: formatBytes(proof.compared?.["bytes"] ?? 0, locale) }));
  } else if (proof.depth === "readable") {
    lines.push(messages.t("verify-readable-ok", { encrypted: encrypted ? "yes" : "no" }));
  } else {
    lines.push(countedLine(proof.compared ?? {}, messages));
    if (proof.restoreMs !== undefined)
      lines.push(messages.t("verify-restore-took", { duration: formatDuration(proof.restoreMs, locale) }));
  }
  return lines;
}

/** Why the look did not go as deep as wanted, and what else is to be known. */
export function proofRemarks({ because, wanted, remarks = [] }: Proof, messages: Messages): string[] {
  const lines: string[] = [];
  if (because && wanted)
    lines.push(
      messages.t("verify-not-deeper", { depth: { key: `depth-${wanted}` }, reason: known(because, messages) }),
    );
  for (const remark of remarks) lines.push(messages.t("verify-remark", { remark: known(remark, messages) }));
  return lines;
}

/** A sentence that was read from a storage: a later version may know more of them than this one. */
function known(text: Text, messages: Messages): Text | string {
  return messages.has(text.key) ? text : text.key;
}

function countedLine(compared: Readonly<Record<string, number>>, messages: Messages): string {
  const { locale } = messages;
  const { rows, tables = 0 } = compared;
  if (rows !== undefined) {
    const texts = { rowsText: formatCount(rows, locale), tablesText: formatCount(tables, locale) };
    return messages.t("verify-restored-rows", { rows, tables, ...texts });
  }
  for (const what of ["keys", "entries", "objects"] as const) {
    const count = compared[what];
    if (count !== undefined)
      return messages.t(`verify-restored-${what}`, { count, countText: formatCount(count, locale) });
  }
  return messages.t("verify-restored-uncounted");
}

/** What was compared: "224 rows in 1 table"; undefined where there was nothing to compare with. */
export function countedWords(compared: Readonly<Record<string, number>>, messages: Messages): Text | undefined {
  const { locale } = messages;
  const { rows, tables = 0 } = compared;
  if (rows !== undefined) {
    const texts = { rowsText: formatCount(rows, locale), tablesText: formatCount(tables, locale) };
    return { key: "restore-card-counted-tables", args: { rows, tables, ...texts } };
  }
  for (const [what, unit] of [
    ["keys", "keys"],
    ["entries", "files"],
    ["objects", "objects"],
  ] as const) {
    const count = compared[what];
    if (count !== undefined)
      return { key: `restore-card-${unit}`, args: { count, countText: formatCount(count, locale) } };
  }
  return undefined;
}

/** What of it is not as the manifest says. */
export function differenceLines(
  { differences = [], differencesTotal = 0 }: Pick<Proof, "differences" | "differencesTotal">,
  messages: Messages,
): string[] {
  if (differencesTotal === 0) return [];
  const countText = formatCount(differencesTotal, messages.locale);
  const shown = differences
    .slice(0, namedDifferences)
    .map(({ what, expected, found }) =>
      messages.t("verify-difference", { what: cut(what), expected: cut(expected), found: cut(found) }),
    );
  const more = differencesTotal - shown.length;
  return [
    messages.t("verify-differences", { count: differencesTotal, countText }),
    ...shown,
    ...(more > 0 ? [messages.t("verify-differences-more", { count: formatCount(more, messages.locale) })] : []),
  ];
}

function reasonLines({ error }: Proof, messages: Messages): string[] {
  return error ? [messages.t("verify-reason", { reason: reasonFor(error, messages) })] : [];
}

function cut(text: string): string {
  return text.length > longestName ? `${text.slice(0, longestName)}…` : text;
}

/** Why a proof did not hold. */
export function reasonFor(error: NonNullable<Proof["error"]>, messages: Messages): Text | string {
  const { text, message } = error;
  return text && messages.has(text.key) ? reasonOf({ message, text }) : message;
}

/** All that is named of the differences, for a file; undefined where the message names them too. */
export function differencesDocument(proof: Proof, title: string, messages: Messages): string | undefined {
  const { differences = [], differencesTotal = 0 } = proof;
  if (differences.length <= namedDifferences) return undefined;
  const more = differencesTotal - differences.length;
  const lines = differences.map((difference) => messages.plain("verify-document-line", { ...difference }));
  if (more > 0) lines.push(messages.plain("verify-differences-more", { count: formatCount(more, messages.locale) }));
  return `${[title, "", ...lines].join("\n")}\n`;
}

/** In a list: how a backup was proven, and how long ago, as plain text. */
export function proofSummary(proofs: readonly Proof[], now: Date, messages: Messages): { mark: string; text: string } {
  const age = ({ at }: Proof): string => formatDuration(now.getTime() - Date.parse(at), messages.locale);
  const bad = failure(proofs);
  if (bad) return { mark: "❌", text: messages.plain("verify-proof-bad", { age: age(bad) }) };
  const good = deepest(proofs);
  if (!good) return { mark: "▫️", text: messages.plain("verify-proof-none") };
  const mark = good.depth === "restored" ? "✅" : "☑️";
  return { mark, text: messages.plain("verify-proof-ok", { depth: { key: `depth-${good.depth}` }, age: age(good) }) };
}
