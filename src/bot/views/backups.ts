import { createHash } from "node:crypto";
import type { Config } from "../../app/config.ts";
import type { HealthDeps } from "../../services/backup/health.ts";
import type { LinkOrders } from "../../services/backup/links.ts";
import type { PinOrders } from "../../services/backup/pins.ts";
import { type CatalogueDueDeps, refreshCatalogue } from "../../services/catalogue-keeper.ts";
import type { Pins } from "../../state/pins.ts";
import type { RestoreDialogArgs } from "../conversations/restore.ts";
import { backupDetails } from "./backups-details.ts";
import { backupsOfName } from "./backups-name.ts";
import { backupsOverview } from "./backups-overview.ts";
import { digestOf } from "./pages.ts";
import type { ViewContext, ViewKind, ViewPress } from "./types.ts";

export interface BackupsViewDeps extends HealthDeps, CatalogueDueDeps {
  readonly config: Pick<Config, "backups" | "storages" | "timezone">;
  readonly pins: Pick<Pins, "read">;
  readonly pinOrders: Pick<PinOrders, "request">;
  readonly linkOrders: Pick<LinkOrders, "request" | "storageFor">;
  /** Where a configured storage is, for a person. */
  storageLocation(name: string): string;
}

/** What /backups shows: all names, one name's backups, or one backup. */
export interface BackupsState {
  /** Only names that contain it. */
  readonly filter?: string;
  readonly page?: number;
  readonly name?: string;
  /** Page of the name's backups. */
  readonly namePage?: number;
  /** Id of the backup's run. */
  readonly backup?: string;
  /** Its folder, where that was known when it was chosen. */
  readonly folder?: string;
}

/** Refresh has the storages looked into again whose last look is older; milliseconds. */
const lookAgainMs = 30_000;

const lifeMs = 24 * 3_600_000;

/** /backups: how every backup stands, the backups of a name, and each of them with what can be done with it. */
export function backupsView(deps: BackupsViewDeps): ViewKind<BackupsState> {
  return {
    kind: "backups",
    role: "viewer",
    lifeMs,
    command: "/backups",
    render: async (state, context) => {
      const backup = deps.config.backups.find(({ name }) => name === state.name);
      if (!backup) return await backupsOverview(state, context, deps);
      if (state.backup === undefined) return await backupsOfName(backup, state, context, deps);
      return await backupDetails(backup, state.backup, context, deps);
    },
    pulse: async (state) => await pulseOf(state, deps),
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

/** Of one backup: its pin and its proofs, which jobs write. */
async function pulseOf(
  { name, backup, folder: known }: BackupsState,
  { catalogue, pins }: BackupsViewDeps,
): Promise<string | undefined> {
  if (name === undefined || backup === undefined) return undefined;
  const folder = known ?? (await catalogue.find(name, backup))?.folder;
  if (folder === undefined) return undefined;
  const [pending, copies] = await Promise.all([pins.read(folder), catalogue.copiesOf(name, folder)]);
  return createHash("sha256")
    .update(JSON.stringify([pending, copies]))
    .digest("base64url");
}

async function press(
  state: BackupsState,
  what: string,
  context: ViewContext,
  deps: BackupsViewDeps,
): Promise<ViewPress<BackupsState>> {
  const { messages } = context;
  const [verb = "", first = "", second = ""] = what.split("-");
  const { name: shown, namePage: _, backup: __, folder: ___, ...overview } = state;
  switch (verb) {
    case "page":
      return { run: async () => pageTo(state, Number(first) || 0) };
    case "back":
      return { run: async () => (state.backup === undefined ? overview : without(state)) };
    case "refresh":
      await refreshCatalogue(deps, lookAgainMs);
      return { run: async () => state };
  }
  // Everything that decides is in the button, as it was seen when it was pressed.
  const { name } = deps.config.backups.find((backup) => digestOf(backup.name) === first) ?? {};
  if (name === undefined) return { toast: messages.plain("toast-outdated"), run: async () => overview };
  switch (verb) {
    case "name":
      return { run: async () => ({ ...overview, name }) };
    case "show":
      return { run: async () => await one(overview, name, second, shown === name ? (state.namePage ?? 0) : 0, deps) };
    case "verify":
      return {
        toast: messages.plain("toast-choose"),
        role: "operator",
        run: async ({ open }) => {
          await open({ kind: "verify", state: { name, backup: second } });
          return undefined;
        },
      };
    case "restore": {
      if (!(await deps.catalogue.find(name, second)))
        return { toast: messages.plain("toast-backup-gone"), run: async () => state };
      const args: Pick<RestoreDialogArgs, "choice"> = { choice: { name, backup: second } };
      return { toast: messages.plain("toast-restore-choose"), role: "operator", begin: { dialog: "restore", args } };
    }
    case "pin":
    case "unpin":
      return await pinPress(state, { name, run: second, pinned: verb === "pin" }, context, deps);
    case "link":
      return await linkPress({ name, run: second }, context, deps);
    default:
      return { toast: messages.plain("toast-outdated"), run: async () => state };
  }
}

function pageTo(state: BackupsState, page: number): BackupsState {
  return state.name === undefined ? { ...state, page } : { ...state, namePage: page };
}

function without(state: BackupsState): BackupsState {
  const { backup: _, folder: __, ...rest } = state;
  return rest;
}

async function one(
  overview: BackupsState,
  name: string,
  backup: string,
  namePage: number,
  { catalogue }: BackupsViewDeps,
): Promise<BackupsState> {
  const { folder } = (await catalogue.find(name, backup)) ?? {};
  return { ...overview, name, namePage, backup, ...(folder === undefined ? {} : { folder }) };
}

async function pinPress(
  state: BackupsState,
  wanted: { readonly name: string; readonly run: string; readonly pinned: boolean },
  { messages }: ViewContext,
  { catalogue, pinOrders }: BackupsViewDeps,
): Promise<ViewPress<BackupsState>> {
  if (!(await catalogue.find(wanted.name, wanted.run)))
    return { toast: messages.plain("toast-backup-gone"), run: async () => state };
  return {
    toast: messages.plain(wanted.pinned ? "toast-pinning" : "toast-unpinning"),
    role: "admin",
    run: async ({ by }) => {
      await pinOrders.request({ ...wanted, by });
      return state;
    },
  };
}

async function linkPress(
  { name, run }: { readonly name: string; readonly run: string },
  { messages, isPrivate }: ViewContext,
  { catalogue, linkOrders }: BackupsViewDeps,
): Promise<ViewPress<BackupsState>> {
  const role = "admin";
  const entry = await catalogue.find(name, run);
  if (!entry) return { role, toast: messages.plain("toast-backup-gone") };
  if (!isPrivate) return { role, toast: messages.plain("toast-link-private") };
  const storage = linkOrders.storageFor(entry.copies);
  if (storage === undefined) return { role, toast: messages.plain("toast-link-local") };
  return {
    role,
    toast: messages.plain("toast-link-asked"),
    run: async ({ by, target, messages: { locale } }) => {
      const { folder } = entry;
      await linkOrders.request({ name, run, folder, storage, by, locale, chatId: target.chatId });
      return undefined;
    },
  };
}
