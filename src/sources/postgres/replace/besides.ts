import type { Beside, BesideOrder } from "../../replacement.ts";
import type { PostgresConfig } from "../schema.ts";
import { type Machine, thisMachine } from "../unpacked.ts";
import { DatabaseBeside } from "./beside.ts";
import { SchemaBeside } from "./pick.ts";

/** The restore beside of one order: of a database into a new one, or of a part of it into a new schema of the live one. */
export function createBeside(config: PostgresConfig, order: BesideOrder, machine: Machine = thisMachine): Beside {
  const { pick } = order;
  return pick === undefined
    ? new DatabaseBeside(config, order, machine)
    : new SchemaBeside(config, { ...order, pick }, machine);
}
