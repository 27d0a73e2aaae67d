import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import type { Signal } from "../core/signal.ts";

/** What arrived, as it arrived. */
export interface HookRequest {
  readonly headers: IncomingHttpHeaders;
  /** The body's bytes, for signatures. */
  readonly raw: Buffer;
  readonly now: Date;
}

/** What a body says. */
export interface ParsedHook {
  readonly signals: readonly Signal[];
}

/** A webhook format: what a folder below `hooks/` exports. It arrives at `/hooks/<kind>`. */
export interface HookKind<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly methods: readonly ("POST" | "PUT")[];
  /** Its part of the configuration, `hooks.<kind>`; every key optional. */
  readonly schema: S;
  /**
   * Whether the request proves by itself that it comes from where it should (a signature): it then needs no token.
   * `wrong`: it carries a proof that is none. `none`: it carries none.
   */
  authenticate?(request: HookRequest, config: z.output<S>): "proven" | "wrong" | "none";
  /**
   * Reads a body that is JSON.
   * @throws AppError `http` with one line about what is wrong with it.
   */
  parse(body: unknown, request: HookRequest, config: z.output<S>): ParsedHook;
}
