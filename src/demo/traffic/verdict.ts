import { isEnd, sameNumber, sameValues } from "./ledger.ts";
import type { LedgerOrder, Unsure, Values, VenueOrder } from "./ledger.ts";

/** What the final query of an order brought. */
export type Finding =
  | { readonly kind: "found"; readonly order: VenueOrder }
  | { readonly kind: "unknown" }
  | { readonly kind: "no-answer" };

/** What the final state says. `unchecked`: the venue did not answer, so nothing is proved. */
export type OrderVerdict =
  | { readonly kind: "right" }
  | { readonly kind: "lost"; readonly reason: LostReason }
  | { readonly kind: "unchecked" };

/**
 * `missing`: acknowledged, and the venue does not know it. `cancel-undone`: acknowledged as cancelled, and live.
 * `cancelled-by-nobody`: gone without its user. `values-wrong`: price or size are none that its user asked for.
 * `refused-but-live`: refused for certain, and live.
 */
export type LostReason = "missing" | "cancel-undone" | "cancelled-by-nobody" | "values-wrong" | "refused-but-live";

/** Compares the last acknowledged word on an order with its state at the end. Whatever the user could not be sure of is allowed. */
export const verdictOf = (order: LedgerOrder, finding: Finding): OrderVerdict => {
  if (finding.kind === "no-answer") return order.placed === "refused" ? RIGHT : { kind: "unchecked" };
  if (finding.kind === "unknown") return order.placed === "acknowledged" ? lost("missing") : RIGHT;
  const { order: found } = finding;
  if (order.placed === "refused") return isEnd(found.state) ? RIGHT : lost("refused-but-live");
  if (order.cancel === "acknowledged" && !isEnd(found.state)) return lost("cancel-undone");
  if (found.state === "canceled" && order.rests && order.cancel === "none" && !VENUE_CANCELS.has(found.cancelSource))
    return lost("cancelled-by-nobody");
  return [order.values, ...order.possible].some((values) => stands(values, found)) ? RIGHT : lost("values-wrong");
};

/** Whether an unsure operation had its effect; undefined where the venue did not tell. */
export const hasLanded = ({ op, values }: Pick<Unsure, "op" | "values">, finding: Finding): boolean | undefined => {
  if (finding.kind === "no-answer") return undefined;
  if (finding.kind === "unknown") return false;
  switch (op) {
    case "order":
      return true;
    case "amend":
      return values !== undefined && sameValues(values, finding.order);
    case "cancel":
      return finding.order.state === "canceled";
  }
};

/** Whether the shown state bears out an acknowledged amend or cancel. An order that traded away meanwhile does so too. */
export const isBorneOut = (op: "amend" | "cancel", values: Values, shown: VenueOrder): boolean => {
  if (op === "cancel") return isEnd(shown.state);
  return shown.state === "filled" || sameValues(values, shown);
};

// A new size below what has traded already ends the order at what has traded.
const stands = (values: Values, found: VenueOrder): boolean =>
  sameValues(values, found) ||
  (found.state === "filled" && sameNumber(values.px, found.px) && Number(found.sz) >= Number(values.sz));

// Post-only that would have taken, self-trade prevention: the venue does these on its own, by the rules.
const VENUE_CANCELS: ReadonlySet<string> = new Set(["31", "32"]);

const RIGHT: OrderVerdict = { kind: "right" };
const lost = (reason: LostReason): OrderVerdict => ({ kind: "lost", reason });
