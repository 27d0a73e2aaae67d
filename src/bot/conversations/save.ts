import type { ChatTarget } from "../../core/card.ts";
import type { BotDeps, Caller } from "../context.ts";
import { dialogLifeMs } from "../dialog.ts";

/** What every dialog is begun with: plain data, kept in Redis to begin it anew. */
export interface DialogArgs {
  readonly caller: Caller;
  readonly place: ChatTarget;
  /** Why it is asked again: the order (`command`, waited so long) or the press came too late, or the thread was lost. */
  readonly again?: "command" | "press" | "lost";
  readonly waitedMs?: number;
}

/** Puts on record how a dialog stands; from now on there is its whole time again for the next step. */
export async function saveDialog<A extends DialogArgs>(
  deps: Pick<BotDeps, "dialogs" | "clock">,
  id: string,
  dialog: { readonly kind: string; readonly command: string; readonly messageId: number | undefined },
  args: A,
): Promise<void> {
  const { kind, command, messageId } = dialog;
  const { again: _, waitedMs: __, ...kept } = args;
  const { caller, place } = args;
  await deps.dialogs.save({
    id,
    kind,
    chatId: place.chatId,
    ...(place.threadId === undefined ? {} : { threadId: place.threadId }),
    userId: caller.id,
    userName: caller.name,
    locale: caller.locale,
    command,
    args: JSON.stringify(kept),
    ...(messageId === undefined ? {} : { messageId }),
    expiresAt: deps.clock.now().getTime() + dialogLifeMs,
    status: "open",
  });
}
