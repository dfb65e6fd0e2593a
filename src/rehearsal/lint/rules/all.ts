import type { Rule } from "../seen.ts";
import * as columns from "./columns.ts";
import * as constraints from "./constraints.ts";
import * as flow from "./flow.ts";
import * as indexes from "./indexes.ts";
import * as locksHeld from "./locks-held.ts";
import * as removals from "./removals.ts";
import * as rowsAndValues from "./rows-and-values.ts";
import * as timeOuts from "./time-outs.ts";

/** Every rule that judges a statement by itself and by what stands around it. */
export const STATEMENT_RULES: readonly Rule[] = [
  timeOuts,
  indexes,
  columns,
  constraints,
  locksHeld,
  removals,
  rowsAndValues,
  flow,
].flatMap((family) => Object.values(family));
