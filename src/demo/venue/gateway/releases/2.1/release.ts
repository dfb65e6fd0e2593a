import { numberIn } from "../fault.ts";
import { outcomeOf } from "../../operations.ts";
import type { Release } from "../../release.ts";
import { RELEASE_2_0 } from "../2.0/release.ts";

/** The share of amends that fails, 0 to 1. */
export type Fault = { readonly amendShare: number };

/** Reads `{"amendShare":0.33}`; the default is 0.33. */
export const readFault = (text: string | undefined): Fault => ({ amendShare: numberIn(text, "amendShare") ?? 0.33 });

/** 2.1 is 2.0 that answers a share of all amends with a system error. */
export const release21 = (fault: Fault, luck: () => number = Math.random): Release => ({
  version: "2.1",
  statements: RELEASE_2_0.statements,
  refine: (operations) => ({
    ...operations,
    amend: async (change) => (luck() < fault.amendShare ? outcomeOf("50026", change) : operations.amend(change)),
  }),
});
