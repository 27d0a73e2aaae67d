/**
 * Does all of it, one after the other, whatever becomes of what comes before. Then throws what the first failure threw;
 * what else was thrown is handed to `also`, each once: without Redis all say the same.
 */
export async function oneByOne(
  works: readonly (() => Promise<unknown>)[],
  also: (error: unknown) => void,
): Promise<void> {
  const failures = new Map<string, unknown>();
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      if (!failures.has(String(error))) failures.set(String(error), error);
    }
  }
  const [first, ...others] = failures.values();
  for (const error of others) also(error);
  if (failures.size > 0) throw first;
}
