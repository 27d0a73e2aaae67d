import { AppError } from "../core/errors.ts";
import { UsageError } from "./report.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Has a person type a name before something is done: what can not be done by a key pressed too soon. Throws `UsageError`
 * where there is nobody to ask, `conflict` when something else was typed or the input has ended.
 */
export async function confirmByName(terminal: Terminal, key: string, name: string): Promise<void> {
  if (!terminal.interactive) throw new UsageError("cli-nobody");
  const answer = await terminal.ask(`${terminal.messages.plain(key, { name })} `);
  if (answer?.trim() === name) return;
  throw new AppError("conflict", `${name} was not typed: nothing was done`, {
    text: { key: "cli-not-confirmed", args: { name } },
  });
}
