import type { Config } from "../../app/config.ts";
import { storedBytes } from "../../core/run.ts";
import { formatBytes, formatCount } from "../../messages/format.ts";
import { healthOf } from "../../services/backup/health.ts";
import { timeOf } from "../backup-words.ts";
import { proofSummary } from "../proof-text.ts";
import type { BackupsState, BackupsViewDeps } from "./backups.ts";
import { healthLines, seenLine } from "./backups-overview.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const backupsPerPage = 8;
const buttonsInRow = 4;

/** One name: how it stands, and its backups, newest first. */
export async function backupsOfName(
  backup: Config["backups"][number],
  { namePage }: BackupsState,
  { messages, now }: ViewContext,
  deps: BackupsViewDeps,
): Promise<ViewShown> {
  const { catalogue, config } = deps;
  const { name } = backup;
  const { locale } = messages;
  const health = await healthOf(deps, backup);
  // The list may have become shorter since the button was shown.
  const { total } = await catalogue.page(name, 0, 0);
  const { page, pages, from } = pageOf(namePage, total, backupsPerPage);
  const { entries } = await catalogue.page(name, from, backupsPerPage);
  const lines = entries.map(({ manifest, copies, proofs, pin }, index) =>
    messages.t("backups-line", {
      number: formatCount(from + index + 1, locale),
      mark: proofSummary(proofs, now, messages).mark,
      at: timeOf(manifest.startedAt, messages, config.timezone),
      size: formatBytes(storedBytes(manifest), locale),
      copies: copies.join(", "),
      pin: pin ? " 📌" : "",
    }),
  );
  const args = { page: formatCount(page + 1, locale), pages: formatCount(pages, locale) };
  const foot = [
    seenLine([health], messages, config.timezone),
    ...(pages > 1 ? [messages.t("backups-page", args)] : []),
  ];
  const list =
    total === 0
      ? messages.t(health.seenAt ? "backups-of-none" : "backups-of-unknown")
      : [messages.t("backups-of", { count: formatCount(total, locale) }), ...lines].join("\n");
  const numbers: ViewButton[] = entries.map(({ manifest }, index) => ({
    what: `show-${digestOf(name)}-${manifest.id}`,
    label: String(from + index + 1),
  }));
  const rows: ViewButton[][] = [];
  for (let start = 0; start < numbers.length; start += buttonsInRow)
    rows.push(numbers.slice(start, start + buttonsInRow));
  rows.push([
    { what: "back", label: messages.plain("button-back") },
    ...pageRow(page, pages, messages),
    { what: "refresh", label: messages.plain("button-refresh") },
  ]);
  return { html: [healthLines(health, { messages, now }, deps).join("\n"), list, foot.join(" · ")].join("\n\n"), rows };
}
