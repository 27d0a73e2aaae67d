/** Quotes as keyboards of phones write them. */
const quotes = /[“”„«»]/g;

/** The words of a command; what stands in quotes belongs together. The quotes stay. */
export function splitWords(text: string): string[] {
  return text.replaceAll(quotes, '"').match(/(?:"(?:[^"\\]|\\.)*"|\S)+/g) ?? [];
}
