/** Quotes as keyboards of phones write them. */
const doubleQuotes = /[“”„«»]/g;
/** The apostrophe is one of them: only a pair around a value is meant as quotes. */
const singleQuotes = /(?<=[=~])[‘‚’]([^‘‚’]*)[‘’]/g;

/** The words of a command; what stands in quotes belongs together. The quotes stay. */
export function splitWords(text: string): string[] {
  const plain = text.replaceAll(doubleQuotes, '"').replaceAll(singleQuotes, "'$1'");
  return plain.match(/(?:"(?:[^"\\]|\\.)*"|(?<=[=~])'(?:[^'\\]|\\.)*'|\S)+/g) ?? [];
}
