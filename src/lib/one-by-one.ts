/**
 * Does all of it, one after the other, whatever becomes of what comes before. Then throws what the first failure threw;
 * those of the others are handed to `also`.
 */
export async function oneByOne(
  works: readonly (() => Promise<unknown>)[],
  also: (error: unknown) => void,
): Promise<void> {
  const failures: unknown[] = [];
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  for (const error of others) also(error);
  if (failures.length > 0) throw first;
}
