/** A card's identity: its kind chooses the renderer, its id the entity. */
export interface CardRef {
  readonly kind: string;
  readonly id: string;
}

/** Reads `<kind>/<id>`. */
export function parseRef(text: string): CardRef {
  const cut = text.indexOf("/");
  return { kind: text.slice(0, cut), id: text.slice(cut + 1) };
}
