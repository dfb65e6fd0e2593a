import { msgOf } from "./codes.ts";
import { formatDecimal, parseDecimal, shiftedBy } from "./decimal.ts";
import type { Instrument } from "./metadata.ts";
import { refuse } from "./order-request.ts";
import type { Refusal } from "./order-request.ts";

/** Refuses a limit price outside the instrument's band around the last trade. Before the first trade there is no band. */
export const checkBand = (px: string, lastPx: string | undefined, instrument: Instrument): Refusal | undefined => {
  const [price, last] = [parseDecimal(px), parseDecimal(lastPx)];
  if (price === undefined || last === undefined || last === 0n) return undefined;
  const highest = shiftedBy(last, parseDecimal(instrument.upperPct) ?? 0n, 1n);
  const lowest = shiftedBy(last, parseDecimal(instrument.lowerPct) ?? 0n, -1n);
  if (price > highest) return refuse("51137", msgOf("51137", formatDecimal(highest)));
  return price < lowest ? refuse("51138", msgOf("51138", formatDecimal(lowest))) : undefined;
};
