import type { Api } from "grammy";
import type { View } from "../../state/views.ts";
import type { BotDeps } from "../context.ts";
import { readFailure } from "../telegram-error.ts";
import { kindOf, messageOf, type RenderDeps, renderView } from "./render.ts";

type Deps = RenderDeps & Pick<BotDeps, "views" | "logger">;

/**
 * Edits open views of which something has changed that nobody has pressed for: a job has written a pin, a verification
 * has ended. What was pressed meanwhile, is over or was deleted is left alone. In a busy chat an edit waits for room: the
 * others do not wait for it.
 */
export async function refreshViews(deps: Deps, api: Pick<Api, "editMessageText">): Promise<void> {
  const views = await deps.views.watched();
  await Promise.all(views.map(async (view) => await refresh(deps, api, view)));
}

async function refresh(deps: Deps, api: Pick<Api, "editMessageText">, view: View): Promise<void> {
  const { views, clock } = deps;
  if (view.messageId === undefined || view.expiresAt <= clock.now().getTime()) return;
  const pulse = await kindOf(deps, view.kind).pulse?.(view.state);
  if (pulse === undefined || pulse === view.pulse || !(await views.claim(view.id))) return;
  try {
    await showChange(deps, api, view.id);
  } finally {
    await views.release(view.id);
  }
}

/** How often a view is shown once more that is pressed meanwhile. */
const mostPresses = 5;

async function showChange(deps: Deps, api: Pick<Api, "editMessageText">, id: string): Promise<void> {
  for (let press = 0; press < mostPresses; press += 1) {
    const view = await deps.views.read(id);
    if (view?.messageId === undefined || view.pulse === undefined) return;
    const { shown, pulse } = await renderView(deps, view);
    if (!(await edit(deps, api, view, messageOf(view, shown)))) return;
    // Else what was shown just now may lie above what the press has shown: the newest state is shown again.
    if (pulse.pulse === undefined || (await deps.views.setPulse(view, pulse.pulse))) return;
  }
}

/** False when it is left as it is: for good, or until the next look. */
async function edit(
  { views, logger }: Deps,
  api: Pick<Api, "editMessageText">,
  { id, chatId, messageId }: View,
  { text, options }: ReturnType<typeof messageOf>,
): Promise<boolean> {
  try {
    await api.editMessageText(chatId, messageId ?? 0, text, options);
    return true;
  } catch (error) {
    const failure = readFailure(error);
    if (failure.kind === "not-modified") return true;
    logger.debug({ view: id, failure }, "a view could not be brought up to date");
    if (failure.kind !== "passing" && failure.kind !== "retry-after") await views.settle(id);
    return false;
  }
}
