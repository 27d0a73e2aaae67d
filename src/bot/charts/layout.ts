/**
 * Where what stands in a picture; in points of a phone 360 wide, three pixels each. Telegram scales what is longer than
 * 1280 pixels down, and phones scale what is wider than their screen: neither happens to this.
 */
export const width = 360;
export const height = 424;
export const pixelsPerPoint = 3;

/** What belongs to time begins and ends here. */
export const plot = { left: 52, right: width - 10 } as const;
export const plotWidth = plot.right - plot.left;

const top = 51;
const panelHeight = 81;
const titleHeight = 20;
const gap = 8;

/** The lane of incidents, starts and times without power, above all panels. */
export const lane = { top: 45, height: 4 } as const;

/** Of the panel with this number, from above: its title's middle, its plot's begin and height. */
export function panelAt(index: number): { readonly title: number; readonly top: number; readonly height: number } {
  const begin = top + index * panelHeight;
  return { title: begin + 10, top: begin + titleHeight, height: panelHeight - titleHeight - gap };
}

/** Middle of the times below the last of so many panels. */
export function axisAt(panels: number): number {
  return top + panels * panelHeight + 3;
}

/** Middles of the rows of what explains the marks; the second is for those that find no room in the first. */
export const legendRows = [height - 28, height - 11] as const;

/** How far from the left a moment is. */
export function xOf(at: number, { from, to }: { readonly from: number; readonly to: number }): number {
  const part = (at - from) / Math.max(1, to - from);
  return plot.left + Math.min(1, Math.max(0, part)) * plotWidth;
}

/** About how wide a text is: no font is at hand where it is asked. */
export function textWidth(text: string, size: number): number {
  return Array.from(text).length * size * 0.53;
}
