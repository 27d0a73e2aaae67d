import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import type { Signal } from "../core/signal.ts";

/** What arrived, as it arrived. */
export interface HookRequest {
  readonly headers: IncomingHttpHeaders;
  /** The body's bytes, for signatures. */
  readonly raw: Buffer;
  readonly now: Date;
  /** What follows the kind in the address: "minio" of `/hooks/events/minio`. */
  readonly variant?: string | undefined;
}

/** What a body says, read one by one as it is asked for: of thousands, others have their turn in between. */
export interface ParsedHook {
  readonly signals: Iterable<Signal>;
}

/**
 * `proven`: it carries a valid signature. `wrong`: one that is none. `expired`: one that was made too long ago, or by
 * a clock that differs too much. `none`: it carries none, or there is no secret to compare with.
 */
export type Proof = "proven" | "wrong" | "expired" | "none";

/** A webhook format: what a folder below `hooks/` exports. It arrives at `/hooks/<kind>`. */
export interface HookKind<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly methods: readonly ("POST" | "PUT")[];
  /** Its part of the configuration, `hooks.<kind>`; every key optional. */
  readonly schema: S;
  /** What may follow the kind in the address, by the configuration. */
  variants?(config: z.output<S>): readonly string[];
  /**
   * Whether requests may prove by themselves that they come from where they should: such a body is read before its
   * token is looked at.
   */
  signed?(config: z.output<S>, variant: string | undefined): boolean;
  /** Whether this request does: it then needs no token. */
  authenticate?(request: HookRequest, config: z.output<S>): Proof;
  /**
   * Reads a body that is JSON. It, and the iteration of what it gives,
   * @throws AppError `http` with one line about what is wrong with it.
   */
  parse(body: unknown, request: HookRequest, config: z.output<S>): ParsedHook;
}
