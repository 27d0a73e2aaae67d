import type { ChatTarget } from "../../core/card.ts";
import type { Role } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { Messages } from "../../messages/index.ts";

/** A button of a card. `action` is stable for as long as pressing it means the same. */
export interface CardButton {
  readonly action: string;
  /** Plain text. */
  readonly label: string;
  readonly style?: "danger" | "success" | "primary";
}

/** The whole text as a file. One with the same `key` (default: the text) is not sent a second time. */
export interface CardDocument {
  readonly name: string;
  readonly text: string;
  readonly key?: string;
}

/** A card as it should look now. */
export interface Rendering {
  readonly html: string;
  /** What it is about, whatever its state: what is left of it on old copies. Plain text; default: the first line. */
  readonly title?: string;
  readonly buttons: readonly (readonly CardButton[])[];
  /** The whole text as a file, when the message cannot hold it; added by the delivery where needed. */
  readonly document?: CardDocument;
  /** News worth ringing for: when it changes to this, the card is posted anew below and the old message loses its buttons. */
  readonly raise?: string;
  /** News that is said in a reply to the card as well, once per `key`: a reply rings where an edit does not. */
  readonly reply?: CardReply;
  /** Whether a new message makes no sound. Default: as the placement says. */
  readonly silent?: boolean;
}

/** What is said in a reply to the card. */
export interface CardReply {
  readonly key: string;
  readonly html: string;
  /**
   * It asks for an answer by reply, which reaches us in groups with privacy mode too: the person that it mentions finds
   * the reply opened, with this in the empty field (at most 64 characters).
   */
  readonly forceReply?: string;
}

export interface RenderContext {
  readonly messages: Messages;
  readonly timezone: string;
  readonly now: Date;
  /** Hosts on which a worker is alive; unknown where only the buttons matter. */
  readonly workers?: ReadonlySet<string>;
  /** When the card's message was posted; unknown before that, and where only the buttons matter. */
  readonly postedAt?: Date;
}

export interface ActionContext {
  readonly by: Person;
  readonly messages: Messages;
  readonly target: ChatTarget;
  /** Says something below the card, only where it was pressed. */
  readonly reply: (answer: CardAnswer) => Promise<void>;
  /** Opens a view below the card. */
  readonly open: (view: ViewOrder) => Promise<void>;
}

/** A view to be opened: its kind in `views/` and the state that it begins with, plain data. */
export interface ViewOrder {
  readonly kind: string;
  readonly state: object;
}

/** What a button answers with, beside its toast. */
export interface CardAnswer {
  readonly html: string;
  readonly document?: { readonly name: string; readonly text: string };
}

/** Within so many milliseconds an answer is not given a second time. */
export const answeredMs = 10_000;

/** What a button does. `toast` is shown before `run`: answering comes first, working afterwards. */
export interface CardAction<T> {
  readonly role: Role;
  /** It only says something below: pressed again for the same state within some seconds, it says nothing. */
  readonly isAnswer?: true;
  toast(value: T, messages: Messages, by: Person): string | Promise<string>;
  run(value: T, context: ActionContext): Promise<void>;
}

/** A kind of card: how an entity looks, and what its buttons do. */
export interface CardKind<T = never> {
  readonly kind: string;
  render(value: T, context: RenderContext): Rendering;
  /** For a card that is made of what is kept elsewhere: reads the newest state of it. Undefined: it is gone. */
  load?(id: string): Promise<T | undefined>;
  /** Why a button that the card has no longer does nothing now; undefined: it is out of date. */
  refusal?(value: T, action: string, messages: Messages): string | undefined;
  /** A reply that asks for an answer stands in the chat: by this message the answer is recognised. */
  asked?(id: string, key: string, at: { readonly chatId: number; readonly messageId: number }): Promise<void>;
  readonly actions: Readonly<Record<string, CardAction<T>>>;
}
