/** Its methods that give a promise; it has no others. */
export type Demanded<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K];
};

/** Loads something once for all who ask for it, when the first one does. When that fails, the next one tries again. */
export function loadedOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return async () => {
    loading ??= load();
    const mine = loading;
    try {
      return await mine;
    } catch (error) {
      // By now somebody else may be loading it anew: then there would be two of it.
      if (loading === mine) loading = undefined;
      throw error;
    }
  };
}

/**
 * Something whose code is loaded when the first of its methods is called, once for all calls: every worker knows how
 * everything is done, and hardly one of them does it all. A call that cannot load it rejects, and the next tries again.
 */
export function onDemand<T extends object>(load: () => Promise<T>): Demanded<T> {
  const get = loadedOnce(load);
  const methods: Record<PropertyKey, unknown> = {};
  return new Proxy(methods, {
    get: (known, name) => {
      // Whoever waits for it as for a promise has it already.
      if (name === "then" || Object.hasOwn(known, name)) return known[name];
      return async (...args: unknown[]) => {
        const target = (await get()) as Record<PropertyKey, (...given: unknown[]) => Promise<unknown>>;
        return await target[name]?.(...args);
      };
    },
  }) as Demanded<T>;
}
