import type { Config } from "../../app/config.ts";
import { type Depth, depths } from "../../core/proof.ts";
import { storedBytes } from "../../core/run.ts";
import { formatBytes, formatDuration, formatTime } from "../../messages/format.ts";
import type { VerifiableBackup, VerificationOrders } from "../../services/backup/verifications.ts";
import { estimateRestore } from "../../services/restore/estimate.ts";
import type { Verifications } from "../../state/verifications.ts";
import { dialogLifeMs } from "../dialog.ts";
import { proofSummary } from "../proof-text.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface VerifyViewDeps {
  readonly config: Pick<Config, "backups" | "timezone">;
  readonly verificationOrders: VerificationOrders;
  readonly verifications: Pick<Verifications, "restores">;
}

/** What is asked: which name, which of its backups, how deep. */
export interface VerifyState {
  readonly name?: string;
  /** Id of the backup's run. */
  readonly backup?: string;
  readonly page?: number;
  /** "" when it was cancelled, else the id of the verification. */
  readonly done?: string;
}

const namesPerPage = 8;
const backupsPerPage = 6;

/** The question behind /verify: what, and how deep; what each depth costs is said. Its one effect is one verification. */
export function verifyView(deps: VerifyViewDeps): ViewKind<VerifyState> {
  return {
    kind: "verify",
    role: "operator",
    isPersonal: true,
    lifeMs: dialogLifeMs,
    command: "/verify",
    render: async (state, context) => {
      const { messages } = context;
      if (state.done === "") return { html: messages.t("dialog-cancelled", { command: "/verify" }), rows: [] };
      if (state.done !== undefined) return { html: messages.t("verify-ordered"), rows: [] };
      if (state.name === undefined) return await chooseName(state, context, deps);
      if (state.backup === undefined) return await chooseBackup(state.name, state, context, deps);
      return await chooseDepth(state.name, state.backup, context, deps);
    },
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

async function press(
  state: VerifyState,
  what: string,
  { id, messages }: ViewContext,
  { config, verificationOrders: orders }: VerifyViewDeps,
): Promise<ViewPress<VerifyState>> {
  if (state.done === "") return { toast: messages.plain("toast-dialog-cancelled") };
  if (state.done !== undefined) return { toast: messages.plain("toast-dialog-done") };
  if (what === "cancel") return { run: async () => ({ ...state, done: "" }) };
  // Everything that decides is in the button, as it was seen when it was pressed.
  const [verb = "", first = "", second = ""] = what.split("-");
  if (verb === "page") return { run: async () => ({ ...state, page: Number(first) || 0 }) };
  if (verb === "names") return { run: async () => ({}) };
  const { name } = config.backups.find((backup) => digestOf(backup.name) === first) ?? {};
  if (name === undefined) return { toast: messages.plain("toast-outdated") };
  if (verb === "name") return { run: async () => ({ name }) };
  if (verb === "backup") return { run: async () => ({ name, backup: second }) };
  const depth = depths.find((candidate) => verb === candidate);
  if (!depth) return { toast: messages.plain("toast-outdated") };
  const backup = await orders.backup(name, second);
  if (!backup) return { toast: messages.plain("toast-outdated"), run: async () => ({ name }) };
  return {
    toast: messages.plain("toast-verifying"),
    run: async ({ by, target }) => {
      const order = { backup, depth, trigger: "chat", source: `view:${id}`, requestedBy: by, target } as const;
      return { ...state, done: (await orders.request(order)).verification.id };
    },
  };
}

async function chooseName(
  { page: wanted }: VerifyState,
  { messages, now }: ViewContext,
  { config, verificationOrders: orders }: VerifyViewDeps,
): Promise<ViewShown> {
  const { page, pages, from } = pageOf(wanted, config.backups.length, namesPerPage);
  const shown = config.backups.slice(from, from + namesPerPage);
  const lines = await Promise.all(
    shown.map(async ({ name }) => {
      const [newest] = await orders.backups(name, 1);
      if (!newest) return messages.t("verify-choose-none", { name });
      const { mark, text } = proofSummary(newest.proofs, now, messages);
      return messages.t("verify-choose-more", { name: `${mark} ${name}`, proof: text });
    }),
  );
  const rows: ViewButton[][] = shown.map(({ name }) => [{ what: `name-${digestOf(name)}`, label: name }]);
  rows.push([...pageRow(page, pages, messages), cancel(messages)]);
  return { html: [messages.t("verify-choose"), lines.join("\n")].join("\n\n"), rows };
}

async function chooseBackup(
  name: string,
  { page: wanted }: VerifyState,
  { messages, now }: ViewContext,
  { config, verificationOrders: orders }: VerifyViewDeps,
): Promise<ViewShown> {
  const backups = await orders.backups(name);
  const back: ViewButton[] =
    config.backups.length > 1 ? [{ what: "names", label: messages.plain("button-previous") }] : [];
  if (backups.length === 0)
    return { html: messages.t("verify-choose-none", { name }), rows: back.length === 0 ? [] : [back] };
  const { page, pages, from } = pageOf(wanted, backups.length, backupsPerPage);
  const shown = backups.slice(from, from + backupsPerPage);
  const at = ({ manifest }: VerifiableBackup): string =>
    formatTime(new Date(manifest.startedAt), messages.locale, config.timezone);
  const lines = shown.map((backup) => {
    const { mark, text } = proofSummary(backup.proofs, now, messages);
    const size = formatBytes(storedBytes(backup.manifest), messages.locale);
    return messages.t("verify-line", { mark, at: at(backup), size, proof: text });
  });
  const rows: ViewButton[][] = shown.map((backup) => [
    { what: `backup-${digestOf(name)}-${backup.id}`, label: at(backup) },
  ]);
  rows.push([...pageRow(page, pages, messages), cancel(messages)]);
  return { html: [messages.t("verify-choose-backup", { name }), lines.join("\n")].join("\n\n"), rows };
}

async function chooseDepth(
  name: string,
  id: string,
  { messages, now }: ViewContext,
  { config, verificationOrders: orders, verifications }: VerifyViewDeps,
): Promise<ViewShown> {
  const backup = await orders.backup(name, id);
  if (!backup) return { html: messages.t("verify-no-such-id", { name, backup: id }), rows: [] };
  const { locale } = messages;
  const { mark, text } = proofSummary(backup.proofs, now, messages);
  const size = formatBytes(storedBytes(backup.manifest), locale);
  const at = formatTime(new Date(backup.manifest.startedAt), locale, config.timezone);
  const storage = orders.storageFor(backup);
  const cost = [messages.t("verify-cost", { size, storage: storage ?? "–" })];
  const route = storage === undefined ? {} : { storage };
  const estimate = estimateRestore(await verifications.restores(name), backup.manifest, [], route);
  if (estimate) cost.push(messages.t("verify-cost-restore", { duration: formatDuration(estimate.totalMs, locale) }));
  const depthLines = depths.toReversed().map((depth) =>
    messages.t("verify-line-depth", {
      depth: { key: `button-depth-${depth}` },
      text: { key: `verify-depth-${depth}-text` },
    }),
  );
  const button = (depth: Depth): ViewButton => ({
    what: `${depth}-${digestOf(name)}-${id}`,
    label: messages.plain(`button-depth-${depth}`),
    ...(depth === "restored" ? { style: "primary" as const } : {}),
  });
  return {
    html: [
      messages.t("verify-choose-backup-one", {
        name,
        line: messages.plain("verify-line", { mark, at, size, proof: text }),
      }),
      [messages.t("verify-choose-depth"), ...depthLines].join("\n"),
      cost.join(" "),
    ].join("\n\n"),
    rows: [[button("restored")], [button("readable"), button("stored")], [cancel(messages)]],
  };
}

function cancel(messages: ViewContext["messages"]): ViewButton {
  return { what: "cancel", label: messages.plain("button-cancel") };
}
