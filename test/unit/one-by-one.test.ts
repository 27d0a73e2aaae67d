import { expect, it } from "vitest";
import { oneByOne } from "../../src/lib/one-by-one.ts";

it("does all of it in its order, throws the first failure and hands on the others, each once", async () => {
  const done: string[] = [];
  const also: unknown[] = [];
  const work = (name: string, failure?: string) => async () => {
    done.push(name);
    if (failure !== undefined) await Promise.reject(new Error(failure));
  };
  const works = [work("a"), work("b", "away"), work("c", "broken"), work("d", "away"), work("e", "broken"), work("f")];
  await expect(oneByOne(works, (error) => also.push(error))).rejects.toThrow("away");
  expect(done).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(also).toEqual([new Error("broken")]);
  await oneByOne([work("g")], (error) => also.push(error));
  expect(also).toHaveLength(1);
});
