import type { Api } from "grammy";
import type { View } from "../../state/views.ts";
import type { BotDeps } from "../context.ts";
import { readFailure } from "../telegram-error.ts";
import { kindOf, messageOf, type RenderDeps, renderView } from "./render.ts";

type Deps = RenderDeps & Pick<BotDeps, "views" | "logger">;

/**
 * Edits open views of which something has changed that nobody has pressed for: a job has written a pin, a verification
 * has ended. Of each chat the one pressed last, which people look at: the chat's room is for answers. What was pressed
 * meanwhile, is over or was deleted is left alone. In a busy chat an edit waits for room: the others do not wait for it.
 */
export async function refreshViews(deps: Deps, api: Pick<Api, "editMessageText">): Promise<void> {
  const newest = new Map<number, View>();
  for (const view of await deps.views.watched())
    if (view.messageId !== undefined && !isOver(deps, view) && !newest.has(view.chatId)) newest.set(view.chatId, view);
  await Promise.all([...newest.values()].map(async (view) => await refresh(deps, api, view)));
}

async function refresh(deps: Deps, api: Pick<Api, "editMessageText">, view: View): Promise<void> {
  const { views, clock } = deps;
  const pulse = await kindOf(deps, view.kind).pulse?.(view.state, clock.now());
  if (pulse === undefined || pulse === view.pulse) return;
  const token = await views.claim(view.id);
  if (token === undefined) return;
  let isDone = false;
  try {
    isDone = await showChange(deps, api, view.id);
  } finally {
    // What could not be shown is not rendered again every second, for as long as Telegram or the chat refuses it.
    await (isDone ? views.release(view.id, token) : views.rest(view.id, token));
  }
}

/** How often a view is shown once more that is pressed meanwhile. */
const mostPresses = 5;

/** False when it is to be tried again later. */
async function showChange(deps: Deps, api: Pick<Api, "editMessageText">, id: string): Promise<boolean> {
  const { views } = deps;
  for (let press = 0; press < mostPresses; press += 1) {
    const view = await views.read(id);
    if (view?.messageId === undefined) return true;
    // Pressed before anything was shown. Later what was shown may lie above what a press has shown, whatever that was.
    if (press === 0 && view.pulse === undefined) return true;
    if (isOver(deps, view)) {
      await views.expireAgain(view);
      return true;
    }
    const { shown, pulse } = await renderView(deps, view);
    const outcome = await edit(deps, api, view, messageOf(view, shown));
    if (outcome === "gone") return true;
    const isLatest = outcome === "shown" && (await views.setPulse(view, pulse.pulse));
    // The wait for room may have outlasted it: the buttons were taken, and are there again.
    if (outcome === "later" || isLatest) {
      if (isOver(deps, view)) await views.expireAgain(view);
      return isLatest;
    }
  }
  return true;
}

function isOver({ clock }: Pick<Deps, "clock">, { expiresAt }: View): boolean {
  return expiresAt <= clock.now().getTime();
}

/** "later": it is not known to be shown, and may be another time; "gone": there is no message for it. */
async function edit(
  { views, logger }: Deps,
  api: Pick<Api, "editMessageText">,
  { id, chatId, messageId }: View,
  { text, options }: ReturnType<typeof messageOf>,
): Promise<"shown" | "later" | "gone"> {
  try {
    await api.editMessageText(chatId, messageId ?? 0, text, options);
    return "shown";
  } catch (error) {
    const failure = readFailure(error);
    if (failure.kind === "not-modified") return "shown";
    logger.debug({ view: id, failure }, "a view could not be brought up to date");
    if (failure.kind === "passing" || failure.kind === "retry-after") return "later";
    await views.settle(id);
    return "gone";
  }
}
