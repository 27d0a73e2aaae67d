import * as fc from "fast-check";
import { test as vitestTest } from "vitest";

export { fc };

/** A vitest test that checks `predicate` for generated values. */
export function test<T extends [unknown, ...unknown[]]>(
  values: { [K in keyof T]: fc.Arbitrary<T[K]> },
  name: string,
  predicate: (...values: T) => void,
): void {
  vitestTest(name, () => {
    fc.assert(
      fc.property(...values, (...generated: T) => predicate(...generated)),
      { numRuns: 300 },
    );
  });
}
