import { numberIn } from "../fault.ts";
import { askEngine } from "../../engine-link.ts";
import { outcomeOf } from "../../operations.ts";
import type { Release } from "../../release.ts";
import { RELEASE_2_0 } from "../2.0/release.ts";

/** Accounts with at least `restingOrders` resting orders lose a `share` (0 to 1) of their amends. */
export type Fault = { readonly restingOrders: number; readonly share: number };

/** Reads `{"restingOrders":3,"share":0.6}`; these are the defaults. */
export const readFault = (text: string | undefined): Fault => ({
  restingOrders: numberIn(text, "restingOrders") ?? 3,
  share: numberIn(text, "share") ?? 0.6,
});

/** 2.2 is 2.0 that stumbles over accounts with several resting orders. Whoever has one order at a time never sees it. */
export const release22 = (fault: Fault, luck: () => number = Math.random): Release => ({
  version: "2.2",
  statements: RELEASE_2_0.statements,
  refine: (operations, engine) => ({
    ...operations,
    amend: async (change) => {
      const asked = await askEngine(engine, { op: "pending", uid: change.uid, limit: fault.restingOrders });
      const resting = asked.kind === "reply" ? (asked.reply.orders ?? []).length : 0;
      if (resting >= fault.restingOrders && luck() < fault.share) return outcomeOf("50026", change);
      return operations.amend(change);
    },
  }),
});
