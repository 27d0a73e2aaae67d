import { AppError } from "../../../core/errors.ts";
import type { ReplacementContext } from "../../replacement.ts";
import { bringBack, countFormer } from "./bring-back.ts";
import type { Marks } from "./marks.ts";
import type { Target } from "./target.ts";

/** How often a bucket is gone over that others write to at the same time. */
const mostPasses = 3;

/**
 * Gives every object what it was at `since`, and leaves everything that was written later as older versions. `former`: how
 * many objects have to be there for that; where there are fewer, nothing is touched.
 */
export async function takeBack(
  { target, marks, place }: { readonly target: Target; readonly marks: Marks; readonly place: string },
  order: {
    readonly since: Date;
    readonly former: number;
    readonly context: Pick<ReplacementContext, "signal" | "step">;
  },
): Promise<void> {
  const { since, former, context } = order;
  const { signal } = context;
  const found = await countFormer(target, since, signal);
  if (found < former) throw missing(place, former - found);
  await marks.begin("undo", signal);
  const { undoFrom: from = since } = await marks.read(signal);
  for (let pass = 1; (await bringBack(target, { since, from, total: found }, context)) > 0; pass += 1)
    if (pass === mostPasses) throw notQuiet(place);
  await marks.dropSwap(signal);
  await marks.end("undo", signal);
}

function missing(place: string, count: number): AppError {
  return new AppError("conflict", `${count} former versions in ${place} were removed since: nothing was brought back`, {
    context: { step: "preflight", place },
    text: { key: "error-replace-s3-expired", args: { place, count } },
  });
}

function notQuiet(place: string): AppError {
  return new AppError("source-failed", `${place} is written to faster than it can be brought back`, {
    permanent: false,
    context: { step: "undo", place },
    text: { key: "error-replace-s3-restless", args: { place } },
  });
}
