/** Its methods that give a promise; it has no others. */
export type Demanded<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K];
};

/**
 * Something whose code is loaded when the first of its methods is called, once for all calls: every worker knows how
 * everything is done, and hardly one of them does it all. A call that cannot load it rejects, and the next tries again.
 */
export function onDemand<T extends object>(load: () => Promise<T>): Demanded<T> {
  let loaded: Promise<T> | undefined;
  const get = async (): Promise<T> => {
    loaded ??= load();
    try {
      return await loaded;
    } catch (error) {
      loaded = undefined;
      throw error;
    }
  };
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
