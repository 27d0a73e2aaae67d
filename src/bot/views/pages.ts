import { createHash } from "node:crypto";
import type { Messages } from "../../messages/index.ts";
import type { ViewButton } from "./types.ts";

/** The page to show, counted from 0: the list may have become shorter since its button was shown. */
export function pageOf(
  wanted: number | undefined,
  total: number,
  size: number,
): { readonly page: number; readonly pages: number; readonly from: number } {
  const pages = Math.max(1, Math.ceil(total / size));
  const page = Math.min(Math.max(0, Math.trunc(wanted ?? 0)), pages - 1);
  return { page, pages, from: page * size };
}

/** Stands for a name in a button, whose data is too short for every name; an index would change its meaning. */
export function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 12);
}

/** Buttons to the pages beside this one: `page-<number>`. */
export function pageRow(page: number, pages: number, messages: Messages): ViewButton[] {
  return [
    ...(page > 0 ? [{ what: `page-${page - 1}`, label: messages.plain("button-previous") }] : []),
    ...(page < pages - 1 ? [{ what: `page-${page + 1}`, label: messages.plain("button-next") }] : []),
  ];
}
