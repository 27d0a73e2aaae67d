import type { Role } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { Messages } from "../../messages/index.ts";
import type { ActionContext } from "../cards/types.ts";
import type { DialogOrder } from "../context.ts";

/** A button of a view. `what` comes back when it is pressed: letters, digits, "-" and "_", at most 40 bytes. */
export interface ViewButton {
  readonly what: string;
  /** Plain text. */
  readonly label: string;
  readonly style?: "danger" | "success" | "primary";
}

/** How a view looks now. Without buttons it is over. */
export interface ViewShown {
  readonly html: string;
  /** It is a picture, and `html` stands below it: at most 1024 characters. */
  readonly picture?: { readonly name: string; readonly png: Uint8Array };
  readonly rows: readonly (readonly ViewButton[])[];
}

export interface ViewContext {
  /** The view's own: the same as long as it lives. */
  readonly id: string;
  /** In the language of whoever has opened it. */
  readonly messages: Messages;
  readonly now: Date;
  /** Whether it is in the private chat of whoever has opened it. */
  readonly isPrivate: boolean;
}

/** What a press leads to. The toast is shown first, then it is carried out. */
export interface ViewPress<S> {
  /** A function is asked when it is certain who may press. */
  readonly toast?: string | ((by: Person) => Promise<string>);
  /** Who may press it, when that is not everybody who may use the view. */
  readonly role?: Role;
  /** A dialog that it leads to, after `run`. */
  readonly begin?: DialogOrder;
  /** Resolves with the state to show; undefined leaves the view as it is. */
  readonly run?: (context: ActionContext) => Promise<S | undefined>;
}

/**
 * A kind of view: it answers a command directly and keeps its paging in its buttons. Its state is plain data in Redis,
 * so it works after restarts and in every bot; what decides something travels in the button that was pressed, so that
 * two presses at the same time cannot mix.
 */
export interface ViewKind<S extends object = never> {
  readonly kind: string;
  readonly role: Role;
  /** How long it lives after its last press; milliseconds. */
  readonly lifeMs: number;
  /** Only whoever has opened it may press: a question to one person. */
  readonly isPersonal?: boolean;
  /** The command that begins it anew. */
  readonly command: string;
  render(state: S, context: ViewContext): Promise<ViewShown>;
  /**
   * Stands for what of it may change without a press: while the view is open and this becomes another, its message is
   * edited. Cheap: asked about once a second. Undefined: nothing of it does.
   */
  pulse?(state: S, now: Date): Promise<string | undefined>;
  press(state: S, what: string, context: ViewContext): Promise<ViewPress<S>>;
}
