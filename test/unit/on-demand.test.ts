import { expect, it, vi } from "vitest";
import { onDemand } from "../../src/lib/on-demand.ts";
import { lazyProvider } from "../../src/providers/lazy.ts";
import type { Provider } from "../../src/providers/types.ts";

class Counter {
  #count = 0;

  async add(by: number): Promise<number> {
    this.#count += by;
    return this.#count;
  }
}

it("is loaded by the first call, once for all of them, and is one thing with its own state", async () => {
  const load = vi.fn<() => Promise<Counter>>(async () => new Counter());
  const counter = onDemand(load);
  expect(load).not.toHaveBeenCalled();
  // Passed through promises it is no promise itself.
  expect(await Promise.resolve(counter)).toBe(counter);
  expect(load).not.toHaveBeenCalled();
  expect(await Promise.all([counter.add(1), counter.add(2)])).toEqual([1, 3]);
  expect(load).toHaveBeenCalledTimes(1);
});

it("is tried again after it could not be loaded", async () => {
  const load = vi.fn<() => Promise<Counter>>(async () => new Counter()).mockRejectedValueOnce(new Error("not there"));
  const counter = onDemand(load);
  await expect(counter.add(1)).rejects.toThrow("not there");
  expect(await counter.add(1)).toBe(1);
});

it("a provider that is closed before it was asked for anything is never loaded", async () => {
  const load = vi.fn<() => Promise<Provider>>(() => Promise.reject(new Error("loaded")));
  const provider = lazyProvider(load, { facts: true });
  await provider.close();
  const signal = new AbortController().signal;
  await expect(provider.facts?.([], signal)).rejects.toMatchObject({ code: "interrupted" });
  expect(load).not.toHaveBeenCalled();
});

it("a provider that could not be loaded is tried again, by whatever is asked of it, and closed once it is there", async () => {
  const close = vi.fn<() => Promise<void>>(async () => undefined);
  const provider: Provider = {
    looks: async function* none() {},
    facts: async () => new Map([["web-1", { disks: [], addresses: [] }]]),
    close,
  };
  const load = vi.fn<() => Promise<Provider>>(async () => provider).mockRejectedValueOnce(new Error("not there"));
  const lazy = lazyProvider(load, { facts: true });
  const signal = new AbortController().signal;
  await expect(lazy.facts?.([], signal)).rejects.toThrow("not there");
  expect(await lazy.facts?.([], signal)).toMatchObject({ size: 1 });
  expect(load).toHaveBeenCalledTimes(2);
  await lazy.close();
  expect(close).toHaveBeenCalledTimes(1);
});

it("calls that fail together do not load it twice afterwards", async () => {
  const load = vi.fn<() => Promise<Counter>>(async () => new Counter()).mockRejectedValueOnce(new Error("not there"));
  const counter = onDemand(load);
  const again = async (): Promise<number> => await counter.add(1).catch(async () => await counter.add(1));
  expect((await Promise.all([again(), again(), again()])).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  expect(load).toHaveBeenCalledTimes(2);
});
