import { createHash } from "node:crypto";
import type { Claim } from "../state/claims.ts";
import type { Rendering } from "./cards/types.ts";
import { plainText, shorten } from "./html.ts";

/** A rendering made fit for Telegram. */
export interface Shown {
  readonly html: string;
  /** Of text and buttons: what is shown already needs no call. */
  readonly hash: string;
  readonly rendering: Rendering;
  /** The text that goes beside the card as a file, where the message cannot hold it. */
  readonly document?: { readonly name: string; readonly text: string; readonly hash: string };
}

/** What is to be done for a claim: one call each, so that each spends what was claimed for it. */
type Errand = "message" | "reply" | "strip" | "document" | "nothing";

/** Shortens what is too long and ends it with `note`; the whole of it is then the file beside the card. */
export function fitted(rendering: Rendering, { card }: Pick<Claim, "card">, note: string): Shown {
  const { html, cut } = shorten(rendering.html, note);
  const text = rendering.document?.text ?? plainText(rendering.html);
  const name = rendering.document?.name ?? `${card.kind}-${card.id}.txt`;
  return {
    html,
    hash: digest(JSON.stringify([html, rendering.buttons])),
    rendering,
    ...(cut || rendering.document ? { document: { name, text, hash: digest(rendering.document?.key ?? text) } } : {}),
  };
}

/** The newest state first, tidying up afterwards. */
export function nextErrand(claim: Claim, { hash, rendering, document }: Shown): Errand {
  if (claim.messageId === undefined || hash !== claim.renderedHash || isRaised(claim, rendering)) return "message";
  if (isUnsaid(claim, rendering)) return "reply";
  if (claim.stray !== undefined) return "strip";
  return document !== undefined && document.hash !== claim.documentHash ? "document" : "nothing";
}

/** True for news worth ringing for that was not posted yet. */
export function isRaised(claim: Claim, { raise }: Rendering): boolean {
  return raise !== undefined && raise !== claim.raised;
}

/** True for news to be said in a reply that was not said yet. */
export function isUnsaid(claim: Claim, { reply }: Rendering): boolean {
  return reply !== undefined && reply.key !== claim.replied;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
