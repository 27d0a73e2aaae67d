/** Whether a key, counted from the prefix, fits one of these patterns: `*` any text, `?` one character. */
export function matcherOf(patterns: readonly string[]): (key: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll(/\*+/g, ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "su");
  });
  return (key) => expressions.some((expression) => expression.test(key));
}
