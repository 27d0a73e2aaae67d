import { type ChatTarget, type Urgency, urgencies } from "../core/card.ts";
import { type CardRef, parseRef } from "./card-ref.ts";

/** A placement that was claimed for delivery. */
export interface Claim {
  readonly placement: string;
  readonly claim: string;
  readonly card: CardRef;
  readonly revision: number;
  readonly urgency: Urgency;
  readonly body: unknown;
  readonly target: ChatTarget;
  readonly silent: boolean;
  readonly messageId?: number;
  readonly renderedHash?: string;
  readonly documentHash?: string;
  /** For which news the message was posted anew, so that it rang. */
  readonly raised?: string;
  /** Which news was said in a reply to the message. */
  readonly replied?: string;
  /** When the message was posted, milliseconds since 1970. */
  readonly postedAt?: number;
  /** A copy of the card in the same chat that is no longer in force and still looks as if it were; the oldest such. */
  readonly stray?: number;
  /** The placement as which the card goes on elsewhere: of this one there are only old copies. */
  readonly moved?: string;
  /** When the claim ends, milliseconds since 1970: nothing may be sent for it afterwards. */
  readonly until: number;
  readonly failures: number;
}

/** What a claim has put into the chat. */
export interface Delivered {
  readonly messageId: number;
  /** Of the rendering that is shown now. */
  readonly hash: string;
  readonly raised?: string;
  readonly replied?: string;
  /** False when nothing was called: the budget gets it back. */
  readonly spent: boolean;
  /** The message takes the place of the recorded one, which becomes a stray copy. */
  readonly replaced?: boolean;
  /** The stray copy has lost its buttons and says that the card goes on elsewhere. */
  readonly stripped?: boolean;
  /** Of the whole text that was sent as a file. */
  readonly documentHash?: string;
  /** Something is left to do for the same revision: the placement stays dirty. */
  readonly more?: boolean;
}

/** What the script answers that has claimed a placement: "taken", its id, the card's revision, value and urgency, fields. */
export type ClaimAnswer = readonly ["taken", string, string, string, string, readonly string[]];

/** `until`: when the claim ends, milliseconds since 1970. */
export function claimOf(answer: ClaimAnswer, claim: string, until: number): Claim {
  const [, placement, revision, body, urgency, fields] = answer;
  const field = new Map<string, string>();
  for (let index = 0; index < fields.length; index += 2) field.set(fields[index] ?? "", fields[index + 1] ?? "");
  const text = (name: string): string | undefined => field.get(name) || undefined;
  const thread = text("thread");
  const messageId = text("messageId");
  const renderedHash = text("hash");
  const documentHash = text("documentHash");
  const raised = text("raised");
  const stray = text("stray");
  const moved = text("moved");
  const replied = text("replied");
  const postedAt = text("postedAt");
  return {
    placement,
    claim,
    card: parseRef(text("card") ?? ""),
    revision: Number(revision),
    urgency: (Object.keys(urgencies) as Urgency[])[Number(urgency)] ?? "normal",
    body: JSON.parse(body),
    target: { chatId: Number(text("chat")), ...(thread === undefined ? {} : { threadId: Number(thread) }) },
    silent: text("silent") === "1",
    ...(messageId === undefined ? {} : { messageId: Number(messageId) }),
    ...(renderedHash === undefined ? {} : { renderedHash }),
    ...(documentHash === undefined ? {} : { documentHash }),
    ...(raised === undefined ? {} : { raised }),
    ...(stray === undefined ? {} : { stray: Number(stray.split(",", 1)[0]) }),
    ...(moved === undefined ? {} : { moved }),
    ...(replied === undefined ? {} : { replied }),
    ...(postedAt === undefined ? {} : { postedAt: Number(postedAt) }),
    until,
    failures: Number(text("failures") ?? 0),
  };
}
