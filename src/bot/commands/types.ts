import type { Role } from "../../core/roles.ts";
import type { BotContext, BotDeps } from "../context.ts";

/** A chat command: what a file below `commands/` exports. Its text in the menu is the message `command-<name>`. */
export interface Command {
  readonly name: string;
  readonly role: Role;
  /** `argument`: what follows the command, trimmed. */
  run(ctx: BotContext, argument: string, deps: BotDeps): Promise<void>;
  /** Sets the person's own command menu anew afterwards, in the language then in force. */
  readonly renewsMenu?: boolean;
  /**
   * What becomes of it when it waited for long: `run` it, since it changes nothing, or it `asks` by itself before it
   * changes something. Without this it is not carried out; the person is asked to send it again.
   */
  readonly late?: "run" | "asks";
}
