import { openView } from "../views/views.ts";
import type { Command } from "./types.ts";

/** Names are no longer than that. */
const longestFilter = 63;

/** /backups [part of a name]: how the backups stand, and each of them. */
export const backups: Command = {
  name: "backups",
  role: "viewer",
  late: "run",
  run: async (ctx, argument, deps) => {
    const filter = argument.trim().toLowerCase().slice(0, longestFilter);
    const exact = deps.config.backups.find(({ name }) => name === filter);
    const state = exact ? { name: exact.name } : filter === "" ? {} : { filter };
    await openView(deps, ctx, { kind: "backups", state });
  },
};
