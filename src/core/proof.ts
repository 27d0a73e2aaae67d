import { createHash } from "node:crypto";
import { z } from "zod";
import type { Moment, Text } from "./text.ts";

/**
 * How deeply a backup was proven: `stored` (its bytes read back, SHA-256 compared), `readable` (read whole by the tools
 * of its kind), `restored` (restored into a scratch place, compared with the manifest, removed again).
 */
export const depths = ["stored", "readable", "restored"] as const;
export type Depth = (typeof depths)[number];

/** True when this depth is at least as deep as the other one. */
export function isAsDeep(depth: Depth, other: Depth): boolean {
  return depths.indexOf(depth) >= depths.indexOf(other);
}

const momentSchema: z.ZodType<Moment> = z.object({ moment: z.iso.datetime(), timezone: z.string() });

/** Sentences by their keys, as `Text`; what reads them must not rely on knowing every key. */
const textSchema: z.ZodType<Text> = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number(), z.lazy(() => textSchema), momentSchema])).exactOptional(),
});

const proofSchema = z.object({
  /** How deep the look went. */
  depth: z.enum(depths),
  /** How deep it should have gone, where it could not, and why not. */
  wanted: z.enum(depths).optional(),
  because: textSchema.optional(),
  /** Whether it held. */
  ok: z.boolean(),
  /** When it ended, ISO 8601. */
  at: z.iso.datetime(),
  /** Host of the worker. */
  host: z.string(),
  elapsedMs: z.number().nonnegative(),
  /** Of a test-restore: the measured recovery time. */
  restoreMs: z.number().nonnegative().optional(),
  /** What was compared and how much of it. */
  compared: z.record(z.string(), z.number()).optional(),
  differences: z.array(z.object({ what: z.string(), expected: z.string(), found: z.string() })).optional(),
  differencesTotal: z.number().int().nonnegative().optional(),
  /** What was done otherwise than in the original, and is no difference. */
  remarks: z.array(textSchema).optional(),
  /** Why it did not hold: the error's stable code, its English line, and the same for a reader. */
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      text: textSchema.exactOptional(),
      /** Key of the object that is damaged or not there, which may be a part of an earlier run. */
      object: z.string().exactOptional(),
    })
    .optional(),
});

/** One look at one copy of a backup. */
export type Proof = z.infer<typeof proofSchema>;

/** Beside a copy's manifest: how it was proven. It is written anew with every proof; the manifest never is. */
export const proofFile = "proof.json";

const proofsSchema = z.object({
  version: z.literal(1),
  /** Of the manifest that was proven: another one beside it makes this worthless. */
  manifestSha256: z.string(),
  /** The newest of each depth. */
  proofs: z.array(proofSchema),
  /** Of all that: a proof that was damaged proves nothing. */
  sha256: z.string(),
});

export type Proofs = Omit<z.infer<typeof proofsSchema>, "sha256">;

/** With one more proof: of each depth the newest stays. */
export function withProof(proofs: Proofs | undefined, manifestSha256: string, proof: Proof): Proofs {
  const known = proofs?.manifestSha256 === manifestSha256 ? proofs.proofs : [];
  return { version: 1, manifestSha256, proofs: [...known.filter(({ depth }) => depth !== proof.depth), proof] };
}

export function encodeProofs(proofs: Proofs): Uint8Array {
  const plain = proofsSchema.omit({ sha256: true }).parse(proofs);
  return new TextEncoder().encode(`${JSON.stringify({ ...plain, sha256: digestOf(plain) }, null, 2)}\n`);
}

/** Undefined for what is none: a proof that cannot be read, or that was damaged, proves nothing. */
export function parseProofs(bytes: Uint8Array): Proofs | undefined {
  try {
    const data: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { sha256, ...proofs } = proofsSchema.parse(data);
    // Of what is written there: a later version may say more in it than this one reads.
    return sha256 === digestOf(data as Proofs) ? proofs : undefined;
  } catch {
    return undefined;
  }
}

function digestOf({ manifestSha256, proofs }: Pick<Proofs, "manifestSha256" | "proofs">): string {
  return createHash("sha256")
    .update(JSON.stringify([manifestSha256, proofs]))
    .digest("hex");
}

/** Beside the manifest in every storage: the backup is kept whatever the retention says. */
export const pinFile = "pin.json";

const pinSchema = z.object({
  version: z.literal(1),
  at: z.iso.datetime(),
  /** Name of the person, or what it was made for: "pre-restore". */
  by: z.string(),
  reason: z.string().optional(),
});

export type Pin = z.infer<typeof pinSchema>;

/** By this a pin is known that was set for a way back, and not by a person. */
export const preRestorePin = "pre-restore";

export function encodePin(pin: Pin): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(pinSchema.parse(pin), null, 2)}\n`);
}

/** One that cannot be read still pins. */
export function parsePin(bytes: Uint8Array): Pin {
  return parse(pinSchema, bytes) ?? { version: 1, at: new Date(0).toISOString(), by: "?" };
}

function parse<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.output<S> | undefined {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** The deepest proof that holds, newest first among equals; undefined: nobody has looked. */
export function deepest<P extends Proof>(proofs: readonly P[]): P | undefined {
  const holding = proofs.filter(({ ok }) => ok);
  const rank = ({ depth, at }: Proof): [number, string] => [depths.indexOf(depth), at];
  return holding.toSorted((a, b) => rank(b)[0] - rank(a)[0] || (rank(a)[1] < rank(b)[1] ? 1 : -1))[0];
}

/**
 * The newest look that failed and that no later one at the same copy, of its depth or a deeper one, has made good. Later
 * is what comes later in the list: a clock that was ahead once must not hide what was found since.
 */
export function failure<P extends Proof & { readonly storage?: string }>(proofs: readonly P[]): P | undefined {
  return proofs
    .filter(
      (bad, index) =>
        !bad.ok &&
        !proofs
          .slice(index + 1)
          .some((good) => good.ok && good.storage === bad.storage && isAsDeep(good.depth, bad.depth)),
    )
    .at(-1);
}
